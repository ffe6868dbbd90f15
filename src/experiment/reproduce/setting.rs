//! [`Setting`]: a network and a method with its options, whatever the seed.

use crate::experiment::job::Job;
use crate::train::Config;

/// One setting of one network, whatever the seed.
#[derive(Debug, Clone)]
pub struct Setting {
    pub network: &'static str,
    /// `alpha 0.55`.
    pub name: String,
    pub config: Config,
}

impl Setting {
    /// Its run with this seed.
    pub fn job(&self, seed: u64) -> Job {
        Job::train(Config { seed, ..self.config.clone() })
    }
}
