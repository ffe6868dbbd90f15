//! The CIFAR-10 reader: an accepted batch is exactly its records.

use super::{PATH, accepted};
use gdstar::data::cifar10::parse;
use std::path::Path;

/// Reads `data` as a batch file.
pub fn run(data: &[u8]) -> bool {
    accepted(parse(Path::new(PATH), data), |images| {
        assert!(!images.is_empty() && images.labels.iter().all(|&label| label < 10));
        let record = |i: usize| {
            let pixels = images.image(i).iter().copied().map(u16::from);
            std::iter::once(images.labels[i]).chain(pixels)
        };
        let bytes = data.iter().copied().map(u16::from);
        assert!((0..images.len()).flat_map(record).eq(bytes), "records differ from the file");
    })
}
