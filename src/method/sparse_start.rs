//! How methods begin that are sparse from the start, and the numbers that they draw.

use super::record::{INIT_DRAW, INIT_MASK};
use super::selection::{Rules, Shares, impose, ranges};
use super::{Story, Told};
use crate::error::Result;
use crate::random::{Purpose, normal, stream, unit};
use crate::scalar::Scalar;
use crate::select::cut::{Cut, Ties, keep_largest};
use crate::select::update::InactiveMomentum;
use crate::weights::Weights;

/// The standard deviation of weights that are grown with a new value (Mocanu et al. 2018).
const GROWN_DEVIATION: f64 = 0.1;

/// A uniform number a weight, of this purpose and step.
pub(super) fn draws<S: Scalar>(seed: u64, purpose: Purpose, t: usize, n: usize) -> Vec<S> {
    let mut rng = stream(seed, purpose, t);
    (0..n).map(|_| S::from_f64(unit(&mut rng))).collect()
}

/// A new value a weight, as step `t` grows weights with.
pub(super) fn fresh<S: Scalar>(seed: u64, t: usize, n: usize) -> Vec<S> {
    let mut rng = stream(seed, Purpose::GrownWeights, t);
    (0..n).map(|_| S::from_f64(GROWN_DEVIATION * normal(&mut rng))).collect()
}

/// How many weights each layer starts with.
#[derive(Debug, Clone)]
pub(super) struct SparseStart {
    pub counts: Vec<usize>,
    /// Where the counts come from sparsities.
    pub shares: Option<Shares>,
}

impl SparseStart {
    /// As these sparsities of layers of these shapes say.
    pub fn of(shares: Shares, rules: &Rules, shapes: &[&[usize]]) -> Self {
        Self { counts: shares.counts(rules, shapes), shares: Some(shares) }
    }

    /// The initial mask: in each layer the weights of largest draw, as many as are counted.
    ///
    /// # Errors
    /// None that a draw can cause.
    pub fn begin<S: Scalar>(&self, seed: u64, ties: Ties, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.shares.iter().for_each(|shares| shares.tell(story));
        let draw: Vec<S> = draws(seed, Purpose::InitialMask, 0, w.len());
        let mut mask = Vec::with_capacity(w.len());
        for (range, &k) in ranges(w).into_iter().zip(&self.counts) {
            mask.extend(keep_largest(&draw[range], k, Cut::Exact, ties)?);
        }
        impose(&mask, InactiveMomentum::Zero, w);
        story.record(&INIT_DRAW, || Told::PerWeight(draw));
        story.record(&INIT_MASK, || Told::Flags(mask));
        Ok(())
    }
}
