//! Top-KAST (Jayakumar et al. 2020): the largest weights are computed with, somewhat more of them trained.

use super::keys::{COUNT, CUT, DISTRIBUTION, MASKED, MINIMUM, PERIOD, SHARE, TIES, UNIFORM_OR_GLOBAL, hyper, reading};
use super::options::{Domain, OptionValue};
use super::record::{BACKWARD, BACKWARD_SPARSITY, KEEP, KEEP_BACKWARD};
use super::selection::{Rules, Shares, magnitudes, ranges, required};
use super::tally::{Tally, tallied};
use super::{At, Entry, Field, Fields, Gradients, Needs, Setup, Sparsifier, StepNeeds, Story, Told};
use crate::error::{Error, Result};
use crate::kernel::{Descent, Kernel, Penalty, drawn_step};
use crate::paper::reading::Decayed;
use crate::scalar::Scalar;
use crate::select::distribution::Distribution;
use crate::select::update::PenaltyRule;
use crate::weights::{Dead, Lasts, Segment, Slot, Weights};
use std::ops::Range;

pub static ENTRY: Entry = Entry {
    heeds: MASKED,
    options: &[
        hyper("forward_sparsity", SHARE, "The share of W that is outside A: not computed with"),
        hyper("backward_sparsity", SHARE, "The share of W that is outside B: not trained"),
        hyper("penalty", Domain::Size, "What weights in B are drawn to 0 by").or(OptionValue::Real(1e-4)),
        hyper("update_every", PERIOD, "D: steps from one choice of A and B to the next").or(OptionValue::Count(1)),
        DISTRIBUTION.among(UNIFORM_OR_GLOBAL),
        reading::<PenaltyRule>("The penalty's form"),
        COUNT,
        CUT,
        TIES,
        MINIMUM,
    ],
    labels: &["when", "count", "forward", "backward", "step", "momentum"],
    quantities: tallied!(BACKWARD_SPARSITY, KEEP, KEEP_BACKWARD, BACKWARD),
    records_steps: true,
    check: |setup, _| Topkast::<f64>::new(setup, 0).map(|_| ()),
    ..Entry::new(
        "topkast",
        "A dense network trained as a sparse one: A is computed with, B trained, all kept",
        "Jayakumar et al. 2020",
    )
};

/// The slot of w, the weights that are trained; the network has A w.
const DENSE: &str = "dense";

struct Topkast<S> {
    /// The shares outside A and B.
    outside: (f64, f64),
    penalty: f64,
    penalty_rule: PenaltyRule,
    every: usize,
    distribution: Distribution,
    rules: Rules,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
    decayed: Decayed,
    /// B; A is the mask.
    backward: Vec<bool>,
    /// g at A w, of the step under way.
    gradient: Vec<S>,
    tally: Tally<S>,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    w.keep(Slot { name: DENSE, lasts: Lasts::Run, dead: Dead::Kept, values: w.values() });
    Ok(Box::new(Topkast::new(setup, w.len())?))
}

impl<S: Scalar> Topkast<S> {
    fn new(setup: &Setup, n: usize) -> Result<Self> {
        let options = setup.options;
        let outside = (required(options, "forward_sparsity")?, required(options, "backward_sparsity")?);
        if outside.0 == 1.0 {
            return Err(Error::domain(
                "--forward-sparsity",
                "below 1, since D = 1 - forward sparsity divides",
                outside.0,
            ));
        }
        if outside.1 > outside.0 {
            return Err(Error::domain(
                "--backward-sparsity",
                format!("at most {}, --forward-sparsity", outside.0),
                outside.1,
            ));
        }
        Ok(Self {
            outside,
            penalty: options.real("penalty").unwrap_or_default(),
            penalty_rule: options.choice()?,
            every: options.step("update_every", setup.length).unwrap_or(1).max(1),
            distribution: options.choice()?,
            rules: Rules::of(options)?,
            momentum: setup.momentum,
            nesterov: setup.nesterov,
            weight_decay: setup.weight_decay,
            decayed: setup.reading.decayed,
            backward: vec![true; n],
            gradient: Vec::new(),
            tally: Tally::new(n),
        })
    }
}

