//! [`OneShot`]: SNIP and GraSP prune once, before training, by what the loss says of each weight: their [`Saliency`].

use super::record::{ACTIVE, FRESH, KEEP, MASK, SCORE};
use super::selection::{Rules, Shares, impose, ranges, required};
use super::{At, Lab, Setup, Sparsifier, Story, Told};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::update::InactiveMomentum;
use crate::weights::Weights;

/// How one of them judges weights.
pub(super) trait Saliency: Send {
    /// The score of every weight; what it was formed from is told.
    ///
    /// # Errors
    /// Those of the [`Lab`].
    fn scores<S: Scalar>(&self, lab: &dyn Lab<S>, w: &Weights<S>, story: &mut Story<S>) -> Result<Vec<S>>;

    /// The keys of scores: the largest stay.
    fn keys<S: Scalar>(scores: &[S]) -> Vec<S> {
        scores.to_vec()
    }

    /// Whether training starts from new weights, and not from those that were scored.
    fn starts_afresh(&self) -> bool {
        false
    }
}

/// Such a method at work.
pub(super) struct OneShot<R> {
    rules: Rules,
    shares: Shares,
    saliency: R,
}

impl<R: Saliency> OneShot<R> {
    /// As the options say, on layers of these shapes.
    pub fn new(setup: &Setup, shapes: &[&[usize]], saliency: R) -> Result<Self> {
        let shares = Shares::of(setup, required(setup.options, "sparsity")?, shapes)?;
        Ok(Self { rules: Rules::of(setup.options)?, shares, saliency })
    }
}

impl<S: Scalar, R: Saliency> Sparsifier<S> for OneShot<R> {
    fn begin(&mut self, lab: &dyn Lab<S>, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let scores = self.saliency.scores(lab, w, story)?;
        let keys = R::keys(&scores);
        let kept = self.shares.keep(&self.rules, &ranges(w), &keys, None)?;
        impose(&kept.flags, InactiveMomentum::Zero, w);
        self.shares.tell(story);
        if self.saliency.starts_afresh() {
            let fresh = lab.fresh(w);
            w.set_living(&fresh);
            story.record(&FRESH, || Told::PerWeight(fresh));
        }
        story.record(&KEEP, || Told::Counts(kept.keep));
        story.record(&SCORE, || Told::PerWeight(scores));
        story.record(&MASK, || Told::Flags(kept.flags));
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        story.tell(&ACTIVE, Told::Count(w.mask().unwrap_or_default().iter().filter(|&&active| active).count()));
        Ok(())
    }
}
