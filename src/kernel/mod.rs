//! The kernels: where nearly all the arithmetic happens, each in two forms behind one dispatch point.
//!
//! [`Kernel::Literal`] is the definition: plain loops over any [`Scalar`](crate::scalar::Scalar), in a documented
//! order, with the same bits on every CPU and for any number of threads. [`Kernel::Fast`] runs vectors over the samples
//! of a batch, and threads over outputs, for `f32` and `f64` (other number systems fall back to Literal); it agrees
//! with Literal within the a-priori bound and gives the same bits for any number of threads, because work is split in
//! blocks of a fixed size and never over a reduction.
//!
//! Nothing outside of this module asks which form it is. What a further one (a GPU's) has to provide is listed in
//! [`KERNELS`].

mod accumulate;
mod aligned;
mod argument;
mod batch_norm;
mod broadcast;
pub mod buffer;
mod cross_entropy;
mod dropout;
mod elementwise;
mod fast;
mod flat;
mod formula;
mod list;
mod literal;
mod moves;
mod order;
mod pattern;
mod planes;
mod pool;
mod pooling;
mod products;
pub(crate) mod share;
mod vector;
mod window;

pub use accumulate::{accumulate_squares, add_to, plus_square};
pub use aligned::Aligned;
pub use argument::{Argument, recycle_argument};
pub use batch_norm::{BatchNormSettings, Channel, batch_norm, batch_norm_gradient};
pub use broadcast::joined_shape;
pub use cross_entropy::{Softmax, cross_entropy, cross_entropy_gradient};
pub use dropout::dropout;
pub use elementwise::{Elementwise, Entries, elementwise};
pub use formula::{Formula, Inputs, Of, One, Two, formula_gradients, formula_values};
pub use list::{List, Shape, list};
pub use moves::{assign, concat, copy, rearrange, split, spread, taken};
pub use order::{Extent, Order};
pub use pattern::Pattern;
pub use pool::Pool;
pub use pooling::{
    Pooling, Positions, avg_pool2d, avg_pool2d_gradient, max_pool2d, max_pool2d_gradient, plane_means,
    plane_means_gradient,
};
pub use products::{
    channel_sums, conv2d, conv2d_input_gradient, conv2d_weight_gradient, conv2d_with_bias, images, linear,
    linear_input_gradient, linear_weight_gradient, matmul, matmul_with_bias, sparse_conv2d,
    sparse_conv2d_input_gradient, sparse_conv2d_weight_gradient,
};
pub(crate) use vector::prefetch;
pub use vector::vectorised;
pub use window::Window;

use crate::choice::choice;
use vector::{Loop, vectorised_loop};

choice! {
    /// Which form of the kernels computes.
    Kernel, "kernel":
    /// Vectors over the samples of a batch, and rayon.
    Fast = "fast",
    /// Plain loops in a documented order: the definition.
    Literal = "literal",
}

/// A kernel: what a back end has to provide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelDescription {
    /// The function's.
    pub name: &'static str,
    pub computes: &'static str,
    /// Of what goes in and comes out; slices and arrays have any length.
    pub shapes: &'static str,
    /// By which ops (each differentiates what it computes) or equations.
    pub used_by: &'static [&'static str],
}

