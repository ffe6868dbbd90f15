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

mod conv;
mod device;
mod error;
mod launch;
mod module;
mod moves;
mod pointwise;
mod products;
mod tensor;
mod walk;

pub use conv::{conv2d_input_gradient, conv2d_weight_gradient, conv2d_with_bias};
pub use device::{Description, Device};
pub use moves::{Places, assign, channel_shuffle, concat, filled, split, spread, taken};
pub use pointwise::{add_to, dropout, formula_gradients, formula_values};
pub use products::{channel_sums, linear, linear_input_gradient, linear_weight_gradient, matmul_with_bias};
pub use tensor::DeviceTensor;

use crate::error::DeviceError;
use crate::scalar::Scalar;

/// Whether the device's kernels compute in this number system: f32 and f64.
pub fn computes<S: Scalar>() -> bool {
    module::text_of(S::NAME).is_some()
}

type Result<T> = std::result::Result<T, DeviceError>;
