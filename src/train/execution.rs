//! [`Execution`]: whether eliminated weights are computed with, and the switch between the two forms of a state.
//!
//! Section 3.3: eliminated weights "do not participate in any computations during forward or backward propagation".
//! At the start of an epoch every weight that is sparse enough is [compressed](compress): it, its gradient, its
//! momentum, and what the method keeps of it, hold living entries only. At the epoch's end all is
//! [expanded](expand), and the method, the observers and the checkpoint see what they see without.

use super::State;
use crate::choice::choice;
use crate::error::Result;
use crate::kernel::Pattern;
use crate::nn::{Compression, Parameter, Role, compress as compress_array, expand as expand_array};
use crate::ops::WeightGradient;
use crate::paper::reading::{MaskedGradient, MomentumOnPrune, Reading};
use crate::scalar::Scalar;
use std::sync::Arc;

choice! {
    /// Whether eliminated weights take part in computations as zeros, or not at all.
    Execution, "execution":
    /// Not at all, where a layer's sparsity makes it worth while.
    Sparse = "sparse",
    /// As zeros.
    Dense = "dense",
}

/// [`break_even`] of a linear layer where a row of all samples fills [`LINES`] or more.
const LINEAR_BREAK_EVEN: f64 = 0.75;

/// The same of a convolution.
const CONVOLUTION_BREAK_EVEN: f64 = 0.8;

/// Cache lines of a row that a sparse kernel takes at a time: longer rows are no cheaper by the line.
const LINES: usize = 8;

/// What finding a row costs a sparse kernel, in cache lines of products: it weighs more where a row is short.
const FINDING_A_ROW: f64 = 6.0;

/// The sparsity from which on a training step of a layer is faster on its living weights alone: of a linear layer, whose
/// weight has rank 2, or a convolution, for batches of so many samples. Fitted to what `cargo bench --bench break_even`
/// measures for batches of 32, 128 and 256 in `f32`.
///
/// A living weight costs the sparse kernel as much as finding a row of samples and multiplying its cache lines, and any
/// weight costs the dense one its lines: the share of living weights at which these are equal grows as
/// lines / (finding + lines).
pub fn break_even<S>(rank: usize, batch_size: usize) -> f64 {
    const LINE: usize = 64;
    let living = 1.0 - if rank == 2 { LINEAR_BREAK_EVEN } else { CONVOLUTION_BREAK_EVEN };
    let share = |lines: usize| lines as f64 / (FINDING_A_ROW + lines as f64);
    let lines = batch_size.saturating_mul(size_of::<S>()).div_ceil(LINE).clamp(1, LINES);
    1.0 - living * share(lines) / share(LINES)
}

impl Execution {
    /// Compresses every weight that is sparse enough, its momentum, and what the method keeps beside it.
    /// `gradients`: whether anyone wants the gradients of eliminated weights.
    ///
    /// Nothing is compressed where the reading keeps the momentum of eliminated weights (open point 13, `keep`): it
    /// follows from their gradients, so that nothing of them could be left out.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if a weight has too many entries an output to be indexed.
    pub(super) fn begin_epoch<S: Scalar>(
        self,
        state: &mut State<S>,
        batch_size: usize,
        reading: &Reading,
        gradients: bool,
    ) -> Result<()> {
        if self == Self::Dense || reading.momentum_on_prune == MomentumOnPrune::Keep {
            return Ok(());
        }
        let gradient = match reading.masked_gradient {
            MaskedGradient::Zero | MaskedGradient::Excluded if !gradients => WeightGradient::Living,
            _ => WeightGradient::All,
        };
        let Some(alive) = state.sparsifier.alive() else { return Ok(()) };
        for segment in state.sparsifier.weights().segments() {
            let parameter = &mut state.parameters[segment.parameter];
            let alive = &alive[segment.range.clone()];
            if parameter.role == Role::Weight && sparsity(alive) >= break_even::<S>(parameter.value.ndim(), batch_size)
            {
                let pattern = Arc::new(Pattern::new(parameter.value.shape(), alive)?);
                compress_array(&mut state.optimizer.buffers[segment.parameter], &pattern);
                parameter.compress(Compression { pattern, gradient });
            }
        }
        Ok(())
    }
}

/// Brings everything that is compressed back into its own shape.
pub(super) fn expand<S: Scalar>(state: &mut State<S>) {
    for (parameter, buffer) in state.parameters.iter_mut().zip(&mut state.optimizer.buffers) {
        if let Some(pattern) = parameter.pattern() {
            expand_array(buffer, pattern);
            parameter.expand();
        }
    }
    state.sparsifier.expand();
}

/// Bytes of weights (with the indices of compressed ones), gradients, momentum, and what the method keeps, as they
/// are stored now.
pub(super) fn bytes<S: Scalar>(state: &State<S>) -> usize {
    let gradient = |parameter: &Parameter<S>| match &parameter.compression {
        _ if !parameter.role.is_trained() => 0,
        Some(Compression { pattern, gradient: WeightGradient::All }) => pattern.dense_len(),
        _ => parameter.value.len(),
    };
    let numbers: usize = state.parameters.iter().map(|p| p.value.len() + gradient(p)).sum();
    let momentum: usize = state.optimizer.buffers.iter().map(|buffer| buffer.len()).sum();
    let indices: usize = state.parameters.iter().filter_map(Parameter::pattern).map(|pattern| pattern.bytes()).sum();
    (numbers + momentum) * size_of::<S>() + indices + state.sparsifier.bytes()
}

fn sparsity(alive: &[bool]) -> f64 {
    alive.iter().filter(|&&alive| !alive).count() as f64 / alive.len().max(1) as f64
}