/// Every kernel, in the order of the files. What else takes a [`Kernel`] is made of these.
pub const KERNELS: &[KernelDescription] = &[
    KernelDescription {
        name: "matmul_with_bias",
        computes: "y = a b + bias, all in one sum",
        shapes: "a [m,k], b [k,n], bias [n] or none -> y [m,n]",
        used_by: &["ops::matmul"],
    },
    KernelDescription {
        name: "linear",
        computes: "y = x w^T + b",
        shapes: "x [n,in], w [out,in], b [out] or none -> y [n,out]",
        used_by: &["ops::linear"],
    },
    KernelDescription {
        name: "linear_input_gradient",
        computes: "dx = dy w",
        shapes: "dy [n,out], w [out,in] -> dx [n,in]",
        used_by: &["ops::linear"],
    },
    KernelDescription {
        name: "linear_weight_gradient",
        computes: "dw = dy^T x",
        shapes: "x [n,in], dy [n,out] -> dw [out,in]",
        used_by: &["ops::linear"],
    },
    KernelDescription {
        name: "conv2d_with_bias",
        computes: "cross-correlation of x and w, + b, all in one sum",
        shapes: "x [n,c,h,w], w [o,c/groups,kh,kw], b [o] or none -> y [n,o,oh,ow]",
        used_by: &["ops::conv2d"],
    },
    KernelDescription {
        name: "conv2d_input_gradient",
        computes: "the adjoint of conv2d in x",
        shapes: "dy [n,o,oh,ow], w [o,c/groups,kh,kw] -> dx [n,c,h,w]",
        used_by: &["ops::conv2d"],
    },
    KernelDescription {
        name: "conv2d_weight_gradient",
        computes: "the adjoint of conv2d in w",
        shapes: "x [n,c,h,w], dy [n,o,oh,ow] -> dw [o,c/groups,kh,kw]",
        used_by: &["ops::conv2d", "ops::Sparse"],
    },
    KernelDescription {
        name: "channel_sums",
        computes: "db_o = sum of dy over n, oh, ow",
        shapes: "dy [n,o,oh,ow] -> db [o]",
        used_by: &["ops::conv2d", "ops::linear", "ops::Sparse"],
    },
    KernelDescription {
        name: "sparse_conv2d",
        computes: "conv2d with the living weights of a pattern alone",
        shapes: "x [n,c,h,w], values [nnz], b [o] or none -> y [n,o,oh,ow]",
        used_by: &["ops::Sparse"],
    },
    KernelDescription {
        name: "sparse_conv2d_input_gradient",
        computes: "its adjoint in x",
        shapes: "dy [n,o,oh,ow], values [nnz] -> dx [n,c,h,w]",
        used_by: &["ops::Sparse"],
    },
    KernelDescription {
        name: "sparse_conv2d_weight_gradient",
        computes: "its adjoint in the living weights",
        shapes: "x [n,c,h,w], dy [n,o,oh,ow] -> dvalues [nnz]",
        used_by: &["ops::Sparse"],
    },
    KernelDescription {
        name: "formula_values",
        computes: "y = f(x) or f(a, b) with broadcasting, f a Formula",
        shapes: "any shapes that broadcast -> y of the shape they share",
        used_by: &["ops::Pointwise"],
    },
    KernelDescription {
        name: "formula_gradients",
        computes: "dx of a Formula, summed over the axes that were repeated",
        shapes: "what the formula reads, dy of y's shape -> dx of each input's shape",
        used_by: &["ops::Pointwise"],
    },
    KernelDescription {
        name: "dropout",
        computes: "y = x / (1 - p) where the mask keeps, else 0",
        shapes: "x, mask of its shape -> y of its shape",
        used_by: &["ops::dropout"],
    },
    KernelDescription {
        name: "batch_norm",
        computes: "y = w (x - mean) r + b in each channel, and the running statistics",
        shapes: "x [n,c] or [n,c,h,w], four of [c] -> y as x, two of [c]",
        used_by: &["ops::batch_norm"],
    },
    KernelDescription {
        name: "batch_norm_gradient",
        computes: "its adjoint in all five inputs",
        shapes: "x, dy as x, w [c], statistics [c] -> dx as x, four of [c]",
        used_by: &["ops::batch_norm"],
    },
    KernelDescription {
        name: "max_pool2d",
        computes: "the maximum over each window, and where it was",
        shapes: "x [n,c,h,w] -> y [n,c,oh,ow], positions of its shape",
        used_by: &["ops::max_pool2d"],
    },
    KernelDescription {
        name: "max_pool2d_gradient",
        computes: "dy at the maxima, summed",
        shapes: "dy, positions [n,c,oh,ow] -> dx [n,c,h,w]",
        used_by: &["ops::max_pool2d"],
    },
    KernelDescription {
        name: "avg_pool2d",
        computes: "the mean over each window",
        shapes: "x [n,c,h,w] -> y [n,c,oh,ow]",
        used_by: &["ops::avg_pool2d"],
    },
    KernelDescription {
        name: "avg_pool2d_gradient",
        computes: "dy / d spread over each window, summed",
        shapes: "dy [n,c,oh,ow] -> dx [n,c,h,w]",
        used_by: &["ops::avg_pool2d"],
    },
    KernelDescription {
        name: "plane_means",
        computes: "the mean of each plane",
        shapes: "x [n,c,h,w] -> y [n,c] or [n,c,1,1]",
        used_by: &["ops::global_mean", "ops::adaptive_avg_pool2d"],
    },
    KernelDescription {
        name: "plane_means_gradient",
        computes: "dy / (h w) all over each plane",
        shapes: "dy [n,c] or [n,c,1,1] -> dx [n,c,h,w]",
        used_by: &["ops::global_mean", "ops::adaptive_avg_pool2d"],
    },
    KernelDescription {
        name: "cross_entropy",
        computes: "the mean of -ln softmax(x)[label], and e^(t/2)",
        shapes: "x [n,classes], n labels -> [], [n,classes + 2]",
        used_by: &["ops::cross_entropy"],
    },
    KernelDescription {
        name: "cross_entropy_gradient",
        computes: "dy (p - onehot) / n",
        shapes: "[n,classes + 2], n labels, dy -> dx [n,classes]",
        used_by: &["ops::cross_entropy"],
    },
    KernelDescription {
        name: "assign",
        computes: "to = from",
        shapes: "two arrays of one shape and any strides",
        used_by: &["ops::concat", "ops::split", "ops::pad", "ops::strided_slice"],
    },
    KernelDescription {
        name: "rearrange",
        computes: "the elements of x read along other axes, in another shape",
        shapes: "x of any shape -> as many elements",
        used_by: &["ops::flatten", "ops::channel_shuffle"],
    },
    KernelDescription {
        name: "add_to",
        computes: "sum <- sum + term",
        shapes: "two arrays of one shape",
        used_by: &["tape"],
    },
    KernelDescription {
        name: "accumulate_squares",
        computes: "G_j <- G_j + g_j^2",
        shapes: "two slices of one length",
        used_by: &["Eq. 2"],
    },
    KernelDescription {
        name: "elementwise",
        computes: "one pass over entries, each by itself: a step of SGD",
        shapes: "slices of one length",
        used_by: &["train::Sgd"],
    },
];
