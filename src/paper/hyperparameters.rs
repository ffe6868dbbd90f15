//! Section 4: the method's hyper-parameters, with the paper's values as defaults.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The symbols of the method that a user sets. Field names are the keys in files; [`validate`](Self::validate)
/// names the options of the command line.
///
/// ```
/// use gdstar::paper::Hyperparameters;
/// let paper = Hyperparameters::default();
/// assert_eq!((paper.alpha_0, paper.alpha_end, paper.lambda), (0.95, 0.25, 0.75));
/// let wrong = Hyperparameters { lambda: 1.5, ..paper };
/// assert_eq!(wrong.validate().unwrap_err().to_string(), "--lambda: expected a number in (0, 1], found 1.5");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hyperparameters {
    /// K: epochs of training.
    pub epochs: usize,
    /// alpha_0: the prune rate at the start, in (0, 1).
    pub alpha_0: f64,
    /// alpha_K: the prune rate at the end, in (0, 1).
    #[serde(rename = "alpha_K")]
    pub alpha_end: f64,
    /// lambda: the decay rate, in (0, 1].
    pub lambda: f64,
    /// eps: the prune threshold, at least 0.
    pub eps: f64,
    /// C: the chunks of Eq. 6, at least 1.
    pub chunks: usize,
}

impl Default for Hyperparameters {
    /// Section 4: 300 epochs, alpha from 0.95 to 0.25, lambda 0.75, eps 5.5e-5, C = 1.
    fn default() -> Self {
        Self { epochs: 300, alpha_0: 0.95, alpha_end: 0.25, lambda: 0.75, eps: 5.5e-5, chunks: 1 }
    }
}

impl Hyperparameters {
    /// # Errors
    /// [`Error::Domain`] naming the first option whose value is impossible.
    pub fn validate(&self) -> Result<()> {
        let require = |holds: bool, option: &str, expected: &str, found: f64| {
            if holds { Ok(()) } else { Err(Error::domain(option, expected, found)) }
        };
        let (open, half_open) = ("a number in (0, 1)", "a number in (0, 1]");
        require(self.epochs >= 1, "--epochs", "at least 1", self.epochs as f64)?;
        require(self.alpha_0 > 0.0 && self.alpha_0 < 1.0, "--alpha-0", open, self.alpha_0)?;
        require(self.alpha_end > 0.0 && self.alpha_end < 1.0, "--alpha-k", open, self.alpha_end)?;
        require(self.lambda > 0.0 && self.lambda <= 1.0, "--lambda", half_open, self.lambda)?;
        require(self.eps >= 0.0 && self.eps.is_finite(), "--eps", "a finite number >= 0", self.eps)?;
        require(self.chunks >= 1, "--chunks", "at least 1", self.chunks as f64)
    }
}
