//! [`GradualPruning`]: a sparsity that rises along the cubic course (Zhu & Gupta 2017), as GMP and GraNet prune.

use super::record::{KEEP, RATE};
use super::selection::{Rules, Shares, ranges, required};
use super::tally::Tally;
use super::{Setup, Story, Told};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::select::distribution::Distribution;
use crate::select::schedule::cubic;
use crate::select::score::magnitudes;
use crate::weights::Weights;

/// From which sparsity to which, from when to when, and over what weights are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct GradualPruning {
    pub sparsities: (f64, f64),
    pub start: usize,
    pub end: usize,
    pub distribution: Distribution,
}

impl GradualPruning {
    /// Between the sparsities that the options give.
    ///
    /// # Errors
    /// [`Error::Domain`] if the last is less than the first.
    pub fn of(setup: &Setup, start: usize, end: usize, distribution: Distribution) -> Result<Self> {
        let sparsity = |key| required(setup.options, key);
        let sparsities: (f64, f64) = (sparsity("initial_sparsity")?, sparsity("final_sparsity")?);
        if sparsities.1 < sparsities.0 {
            let least = format!("at least --initial-sparsity {}", sparsities.0);
            return Err(Error::domain("--final-sparsity", least, sparsities.1));
        }
        Ok(Self { sparsities, start, end, distribution })
    }

    /// Which of the active weights are kept at c, and |w| of all.
    ///
    /// # Errors
    /// As [`Shares::keep`].
    pub fn keep<S: Scalar>(
        &self,
        c: usize,
        active: &[bool],
        rules: &Rules,
        w: &Weights<S>,
        tally: &mut Tally<S>,
        story: &mut Story<S>,
    ) -> Result<(Vec<bool>, Vec<S>)> {
        let rate = cubic(self.sparsities, c, (self.start, self.end));
        let (ranges, scores) = (ranges(w), magnitudes(&w.values()));
        let shares = Shares::even(self.distribution, rate, ranges.len());
        let kept = shares.keep(rules, &ranges, &scores, Some(active))?;
        tally.rate = S::from_f64(rate);
        story.tell(&RATE, Told::Number(tally.rate));
        story.record(&KEEP, || Told::Counts(kept.keep));
        Ok((kept.flags, scores))
    }
}
