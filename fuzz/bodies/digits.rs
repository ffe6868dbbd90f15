//! The reader of the digits' table, and their split.

use super::{PATH, accepted};
use gdstar::data::{Images, digits};
use std::path::Path;

/// Reads `data` as a table and splits it.
pub fn run(data: &[u8]) -> bool {
    accepted(digits::parse(Path::new(PATH), data), |samples| {
        assert_eq!(table(&samples).as_bytes(), data.strip_suffix(b"\n").unwrap_or(data));
        let (train, test) = digits::split(&samples);
        assert_eq!(train.len() + test.len(), samples.len());
        assert!(4 * test.len() <= train.len(), "{} to {}", train.len(), test.len());
    })
}

/// The table's only form: no signs, no spaces, no leading zeros.
fn table(samples: &Images) -> String {
    let line = |i| {
        let mut entries: Vec<String> = samples.image(i).iter().map(ToString::to_string).collect();
        entries.push(samples.labels[i].to_string());
        entries.join(",")
    };
    (0..samples.len()).map(line).collect::<Vec<String>>().join("\n")
}
