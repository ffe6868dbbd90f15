//! A run's configuration: an accepted one is valid, and survives being written.

use super::{PATH, accepted};
use gdstar::train::Config;
use std::path::Path;

/// Reads `data` as a `config.toml`.
pub fn run(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    accepted(Config::parse(Path::new(PATH), text), |config| {
        assert!(config.validate().is_ok());
        let written = config.to_toml().expect("what was read can be written");
        assert_eq!(Config::parse(Path::new(PATH), &written).expect("what was written can be read"), config);
    })
}
