use super::Window;
use crate::scalar::Scalar;
use ndarray::{Array2, Array4, ArrayView2, ArrayView4};

pub(super) fn matmul<S: Scalar>(a: ArrayView2<S>, b: ArrayView2<S>) -> Array2<S> {
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
        let mut sum = S::Accumulator::ZERO;
        for k in 0..a.ncols() {
            sum += a[(i, k)].to_accumulator() * b[(k, j)].to_accumulator();
        }
        S::from_accumulator(sum)
    })
}
pub(super) fn conv2d<S: Scalar>(_window: Window, _x: ArrayView4<S>, _w: ArrayView4<S>) -> Array4<S> {
    unimplemented!()
}
pub(super) fn conv2d_input_gradient<S: Scalar>(
    _window: Window,
    _dy: ArrayView4<S>,
    _w: ArrayView4<S>,
    _x_shape: [usize; 4],
) -> Array4<S> {
    unimplemented!()
}
pub(super) fn conv2d_weight_gradient<S: Scalar>(
    _window: Window,
    _x: ArrayView4<S>,
    _dy: ArrayView4<S>,
    _w_shape: [usize; 4],
) -> Array4<S> {
    unimplemented!()
}
pub(super) fn accumulate_squares<S: Scalar>(accumulated: &mut [S], gradient: &[S]) {
    for (sum, &g) in accumulated.iter_mut().zip(gradient) {
        *sum += g * g;
    }
}
