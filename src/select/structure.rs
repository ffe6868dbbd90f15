//! What SDGP, LayerDrop and AMC keep of groups of entries, layers and channels.

use crate::choice::choice;

choice! {
    /// Which entries of a group stay.
    Pick, "pick":
    /// Those of largest magnitude.
    Magnitude = "magnitude",
    /// Those of largest draw.
    Random = "random",
}

choice! {
    /// By what the entries that stay are multiplied.
    Rescale, "rescale":
    /// By 1.
    None = "none",
    /// So that a channel's L1 norm at a sample stays what it was.
    Maxnorm = "maxnorm",
}

choice! {
    /// From where LayerDrop counts depth when it prunes (Fan et al. 2020).
    DepthOrigin, "depth_origin":
    One = "1",
    Zero = "0",
}

choice! {
    /// What AMC's agent is rewarded for (He et al. 2018).
    RewardRule, "reward_rule":
    Accuracy = "accuracy",
    /// -(1 - accuracy) ln(flops).
    ErrorLogFlops = "error-log-flops",
}

/// LayerDrop's layers that stay when it prunes at this rate: all but the droppable ones whose depth d has d mod
/// floor(1 / rate) = 0, the quotient formed in f64.
///
/// ```
/// use gdstar::select::structure::{DepthOrigin, kept_layers};
/// let kept = |origin| kept_layers(&[true, true, false, true, true], 0.5, origin);
/// assert_eq!(kept(DepthOrigin::One), [true, false, true, false, true]); // depths 1 to 5
/// assert_eq!(kept(DepthOrigin::Zero), [false, true, true, true, false]); // depths 0 to 4
/// ```
pub fn kept_layers(droppable: &[bool], rate: f64, origin: DepthOrigin) -> Vec<bool> {
    let period = ((1.0 / rate).floor() as usize).max(1);
    let first = match origin {
        DepthOrigin::One => 1,
        DepthOrigin::Zero => 0,
    };
    (first..).zip(droppable).map(|(d, &droppable): (usize, _)| !droppable || !d.is_multiple_of(period)).collect()
}
