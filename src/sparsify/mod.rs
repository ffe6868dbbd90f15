//! Sparse training methods: what is done with the gradients of every batch and the weights at the end of every epoch.
//!
//! A [`Sparsifier`] sees gradients and weights only; the loop around it ([`crate::train`]) knows no method.

mod dense;
mod gdstar;
mod random_rewind;
mod reset;
mod weights;

pub use gdstar::Gdstar;
pub use weights::{Segment, WeightSet};

use crate::choice::choice;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::train::{Config, Sgd};
use ndarray::ArrayD;

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
    /// After every batch's backward pass: the gradients of the loss, in the order of `parameters`.
    fn observe(&mut self, kernel: Kernel, parameters: &Parameters<S>, gradients: &[Option<ArrayD<S>>]);

    /// After every optimizer step: holds eliminated weights at 0.
    fn enforce(&self, parameters: &mut Parameters<S>, optimizer: &mut Sgd<S>);

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
