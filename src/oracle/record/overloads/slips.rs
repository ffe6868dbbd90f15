//! [`Slip`]: what a port may have got wrong about an op; each page looks for those of its own.

/// One mistake: with it, a page says what a port that makes it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::oracle::record) enum Slip {
    UnbiasedVariance,
    EpsOutside,
    EpsLeftOut,
    MomentumSwapped,
    RunningBiased,
    StatisticsConstant,
    StatisticsRunning,
    GateClosed,
    TieToLast,
    TieToAll,
    PaddingCounted,
    SumLeftOut,
    SlopeLeftOut,
    NotRescaled,
    MeanForSum,
    GroupsIgnored,
    FactorLeftOut,
    SquareLeftOut,
    OtherForm,
    MeanTermLeftOut,
    VarianceTermLeftOut,
    MeanForMaximum,
}

/// Each with a part of the names of the ops that can have it, and what is said of a result that it explains.
pub(in crate::oracle::record) const SLIPS: &[(Slip, &str, &str)] = &[
    (
        Slip::UnbiasedVariance,
        "_norm",
        "the variance that normalises has the divisor m - 1; it is that of m, and only the running one's is m - 1",
    ),
    (Slip::EpsOutside, "_norm", "eps is added to the root, 1 / (sqrt(var) + eps), and not to the variance"),
    (Slip::EpsLeftOut, "_norm", "eps is left out"),
    (Slip::MomentumSwapped, "batch_norm", "the momentum is swapped: running' = momentum old + (1 - momentum) new"),
    (Slip::RunningBiased, "batch_norm", "the running variance takes the biased variance, divisor m and not m - 1"),
    (
        Slip::StatisticsConstant,
        "_norm",
        "mean and variance are taken for constants, as in evaluation: what flows through them is left out",
    ),
    (Slip::MeanTermLeftOut, "_norm_backward", "the term through the mean is left out of the gradient"),
    (Slip::VarianceTermLeftOut, "_norm_backward", "the term through the variance is left out of the gradient"),
    (Slip::StatisticsRunning, "batch_norm", "the running statistics normalise, and not those of the batch"),
    (Slip::GateClosed, "_backward", "the gradient also passes where the operand lies on the kink"),
    (Slip::MeanForMaximum, "max_pool", "the mean of each window stands for its maximum"),
    (Slip::TieToLast, "max_pool", "a tie of maxima goes to the last of them, not to the first in row-major order"),
    (Slip::TieToAll, "max_pool", "a tie of maxima goes to all of them"),
    (Slip::PaddingCounted, "avg_pool", "padding is counted in the mean where it should not be, or not where it should"),
    (Slip::SumLeftOut, "softmax", "the sum over the row is left out of the gradient"),
    (Slip::SlopeLeftOut, "silu", "the derivative of the sigmoid within is left out: dy s(x) alone"),
    (Slip::SlopeLeftOut, "gelu_backward", "the density is left out of the gradient: dy Phi(x) alone"),
    (Slip::OtherForm, "gelu", "the other form: by tanh where it is by the error function, or the reverse"),
    (Slip::SquareLeftOut, "tanh_backward", "the square is left out: dy (1 - y) for dy (1 - y^2)"),
    (Slip::FactorLeftOut, "mse_loss_backward", "the factor 2 is left out"),
    (Slip::NotRescaled, "dropout", "what dropout keeps is not divided by 1 - p"),
    (Slip::MeanForSum, "_loss", "the mean over the batch instead of the sum, or the sum instead of the mean"),
    (Slip::MeanForSum, "binary_cross", "the mean over all instead of the sum, or the sum instead of the mean"),
    (Slip::GroupsIgnored, "conv", "groups are ignored: every output reads the channels of the first group"),
];
