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
mod chain;
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
use super::keys::{SHARE, TIES, hyper, reading};
use super::options::{Domain, MethodOption, OptionValue, Part};
use super::quantity::{Axis, Column, Format, Kind, Scale};
use super::{At, Entry, Field, Fields, HeldOut, Quantity, Scribe, Setup, Sparsifier, Story, Told, Value};
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, hold};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::select::cut::Ties;
use crate::select::structure::RewardRule;
use crate::weights::Weights;
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
        of_run("episodes", Domain::Count { from: 1 }, "Episodes of the search").or(OptionValue::Count(800)),
        of_run("random_episodes", Domain::Count { from: 0 }, "The first ones, whose actions are drawn")
            .or(OptionValue::Count(100)),
        of_run("hidden", Domain::Count { from: 1 }, "Units of a hidden layer of the agent").or(OptionValue::Count(300)),
        of_run(
            "held_out",
            Domain::Share { zero: false },
            "The share of the training samples that the agent is judged by",
        )
        .or(OptionValue::Real(0.1)),
        of_run(
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

const fn of_run(key: &'static str, domain: Domain, help: &'static str) -> MethodOption {
    MethodOption { key, help, part: Part::Run, domain, default: None }
}

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

/// F and B, by the options that have them.
fn costs(layers: &[LayerView]) -> [(&'static str, Vec<usize>); 2] {
    let of = |cost: fn(&LayerView) -> usize| layers.iter().map(cost).collect();
    [("flops", of(|layer| layer.flops)), ("buffer_flops", of(|layer| layer.buffer_flops))]
}

/// The search that is asked for.
fn search(setup: &Setup) -> Result<Search> {
    let options = setup.options;
    let layers = layers(setup.network)?;
    let list = |counts: &[usize]| counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    for (key, own) in costs(&layers) {
        let given = options.counts(key);
        if !given.is_empty() && given != own {
            let expected = format!("{}, the network's own", list(&own));
            return Err(Error::domain(format!("--{}", key.replace('_', "-")), expected, list(&given)));
        }
    }
    let last_epoch = setup.length.steps().saturating_sub(setup.length.steps_per_epoch);
    let at = search_at(setup);
    if at > last_epoch {
        let expected = format!("at most {last_epoch}, where the last epoch begins");
        return Err(Error::domain("--search-at", expected, at));
    }
    Ok(Search {
        chain: chain(&layers),
        layers,
        budget: Budget {
            preserve: options.real("preserve").unwrap_or_default(),
            lower: options.real("lower").unwrap_or_default(),
        },
        channel_round: options.count("channel_round").unwrap_or(1),
        ties: options.name(Ties::KEY).parse()?,
        reward_rule: options.name(RewardRule::KEY).parse()?,
        episodes: options.count("episodes").unwrap_or_default(),
        random_episodes: options.count("random_episodes").unwrap_or_default(),
        hidden: options.count("hidden").unwrap_or_default(),
        seed: setup.seed,
    })
}

/// The step from which on the next epoch begins with the search.
fn search_at(setup: &Setup) -> usize {
    let half = setup.length.epochs / 2 * setup.length.steps_per_epoch;
    setup.options.step(SEARCH_AT, setup.length).unwrap_or(half)
}

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
    /// Eliminates the channels that are not kept.
    fn eliminate<S: Scalar>(&self, channels: &[Vec<bool>], w: &mut Weights<S>) {
        let shapes: Vec<Vec<usize>> = w.shapes().into_iter().map(<[usize]>::to_vec).collect();
        let parameters: Vec<usize> = w.set().segments().iter().map(|segment| segment.parameter).collect();
        for ((layer, parameter), shape) in w.layers().zip(parameters).zip(shapes) {
            let Some(l) = self.search.layers.iter().position(|layer| layer.parameter == parameter) else { continue };
            let each: usize = shape[2..].iter().product();
            for (j, alive) in layer.mask.iter_mut().enumerate() {
                *alive &= channels[l][j / each % shape[1]];
            }
            hold(Kernel::any(), layer.values, layer.mask);
            hold(Kernel::any(), layer.momentum, layer.mask);
        }
    }

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

    /// The share of each layer's channels of which anything lives.
    fn shares<S: Scalar>(&self, w: &Weights<S>) -> Vec<f64> {
        let share = |layer: &LayerView| {
            let segment = w.set().segments().iter().find(|segment| segment.parameter == layer.parameter);
            let alive = segment.and_then(|segment| w.mask()?.get(segment.range.clone())).unwrap_or_default();
            let each = w.parameters[layer.parameter].value.shape()[2..].iter().product::<usize>();
            let mut lives = vec![false; layer.channels];
            for (entries, c) in alive.chunks(each).zip((0..layer.channels).cycle()) {
                lives[c] |= entries.contains(&true);
            }
            lives.iter().filter(|lives| **lives).count() as f64 / layer.channels as f64
        };
        self.search.layers.iter().map(share).collect()
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
        best.iter().for_each(|best| self.eliminate(&best.channels, w));
        self.is_done = true;
        Ok(())
    }

    fn end_of_epoch(&mut self, _: At, w: &mut Weights<S>, story: &mut Story<S>) -> Result<()> {
        story.tell(&FLOPS, Told::Real(self.search.chain.cost(&self.shares(w))));
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