impl<S: Scalar> Sparsifier<S> for Topkast<S> {
    fn needs(&self) -> Needs {
        Needs { dead_gradients: true, moves_w: true, ..Needs::default() }
    }

    fn step_needs(&self, t: usize) -> StepNeeds {
        let is_update = t.is_multiple_of(self.every);
        StepNeeds { before: is_update, updates_first: true, after: true, is_update, ..StepNeeds::default() }
    }

    fn trained(&self) -> Option<&'static str> {
        Some(DENSE)
    }

    fn begin_epoch(&mut self, _: At, w: &mut Weights<S>) {
        self.tally.begin_epoch(w);
    }

    fn update_first(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let keys = w.slot(DENSE).map(|slot| magnitudes(&slot.values)).unwrap_or_default();
        let ranges = ranges(w);
        let keep =
            |outside| Shares::even(self.distribution, outside, ranges.len()).keep(&self.rules, &ranges, &keys, None);
        let (a, b) = (keep(self.outside.0)?, keep(self.outside.1)?);
        self.backward = b.flags;
        self.tally.update(w.mask_mut(), &a.flags);
        w.mask_mut().copy_from_slice(&a.flags);
        for mut layer in w.layers() {
            let dense = layer.slots.named(DENSE).iter();
            for ((computed, w), &a) in layer.values.iter_mut().zip(dense).zip(layer.mask.iter()) {
                *computed = if a { *w } else { S::ZERO };
            }
        }
        story.record(&KEEP, || Told::Counts(a.keep));
        story.record(&KEEP_BACKWARD, || Told::Counts(b.keep));
        Ok(())
    }

    fn after_backward(&mut self, _: At, gradients: Gradients<S>, w: &Weights<S>) {
        gradients.write_over(w, &mut self.gradient);
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let strengths = [self.penalty, self.penalty / (1.0 - self.outside.0)].map(S::from_f64);
        let penalty = Penalty { by_sign: self.penalty_rule == PenaltyRule::L1, strengths };
        let decays = |segment: &Segment| w.parameters[segment.parameter].role.is_decayed(self.decayed);
        let decays: Vec<bool> = w.set().segments().iter().map(decays).collect();
        for (mut layer, decays) in w.layers().zip(decays) {
            let rule = Descent {
                learning_rate: S::from_f64(at.learning_rate),
                momentum: S::from_f64(self.momentum),
                weight_decay: S::from_f64(if decays { self.weight_decay } else { 0.0 }),
                nesterov: self.nesterov,
            };
            let range = layer.range.clone();
            let (gradient, backward) = (&self.gradient[range.clone()], &self.backward[range.clone()]);
            let moving = (layer.slots.named(DENSE), layer.momentum, layer.values);
            if !drawn_step(Kernel::Fast, rule, penalty, moving, gradient, (layer.mask, backward)) {
                return Err(first_not_finite(range, gradient, backward));
            }
        }
        story.record(&BACKWARD, || Told::Flags(self.backward.clone()));
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let outside = self.backward.iter().filter(|&&moves| !moves).count();
        story.tell(&BACKWARD_SPARSITY, Told::Real(outside as f64 / w.len().max(1) as f64));
        self.tally.tell(w, story);
        Ok(())
    }

    fn save(&self) -> Fields<S> {
        self.tally.save().with("backward", Field::Flags(self.backward.clone()))
    }

    fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.backward = fields.flags("backward", self.backward.len())?.to_vec();
        self.tally.restore(fields)
    }
}

/// Names the first gradient that is not finite where weights move, of those in this part of W.
fn first_not_finite<S: Scalar>(range: Range<usize>, gradient: &[S], backward: &[bool]) -> Error {
    let mut entries = range.zip(gradient).zip(backward);
    let spoilt = entries.find_map(|((j, g), &moves)| (moves && !g.is_finite()).then_some((j, g.to_f64())));
    let (j, g) = spoilt.unwrap_or_default();
    Error::domain(format!("the gradient of weight {j}"), "a finite number", g)
}
