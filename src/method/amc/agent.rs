//! [`Agent`]: the deep deterministic policy gradient (Lillicrap et al. 2016) that chooses how much of each layer to keep.
//!
//! ```text
//! actor  mu(s), a sigmoid's value            critic  Q(s, a)            mu', Q': the same, lagging behind
//! y      = r - b + gamma Q'(s', mu'(s'))     without the last term after an episode's last layer
//! critic: a step down (1/n) sum (y - Q(s, a))^2
//! actor:  a step up   (1/n) sum Q(s, mu(s))
//! theta' <- (1 - tau) theta' + tau theta
//! ```
//!
//! b, the moving average of rewards, moves by half of what it differs from a batch's mean, and begins as that.

use super::mlp::{Adam, Mlp};
use super::replay_buffer::{ReplayBuffer, Transition};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::ops::{Add, Concat, Matmul, Mul};
use crate::random::{normal, unit};
use crate::tape::{Tape, Var};
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;

/// eta of the actor and of the critic.
const ACTOR_RATE: f64 = 1e-4;
const CRITIC_RATE: f64 = 1e-3;
/// tau: how much the lagging networks move.
const TAU: f64 = 0.01;
/// gamma: what the next layer's value counts.
const DISCOUNT: f64 = 1.0;
/// Transitions a step.
const BATCH: usize = 64;
/// How much the moving average of rewards moves.
const BASELINE_RATE: f64 = 0.5;
/// The noise of actions: its standard deviation after the random episodes, and what is left of it an episode later.
const NOISE: f64 = 0.5;
const NOISE_DECAY: f64 = 0.95;

/// The agent.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    pub actor: Mlp,
    pub critic: Mlp,
    pub lagging_actor: Mlp,
    pub lagging_critic: Mlp,
    actor_adam: Adam,
    critic_adam: Adam,
    buffer: ReplayBuffer,
    baseline: Option<f64>,
    kernel: Kernel,
}

impl Agent {
    /// A new one, which sees `features` numbers of a layer; it remembers `room` transitions.
    pub fn new(features: usize, hidden: usize, room: usize, kernel: Kernel, rng: &mut ChaCha8Rng) -> Self {
        let actor = Mlp::new(features, hidden, true, rng);
        let critic = Mlp::new(features + 1, hidden, false, rng);
        Self {
            lagging_actor: actor.clone(),
            lagging_critic: critic.clone(),
            actor_adam: Adam::new(&actor, ACTOR_RATE),
            critic_adam: Adam::new(&critic, CRITIC_RATE),
            actor,
            critic,
            buffer: ReplayBuffer::new(room),
            baseline: None,
            kernel,
        }
    }

    /// The action in `state`, 0 to 1: at random in the random episodes (`learned` is `None`); then the actor's with normal
    /// noise, drawn again while it is not in 0 to 1, after so many episodes that were not random.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if the state has another number of features.
    pub fn act(&self, state: &[f64], learned: Option<usize>, rng: &mut ChaCha8Rng) -> Result<f64> {
        let Some(episodes) = learned else { return Ok(unit(rng)) };
        let chosen = self.actor.evaluate(self.kernel, rows([state]))?;
        let chosen = chosen.first().copied().unwrap_or_default();
        let sigma = (0..episodes).fold(NOISE, |sigma, _| sigma * NOISE_DECAY);
        loop {
            let action = chosen + sigma * normal(rng);
            if (0.0..=1.0).contains(&action) {
                return Ok(action);
            }
        }
    }

    /// Remembers an episode.
    pub fn remember(&mut self, transition: Transition) {
        self.buffer.push(transition);
    }

    /// One step of critic and actor on a batch of what is remembered.
    ///
    /// # Errors
    /// As [`act`](Self::act).
    pub fn learn(&mut self, rng: &mut ChaCha8Rng) -> Result<()> {
        let batch: Vec<Transition> = self.buffer.sample(BATCH, rng).into_iter().cloned().collect();
        self.learn_from(&batch)
    }

