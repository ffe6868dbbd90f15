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
