//! LayerDrop (Fan et al. 2020): whole layers are left out at random in training, and at regular depths afterwards.
//!
//! Of step t, with u_i the draw of residual layer i, L of them in all:
//!
//! ```text
//! active_i = u_i > p, or i has no identity shortcut       the others' output is their input; no output is rescaled
//! ```
//!
//! Evaluation uses all layers. With a prune rate r, after the last step: a layer with an identity shortcut goes for good if its
//! depth d has d mod floor(1 / r) = 0. Its parameters are then 0, so that what it adds to its input is 0 in evaluation too.

mod droppable;
mod removal;

use super::choices::Choices;
use super::keys::{POSITIVE_SHARE, SHARE, hyper, reading};
use super::options::{Domain, OptionValue};
use super::quantity::{Axis, Column, Format, Kind, Scale};
use super::{At, Entry, Needs, Quantity, Setup, Sparsifier, StepNeeds, Story, Told, Value};
use crate::choice::Choice;
use crate::error::Result;
use crate::nn::{Changes, ResidualLayer};
use crate::random::{Purpose, stream, unit};
use crate::scalar::Scalar;
use crate::select::structure::{DepthOrigin, kept_layers};
use crate::weights::Weights;
use droppable::droppable;
use removal::remove;

const SOURCE: &str = "Fan et al. 2020";

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "a draw",
        schedule: "every step, constant p",
        distribution: "each layer the same",
        structure: "residual layers",
        update: "left out for a step; some for good at the end",
    },
    options: &[
        hyper("layers", Domain::Count { from: 1 }, "L: how many layers there are"),
        hyper("p", SHARE, "How likely a layer is left out of a step").or(OptionValue::Real(0.2)),
        hyper("droppable", Domain::Flags, "Which layers may be left out [default: all]"),
        hyper("prune_rate", POSITIVE_SHARE, "The share of the layers that goes after training"),
        reading::<DepthOrigin>("From where depth is counted"),
    ],
    labels: &["active", "kept_layers"],
    quantities: &[&ACTIVE_LAYERS, &DRAWS, &ACTIVE, &KEPT_LAYERS],
    records_steps: true,
    tells_itself: true,
    of_run: |setup| {
        let flags = droppable(setup)?.into_iter().map(|flag| Value::Count(flag.into())).collect::<Vec<_>>();
        Ok(vec![("layers", Value::Count(flags.len())), ("droppable", Value::List(flags))])
    },
    check: |setup, _| droppable(setup).map(|_| ()),
    ..Entry::new("layerdrop", "Layers are left out at random in training", SOURCE)
};

static ACTIVE_LAYERS: Quantity = Quantity {
    column: Some(Column { heading: "layers", width: 7, format: Format::Decimals(2) }),
    axis: Some(Axis { label: "residual layers in a step", scale: Scale::FromZero, minima: false }),
    ..Quantity::measured("active_layers", Kind::Real, SOURCE)
};

static DRAWS: Quantity = Quantity::traced("draw", Kind::Reals, SOURCE);
static ACTIVE: Quantity = Quantity::traced("active", Kind::FlagList, SOURCE);
static KEPT_LAYERS: Quantity = Quantity::traced("kept_layers", Kind::FlagList, SOURCE);

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/layerdrop.md")]
mod chapter {}

struct LayerDrop {
    p: f64,
    droppable: Vec<bool>,
    /// What goes after the last step: of each layer, whether it stays.
    kept: Option<Vec<bool>>,
    layers: Vec<ResidualLayer>,
    last_step: usize,
    seed: u64,
    /// Of the epoch so far: steps, and the layers that were active in them.
    steps: usize,
    active: usize,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    let (options, droppable) = (setup.options, droppable(setup)?);
    let origin: DepthOrigin = options.name(DepthOrigin::KEY).parse()?;
    let kept = options.real("prune_rate").map(|rate| kept_layers(&droppable, rate, origin));
    if kept.is_some() {
        w.mask_mut();
    }
    Ok(Box::new(LayerDrop {
        p: options.real("p").unwrap_or_default(),
        droppable,
        kept,
        layers: setup.network.residual_layers(),
        last_step: setup.length.steps(),
        seed: setup.seed,
        steps: 0,
        active: 0,
    }))
}

impl LayerDrop {
    /// The draws of step t.
    fn draws<S: Scalar>(&self, t: usize) -> Vec<S> {
        let mut rng = stream(self.seed, Purpose::LayerDrop, t);
        self.droppable.iter().map(|_| S::from_f64(unit(&mut rng))).collect()
    }

    /// Which layers take part in a step of these draws.
    fn active<S: Scalar>(&self, draws: &[S]) -> Vec<bool> {
        let p = S::from_f64(self.p);
        draws.iter().zip(&self.droppable).map(|(&u, &droppable)| u > p || !droppable).collect()
    }
}

impl<S: Scalar> Sparsifier<S> for LayerDrop {
    fn needs(&self) -> Needs {
        Needs { changes: true, ..Needs::default() }
    }

    fn begin_epoch(&mut self, _: At, _: &mut Weights<S>) {
        (self.steps, self.active) = (0, 0);
    }

    fn step_needs(&self, _: usize) -> StepNeeds {
        StepNeeds { before: true, is_update: true, ..StepNeeds::default() }
    }

    fn update_first(&mut self, at: At, _: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        let draws = self.draws::<S>(at.steps);
        story.record(&ACTIVE, || Told::FlagList(self.active(&draws)));
        story.record(&DRAWS, || Told::Numbers(draws));
        Ok(())
    }

    fn before_step(&mut self, at: At, changes: &mut Changes) {
        let active = self.active(&self.draws::<S>(at.steps));
        self.steps += 1;
        self.active += active.iter().filter(|active| **active).count();
        changes.active = Some(active);
    }

    fn end_of_epoch(&mut self, at: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        story.tell(&ACTIVE_LAYERS, Told::Real(self.active as f64 / self.steps.max(1) as f64));
        if let Some(kept) = self.kept.as_ref().filter(|_| at.steps == self.last_step) {
            let gone = self.layers.iter().zip(kept).filter(|(_, kept)| !**kept);
            gone.for_each(|(layer, _)| remove(w, layer));
            story.tell(&KEPT_LAYERS, Told::FlagList(kept.clone()));
        }
        Ok(())
    }
}