    /// One step of critic and actor on these transitions.
    ///
    /// # Errors
    /// As [`act`](Self::act).
    pub fn learn_from(&mut self, batch: &[Transition]) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let states = || rows(batch.iter().map(|transition| &transition.state[..]));
        let wanted = self.wanted(batch)?;
        self.step_critic(
            states(),
            rows(batch.iter().map(|transition| std::slice::from_ref(&transition.action))),
            wanted,
        )?;
        self.step_actor(states())?;
        self.lagging_actor.follow(&self.actor, TAU);
        self.lagging_critic.follow(&self.critic, TAU);
        Ok(())
    }

    /// y of each transition `[n,1]`.
    fn wanted(&mut self, batch: &[Transition]) -> Result<ArrayD<f64>> {
        let mean = batch.iter().map(|transition| transition.reward).sum::<f64>() / batch.len() as f64;
        let before = self.baseline.unwrap_or(mean);
        let baseline = before + BASELINE_RATE * (mean - before);
        self.baseline = Some(baseline);
        // After the last layer any state will do: its value does not count.
        let next = || rows(batch.iter().map(|transition| transition.next.as_deref().unwrap_or(&transition.state)));
        let mut tape = Tape::new(self.kernel);
        let actions = self.lagging_actor.evaluate(self.kernel, next())?;
        let (states, actions) = (tape.leaf(next(), false), tape.leaf(actions, false));
        let leaves = self.lagging_critic.leaves(&mut tape, false);
        let values = value_of(&self.lagging_critic, &mut tape, &leaves, states, actions)?;
        let mut wanted = tape.take(values);
        for (y, transition) in wanted.iter_mut().zip(batch) {
            let to_come = if transition.next.is_some() { DISCOUNT * *y } else { 0.0 };
            *y = transition.reward - baseline + to_come;
        }
        Ok(wanted)
    }

    fn step_critic(&mut self, states: ArrayD<f64>, actions: ArrayD<f64>, wanted: ArrayD<f64>) -> Result<()> {
        let mut tape = Tape::new(self.kernel);
        let leaves = self.critic.leaves(&mut tape, true);
        let (states, actions) = (tape.leaf(states, false), tape.leaf(actions, false));
        let values = value_of(&self.critic, &mut tape, &leaves, states, actions)?;
        let minus_wanted = tape.leaf(wanted.mapv(|y| -y), false);
        let difference = tape.apply_one(Add, &[values, minus_wanted])?;
        let square = tape.apply_one(Mul, &[difference, difference])?;
        let loss = mean(&mut tape, square, 1.0)?;
        let mut gradients = tape.backward(loss)?;
        self.critic_adam.step(&mut self.critic, &mut gradients, &leaves);
        Ok(())
    }

    fn step_actor(&mut self, states: ArrayD<f64>) -> Result<()> {
        let mut tape = Tape::new(self.kernel);
        let leaves = self.actor.leaves(&mut tape, true);
        let states = tape.leaf(states, false);
        let actions = self.actor.forward(&mut tape, &leaves, states)?;
        let critic = self.critic.leaves(&mut tape, false);
        let values = value_of(&self.critic, &mut tape, &critic, states, actions)?;
        let loss = mean(&mut tape, values, -1.0)?;
        let mut gradients = tape.backward(loss)?;
        self.actor_adam.step(&mut self.actor, &mut gradients, &leaves);
        Ok(())
    }
}

/// Q(s, a) `[n,1]`.
fn value_of(critic: &Mlp, tape: &mut Tape<f64>, leaves: &[Var], states: Var, actions: Var) -> Result<Var> {
    let inputs = tape.apply_one(Concat { axis: 1 }, &[states, actions])?;
    critic.forward(tape, leaves, inputs)
}

/// The mean of values `[n,1]`, times `sign`, as one number: the product with a row of sign / n.
fn mean(tape: &mut Tape<f64>, values: Var, sign: f64) -> Result<Var> {
    let n = tape.value(values).len();
    let row = tape.leaf(ArrayD::from_elem(vec![1, n], sign / n as f64), false);
    tape.apply_one(Matmul, &[row, values])
}

/// Rows of equal length as an array.
fn rows<'a>(rows: impl IntoIterator<Item = &'a [f64]>) -> ArrayD<f64> {
    let rows: Vec<&[f64]> = rows.into_iter().collect();
    let columns = rows.first().map_or(0, |row| row.len());
    ArrayD::from_shape_fn(vec![rows.len(), columns], |at| rows[at[0]].get(at[1]).copied().unwrap_or_default())
}
