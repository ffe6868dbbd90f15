//! [`Reading`]: every choice the paper leaves open, as a named value.
//!
//! `docs/open-points.md` says for each what the paper's text and numbers support. A reading is stored in every
//! config, checkpoint, trace and report; nothing is decided silently.

use crate::choice::{Choice, choice};
use serde::{Deserialize, Serialize};

choice! {
    /// Open point 1: how epochs are counted in Eq. 8 and Alg. 4 to 6.
    EpochOrigin, "epoch_origin":
    /// `k = 0..K`: Fig. 3 reports k* = 0 as a measured minimum, and alpha_0 is the rate at the start.
    Zero = "0",
    /// `k = 1..=K`, as the loops of Alg. 4 and 5 are written.
    One = "1",
}

choice! {
    /// Open point 3: how Quantile_alpha of Eq. 6 reads between two order statistics.
    QuantileRule, "quantile":
    /// On the line between the two neighbours (numpy's and torch's default).
    Linear = "linear",
    /// The lower neighbour.
    Lower = "lower",
    /// The upper neighbour.
    Higher = "higher",
    /// The nearer neighbour; the one of even rank when both are equally near.
    Nearest = "nearest",
    /// The mean of the two neighbours.
    Midpoint = "midpoint",
}

choice! {
    /// Open point 4: how N weights are cut into C chunks (Eq. 6).
    Chunking, "chunking":
    /// C chunks whose sizes differ by at most one, the larger ones first.
    NearEqual = "near-equal",
    /// Chunks of ceil(N/C), the last one short; there may be fewer than C (torch.chunk).
    Ceil = "ceil",
}

choice! {
    /// Open point 6: which parameters are W.
    Prunable, "prunable":
    /// Convolution and linear weights.
    Weights = "weights",
    /// These and the biases of those layers.
    WeightsAndBiases = "weights+biases",
    /// Every trained parameter, batch norm's scale and shift included.
    All = "all",
}

choice! {
    /// Open point 7: the gradient of an eliminated weight.
    MaskedGradient, "masked_gradient":
    /// Still computed and accumulated into G; the weight stays 0.
    Dense = "dense",
    /// G is 0; the weight stays in the quantile's set.
    Zero = "zero",
    /// The weight is in neither G nor the quantile's set.
    Excluded = "excluded",
}

choice! {
    /// Open point 8: whether W_k* is captured before or after the epoch's own pruning.
    RewindUpdate, "rewind_update":
    /// Rewind update (Alg. 4), then selection (Alg. 5), then decay (Alg. 6).
    BeforePruning = "before-pruning",
    /// W_k* is what the epoch's pruning left.
    AfterPruning = "after-pruning",
}

choice! {
    /// Open point 9: what W_k* holds.
    RewindCopy, "rewind_copy":
    /// The weights as they were when captured.
    Copy = "copy",
    /// The live weights (a `state_dict()` without `clone`): the decay compounds.
    Alias = "alias",
}

choice! {
    /// Open point 10: the decay step t of Eq. 9.
    DecayStep, "decay_step":
    /// `t = k - k*` (section 3.3, Alg. 6).
    SinceRewind = "k-k*",
    /// `t = 1`.
    Constant = "constant",
    /// `t = k`.
    Epoch = "epoch",
    /// `t` = optimizer steps taken so far.
    Iteration = "iteration",
    /// `t = k*`.
    RewindEpoch = "rewind-epoch",
}

choice! {
    /// Open point 11: which weights the threshold eps can eliminate.
    Threshold, "threshold":
    /// Selected weights only (Alg. 6).
    Selected = "selected",
    /// Every prunable weight below eps.
    All = "all",
}

choice! {
    /// Open point 13: the momentum of an eliminated weight.
    MomentumOnPrune, "momentum_on_prune":
    /// Set to 0 when the weight is eliminated, else kept.
    Zero = "zero",
    /// Kept; the mask alone holds the weight at 0.
    Keep = "keep",
    /// Set to 0 also for weights that are selected and rewound.
    ZeroSelected = "zero-selected",
}

