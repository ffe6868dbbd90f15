//! What happens to weights, masks and momentum when a method acts.

use crate::choice::choice;

choice! {
    /// In which order a step's two parts are.
    UpdateOrder, "update_order":
    /// SGD under the mask before, then the update.
    AfterStep = "after-step",
    /// At an update there is no SGD, of any parameter.
    InsteadOfStep = "instead-of-step",
}

choice! {
    /// The momentum of weights that are inactive after a step.
    InactiveMomentum, "inactive_momentum":
    /// 0.
    Zero = "zero",
    /// mu v, without gradient.
    Decay = "decay",
    /// mu v + g, hidden by the mask.
    Dense = "dense",
}

choice! {
    /// The momentum of a newly grown weight.
    GrownMomentum, "grown_momentum":
    /// 0.
    Zero = "zero",
    /// As the step's first part left it.
    Keep = "keep",
}

choice! {
    /// The value of a newly grown weight.
    GrownWeights, "grown_weights":
    /// 0.
    Zero = "zero",
    /// A new draw.
    Draw = "draw",
}

choice! {
    /// A weight that is dropped and grown in one update.
    Regrown, "regrown":
    /// It keeps weight and momentum.
    Keep = "keep",
    /// It is newly grown.
    AsGrown = "as-grown",
}

choice! {
    /// Which weights may be grown.
    GrowFrom, "grow_from":
    /// Those that are inactive after the drop, what was just dropped among them.
    InactiveAfterDrop = "inactive-after-drop",
    /// Those that were inactive before it.
    InactiveBefore = "inactive-before",
}

choice! {
    /// How SET chooses what it drops (Mocanu et al. 2018).
    DropRule, "drop_rule":
    /// The smallest of the positive weights, and of the negative ones those nearest 0.
    Signed = "signed",
    /// The smallest magnitudes.
    Magnitude = "magnitude",
}

choice! {
    /// Over what GraNet's gradual pruning compares weights.
    Gradual, "gradual":
    /// All of W.
    Global = "global",
    /// Each layer by itself.
    Uniform = "uniform",
}

choice! {
    /// The momentum of all parameters when AC/DC decompresses.
    DecompressMomentum, "decompress_momentum":
    /// 0.
    Zero = "zero",
    /// As it was.
    Keep = "keep",
}

choice! {
    /// Top-KAST's penalty on the weights that move.
    PenaltyRule, "penalty_rule":
    /// In proportion to the weight.
    L2 = "l2",
    /// In proportion to its sign.
    L1 = "l1",
}

choice! {
    /// What training starts from once SNIP has chosen.
    StartingWeights, "initial_weights":
    /// The weights that were scored.
    Same = "same",
    /// New ones.
    Fresh = "fresh",
}
