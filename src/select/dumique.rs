//! DUMIQUE, as Procrustes uses it (Yang et al. 2020): a running estimate of a quantile in place of a sort.

use crate::choice::choice;

choice! {
    /// How the weights to track are found.
    Select, "select":
    /// The k largest scores.
    Sort = "sort",
    /// Those above a running estimate of the quantile.
    Dumique = "dumique",
}

choice! {
    /// In which order the estimate passes over W.
    DumiqueOrder, "dumique_order":
    LastToFirst = "last-to-first",
    FirstToLast = "first-to-last",
}

choice! {
    /// Where the estimate stands when a step begins.
    DumiqueCarry, "dumique_carry":
    /// At its first value, in every step.
    Restart = "restart",
    /// Where the step before left it.
    Carry = "carry",
}
