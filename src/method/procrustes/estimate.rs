//! [`Estimate`]: the quantile that parts tracked weights from others, as it runs along the scores in the place of a sort.

use crate::error::{Error, Result};
use crate::method::record::QUANTILE;
use crate::method::tracking::tracked_count;
use crate::method::{Setup, Story, Told};
use crate::scalar::Scalar;
use crate::select::dumique::{Dumique, DumiqueCarry, Select};

/// The running estimate of a run.
#[derive(Debug)]
pub struct Estimate<S> {
    dumique: Dumique,
    start: f64,
    carry: DumiqueCarry,
    /// Q, where it goes on from step to step.
    pub quantile: S,
}

impl<S: Scalar> Estimate<S> {
    /// Of n weights; `None` where the options ask for a sort.
    ///
    /// # Errors
    /// [`Error::Domain`] for a rate above 1, or a count of tracked weights that n weights do not have.
    pub fn of(setup: &Setup, n: usize) -> Result<Option<Self>> {
        let options = setup.options;
        let k = tracked_count(setup, n)?;
        let rate = options.real("dumique_rate").unwrap_or_default();
        if rate > 1.0 {
            return Err(Error::domain("--dumique-rate", "at most 1", rate));
        }
        if options.choice::<Select>()? == Select::Sort {
            return Ok(None);
        }
        let dumique = Dumique { q: 1.0 - k as f64 / n.max(1) as f64, rate, order: options.choice()? };
        let start = options.real("dumique_start").unwrap_or_default();
        Ok(Some(Self { dumique, start, carry: options.choice()?, quantile: S::from_f64(start) }))
    }

    /// m: the weights whose scores are above the estimate as it passes them.
    ///
    /// # Errors
    /// [`Error::Domain`] if a score is not finite.
    pub fn select(&mut self, scores: &[S], story: &mut Story<S>) -> Result<Vec<bool>> {
        if self.carry != DumiqueCarry::Carry {
            self.quantile = S::from_f64(self.start);
        }
        let first = self.quantile;
        let tracked = self.dumique.pass(scores, &mut self.quantile)?;
        let last = self.quantile;
        story.record(&QUANTILE, || Told::Numbers(vec![first, last]));
        Ok(tracked)
    }
}
