//! The options of runs that an experiment is made of.

use super::TrainArgs;
use crate::error::{Error, Result};
use crate::method::Method;
use crate::train::Config;
use std::path::Path;

impl TrainArgs {
    /// What an experiment's runs are trained by, `dense` unless another method is given: what is given, over what is
    /// stored of it.
    ///
    /// # Errors
    /// [`Error::Domain`] for options that are missing or out of range.
    pub fn experiment(&self, stored: Option<&Config>) -> Result<Config> {
        let mut config = match (stored, &self.model, self.data) {
            (Some(stored), _, _) => stored.clone(),
            (None, Some(model), Some(data)) => Config::new(model, data, self.method.unwrap_or(Method::Dense)),
            (None, model, _) => {
                let missing = if model.is_none() { "--model" } else { "--data" };
                return Err(Error::domain(missing, "a name (or --out of what was begun)", "nothing"));
            }
        };
        self.apply_settings(&mut config)?;
        Ok(config)
    }

    pub fn out(&self) -> Option<&Path> {
        self.out.as_deref()
    }

    pub fn threads(&self) -> Option<usize> {
        self.threads
    }

    pub fn every(&self) -> usize {
        self.every
    }
}
