//! [`Search`]: episodes in which the agent goes through the layers, and what the network that it leaves is worth.

use super::agent::Agent;
use super::chain::{Budget, Chain, kept_channels};
use super::layers::{FEATURES, LayerView};
use super::replay_buffer::Transition;
use crate::error::Result;
use crate::kernel::{self, Kernel, Term};
use crate::nn::Parameters;
use crate::random::{Purpose, stream};
use crate::scalar::Scalar;
use crate::select::cut::{Cut, Ties, keep_largest};
use crate::select::structure::RewardRule;
use ndarray::{ArrayD, ArrayViewD, Axis};

/// Episodes whose transitions the agent remembers.
const REMEMBERED: usize = 100;

/// What a search is made by.
#[derive(Debug, Clone)]
pub struct Search {
    pub layers: Vec<LayerView>,
    pub chain: Chain,
    pub budget: Budget,
    /// What counts of channels are multiples of.
    pub channel_round: usize,
    pub ties: Ties,
    pub reward_rule: RewardRule,
    pub episodes: usize,
    /// The first ones, in which actions are drawn.
    pub random_episodes: usize,
    /// Units of a hidden layer of the agent.
    pub hidden: usize,
    pub seed: u64,
}

/// What one way through the layers came to; lists have one entry a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode<S> {
    pub action: Vec<S>,
    /// The share that the budget leaves of it.
    pub allowed: Vec<S>,
    /// Channels that are kept.
    pub kept: Vec<usize>,
    /// Which.
    pub channels: Vec<Vec<bool>>,
    /// The cost of what is kept.
    pub flops: f64,
    /// On samples held out, 0 to 1.
    pub accuracy: f64,
    pub reward: f64,
}

/// Who is told of an episode, with its index, and the parameters that it leaves.
pub type Tell<'a, S> = dyn FnMut(usize, &Episode<S>, &Parameters<S>) -> Result<()> + 'a;

/// The sum of |w| over all entries of a weight `[out,c,..]` that meet an input channel: `[c]`.
pub fn importance<S: Scalar>(weight: &ArrayD<S>) -> Vec<S> {
    let of = |w: ArrayViewD<S>| {
        let own: Vec<S> = w.iter().copied().collect();
        S::narrow(kernel::sum(Kernel::any(), Term::Magnitude, S::Wide::ZERO, &own))
    };
    weight.axis_iter(Axis(1)).map(of).collect()
}

/// -(1 - accuracy) ln(flops), or the accuracy itself.
pub fn reward(rule: RewardRule, accuracy: f64, flops: f64) -> f64 {
    match rule {
        RewardRule::Accuracy => accuracy,
        RewardRule::ErrorLogFlops => -(1.0 - accuracy) * libm::log(flops),
    }
}

impl Search {
    /// The episodes one after another, each told with its index; the best of them, the first among equals. `accuracy`: of the
    /// network with these parameters.
    ///
    /// # Errors
    /// Those of `accuracy` and of `tell`; [`Error::Domain`](crate::Error::Domain) if an importance is not finite.
    pub fn run<S: Scalar>(
        &self,
        kernel: Kernel,
        parameters: &Parameters<S>,
        accuracy: &mut dyn FnMut(&Parameters<S>) -> Result<f64>,
        tell: &mut Tell<S>,
    ) -> Result<Option<Episode<S>>> {
        let mut best: Option<Episode<S>> = None;
        let importance: Vec<Vec<S>> =
            self.layers.iter().map(|layer| importance(&parameters[layer.parameter].value)).collect();
        let room = REMEMBERED * self.layers.len();
        let mut agent = Agent::new(FEATURES, self.hidden, room, kernel, &mut stream(self.seed, Purpose::Agent, 0));
        for index in 0..self.episodes {
            let mut rng = stream(self.seed, Purpose::Agent, index + 1);
            let learned = index.checked_sub(self.random_episodes);
            let mut states = Vec::new();
            let mut act = |state: Vec<f64>| {
                let action = agent.act(&state, learned, &mut rng);
                states.push(state);
                action
            };
            let mut episode = self.decide(&importance, &mut act)?;
            let pruned = self.pruned(parameters, &episode);
            episode.accuracy = accuracy(&pruned)?;
            episode.reward = reward(self.reward_rule, episode.accuracy, episode.flops);
            tell(index, &episode, &pruned)?;
            for (l, state) in states.iter().enumerate() {
                let action = episode.action[l + 1].to_f64();
                let next = states.get(l + 1).cloned();
                agent.remember(Transition { state: state.clone(), action, reward: episode.reward, next });
            }
            if learned.is_some() {
                states.iter().try_for_each(|_| agent.learn(&mut rng))?;
            }
            if best.as_ref().is_none_or(|best| episode.reward > best.reward) {
                best = Some(episode);
            }
        }
        Ok(best)
    }

    /// One way through the layers. The first one's channels are the image's, and all stay.
    fn decide<S: Scalar>(
        &self,
        importance: &[Vec<S>],
        act: &mut dyn FnMut(Vec<f64>) -> Result<f64>,
    ) -> Result<Episode<S>> {
        let (mut action, mut allowed, mut kept, mut channels) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut shares: Vec<f64> = Vec::new();
        for (layer, importance) in self.layers.iter().zip(importance) {
            // As the run's numbers have it, so that what is recorded is what was done.
            let chosen = match shares.is_empty() {
                true => S::ONE,
                false => S::from_f64(act(layer.state(&self.chain, &shares))?),
            };
            let share = S::from_f64(self.chain.allowed(chosen.to_f64(), &shares, &self.budget));
            let d = kept_channels(layer.channels, share.to_f64(), self.channel_round);
            shares.push(d as f64 / layer.channels as f64);
            channels.push(keep_largest(importance, d, Cut::Exact, self.ties)?);
            action.push(chosen);
            allowed.push(share);
            kept.push(d);
        }
        let flops = self.chain.cost(&shares);
        Ok(Episode { action, allowed, kept, channels, flops, accuracy: 0.0, reward: 0.0 })
    }

    /// The parameters with 0 where a channel is not kept.
    fn pruned<S: Scalar>(&self, parameters: &Parameters<S>, episode: &Episode<S>) -> Parameters<S> {
        let mut pruned = parameters.clone();
        for (layer, kept) in self.layers.iter().zip(&episode.channels) {
            let weight = &mut pruned[layer.parameter].value;
            for (mut input, _) in weight.axis_iter_mut(Axis(1)).zip(kept).filter(|(_, kept)| !**kept) {
                input.fill(S::ZERO);
            }
        }
        pruned
    }
}
