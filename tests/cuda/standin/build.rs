//! Under the name that programs ask for: once a process has opened the library by its path, opening `libcuda.so` finds it.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libcuda.so");
}
