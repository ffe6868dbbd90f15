#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| _ = gdstar_fuzz::idx::run(data));
