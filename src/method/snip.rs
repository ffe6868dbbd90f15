//! SNIP (Lee et al. 2019): before training, the weights stay on which the loss of one batch depends most.

use super::keys::{
    COUNT, CUT, DISTRIBUTION, ERK_BUDGET, GLOBAL_FIRST, MASKED, MINIMUM, SPARSITIES, SPARSITY, STARTING_WEIGHTS, TIES,
    run,
};
use super::options::{Domain, OptionValue};
use super::record::{ACTIVE, FRESH, GRADIENT, KEEP, MASK, SCORE};
use super::selection::{OneShot, magnitudes};
use super::{At, Entry, Lab, Setup, Sparsifier, Story, Told, record};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::select::update::StartingWeights;
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    heeds: MASKED,
    options: &[
        SPARSITY,
        SPARSITIES,
        DISTRIBUTION.among(GLOBAL_FIRST),
        ERK_BUDGET,
        STARTING_WEIGHTS,
        COUNT,
        CUT,
        TIES,
        MINIMUM,
        run("score_batch", Domain::Count { from: 1 }, "Training images that the loss is taken on")
            .or(OptionValue::Count(100)),
    ],
    labels: &["count", "score", "mask", "weights"],
    quantities: &[&ACTIVE, &record::SPARSITY, &KEEP, &SCORE, &GRADIENT, &FRESH, &MASK],
    records_steps: true,
    check: |setup, shapes| OneShot::of(setup, shapes).map(|_| ()),
    ..Entry::new("snip", "Before training, the weights of largest |g w| are chosen", "Lee et al. 2019")
};

struct Snip {
    shot: OneShot,
    score_batch: usize,
    starting: StartingWeights,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(Snip {
        shot: OneShot::of(setup, &w.shapes())?,
        score_batch: setup.options.count("score_batch").unwrap_or_default(),
        starting: setup.options.choice()?,
    }))
}

impl<S: Scalar> Sparsifier<S> for Snip {
    fn begin(&mut self, lab: &dyn Lab<S>, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let samples: Vec<usize> = lab.samples().iter().take(self.score_batch).map(|&(sample, _)| sample).collect();
        let gradient = lab.gradient(w, &samples)?;
        let scores: Vec<S> = gradient.iter().zip(w.values()).map(|(&g, w)| g * w).collect();
        let scores = magnitudes(&scores);
        self.shot.keep(&scores, w, story)?;
        if self.starting == StartingWeights::Fresh {
            let fresh = lab.fresh(w);
            w.set_living(&fresh);
            story.record(&FRESH, || Told::PerWeight(fresh));
        }
        story.record(&GRADIENT, || Told::PerWeight(gradient));
        story.record(&SCORE, || Told::PerWeight(scores));
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        OneShot::tell(w, story);
        Ok(())
    }
}
