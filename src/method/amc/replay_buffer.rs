//! [`ReplayBuffer`]: what the agent remembers.

use crate::random::uniform;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// A layer's decision, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// What the agent saw of the layer.
    pub state: Vec<f64>,
    pub action: f64,
    /// Of the whole episode.
    pub reward: f64,
    /// The next layer's; `None` after the last one.
    pub next: Option<Vec<f64>>,
}

/// The last transitions, so many at the most.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayBuffer {
    room: usize,
    transitions: VecDeque<Transition>,
}

impl ReplayBuffer {
    pub fn new(room: usize) -> Self {
        Self { room, transitions: VecDeque::new() }
    }

    /// Adds one; the oldest is forgotten where there is no more room.
    pub fn push(&mut self, transition: Transition) {
        self.transitions.push_back(transition);
        if self.transitions.len() > self.room {
            self.transitions.pop_front();
        }
    }

    pub fn len(&self) -> usize {
        self.transitions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.transitions.is_empty()
    }

    /// `count` of them at random, each at most once; where there are fewer, each as often as it is drawn. None of an empty one.
    pub fn sample(&self, count: usize, rng: &mut ChaCha8Rng) -> Vec<&Transition> {
        let n = self.len();
        if n == 0 {
            return Vec::new();
        }
        let mut draw = |from: usize| from + uniform(rng, (n - from) as u64) as usize;
        if n < count {
            return (0..count).map(|_| &self.transitions[draw(0)]).collect();
        }
        // The first steps of Fisher and Yates.
        let mut order: Vec<usize> = (0..n).collect();
        (0..count).for_each(|i| order.swap(i, draw(i)));
        order[..count].iter().map(|&i| &self.transitions[i]).collect()
    }
}
