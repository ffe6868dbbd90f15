//! AMC (He et al. 2018): an agent chooses what share of each layer's input channels stays.
//!
//! A run has three parts. Up to `--search-at` it trains the dense network. Then the agent goes through the layers, episode after
//! episode; of what it may choose, the budget leaves what its rule allows:
//!
//! ```text
//! a_l    = what of the action keeps the network's cost within `preserve`, if all later layers keep `lower`
//! d_l    = c_l a_l rounded to `channel_round`; the channels of largest sum |w| stay
//! reward = the accuracy on samples that no step has seen, with the other channels 0
//! ```
//!
//! The best episode's channels are kept, all others eliminated, and the rest of the run trains what is left. The search is
//! done between two epochs: a run that is interrupted in it begins it again, and draws what it drew.

mod agent;
mod asked;
mod chain;
mod channels;
mod layers;
mod mlp;
mod replay_buffer;
mod search;

pub use agent::Agent;
pub use chain::{Budget, Chain, kept_channels};
pub use layers::{FEATURES, LayerView, chain, layers};
pub use mlp::{Adam, Mlp};
pub use replay_buffer::{ReplayBuffer, Transition};
pub use search::{Episode, Search, Tell, importance, reward};

use super::choices::Choices;
use super::keys::{SHARE, TIES, hyper, reading, run};
use super::options::{Domain, OptionValue};
use super::quantity::{Axis, Column, Format, Kind, Scale};
use super::{At, Entry, Field, Fields, HeldOut, Quantity, Scribe, Setup, Sparsifier, Story, Told, Value};
use crate::error::Result;
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::select::structure::RewardRule;
use crate::weights::Weights;
use asked::{costs, search, search_at};
use channels::{eliminate, shares};
use ndarray::Array1;

const SOURCE: &str = "He et al. 2018";

/// The option that says when the search begins.
const SEARCH_AT: &str = "search_at";

pub static ENTRY: Entry = Entry {
    choices: Choices {
        score: "sums of |w|",
        schedule: "once, after training",
        distribution: "an agent's action a layer",
        structure: "input channels",
        update: "pruned for good, within a budget of FLOPs",
    },
    options: &[
        hyper("flops", Domain::Counts, "F_l: each layer's multiply-accumulates"),
        hyper(
            "buffer_flops",
            Domain::Counts,
            "B_l: what its share alone multiplies, as of depthwise layers [default: 0]",
        ),
        hyper("preserve", SHARE, "The share of all multiply-accumulates that may stay").or(OptionValue::Real(0.5)),
        hyper("lower", SHARE, "The least share of a layer's channels").or(OptionValue::Real(0.2)),
        hyper("channel_round", Domain::Count { from: 1 }, "What channels come in multiples of")
            .or(OptionValue::Count(8)),
        reading::<RewardRule>("What the agent is rewarded for"),
        TIES,
        run("episodes", Domain::Count { from: 1 }, "Episodes of the search").or(OptionValue::Count(800)),
        run("random_episodes", Domain::Count { from: 0 }, "The first ones, whose actions are drawn")
            .or(OptionValue::Count(100)),
        run("hidden", Domain::Count { from: 1 }, "Units of a hidden layer of the agent").or(OptionValue::Count(300)),
        run("held_out", Domain::Share { zero: false }, "The share of the training samples that the agent is judged by")
            .or(OptionValue::Real(0.1)),
        run(
            SEARCH_AT,
            Domain::Steps { from: 0 },
            "The search comes before the first epoch from here [default: half way]",
        ),
    ],
    labels: &["clip", "count", "score", "channels", "weights", "flops", "reward"],
    quantities: &[&FLOPS, &ACTION, &BEFORE, &ACCURACY, &ALLOWED, &KEPT, &IMPORTANCE, &CHANNELS, &AFTER, &COST, &REWARD],
    records_steps: true,
    tells_itself: true,
    layers: |network| Ok(layers(network)?.into_iter().map(|layer| layer.parameter).collect()),
    of_run: |setup| {
        let list = |counts: Vec<usize>| Value::List(counts.into_iter().map(Value::Count).collect());
        let costs = costs(&layers(setup.network)?).into_iter();
        let told = costs.filter(|(key, counts)| *key == "flops" || counts.iter().any(|&count| count > 0));
        Ok(told.map(|(key, counts)| (key, list(counts))).collect())
    },
    check: |setup, _| search(setup).map(|_| ()),
    ..Entry::new("amc", "An agent chooses each layer's share of channels", SOURCE)
};

