#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gdstar_fuzz::cifar10_archive::run(data);
});
