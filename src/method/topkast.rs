//! Top-KAST (Jayakumar et al. 2020): the largest weights are computed with, somewhat more of them trained.

mod descent;
mod shares;

use super::choices::{Choices, WEIGHTS};
use super::keys::{COUNT, CUT, DISTRIBUTION, MASKED, MINIMUM, PERIOD, SHARE, TIES, UNIFORM_OR_GLOBAL, hyper, reading};
use super::options::{Domain, OptionValue};
use super::record::{BACKWARD, BACKWARD_SPARSITY, KEEP, KEEP_BACKWARD};
use super::selection::{Rules, Shares, ranges};
use super::tally::{Tally, handed_to_tally, tallied};
use super::{At, Entry, Field, Fields, Gradients, Needs, Setup, Sparsifier, StepNeeds, Story, Told};
use crate::error::Result;
use crate::kernel::{Kernel, hold};
use crate::scalar::Scalar;
use crate::select::distribution::Distribution;
use crate::select::score::magnitudes;
use crate::select::update::PenaltyRule;
use crate::weights::{Dead, Lasts, Slot, Weights};
use descent::DenseDescent;
use shares::outside;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|w|, active or not",
        schedule: "every D steps, constant",
        distribution: "uniform or global",
        structure: WEIGHTS,
        update: "forward in A, steps in B with a penalty",
    },
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

/// The chapter's examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/topkast.md")]
mod chapter {}

/// The slot of w, the weights that are trained; the network has A w.
const DENSE: &str = "dense";

struct Topkast<S> {
    /// The shares outside A and B.
    outside: (f64, f64),
    every: usize,
    distribution: Distribution,
    rules: Rules,
    descent: DenseDescent,
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
        let outside = outside(options)?;
        Ok(Self {
            outside,
            every: options.step("update_every", setup.length).unwrap_or(1).max(1),
            distribution: options.choice()?,
            rules: Rules::of(options)?,
            descent: DenseDescent::of(setup, 1.0 - outside.0)?,
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

    handed_to_tally!(begin_epoch);

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
            layer.values.copy_from_slice(layer.slots.named(DENSE));
            hold(Kernel::any(), layer.values, layer.mask);
        }
        story.record(&KEEP, || Told::Counts(a.keep));
        story.record(&KEEP_BACKWARD, || Told::Counts(b.keep));
        Ok(())
    }

    fn after_backward(&mut self, _: At, gradients: Gradients<S>, w: &Weights<S>) {
        gradients.write_over(w, &mut self.gradient);
    }

    fn after_step(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.descent.step(at.learning_rate, w, &self.gradient, &self.backward)?;
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
