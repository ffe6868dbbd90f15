//! GraSP (Wang et al. 2020): before training, the weights go without which the gradient's norm falls least.

use super::choices::{Choices, SHARED, WEIGHTS};
use super::keys::{
    COUNT, CUT, DISTRIBUTION, ERK_BUDGET, GLOBAL_FIRST, MASKED, MINIMUM, REMOVE_FLOOR, SPARSITIES, SPARSITY, TIES, run,
};
use super::one_shot::{OneShot, Saliency};
use super::options::{Domain, OptionValue};
use super::record::{ACTIVE, HESSIAN_GRADIENT, KEEP, MASK, SCORE};
use super::{Entry, Lab, Setup, Sparsifier, Story, Told, record};
use crate::error::Result;
use crate::kernel::{Kernel, Scaled, formula_of_slices};
use crate::ops::Mul;
use crate::scalar::Scalar;
use crate::weights::Weights;
use std::collections::BTreeMap;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "-w (H g)",
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
        COUNT.or(REMOVE_FLOOR),
        CUT,
        TIES,
        MINIMUM,
        run("score_images", Domain::Count { from: 1 }, "Training images of each class that the loss is taken on")
            .or(OptionValue::Count(25)),
        run("temperature", Domain::Size, "What logits are divided by before the loss").or(OptionValue::Real(200.0)),
    ],
    labels: &["count", "score", "mask", "weights"],
    quantities: &[&ACTIVE, &record::SPARSITY, &KEEP, &SCORE, &HESSIAN_GRADIENT, &MASK],
    records_steps: true,
    check: |setup, shapes| method(setup, shapes).map(|_| ()),
    ..Entry::new("grasp", "Before training, the weights of largest -w (H g) are removed", "Wang et al. 2020")
};

/// The chapter's examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/grasp.md")]
mod chapter {}

struct Grasp {
    score_images: usize,
    temperature: f64,
}

fn method(setup: &Setup, shapes: &[&[usize]]) -> Result<OneShot<Grasp>> {
    let score_images = setup.options.count("score_images").unwrap_or_default();
    OneShot::new(setup, shapes, Grasp { score_images, temperature: setup.options.real("temperature").unwrap_or(1.0) })
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(method(setup, &w.shapes())?))
}

impl Grasp {
    /// The first samples of each class.
    fn samples(&self, all: Vec<(usize, usize)>) -> Vec<usize> {
        let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
        let is_wanted = |&(_, class): &(usize, usize)| {
            let taken = taken.entry(class).or_default();
            *taken += 1;
            *taken <= self.score_images
        };
        all.into_iter().filter(is_wanted).map(|(sample, _)| sample).collect()
    }
}

impl Saliency for Grasp {
    /// S = -w (H g).
    fn scores<S: Scalar>(&self, lab: &dyn Lab<S>, w: &Weights<S>, story: &mut Story<S>) -> Result<Vec<S>> {
        let product = lab.hessian_gradient(w, &self.samples(lab.samples()), self.temperature)?;
        let scores = minus(&formula_of_slices(Kernel::any(), Mul, [&w.values(), &product]));
        story.record(&HESSIAN_GRADIENT, || Told::PerWeight(product));
        Ok(scores)
    }

    /// The largest go.
    fn keys<S: Scalar>(scores: &[S]) -> Vec<S> {
        minus(scores)
    }
}

fn minus<S: Scalar>(values: &[S]) -> Vec<S> {
    formula_of_slices(Kernel::any(), Scaled(-1.0), [values])
}
