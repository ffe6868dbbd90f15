//! [`TracedMethod`], [`StepMethod`]: whose rules a trace follows.

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
    /// GDSTAR's quantities but for the running minimum: the rewind point moves once, where the header says.
    FixedRewind = "fixed-rewind",
}

choice! {
    /// The methods of which a trace has steps: `step/<t>/..` (levels of `lth`, candidates of `lmc`, episodes of `amc`).
    StepMethod, "method":
    DropBack = "dropback",
    Procrustes = "procrustes",
    Lth = "lth",
    Lmc = "lmc",
    Snip = "snip",
    Grasp = "grasp",
    Gmp = "gmp",
    Set = "set",
    RigL = "rigl",
    GraNet = "granet",
    AcDc = "acdc",
    TopKast = "topkast",
    Sdgp = "sdgp",
    LayerDrop = "layerdrop",
    Amc = "amc",
}
