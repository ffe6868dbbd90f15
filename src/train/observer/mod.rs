//! What watches a run: metrics, checkpoints, traces and what a report prints are [`Observer`]s, and the loop knows none of them.

mod metrics;
mod step_trace;
mod step_trace_size;
mod trace;
mod trace_file;
mod trace_header;
mod trace_size;

pub use metrics::{EpochRecord, History, Metrics};
pub use trace::TraceWriter;
pub use trace_header::check_traceable;
pub(crate) use trace_header::step_metadata;
pub use trace_size::TraceSize;

use super::{State, Within};
use crate::error::Result;
use crate::method::{Gradients, Sparsifier, Story};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::weights::Weights;
use ndarray::ArrayD;

/// A batch after its backward pass, before the optimizer's step.
pub struct BatchEvent<'a, S: Scalar> {
    /// k, counted from the reading's epoch origin.
    pub epoch: usize,
    /// i, from 0.
    pub batch: usize,
    /// N_k.
    pub batches: usize,
    /// Which training samples.
    pub indices: &'a [usize],
    /// The mean loss over the batch.
    pub loss: f64,
    pub gradients: Gradients<'a, S>,
    /// Optimizer steps taken before.
    pub steps: usize,
    /// How much of the epoch was done before.
    pub within: Within,
    /// As they are stored.
    pub weights: &'a Weights<S>,
    pub sparsifier: &'a dyn Sparsifier<S>,
}

/// An epoch after selection, pruning and evaluation.
pub struct EpochEvent<'a, S: Scalar> {
    pub record: &'a EpochRecord,
    pub state: &'a State<S>,
    pub story: &'a Story<S>,
    /// The parameters after the last optimizer step, where some observer [wants tensors](Observer::wants_tensors).
    pub weights_before: Option<&'a Parameters<S>>,
}

/// A step of a method whose traces have steps.
pub struct StepEvent<'a, S: Scalar> {
    /// The optimizer step's index.
    pub t: usize,
    /// Whether the method's schedule makes it an update.
    pub is_update: bool,
    /// `None` of what is done before training.
    pub learning_rate: Option<f64>,
    /// The slot of the weights that are trained, where the network computes with others.
    pub trained: Option<&'static str>,
    pub before: &'a Weights<S>,
    /// In the order and the shapes of the parameters, of all weights; `None` for buffers.
    pub gradients: &'a [Option<ArrayD<S>>],
    /// What the step's first part left.
    pub between: &'a Parameters<S>,
    pub after: &'a Weights<S>,
    pub story: &'a Story<S>,
}

/// Told of every batch and every epoch; may end the run with an error.
pub trait Observer<S: Scalar> {
    /// Whether epochs should carry copies of the parameters from before the pruning, the method's own arrays, and a W_k*
    /// that is as it was captured also where weights are eliminated.
    fn wants_tensors(&self) -> bool {
        false
    }

    /// Whether batches should carry the gradients of all weights, also of eliminated ones whose gradients count for
    /// nothing.
    fn wants_gradients(&self) -> bool {
        false
    }

    /// Whether step `t` is to be told, which is an update of the method's schedule or is not.
    fn wants_step(&self, _t: usize, _is_update: bool) -> bool {
        false
    }

    /// After what a method does before training, where steps are wanted.
    ///
    /// # Errors
    /// Whatever should end the run.
    fn on_begin(&mut self, _event: &StepEvent<S>) -> Result<()> {
        Ok(())
    }

    /// After a step that is wanted.
    ///
    /// # Errors
    /// Whatever should end the run.
    fn on_step(&mut self, _event: &StepEvent<S>) -> Result<()> {
        Ok(())
    }

    /// Of an event `t` of the method's that is no step and is [wanted](Self::wants_step).
    ///
    /// # Errors
    /// Whatever should end the run.
    fn on_told(&mut self, _t: usize, _story: &Story<S>) -> Result<()> {
        Ok(())
    }

    /// After every batch's backward pass.
    ///
    /// # Errors
    /// Whatever should end the run.
    fn on_batch(&mut self, _event: &BatchEvent<S>) -> Result<()> {
        Ok(())
    }

    /// After every epoch.
    ///
    /// # Errors
    /// Whatever should end the run.
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()>;

    /// After the last epoch.
    ///
    /// # Errors
    /// Whatever should make the run count as failed.
    fn on_end(&mut self) -> Result<()> {
        Ok(())
    }
}