static FLOPS: Quantity = Quantity {
    column: Some(Column { heading: "MACs", width: 12, format: Format::Decimals(0) }),
    axis: Some(Axis { label: "multiply-accumulates of a sample", scale: Scale::FromZero, minima: false }),
    ..Quantity::measured("flops", Kind::Real, SOURCE)
};

static ACTION: Quantity = Quantity::traced("action", Kind::Reals, SOURCE);
static BEFORE: Quantity = Quantity::traced("weights_before", Kind::PerWeight, SOURCE);
static ACCURACY: Quantity = Quantity::traced("accuracy", Kind::Real, SOURCE);
static ALLOWED: Quantity = Quantity::traced("ratio_allowed", Kind::Reals, SOURCE);
static KEPT: Quantity = Quantity::traced("keep", Kind::Counts, SOURCE);
static IMPORTANCE: Quantity = Quantity::traced("importance", Kind::PerWeight, SOURCE);
static CHANNELS: Quantity = Quantity::traced("channels", Kind::Flags, SOURCE);
static AFTER: Quantity = Quantity::traced("weights_after", Kind::PerWeight, SOURCE);
static COST: Quantity = Quantity::traced("flops", Kind::Real, SOURCE);
static REWARD: Quantity = Quantity::traced("reward", Kind::Real, SOURCE);

struct Amc {
    search: Search,
    at: usize,
    is_done: bool,
}

pub(super) fn start<S: Scalar>(setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    w.mask_mut();
    Ok(Box::new(Amc { search: search(setup)?, at: search_at(setup), is_done: false }))
}

impl Amc {
    /// What a trace has of an episode.
    fn told<S: Scalar>(&self, episode: &Episode<S>, before: &Parameters<S>, after: &Parameters<S>) -> Story<S> {
        let mut story = Story::new(true);
        let layers = || self.search.layers.iter().map(|layer| (before[layer.parameter].name.clone(), layer.parameter));
        let weights =
            |of: &Parameters<S>| Told::Arrays(layers().map(|(name, i)| (name, of[i].value.clone())).collect());
        let importance = layers().map(|(name, i)| (name, Array1::from(importance(&before[i].value)).into_dyn()));
        let channels = layers().zip(&episode.channels).map(|((name, _), kept)| (name, kept.clone()));
        story.tell(&ACTION, Told::Numbers(episode.action.clone()));
        story.tell(&BEFORE, weights(before));
        story.tell(&ACCURACY, Told::Real(episode.accuracy));
        story.tell(&ALLOWED, Told::Numbers(episode.allowed.clone()));
        story.tell(&KEPT, Told::Counts(episode.kept.clone()));
        story.tell(&IMPORTANCE, Told::Arrays(importance.collect()));
        story.tell(&CHANNELS, Told::FlagLists(channels.collect()));
        story.tell(&AFTER, weights(after));
        story.tell(&COST, Told::Real(episode.flops));
        story.tell(&REWARD, Told::Real(episode.reward));
        story
    }
}

impl<S: Scalar> Sparsifier<S> for Amc {
    fn between_epochs(
        &mut self,
        at: At,
        held_out: &dyn HeldOut<S>,
        w: &mut Weights<S>,
        scribe: &mut dyn Scribe<S>,
    ) -> Result<()> {
        if self.is_done || at.steps < self.at {
            return Ok(());
        }
        let mut accuracy = |parameters: &_| held_out.accuracy(parameters);
        let mut best_so_far = f64::NEG_INFINITY;
        let mut tell = |t: usize, episode: &Episode<S>, pruned: &Parameters<S>| {
            // An update of a trace is an episode that is the best so far.
            let is_update = episode.reward > best_so_far;
            best_so_far = best_so_far.max(episode.reward);
            if !scribe.wants(t, is_update) {
                return Ok(());
            }
            scribe.write(t, &self.told(episode, &w.parameters, pruned))
        };
        let best = self.search.run(held_out.kernel(), &w.parameters, &mut accuracy, &mut tell)?;
        best.iter().for_each(|best| eliminate(&self.search.layers, &best.channels, w));
        self.is_done = true;
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        story.tell(&FLOPS, Told::Real(self.search.chain.cost(&shares(&self.search.layers, w))));
        Ok(())
    }

    fn save(&self) -> Fields<S> {
        Fields::default().with("searched", Field::Count(self.is_done.into()))
    }

    fn restore(&mut self, fields: &Fields<S>) -> Result<()> {
        self.is_done = fields.count("searched")? > 0;
        Ok(())
    }
}

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../docs/methods/amc.md")]
mod chapter {}
