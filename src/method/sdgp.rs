//! SDGP (McDanel, Dinh, Magallanes 2022): of every group of an output's gradient, the largest entries alone go on to the input.
//!
//! In the backward pass of a linear or convolution layer with more than three input channels, with x = dL/dO:
//!
//! ```text
//! y                of each group of N entries of x the M of largest |x|, 0 elsewhere; under `maxnorm` scaled
//! input gradient   of y
//! weight gradient  of x, as it came; so is the bias's
//! ```
//!
//! Forward pass and optimizer are as without it, and no weight is ever 0 for it.

use super::choices::Choices;
use super::keys::{TIES, hyper, reading};
use super::options::{Domain, OptionValue};
use super::quantity::{Axis, Column, Format, Kind, Scale};
use super::{At, Entry, Gradients, Needs, Quantity, Setup, Sparsifier, StepNeeds, Story, Told};
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::nn::{Changes, PrunedGradients};
use crate::ops::{GradientPruning, Keys, PruningLog};
use crate::random::{Purpose, stream};
use crate::scalar::Scalar;
use crate::select::cut::Ties;
use crate::select::groups::{Groups, OfGroups, Remainder};
use crate::select::structure::{Pick, Rescale};
use crate::weights::Weights;
use ndarray::ArrayD;
use std::sync::Arc;

const SOURCE: &str = "McDanel et al. 2022";

/// The input channels of the layers that are left alone: an image's, at most. (Nobody wants its gradient either.)
const IMAGE_CHANNELS: usize = 3;

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "|dL/dO|",
        schedule: "every step, constant",
        distribution: "each group the same",
        structure: "M of N consecutive entries",
        update: "only the data gradient is pruned",
    },
    options: &[
        hyper("keep", Domain::Count { from: 0 }, "M: entries of a group that stay").or(OptionValue::Count(2)),
        hyper("group", Domain::Count { from: 1 }, "N: entries of a group").or(OptionValue::Count(4)),
        reading::<Groups>("Which entries form a group"),
        reading::<Remainder>("What stays of a short last group"),
        reading::<Pick>("Which entries of a group stay"),
        reading::<Rescale>("By what they are multiplied"),
        TIES,
    ],
    labels: &["select", "scale", "weight_gradient", "data_gradient"],
    quantities: &[&BACKWARD_SPARSITY, &OUTPUTS, &DRAWS, &PRUNED, &INPUTS, &WEIGHTS, &OF_WEIGHTS, &OF_INPUTS],
    records_steps: true,
    tells_itself: true,
    check: |setup, _| of_groups(setup).map(|_| ()),
    ..Entry::new("sdgp", "The gradients of activations are pruned in groups, M of N kept", SOURCE)
};

static BACKWARD_SPARSITY: Quantity = Quantity {
    kind: Kind::Real,
    key: Some("backward_sparsity"),
    tensor: None,
    source: SOURCE,
    column: Some(Column { heading: "dL/dO", width: 6, format: Format::Decimals(4) }),
    axis: Some(Axis { label: "share of output gradients set to 0", scale: Scale::FromZero, minima: false }),
    remark: None,
};

static OUTPUTS: Quantity = of_layers("grad_output");
static DRAWS: Quantity = of_layers("draw");
static PRUNED: Quantity = of_layers("pruned");
static INPUTS: Quantity = of_layers("input");
static WEIGHTS: Quantity = of_layers("weight");
static OF_WEIGHTS: Quantity = of_layers("grad_weight");
static OF_INPUTS: Quantity = of_layers("grad_input");

const fn of_layers(tensor: &'static str) -> Quantity {
    Quantity::traced(tensor, Kind::OfLayers, SOURCE)
}

/// M of N.
fn of_groups(setup: &Setup) -> Result<OfGroups> {
    let options = setup.options;
    let (keep, group) = (options.count("keep").unwrap_or_default(), options.count("group").unwrap_or_default());
    if keep > group {
        return Err(Error::domain("--keep", format!("at most --group, {group}"), keep));
    }
    let groups = options.name(Groups::KEY).parse()?;
    let (remainder, ties) = (options.name(Remainder::KEY).parse()?, options.name(Ties::KEY).parse()?);
    Ok(OfGroups { keep, group, groups, remainder, ties })
}

struct Sdgp {
    pruning: GradientPruning,
    pick: Pick,
    seed: u64,
    log: Arc<PruningLog>,
    /// What the step under way has logged, where it is recorded.
    arrays: Vec<(&'static str, String, ArrayD<f64>)>,
    steps_per_epoch: usize,
    /// Of the epoch so far: entries of gradients that were pruned, and those that were not kept.
    entries: usize,
    dropped: usize,
}

pub(super) fn start<S: Scalar>(setup: &Setup, _: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    let rescale: Rescale = setup.options.name(Rescale::KEY).parse()?;
    Ok(Box::new(Sdgp {
        pruning: GradientPruning { rescale, ..GradientPruning::by_magnitude(of_groups(setup)?) },
        pick: setup.options.name(Pick::KEY).parse()?,
        seed: setup.seed,
        log: Arc::default(),
        arrays: Vec::new(),
        steps_per_epoch: setup.length.steps_per_epoch,
        entries: 0,
        dropped: 0,
    }))
}

impl<S: Scalar> Sparsifier<S> for Sdgp {
    fn needs(&self) -> Needs {
        Needs { changes: true, ..Needs::default() }
    }

    /// An update of a trace is an epoch's first step: every step does the same.
    fn step_needs(&self, t: usize) -> StepNeeds {
        let is_update = t.is_multiple_of(self.steps_per_epoch.max(1));
        StepNeeds { before: true, after: true, is_update, ..StepNeeds::default() }
    }

    fn update_first(&mut self, _: At, _: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        self.log = Arc::new(PruningLog::new(story.recorded));
        Ok(())
    }

    fn begin_epoch(&mut self, _: At, _: &mut Weights<S>) {
        (self.entries, self.dropped) = (0, 0);
    }

    fn before_step(&mut self, at: At, changes: &mut Changes) {
        let keys = match self.pick {
            Pick::Magnitude => Keys::Magnitude,
            Pick::Random => Keys::Drawn(Box::new(stream(self.seed, Purpose::GradientPruning, at.steps))),
        };
        let pruning = GradientPruning { keys, ..self.pruning.clone() };
        changes.gradients = Some(PrunedGradients { pruning, above: IMAGE_CHANNELS, log: Arc::clone(&self.log) });
    }

    fn after_backward(&mut self, _: At, _: Gradients<S>, _: &Weights<S>) {
        let logged = self.log.take();
        self.entries += logged.entries;
        self.dropped += logged.dropped;
        self.arrays = logged.arrays;
    }

    fn after_step(&mut self, _: At, _: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let arrays = std::mem::take(&mut self.arrays);
        for quantity in [&OUTPUTS, &DRAWS, &PRUNED, &INPUTS, &WEIGHTS, &OF_WEIGHTS, &OF_INPUTS] {
            let own = arrays.iter().filter(|(tensor, ..)| Some(*tensor) == quantity.tensor);
            // In the run's own numbers they were computed.
            let told = own.map(|(_, layer, array)| (layer.clone(), array.mapv(S::from_f64)));
            story.record(quantity, || Told::Arrays(told.collect()));
        }
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, _: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let share = self.dropped as f64 / self.entries.max(1) as f64;
        story.tell(&BACKWARD_SPARSITY, Told::Real(share));
        Ok(())
    }
}

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/sdgp.md")]
mod chapter {}
