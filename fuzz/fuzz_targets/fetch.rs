#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    gdstar_fuzz::fetch::run(data);
});
