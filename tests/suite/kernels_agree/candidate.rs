//! What the checks hold to account: the crate's kernels, or a faulty stand-in.

use gdstar::kernel::{self, Kernel, Window};
use gdstar::scalar::Scalar;
use ndarray::{Array2, Array4, ArrayView1, ArrayView2, ArrayView4};

/// A set of kernels.
pub trait Candidate: Copy {
    /// a [m,k], b [k,n], bias [n] -> [m,n].
    fn matmul<S: Scalar>(self, a: ArrayView2<S>, b: ArrayView2<S>, bias: Option<ArrayView1<S>>) -> Array2<S>;

    /// x [n,c,h,w], w [o,c/groups,kh,kw], bias [o] -> [n,o,oh,ow].
    fn conv2d<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        w: ArrayView4<S>,
        bias: Option<ArrayView1<S>>,
    ) -> Array4<S>;

    /// dy [n,o,oh,ow], w [o,c/groups,kh,kw] -> [n,c,h,w].
    fn input_gradient<S: Scalar>(
        self,
        window: Window,
        dy: ArrayView4<S>,
        w: ArrayView4<S>,
        x_shape: [usize; 4],
    ) -> Array4<S>;

    /// x [n,c,h,w], dy [n,o,oh,ow] -> [o,c/groups,kh,kw].
    fn weight_gradient<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        dy: ArrayView4<S>,
        w_shape: [usize; 4],
    ) -> Array4<S>;
}

impl Candidate for Kernel {
    fn matmul<S: Scalar>(self, a: ArrayView2<S>, b: ArrayView2<S>, bias: Option<ArrayView1<S>>) -> Array2<S> {
        kernel::matmul_with_bias(self, a, b, bias)
    }

    fn conv2d<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        w: ArrayView4<S>,
        bias: Option<ArrayView1<S>>,
    ) -> Array4<S> {
        kernel::conv2d_with_bias(self, window, x, w, bias)
    }

    fn input_gradient<S: Scalar>(
        self,
        window: Window,
        dy: ArrayView4<S>,
        w: ArrayView4<S>,
        x_shape: [usize; 4],
    ) -> Array4<S> {
        kernel::conv2d_input_gradient(self, window, dy, w, x_shape)
    }

    fn weight_gradient<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        dy: ArrayView4<S>,
        w_shape: [usize; 4],
    ) -> Array4<S> {
        kernel::conv2d_weight_gradient(self, window, x, dy, w_shape)
    }
}
