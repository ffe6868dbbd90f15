//! What definitions of ops on images are written with.

use ndarray::ArrayD;

/// The array `[n,c,h,w]` of this shape that holds `f([n, c, i, j])`.
pub(super) fn per_pixel<S>(shape: [usize; 4], f: impl Fn([usize; 4]) -> S) -> ArrayD<S> {
    ArrayD::from_shape_fn(shape.as_slice(), |at| f([at[0], at[1], at[2], at[3]]))
}
