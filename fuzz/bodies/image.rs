//! Image files: whatever a decoder does on them, an accepted one has pixels and a refused one a message.

use super::{PATH, accepted};
use gdstar::data::image_folder::{MAX_SIDE, decode, header};
use std::path::Path;

/// Reads `data` as an image file.
pub fn run(data: &[u8]) -> bool {
    let path = Path::new(PATH);
    accepted(decode(path, data), |image| {
        let header = header(path, data).expect("it was decoded");
        assert_eq!((header.width, header.height), image.dimensions());
        assert!((1..=MAX_SIDE).contains(&header.width) && (1..=MAX_SIDE).contains(&header.height));
    })
}
