#![no_main]

// A decoder's panic is contained and no finding.
libfuzzer_sys::fuzz_target!(
    init: gdstar::data::image_folder::silence_decoders(),
    |data: &[u8]| {
        gdstar_fuzz::image::run(data);
    }
);
