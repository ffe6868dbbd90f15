//! [`SeedList`]: several seeds in one command, a run folder each.

use super::TrainArgs;
use crate::error::{Error, Result};
use std::str::FromStr;

/// Distinct seeds, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedList(Vec<u64>);

impl FromStr for SeedList {
    type Err = Error;

    /// `3` is 0, 1 and 2; `0,4,7` are those.
    fn from_str(text: &str) -> Result<Self> {
        const MOST: u64 = 10_000;
        let expected = format!("a number of seeds from 1 to {MOST}, or distinct seeds with commas between them");
        let bad = || Error::domain("--seeds", expected.clone(), format!("`{text}`"));
        if !text.contains(',') {
            let count = text.parse::<u64>().ok().filter(|count| (1..=MOST).contains(count)).ok_or_else(bad)?;
            return Ok(Self((0..count).collect()));
        }
        let seeds = text.split(',').map(|seed| seed.trim().parse::<u64>()).collect::<std::result::Result<Vec<_>, _>>();
        let seeds = seeds.map_err(|_| bad())?;
        let is_new = |i: usize| !seeds[..i].contains(&seeds[i]);
        if (0..seeds.len()).all(is_new) { Ok(Self(seeds)) } else { Err(bad()) }
    }
}

impl TrainArgs {
    /// The runs that are asked for: this one, or one a seed, each in its folder `seed-<seed>`.
    pub fn runs(&self) -> Vec<Self> {
        let Some(SeedList(seeds)) = &self.seeds else { return vec![self.clone()] };
        let of_seed = |&seed: &u64| {
            let folder = |path: &std::path::PathBuf| path.join(format!("seed-{seed}"));
            Self {
                seed: Some(seed),
                seeds: None,
                out: self.out.as_ref().map(folder),
                tensorboard: self.tensorboard.as_ref().map(folder),
                ..self.clone()
            }
        };
        seeds.iter().map(of_seed).collect()
    }
}
