//! SNIP (Lee et al. 2019): before training, the weights stay on which the loss of one batch depends most.

use super::choices::{Choices, SHARED, WEIGHTS};
use super::keys::{
    COUNT, CUT, DISTRIBUTION, ERK_BUDGET, GLOBAL_FIRST, MASKED, MINIMUM, SPARSITIES, SPARSITY, STARTING_WEIGHTS, TIES,
    run,
};
use super::one_shot::{OneShot, Saliency};
use super::options::{Domain, OptionValue};
use super::record::{ACTIVE, FRESH, GRADIENT, KEEP, MASK, SCORE};
use super::{Entry, Lab, Setup, Sparsifier, Story, Told, record};
use crate::error::Result;
use crate::kernel::{Kernel, formula_of_slices};
use crate::ops::Mul;
use crate::scalar::Scalar;
use crate::select::score::magnitudes;
use crate::select::update::StartingWeights;
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|g w|",
        schedule: "once, before training",
        distribution: SHARED,
        structure: WEIGHTS,
        update: "pruned for good",
    },
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
    check: |setup, shapes| method(setup, shapes).map(|_| ()),
    ..Entry::new("snip", "Before training, the weights of largest |g w| are chosen", "Lee et al. 2019")
};

/// The chapter's examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/snip.md")]
mod chapter {}

struct Snip {
    score_batch: usize,
    starting: StartingWeights,
}

fn method(setup: &Setup, shapes: &[&[usize]]) -> Result<OneShot<Snip>> {
    let score_batch = setup.options.count("score_batch").unwrap_or_default();
    OneShot::new(setup, shapes, Snip { score_batch, starting: setup.options.choice()? })
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(method(setup, &w.shapes())?))
}

impl Saliency for Snip {
    /// |g w|.
    fn scores<S: Scalar>(&self, lab: &dyn Lab<S>, w: &Weights<S>, story: &mut Story<S>) -> Result<Vec<S>> {
        let samples: Vec<usize> = lab.samples().iter().take(self.score_batch).map(|&(sample, _)| sample).collect();
        let gradient = lab.gradient(w, &samples)?;
        let scores = magnitudes(&formula_of_slices(Kernel::any(), Mul, [&gradient, &w.values()]));
        story.record(&GRADIENT, || Told::PerWeight(gradient));
        Ok(scores)
    }

    fn starts_afresh(&self) -> bool {
        self.starting == StartingWeights::Fresh
    }
}
