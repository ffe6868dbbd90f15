//! The kernels: where nearly all the arithmetic happens, each in two forms behind one dispatch point.
//!
//! [`Kernel::Literal`] is the definition: plain loops over any [`Scalar`], in a documented order, with the same
//! bits on every CPU and for any number of threads. [`Kernel::Fast`] calls `matrixmultiply` and rayon for `f32`
//! and `f64` (other number systems fall back to Literal); it agrees with Literal within the a-priori bound and
//! gives the same bits for any number of threads, because work is split over outputs in blocks of a fixed size
//! and never over a reduction.

mod fast;
mod literal;
mod vector;
mod window;

pub use vector::{vectorised, vectorised_on};
pub use window::Window;

use crate::choice::choice;
use crate::scalar::Scalar;
use ndarray::{Array1, Array2, Array4, ArrayView1, ArrayView2, ArrayView4};

choice! {
    /// Which form of the kernels computes.
    Kernel, "kernel":
    /// `matrixmultiply` and rayon.
    Fast = "fast",
    /// Plain loops in a documented order: the definition.
    Literal = "literal",
}

/// `a b`: a `[m,k]`, b `[k,n]` -> `[m,n]`; any strides. The inner dimensions must agree (the ops check).
pub fn matmul<S: Scalar>(kernel: Kernel, a: ArrayView2<S>, b: ArrayView2<S>) -> Array2<S> {
    matmul_with_bias(kernel, a, b, None)
}

/// [`matmul`] plus `bias[j]` in every row of column j, inside the same sum: one rounding fewer than adding it after.
pub fn matmul_with_bias<S: Scalar>(
    kernel: Kernel,
    a: ArrayView2<S>,
    b: ArrayView2<S>,
    bias: Option<ArrayView1<S>>,
) -> Array2<S> {
    match kernel {
        Kernel::Literal => literal::matmul(a, b, bias),
        Kernel::Fast => fast::matmul(a, b, bias),
    }
}

/// Convolution (cross-correlation, as in every framework): x `[n,c,h,w]`, w `[o,c/groups,kh,kw]` -> `[n,o,oh,ow]`.
/// The shapes must fit each other and the window (the ops check).
pub fn conv2d<S: Scalar>(kernel: Kernel, window: Window, x: ArrayView4<S>, w: ArrayView4<S>) -> Array4<S> {
    conv2d_with_bias(kernel, window, x, w, None)
}

/// [`conv2d`] plus `bias[o]` in every pixel of channel o, inside the same sum.
pub fn conv2d_with_bias<S: Scalar>(
    kernel: Kernel,
    window: Window,
    x: ArrayView4<S>,
    w: ArrayView4<S>,
    bias: Option<ArrayView1<S>>,
) -> Array4<S> {
    match kernel {
        Kernel::Literal => literal::conv2d(window, x, w, bias),
        Kernel::Fast => fast::conv2d(window, x, w, bias),
    }
}

/// The adjoint of [`conv2d`] in x: dy `[n,o,oh,ow]`, w `[o,c/groups,kh,kw]` -> `[n,c,h,w]` of `x_shape`.
pub fn conv2d_input_gradient<S: Scalar>(
    kernel: Kernel,
    window: Window,
    dy: ArrayView4<S>,
    w: ArrayView4<S>,
    x_shape: [usize; 4],
) -> Array4<S> {
    match kernel {
        Kernel::Literal => literal::conv2d_input_gradient(window, dy, w, x_shape),
        Kernel::Fast => fast::conv2d_input_gradient(window, dy, w, x_shape),
    }
}

/// The adjoint of [`conv2d`] in w: x `[n,c,h,w]`, dy `[n,o,oh,ow]` -> `[o,c/groups,kh,kw]` of `w_shape`.
pub fn conv2d_weight_gradient<S: Scalar>(
    kernel: Kernel,
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    w_shape: [usize; 4],
) -> Array4<S> {
    match kernel {
        Kernel::Literal => literal::conv2d_weight_gradient(window, x, dy, w_shape),
        Kernel::Fast => fast::conv2d_weight_gradient(window, x, dy, w_shape),
    }
}

/// The gradient of a bias that is added per channel: dy `[n,o,oh,ow]` -> db `[o]`,
/// `db_o = sum_n sum_y sum_x dy[n,o,y,x]`.
///
/// There is one form only, in the accumulator and in row-major order: it is a small part of any work.
pub fn channel_sums<S: Scalar>(dy: ArrayView4<S>) -> Array1<S> {
    literal::channel_sums(dy)
}

/// Eq. 2, one batch: `accumulated_j += gradient_j^2`, over slices of equal length.
pub fn accumulate_squares<S: Scalar>(kernel: Kernel, accumulated: &mut [S], gradient: &[S]) {
    match kernel {
        Kernel::Literal => literal::accumulate_squares(accumulated, gradient),
        Kernel::Fast => fast::accumulate_squares(accumulated, gradient),
    }
}