choice! {
    /// Open point 14: the gradient that enters G.
    GradientOf, "gradient":
    /// Of the loss alone.
    Loss = "loss",
    /// With weight decay added before squaring.
    LossAndDecay = "loss+decay",
}

choice! {
    /// Open point 16: when the cosine schedule moves.
    LearningRateStep, "learning_rate":
    /// Once an epoch, T_max = K.
    PerEpoch = "per-epoch",
    /// Every optimizer step, T_max = K times the steps of an epoch.
    PerStep = "per-step",
}

choice! {
    /// Open point 19: the last, short batch of an epoch.
    LastBatch, "last_batch":
    /// Trained on; its loss is the mean over its own samples.
    Keep = "keep",
    /// Left out.
    Drop = "drop",
}

choice! {
    /// Open point 20: when the epoch's test accuracy is measured.
    Evaluation, "evaluation":
    /// After the epoch's pruning: the pruned network's accuracy.
    AfterPruning = "after-pruning",
    /// Before it.
    BeforePruning = "before-pruning",
}

choice! {
    /// Open point 21: the distribution that the weights of W_0 are drawn from.
    InitialWeights, "initial_weights":
    /// Uniform: within 1 / sqrt(fan_in) (PyTorch's default), or, before batch norm, with the variance 2 / fan_in.
    Uniform = "uniform",
    /// N(0, sigma), as line 1 of Alg. 1 and 2 prints, with sigma = sqrt(2 / fan_in).
    Normal = "normal",
}

choice! {
    /// Open point 22: which parameters weight decay acts on.
    Decayed, "decayed":
    /// Every trained parameter (PyTorch's default).
    All = "all",
    /// Convolution and linear weights.
    Weights = "weights",
}

/// The choices made on every point that the paper leaves open. The default is the table of `docs/open-points.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    pub epoch_origin: EpochOrigin,
    pub quantile: QuantileRule,
    pub chunking: Chunking,
    pub masked_gradient: MaskedGradient,
    pub prunable: Prunable,
    pub rewind_copy: RewindCopy,
    pub decay_step: DecayStep,
    pub threshold: Threshold,
    pub momentum_on_prune: MomentumOnPrune,
    pub gradient: GradientOf,
    pub rewind_update: RewindUpdate,
    pub learning_rate: LearningRateStep,
    pub last_batch: LastBatch,
    pub evaluation: Evaluation,
    pub initial_weights: InitialWeights,
    pub decayed: Decayed,
}

/// Every open point that is a choice: its key, and its choices, the default first.
pub const CHOICES: &[(&str, &[&str])] = &[
    (EpochOrigin::KEY, EpochOrigin::NAMES),
    (QuantileRule::KEY, QuantileRule::NAMES),
    (Chunking::KEY, Chunking::NAMES),
    (MaskedGradient::KEY, MaskedGradient::NAMES),
    (Prunable::KEY, Prunable::NAMES),
    (RewindCopy::KEY, RewindCopy::NAMES),
    (DecayStep::KEY, DecayStep::NAMES),
    (Threshold::KEY, Threshold::NAMES),
    (MomentumOnPrune::KEY, MomentumOnPrune::NAMES),
    (GradientOf::KEY, GradientOf::NAMES),
    (RewindUpdate::KEY, RewindUpdate::NAMES),
    (LearningRateStep::KEY, LearningRateStep::NAMES),
    (LastBatch::KEY, LastBatch::NAMES),
    (Evaluation::KEY, Evaluation::NAMES),
    (InitialWeights::KEY, InitialWeights::NAMES),
    (Decayed::KEY, Decayed::NAMES),
];

impl EpochOrigin {
    /// The first epoch's index.
    pub fn first(self) -> usize {
        match self {
            Self::Zero => 0,
            Self::One => 1,
        }
    }
}
