//! The kernels on a GPU of NVIDIA's: of each kernel in [`KERNELS`](super::KERNELS) the form for arrays that lie on a device.
//!
//! `source/*.cu` are the kernels, for f32 and f64 from one text, which `make.py` compiles; the result, PTX, is part of the
//! crate, so that running them needs a driver and nothing else. Each works as [`Literal`](super::Kernel::Literal) does,
//! operation by operation: sums run in its order and in its wide type, and elementary functions are its own. So the bits are
//! Literal's, on any device and in any order of blocks. (Of a NaN the bits may be others.)
//!
//! | file | what it holds |
//! |---|---|
//! | `device` | opening a device, and its memory |
//! | `error` | what can go wrong |
//! | `tensor` | arrays on a device |
//! | `launch` | launching a kernel by its name |
//! | the others | a function for each kernel, by family |

mod batch_norm;
mod conv;
mod cross_entropy;
mod descent;
mod device;
mod error;
mod groups;
mod launch;
mod module;
mod moves;
mod order_statistics;
mod pointwise;
mod pooling;
mod products;
mod selection;
pub(in crate::kernel) mod slices;
mod sparse;
mod tensor;
mod walk;
mod work;

pub use batch_norm::{Statistics, batch_norm, batch_norm_gradient};
pub use conv::{conv2d_input_gradient, conv2d_weight_gradient, conv2d_with_bias};
pub use cross_entropy::{Softmax, cross_entropy, cross_entropy_gradient};
pub use descent::{Following, accumulate_squares, drawn_step, sgd_step};
pub use device::{Description, Device};
pub use groups::{Groups, flags_of_groups, group_totals, least_of_groups};
pub use moves::{Places, assign, channel_shuffle, concat, filled, split, spread, taken};
pub use order_statistics::order_statistics;
pub use pointwise::{add_to, dropout, formula_gradients, formula_values};
pub use pooling::{
    avg_pool2d, avg_pool2d_gradient, max_pool2d, max_pool2d_gradient, plane_means, plane_means_gradient,
};
pub use products::{channel_sums, linear, linear_input_gradient, linear_weight_gradient, matmul_with_bias};
pub use selection::{below, first_not_finite, hold, hold_flags, living, rewind_decay, sum};
pub use sparse::{DevicePattern, sparse_conv2d, sparse_conv2d_input_gradient, sparse_conv2d_weight_gradient};
pub use tensor::DeviceTensor;
pub(in crate::kernel) use work::{at_work, is_at_work};
pub(crate) use work::{check, remember};

use crate::error::DeviceError;
use crate::scalar::Scalar;

/// Whether the device's kernels compute in this number system: f32 and f64.
pub fn computes<S: Scalar>() -> bool {
    module::text_of(S::NAME).is_some()
}

/// The names of the kernels that are compiled for this number system.
pub fn kernels<S: Scalar>() -> Vec<&'static str> {
    module::text_of(S::NAME).map(module::declared).unwrap_or_default().iter().map(|kernel| kernel.name).collect()
}

type Result<T> = std::result::Result<T, DeviceError>;
