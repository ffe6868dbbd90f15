//! Convolution by an independent formulation, in `i64`: one explicit matrix per sample.
//!
//! A convolution is linear in x, so it is a matrix [o oh ow, c h w], dense here: the entry of an output pixel and an
//! input pixel is the weight of the tap that lies `iy + padding - oy stride` below the window's corner, if there is
//! one. dx is the transposed matrix, dw the inner product of dy with the matrices of unit kernels.

use gdstar::kernel::Window;
use ndarray::{Array2, Array4, ArrayView1, ArrayView4, s};

/// The tap that reads input pixel `i` for output pixel `o`, found by search.
fn tap(window: Window, axis: usize, o: usize, i: usize, taps: usize) -> Option<usize> {
    (0..taps).find(|k| o * window.stride[axis] + k * window.dilation[axis] == i + window.padding[axis])
}

/// The matrix of one sample: w [o,c/groups,kh,kw], y_shape [n,o,oh,ow], x_shape [n,c,h,w].
fn matrix(window: Window, w: ArrayView4<i64>, y_shape: [usize; 4], x_shape: [usize; 4]) -> Array2<i64> {
    let ([_, o, oh, ow], [_, c, h, width], (_, channels, kh, kw)) = (y_shape, x_shape, w.dim());
    let outputs = o / window.groups;
    Array2::from_shape_fn((o * oh * ow, c * h * width), |(row, column)| {
        let (o, oy, ox) = (row / (oh * ow), row / ow % oh, row % ow);
        let (c, iy, ix) = (column / (h * width), column / width % h, column % width);
        if o / outputs != c / channels {
            return 0;
        }
        match (tap(window, 0, oy, iy, kh), tap(window, 1, ox, ix, kw)) {
            (Some(ky), Some(kx)) => w[(o, c % channels, ky, kx)],
            _ => 0,
        }
    })
}

/// The samples of an array as the columns of a matrix [.., n].
fn samples(array: ArrayView4<i64>) -> Array2<i64> {
    let (n, c, h, w) = array.dim();
    array.to_shape((n, c * h * w)).unwrap().t().to_owned()
}

fn from_samples(columns: &Array2<i64>, shape: [usize; 4]) -> Array4<i64> {
    let rows: Vec<i64> = columns.t().iter().copied().collect();
    Array4::from_shape_vec(shape, rows).unwrap()
}

/// The true results of one case.
#[derive(Debug)]
pub struct Truth {
    /// Without a bias, [n,o,oh,ow].
    pub y: Array4<i64>,
    pub with_bias: Array4<i64>,
    pub dx: Array4<i64>,
    pub dw: Array4<i64>,
}

impl Truth {
    /// Of x [n,c,h,w], w [o,c/groups,kh,kw], bias [o] and dy [n,o,oh,ow].
    pub fn new(
        window: Window,
        x: ArrayView4<i64>,
        w: ArrayView4<i64>,
        bias: ArrayView1<i64>,
        dy: ArrayView4<i64>,
    ) -> Self {
        let (x_shape, w_shape, y_shape) = (x.dim().into(), w.dim(), dy.dim().into());
        let (samples_x, samples_dy) = (samples(x), samples(dy));
        let forward = matrix(window, w, y_shape, x_shape);
        let y = from_samples(&forward.dot(&samples_x), y_shape);
        let per_channel = bias.into_shape_with_order((1, y_shape[1], 1, 1)).unwrap();
        let dx = from_samples(&forward.t().dot(&samples_dy), x_shape);
        let dw = weight_gradient(window, x, dy, w_shape);
        Self { with_bias: &y + &per_channel, y, dx, dw }
    }
}

/// Entry by entry `sum_n <dy[n,o], P x[n,c]>`, P the matrix [oh ow, h w] of the kernel that is 1 at the entry's tap.
fn weight_gradient(
    window: Window,
    x: ArrayView4<i64>,
    dy: ArrayView4<i64>,
    (outputs, channels, kh, kw): (usize, usize, usize, usize),
) -> Array4<i64> {
    let ((n, c, h, width), (_, _, oh, ow)) = (x.dim(), dy.dim());
    let plain = Window { groups: 1, ..window };
    // x as a matrix [h w, n c]: every plane a column
    let planes = x.to_shape((n * c, h * width)).unwrap();
    let mut dw = Array4::zeros((outputs, channels, kh, kw));
    for (ky, kx) in ndarray::indices([kh, kw]) {
        let mut unit = Array4::zeros((1, 1, kh, kw));
        unit[(0, 0, ky, kx)] = 1;
        let seen = matrix(plain, unit.view(), [n, 1, oh, ow], [n, 1, h, width]).dot(&planes.t());
        let seen = seen.t().to_shape((n, c, oh, ow)).unwrap().to_owned();
        for ((o, channel), dw) in dw.slice_mut(s![.., .., ky, kx]).indexed_iter_mut() {
            let c = o / (outputs / window.groups) * channels + channel;
            *dw = (&dy.slice(s![.., o, .., ..]) * &seen.slice(s![.., c, .., ..])).sum();
        }
    }
    dw
}
