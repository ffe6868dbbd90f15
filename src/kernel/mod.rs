//! The kernels: where nearly all the arithmetic happens, each in two forms behind one dispatch point.
//!
//! [`Kernel::Literal`] is the definition: plain loops over any [`Scalar`](crate::scalar::Scalar), in a documented
//! order, with the same bits on every CPU and for any number of threads. [`Kernel::Fast`] runs vectors over the samples
//! of a batch, and threads over outputs, for `f32` and `f64` (other number systems fall back to Literal); it agrees
//! with Literal within the a-priori bound and gives the same bits for any number of threads, because work is split in
//! blocks of a fixed size and never over a reduction.
//!
//! With the feature `cuda` there is a third, `Kernel::Cuda`: the same kernels on a GPU, for `f32` and `f64`, with Literal's
//! bits. Arrays stay there between the ops of a pass, as `kernel::cuda::DeviceTensor`s; for slices of the host's memory
//! (an optimizer's, an equation's) a kernel takes them there and back.
//!
//! Nothing outside of this module asks which form it is, but the tape whether its arrays are a GPU's. What a further form
//! has to provide is listed in [`KERNELS`].

mod abreast;
mod accumulate;
mod aligned;
mod argument;
mod batch_norm;
mod broadcast;
pub mod buffer;
mod cross_entropy;
#[cfg(feature = "cuda")]
pub mod cuda;
mod decay;
mod drawn;
mod dropout;
mod elementwise;
mod fast;
mod flags;
mod flat;
mod form;
mod formula;
mod groups;
mod list;
mod literal;
mod moves;
mod on_device;
mod order;
mod order_statistics;
mod pattern;
mod planes;
mod pool;
mod pooling;
mod products;
mod sgd;
pub(crate) mod share;
mod slices;
mod sums;
mod table;
mod vector;
mod window;

pub use accumulate::{accumulate_squares, add_to};
pub use aligned::Aligned;
pub use argument::{Argument, recycle_argument};
pub use batch_norm::{BatchNormSettings, Channel, batch_norm, batch_norm_gradient};
pub use broadcast::joined_shape;
pub use cross_entropy::{Softmax, Targets, cross_entropy, cross_entropy_gradient};
pub use decay::{DecayCounts, DecayRule, first_not_finite, rewind_decay};
pub use drawn::{Penalty, drawn_step};
pub use dropout::dropout;
pub use flags::{below, hold, living};
pub use form::Kernel;
use form::OnHost;
pub use formula::{Formula, Inputs, Of, One, Two, formula_gradients, formula_values};
pub use groups::{GroupTotal, flags_of_groups, group_totals, least_of_groups};
pub use list::{List, Shape, list};
pub use moves::{assign, concat, copy, rearrange, split, spread, taken};
pub use order::{Extent, Order};
pub(crate) use order_statistics::all_finite;
pub use order_statistics::order_statistics;
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
pub use sgd::{Descent, Followed, descend, sgd_step};
pub use slices::{Difference, Magnitude, Scaled, formula_of_slices};
pub use sums::{Term, sum};
pub use table::{KERNELS, KernelDescription};
pub(crate) use vector::prefetch;
pub use window::Window;

/// Returns what a GPU makes of it, where the kernel is its, and it can.
macro_rules! or_on_device {
    ($kernel:expr, $function:ident($($argument:expr),*)) => {
        #[cfg(feature = "cuda")]
        if $kernel == $crate::kernel::Kernel::Cuda
            && let Some(done) = $crate::kernel::cuda::slices::$function($($argument),*)
        {
            return done;
        }
    };
}
use or_on_device;
use vector::{Loop, vectorised, vectorised_loop};
