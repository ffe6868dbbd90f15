//! [`Execution`]: whether eliminated weights are computed with, and from which sparsity on leaving them out pays.

use crate::choice::choice;
use crate::kernel::Kernel;
use crate::method::Needs;
use crate::ops::WeightGradient;
use crate::select::update::InactiveMomentum;
use crate::weights::Form;

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
    /// In what form weights are stored in an epoch of batches of so many samples; `None`: all whole.
    /// `gradients`: whether anyone wants the gradients of eliminated weights.
    ///
    /// Nothing is compressed where the momentum of eliminated weights goes on: it follows from their gradients, so that
    /// nothing of them could be left out. Nor is it on a GPU, where a sparse product is the one of the weight's dense form.
    pub(super) fn form<S>(self, kernel: Kernel, batch_size: usize, needs: &Needs, gradients: bool) -> Option<Form> {
        if self == Self::Dense || kernel.is_on_device() || needs.inactive_momentum != InactiveMomentum::Zero {
            return None;
        }
        let gradient = if needs.dead_gradients || gradients { WeightGradient::All } else { WeightGradient::Living };
        Some(Form { break_even: break_even::<S>, batch_size, gradient, with_momentum: !needs.moves_w })
    }
}
