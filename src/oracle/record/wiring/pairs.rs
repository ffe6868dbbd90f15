//! [`PAIRS`]: what a backward op has from its forward op, argument by argument.

/// Where in the forward call a saved operand of the backward call was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saved {
    /// The argument at this position, before the call or, where that changed it, after it.
    Argument(usize),
    /// The same of running statistics, which a derivative in training does not use: where a layer is used twice, they may be
    /// those of its last use.
    Running(usize),
    /// The result at this position.
    Result(usize),
    /// The first argument or the first result, which serve alike.
    Either,
}

/// A backward op and its forward op.
#[derive(Debug)]
pub(super) struct Pair {
    backward: &'static str,
    forward: &'static [&'static str],
    /// The position of the upstream gradient.
    pub(super) upstream: usize,
    /// Positions of saved tensors, and where they come from.
    pub(super) saved: &'static [(usize, Saved)],
    /// Positions of what is no tensor, backward and forward.
    pub(super) alike: &'static [(usize, usize)],
    /// Results, and the position of the operand whose gradient each is.
    pub(super) gradients: &'static [(usize, usize)],
}

/// The pair of these two ops, each `aten.<name>.<overload>`.
pub(super) fn find(backward: &str, forward: &str) -> Option<&'static Pair> {
    let bare = |op: &str| op.strip_prefix("aten.").map(str::to_string);
    let (backward, forward) = (bare(backward)?, bare(forward)?);
    PAIRS.iter().find(|pair| pair.backward == backward && pair.forward.contains(&forward.as_str()))
}

use Saved::{Argument, Either, Result, Running};

/// Each as its schema has it; of all others what is said of derivatives in general.
static PAIRS: &[Pair] = &[
    Pair {
        backward: "convolution_backward.default",
        forward: &["convolution.default"],
        upstream: 0,
        saved: &[(1, Argument(0)), (2, Argument(1))],
        alike: &[(4, 3), (5, 4), (6, 5), (7, 6), (8, 7), (9, 8)],
        gradients: &[(0, 0), (1, 1), (2, 2)],
    },
    Pair {
        backward: "native_batch_norm_backward.default",
        forward: &["native_batch_norm.default", "_native_batch_norm_legit.default"],
        upstream: 0,
        saved: &[(1, Argument(0)), (2, Argument(1)), (3, Running(3)), (4, Running(4)), (5, Result(1)), (6, Result(2))],
        alike: &[(7, 5), (8, 7)],
        gradients: &[(0, 0), (1, 1), (2, 2)],
    },
    Pair {
        backward: "cudnn_batch_norm_backward.default",
        forward: &["cudnn_batch_norm.default"],
        upstream: 1,
        saved: &[
            (0, Argument(0)),
            (2, Argument(1)),
            (3, Running(3)),
            (4, Running(4)),
            (5, Result(1)),
            (6, Result(2)),
            (8, Result(3)),
        ],
        alike: &[(7, 7)],
        gradients: &[(0, 0), (1, 1), (2, 2)],
    },
    Pair {
        backward: "native_layer_norm_backward.default",
        forward: &["native_layer_norm.default"],
        upstream: 0,
        saved: &[(1, Argument(0)), (3, Result(1)), (4, Result(2)), (5, Argument(2))],
        alike: &[(2, 1)],
        gradients: &[(0, 0), (1, 2), (2, 3)],
    },
    Pair {
        backward: "native_group_norm_backward.default",
        forward: &["native_group_norm.default"],
        upstream: 0,
        saved: &[(1, Argument(0)), (2, Result(1)), (3, Result(2)), (4, Argument(1))],
        alike: &[(5, 3), (6, 4), (7, 5), (8, 6)],
        gradients: &[(0, 0), (1, 1), (2, 2)],
    },
    elementwise("threshold_backward.default", &["relu.default", "relu_.default"], &[(1, Either)], &[]),
    elementwise(
        "hardtanh_backward.default",
        &["hardtanh.default", "hardtanh_.default"],
        &[(1, Either)],
        &[(2, 1), (3, 2)],
    ),
    elementwise("sigmoid_backward.default", &["sigmoid.default", "sigmoid_.default"], &[(1, Result(0))], &[]),
    elementwise("tanh_backward.default", &["tanh.default", "tanh_.default"], &[(1, Result(0))], &[]),
    elementwise("gelu_backward.default", &["gelu.default"], &[(1, Argument(0))], &[]),
    elementwise(
        "leaky_relu_backward.default",
        &["leaky_relu.default", "leaky_relu_.default"],
        &[(1, Either)],
        &[(2, 1)],
    ),
    elementwise("elu_backward.default", &["elu.default", "elu_.default"], &[(5, Either)], &[(1, 1), (2, 2), (3, 3)]),
    elementwise("softplus_backward.default", &["softplus.default"], &[(1, Argument(0))], &[(2, 1), (3, 2)]),
    elementwise("hardswish_backward.default", &["hardswish.default", "hardswish_.default"], &[(1, Argument(0))], &[]),
    elementwise(
        "hardsigmoid_backward.default",
        &["hardsigmoid.default", "hardsigmoid_.default"],
        &[(1, Argument(0))],
        &[],
    ),
    elementwise("mse_loss_backward.default", &["mse_loss.default"], &[(1, Argument(0)), (2, Argument(1))], &[(3, 2)]),
    elementwise(
        "smooth_l1_loss_backward.default",
        &["smooth_l1_loss.default"],
        &[(1, Argument(0)), (2, Argument(1))],
        &[(3, 2), (4, 3)],
    ),
    elementwise("silu_backward.default", &["silu.default", "silu_.default"], &[(1, Argument(0))], &[]),
    elementwise("_log_softmax_backward_data.default", &["_log_softmax.default"], &[(1, Result(0))], &[(2, 1)]),
    elementwise("_softmax_backward_data.default", &["_softmax.default"], &[(1, Result(0))], &[(2, 1)]),
    elementwise("native_dropout_backward.default", &["native_dropout.default"], &[(1, Result(1))], &[]),
    elementwise(
        "max_pool2d_with_indices_backward.default",
        &["max_pool2d_with_indices.default"],
        &[(1, Argument(0)), (7, Result(1))],
        &[(2, 1), (3, 2), (4, 3), (5, 4), (6, 5)],
    ),
    elementwise(
        "avg_pool2d_backward.default",
        &["avg_pool2d.default"],
        &[(1, Argument(0))],
        &[(2, 1), (3, 2), (4, 3), (5, 4), (6, 5), (7, 6)],
    ),
    elementwise("_adaptive_avg_pool2d_backward.default", &["_adaptive_avg_pool2d.default"], &[(1, Argument(0))], &[]),
    elementwise(
        "nll_loss_backward.default",
        &["nll_loss_forward.default"],
        &[(1, Argument(0)), (2, Argument(1)), (3, Argument(2)), (6, Result(1))],
        &[(4, 3), (5, 4)],
    ),
];

/// An op of one tensor that has a gradient, whose upstream comes first.
const fn elementwise(
    backward: &'static str,
    forward: &'static [&'static str],
    saved: &'static [(usize, Saved)],
    alike: &'static [(usize, usize)],
) -> Pair {
    Pair { backward, forward, upstream: 0, saved, alike, gradients: &[(0, 0)] }
}
