//! What a back end has to provide: [`KERNELS`].

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

/// Every kernel: those of ops, of a training step, of equations. What else takes a [`Kernel`] is made of these.
///
/// Where `Fast` has no loop of its own, the kernel's docstring says that there is one form only: `Fast` then shares the same
/// loop out over threads, or does not.
///
/// [`Kernel`]: super::Kernel
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
        used_by: &["ops::Pointwise", "methods' scores and moves, in the host's memory"],
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
        name: "sgd_step",
        computes: "a step of SGD with momentum and weight decay; in the same pass G_j <- G_j + g_j^2, and 0 where a mask holds",
        shapes: "w, b, g, G or none, mask or none: slices of one length",
        used_by: &["train::Sgd"],
    },
    KernelDescription {
        name: "drawn_step",
        computes: "a step of SGD of the entries that move, with what draws them to 0; momentum of others is 0",
        shapes: "w, v, A w, g, A, B: slices of one length",
        used_by: &["method::topkast"],
    },
    KernelDescription {
        name: "sum",
        computes: "start + x_j, |x_j| or x_j^2 of all j, wide, from the first to the last",
        shapes: "slice -> one wide number",
        used_by: &["Eq. 1", "Eq. 3"],
    },
    KernelDescription {
        name: "order_statistics",
        computes: "the value of a rank, and of the next: by sorting; fast by sampling, with the same bits",
        shapes: "slice -> one or two of its values",
        used_by: &["Eq. 6"],
    },
    KernelDescription {
        name: "below",
        computes: "x_j < threshold",
        shapes: "slice -> as many flags",
        used_by: &["Eq. 5"],
    },
    KernelDescription {
        name: "hold",
        computes: "x_j <- 0 where j does not live; flags likewise",
        shapes: "two slices of one length",
        used_by: &["open point 7"],
    },
    KernelDescription {
        name: "living",
        computes: "the x_j of all j that live, in order",
        shapes: "two slices of one length -> as many values as live",
        used_by: &["open point 7"],
    },
    KernelDescription {
        name: "group_totals",
        computes: "the maximum, or the sum of x_j or x_j^2, over the counted j of each group, wide",
        shapes: "x, group and flag of each j -> a wide number and a count for each group",
        used_by: &["structured selection"],
    },
    KernelDescription {
        name: "flags_of_groups",
        computes: "the flag of the group of each j",
        shapes: "flag of each group, group of each j -> flag of each j",
        used_by: &["structured selection"],
    },
    KernelDescription {
        name: "least_of_groups",
        computes: "a flag for all but so many of each group: the dead, then the least x_j, then the earlier",
        shapes: "x, flag and group of each j -> flag of each j",
        used_by: &["structured selection"],
    },
    KernelDescription {
        name: "rewind_decay",
        computes: "w_j <- w_j* lambda^t where selected, 0 and dead below eps, and how many of both",
        shapes: "w, w* or none, selected, mask: slices of one length",
        used_by: &["Alg. 6"],
    },
    KernelDescription {
        name: "first_not_finite",
        computes: "the first j of which rewind_decay would read a value that is not finite, and the value",
        shapes: "as rewind_decay -> one place or none",
        used_by: &["Alg. 6"],
    },
];
