//! Sparse training methods: what is done with the gradients of every batch and the weights at the end of every epoch.
//!
//! A [`Sparsifier`] sees gradients and weights only; the loop around it ([`crate::train`]) knows no method.

mod dense;
mod gdstar;
mod random_rewind;
mod reset;
mod stored;
mod weights;

pub use gdstar::Gdstar;
pub use stored::Following;
pub use weights::{Segment, WeightSet};

use crate::choice::choice;
use crate::error::{Error, Result};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::train::{Config, Sgd};

choice! {
    /// Every registered method.
    Method, "method":
    /// Gradient-based dynamic sparse training with adaptive rewinding: the paper's method.
    Gdstar = "gdstar",
    /// No pruning: the baseline.
    Dense = "dense",
    /// The same method with k* fixed to 0 and W_k* = W_0: "Reset to W_0" of Table 2.
    Reset = "reset",
    /// The same method with k* moved at random: section A.7.
    RandomRewind = "random-rewind",
}

impl Method {
    /// A fresh sparsifier for these parameters.
    pub fn sparsifier<S: Scalar>(self, config: &Config, parameters: &Parameters<S>) -> Box<dyn Sparsifier<S>> {
        match self {
            Self::Dense => Box::new(dense::Dense::new(config, parameters)),
            Self::Gdstar => Box::new(Gdstar::new(config, parameters)),
            Self::Reset => Box::new(reset::reset(config, parameters)),
            Self::RandomRewind => Box::new(random_rewind::random_rewind(config, parameters)),
        }
    }
}

/// Where an epoch ends.
#[derive(Debug, Clone, Copy)]
pub struct EpochEnd {
    /// k, counted from the reading's epoch origin.
    pub k: usize,
    /// Optimizer steps taken since the run began.
    pub steps: usize,
    /// Whether someone records the method's own quantities: then the story has [`Details`].
    pub recorded: bool,
}

/// What a method did at the end of an epoch. Scalars go to the metrics; the arrays, flat over W in flattening order,
/// to the trace.
#[derive(Debug, Clone, Default)]
pub struct EpochStory<S> {
    pub sparsity: f64,
    pub frobenius: Option<f64>,
    pub k_star: Option<usize>,
    pub t: Option<usize>,
    pub alpha: Option<f64>,
    pub tau: Option<f64>,
    pub selected: Option<usize>,
    /// Where the epoch's end is [recorded](EpochEnd::recorded).
    pub details: Option<Details<S>>,
}

/// The method's own quantities of one epoch (see the trace format for their meaning).
#[derive(Debug, Clone, Default)]
pub struct Details<S> {
    /// G, Eq. 2.
    pub accumulated: Vec<S>,
    pub s_sq: S,
    pub s_f: S,
    pub min_before: S,
    pub chunk_quantiles: Vec<S>,
    pub tau: S,
    pub selected: Vec<bool>,
    pub alive_before: Vec<bool>,
}

/// A method's state between epochs, in the terms of Alg. 4 and 6; flat over W in flattening order.
#[derive(Debug, Clone, PartialEq)]
pub struct SparsifierState<S> {
    /// False where a weight was eliminated.
    pub alive: Vec<bool>,
    /// m of Alg. 4.
    pub minimum: S,
    pub k_star: usize,
    /// W_k*; `None` where it is the live weights (open point 9).
    pub rewind: Option<Vec<S>>,
}

/// A sparse training method.
pub trait Sparsifier<S: Scalar>: Send {
    /// Before an epoch's first step, with parameters that may be [compressed](crate::nn::Compression): what the method
    /// keeps of a weight may then be too. `recorded`: as [`EpochEnd::recorded`].
    fn begin_epoch(&mut self, _parameters: &Parameters<S>, _recorded: bool) {}

    /// What the method has the optimizer do with the parameters of W at every step between
    /// [`begin_epoch`](Self::begin_epoch) and [`expand`](Self::expand); in the order of the parameters.
    fn followed(&mut self) -> Following<'_, S> {
        Following::default()
    }

    /// After an epoch's last step, or the one that failed: nothing is compressed any more.
    fn expand(&mut self) {}

    /// False where a weight of W is eliminated; `None` if none ever is. Between epochs.
    fn alive(&self) -> Option<&[bool]> {
        None
    }

    /// Bytes of what the method keeps of every weight, as stored now.
    fn bytes(&self) -> usize {
        0
    }

    /// After an epoch's last step: selects and prunes.
    ///
    /// # Errors
    /// [`Error::NonFinite`] or [`Error::Domain`] if a quantity of the method is not finite.
    fn end_of_epoch(
        &mut self,
        end: EpochEnd,
        parameters: &mut Parameters<S>,
        optimizer: &mut Sgd<S>,
    ) -> Result<EpochStory<S>>;

    /// Which weights belong to W, and where.
    fn weights(&self) -> &WeightSet;

    /// What a checkpoint has to hold; `None` if nothing.
    fn save(&self) -> Option<SparsifierState<S>>;

    /// Continues from a saved state.
    ///
    /// # Errors
    /// [`Error::Domain`] if the state is not of this method on this network.
    fn restore(&mut self, state: Option<SparsifierState<S>>) -> Result<()>;
}

/// The error of restoring a state that another method or network left.
fn mismatch(expected: &str, found: impl ToString) -> Error {
    Error::domain("checkpoint's method state", expected, found)
}
