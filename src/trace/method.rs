//! [`TracedMethod`]: whose rules a trace follows.

use crate::choice::choice;

choice! {
    /// The methods that the format has words for. It knows their names and tensors; what they compute, it does not.
    TracedMethod, "method":
    /// The paper's method.
    Gdstar = "gdstar",
    /// GDSTAR's quantities but for the running minimum: the rewind point is the initial weights, always.
    Reset = "reset",
    /// GDSTAR's quantities with `draw` for the running minimum: the rewind point moves where that says so.
    RandomRewind = "random-rewind",
}
