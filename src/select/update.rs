//! What happens to weights, masks and momentum when a method acts.

use super::cut::{Cut, Ties, keep_among};
use super::score::magnitudes;
use crate::choice::choice;
use crate::error::Result;
use crate::scalar::Scalar;

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

/// The mask after a drop: what was kept, and as many grown as went, at most all that may be, those of largest score.
///
/// ```
/// use gdstar::select::cut::Ties;
/// use gdstar::select::update::{GrowFrom, grow};
/// let (before, kept) = ([true, true, false, false], [true, false, false, false]);
/// let grown = |from| grow(&before, &kept, &[0.0, 9.0, 1.0, 2.0], from, Ties::LowerIndex);
/// assert_eq!(grown(GrowFrom::InactiveAfterDrop)?, [true, true, false, false]);
/// assert_eq!(grown(GrowFrom::InactiveBefore)?, [true, false, false, true]);
/// # Ok::<(), gdstar::Error>(())
/// ```
///
/// # Errors
/// [`Error::Domain`](crate::Error::Domain) if a candidate's score is not finite.
pub fn grow<S: Scalar>(before: &[bool], kept: &[bool], scores: &[S], from: GrowFrom, ties: Ties) -> Result<Vec<bool>> {
    let active = |flags: &[bool]| flags.iter().filter(|&&flag| flag).count();
    let inactive = match from {
        GrowFrom::InactiveAfterDrop => kept,
        GrowFrom::InactiveBefore => before,
    };
    let candidates: Vec<bool> = inactive.iter().map(|active| !active).collect();
    let went = active(before).saturating_sub(active(kept));
    let grown = keep_among(scores, &candidates, went, Cut::Exact, ties)?;
    Ok(kept.iter().zip(grown).map(|(&kept, grown)| kept || grown).collect())
}

/// SET's drop (Mocanu et al. 2018): of n+ active weights >= 0 the smallest go, of the n- others those nearest 0; how many of
/// each, says `count` of n+ and n- by themselves. Returns what is kept.
///
/// ```
/// use gdstar::select::count::Count;
/// use gdstar::select::cut::Ties;
/// use gdstar::select::update::keep_by_sign;
/// let (w, active) = ([0.1, -0.3, 0.2, -0.4, 0.0], [true, true, true, true, false]);
/// let kept = keep_by_sign(&w, &active, |n| Count::RemoveFloor.kept(n, 0.5), Ties::LowerIndex)?;
/// assert_eq!(kept, [false, false, true, true, false]);
/// # Ok::<(), gdstar::Error>(())
/// ```
///
/// # Errors
/// [`Error::Domain`](crate::Error::Domain) if a weight is not finite.
pub fn keep_by_sign<S: Scalar>(w: &[S], active: &[bool], k: impl Fn(usize) -> usize, ties: Ties) -> Result<Vec<bool>> {
    let keys = magnitudes(w);
    let of_sign = |positive: bool| -> Result<Vec<bool>> {
        let is = |(w, &active): (&S, &bool)| active && (*w >= S::ZERO) == positive;
        let candidates: Vec<bool> = w.iter().zip(active).map(is).collect();
        let n = candidates.iter().filter(|&&is| is).count();
        keep_among(&keys, &candidates, k(n), Cut::Exact, ties)
    };
    let (positive, negative) = (of_sign(true)?, of_sign(false)?);
    Ok(positive.into_iter().zip(negative).map(|(a, b)| a || b).collect())
}
