//! By what weights are compared: their size ([`magnitudes`]), and what DropBack and Procrustes do.

use crate::choice::choice;
use crate::kernel::{Kernel, Magnitude, formula_of_slices};
use crate::scalar::Scalar;

/// |w|, of each.
pub fn magnitudes<S: Scalar>(w: &[S]) -> Vec<S> {
    formula_of_slices(Kernel::any(), Magnitude, [w])
}

choice! {
    /// By what weights are tracked.
    Score, "score":
    /// How far they are from their first values.
    Distance = "distance",
    /// What their gradients have summed up to while they were tracked.
    Accumulated = "accumulated",
}

choice! {
    /// Whose sums of gradients run on.
    Accumulate, "accumulate":
    /// Those of tracked weights; others start again.
    Tracked = "tracked",
    /// All; of those not tracked before the step the step's own counts.
    Always = "always",
}
