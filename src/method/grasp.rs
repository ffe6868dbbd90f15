//! GraSP (Wang et al. 2020): before training, the weights go without which the gradient's norm falls least.

use super::keys::{
    COUNT, CUT, DISTRIBUTION, ERK_BUDGET, GLOBAL_FIRST, MASKED, MINIMUM, REMOVE_FLOOR, SPARSITIES, SPARSITY, TIES, run,
};
use super::options::{Domain, OptionValue};
use super::record::{ACTIVE, HESSIAN_GRADIENT, KEEP, MASK, SCORE};
use super::selection::OneShot;
use super::{At, Entry, Lab, Setup, Sparsifier, Story, Told, record};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::weights::Weights;
use std::collections::BTreeMap;

pub static ENTRY: Entry = Entry {
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
    check: |setup, shapes| OneShot::of(setup, shapes).map(|_| ()),
    ..Entry::new("grasp", "Before training, the weights of largest -w (H g) are removed", "Wang et al. 2020")
};

struct Grasp {
    shot: OneShot,
    score_images: usize,
    temperature: f64,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(Grasp {
        shot: OneShot::of(setup, &w.shapes())?,
        score_images: setup.options.count("score_images").unwrap_or_default(),
        temperature: setup.options.real("temperature").unwrap_or(1.0),
    }))
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

impl<S: Scalar> Sparsifier<S> for Grasp {
    fn begin(&mut self, lab: &dyn Lab<S>, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let samples = self.samples(lab.samples());
        let product = lab.hessian_gradient(w, &samples, self.temperature)?;
        // S = -w (H g): the largest go.
        let keys: Vec<S> = product.iter().zip(w.values()).map(|(&hg, w)| w * hg).collect();
        self.shot.keep(&keys, w, story)?;
        story.record(&HESSIAN_GRADIENT, || Told::PerWeight(product));
        story.record(&SCORE, || Told::PerWeight(keys.iter().map(|&key| -key).collect()));
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        OneShot::tell(w, story);
        Ok(())
    }
}
