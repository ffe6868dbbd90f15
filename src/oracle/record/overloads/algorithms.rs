//! What convolutions by Winograd's minimal filtering and by Fourier transforms may be off by.
//!
//! Neither forms the products of the sum, so neither is bounded by `|A||B|`: both mix a tile, or a plane, before they
//! multiply, and their errors are of the size of what was mixed.
//!
//! Winograd's `Y = A^T ((G g G^T) * (B^T d B)) A` for m outputs and r taps a side (Lavin and Gray, "Fast algorithms for
//! convolutional neural networks", 2016): evaluated as written, each entry is off by at most
//! `gamma_N(u) |A^T| ((|G||g||G^T|) * (|B^T||d||B|)) |A|` summed over the channels, N the roundings that one term passes
//! (Higham, section 3.5; Barabasz et al., "Error analysis and improving the accuracy of Winograd convolution for deep
//! neural networks", 2020). With `max|g|` over the taps and `max|d|` over every pixel that a tile over the output may
//! hold, the matrices leave one number kappa^2, `kappa = max over rows of A^T of sum_i |A_i| (sum|G_i|) (sum|B_i|)`.
//!
//! A Fourier transform of N points is off by `eta log2(N)` of its norm, `eta = u + gamma_4(u) (sqrt(2) + u)` (Higham,
//! Theorem 24.2). Through transforms of both operands, products and the transform back,
//! `|y' - y| <= e (2 |x|_2 |w|_2 + |x|_2 |w|_1)` for each pair of planes, `e = 4 eta log2(N)` with the products.

use super::super::Algorithm;
use super::super::rounding::Rounding;
use crate::error::Result;
use crate::kernel::{self, Kernel, Window};
use crate::oracle::step::rounding::gamma;
use ndarray::{ArrayD, ArrayView2, Axis, Ix4, IxDyn, Zip};

/// Which of the three results of a convolution is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// y from x and w.
    Output,
    /// dx from dy and w.
    Input,
    /// dw from x and dy.
    Weight,
}

/// Outputs and taps a side of the tiles in use, and the matrices' kappa: F(2,3), F(4,3) with the points 0, 1, -1, 2, -2
/// and F(6,3) with 1/2, -1/2 besides.
const KAPPAS: [f64; 3] = [kappa(&F2), kappa(&F4), kappa(&F6)];
/// The most pixels by which a tile reaches beyond an output: 6 outputs and 3 taps.
const REACH: usize = 7;
/// The most roundings that a term passes besides its channels: two transforms of each operand and two back, of sums of
/// 8 terms with a product each.
const TRANSFORMS: f64 = 6.0 * 9.0;

/// For each product i of a tile: the largest |A^T| entry, the sums of |G|'s and |B^T|'s rows.
type Rows<const N: usize> = [[f64; 3]; N];
const F2: Rows<4> = [[1.0, 1.0, 2.0], [1.0, 1.5, 2.0], [1.0, 1.5, 2.0], [1.0, 1.0, 2.0]];
const F4: Rows<6> = [
    [1.0, 0.25, 10.0],
    [1.0, 0.5, 10.0],
    [1.0, 0.5, 10.0],
    [8.0, 7.0 / 24.0, 6.0],
    [8.0, 7.0 / 24.0, 6.0],
    [1.0, 1.0, 10.0],
];
const F6: Rows<8> = [
    [1.0, 1.0, 12.5],
    [1.0, 2.0 / 3.0, 12.5],
    [1.0, 2.0 / 3.0, 12.5],
    [32.0, 7.0 / 90.0, 7.5],
    [32.0, 7.0 / 90.0, 7.5],
    [1.0, 56.0 / 45.0, 15.0],
    [1.0, 56.0 / 45.0, 15.0],
    [1.0, 1.0, 12.5],
];

const fn kappa<const N: usize>(rows: &Rows<N>) -> f64 {
    let (mut sum, mut i) = (0.0, 0);
    while i < N {
        let [a, g, b] = rows[i];
        sum += a * g * b;
        i += 1;
    }
    sum
}

/// What the result `[.., .., .., ..]` of `shape` may be off by where the algorithm declared is not the direct one.
///
/// `a` and `b` are the operands of the role, images both.
pub(super) fn bound(
    algorithm: Algorithm,
    rounding: &Rounding,
    window: Window,
    role: Role,
    [a, b]: [&ArrayD<f64>; 2],
    shape: &[usize],
) -> Result<Option<ArrayD<f64>>> {
    let winograd = || winograd(rounding, window, role, [a, b], shape);
    let fft = || fft(rounding, window, role, [a, b], shape);
    Ok(match algorithm {
        Algorithm::Direct => None,
        Algorithm::Winograd => Some(winograd()),
        Algorithm::Fft => Some(fft()),
        Algorithm::Any => Some(Zip::from(&winograd()).and(&fft()).map_collect(|a, b| a.max(*b))),
    })
}

/// The role's bilinear map.
fn apply(window: Window, role: Role, a: &ArrayD<f64>, b: &ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    let (Ok(a), Ok(b), Ok(shape)) =
        (a.view().into_dimensionality::<Ix4>(), b.view().into_dimensionality::<Ix4>(), <[usize; 4]>::try_from(shape))
    else {
        return ArrayD::from_elem(IxDyn(shape), f64::INFINITY); // no bound; the caller has checked the ranks
    };
    match role {
        Role::Output => kernel::conv2d(Kernel::Fast, window, a, b).into_dyn(),
        Role::Input => kernel::conv2d_input_gradient(Kernel::Fast, window, a, b, shape).into_dyn(),
        Role::Weight => kernel::conv2d_weight_gradient(Kernel::Fast, window, a, b, shape).into_dyn(),
    }
}

/// The largest |x| within `reach` pixels.
fn spread(x: &ArrayD<f64>, reach: usize) -> ArrayD<f64> {
    let mut spread = x.mapv(f64::abs);
    for axis in [2, 3] {
        let before = spread.clone();
        let extent = before.len_of(Axis(axis));
        for shift in 1..=reach.min(extent.saturating_sub(1)) {
            for (to, from) in [(0, shift), (shift, 0)] {
                let length = (extent - shift) as isize;
                let part = |start: usize| ndarray::Slice::from(start as isize..start as isize + length);
                let source = before.slice_axis(Axis(axis), part(from));
                let mut target = spread.slice_axis_mut(Axis(axis), part(to));
                Zip::from(&mut target).and(&source).for_each(|t, s| *t = t.max(*s));
            }
        }
    }
    spread
}

fn winograd(
    rounding: &Rounding,
    window: Window,
    role: Role,
    [a, b]: [&ArrayD<f64>; 2],
    shape: &[usize],
) -> ArrayD<f64> {
    let taps = b.shape()[2].max(b.shape()[3]);
    // The weight's own extent is the largest over its taps; a gradient's tiles mix both operands.
    let (a, b) = match role {
        Role::Output | Role::Input => (spread(a, REACH), spread(b, taps)),
        Role::Weight => (spread(a, REACH), spread(b, REACH)),
    };
    let sizes = apply(window, role, &a, &b, shape);
    let terms = a.len().max(b.len()) as f64;
    let kappa = KAPPAS.iter().fold(0.0, |m: f64, &k| m.max(k));
    let operand = 2.0 * rounding.operations.operand;
    // The channels, or images and tiles, that are added up are at most as many as there are numbers of an operand.
    let per_size =
        (gamma(TRANSFORMS + terms.min(longest(role, &a, &b)), rounding.operations.sum) + operand) * kappa * kappa;
    sizes.mapv(|size| per_size * size)
}

/// The terms of the longest sum of a role.
fn longest(role: Role, a: &ArrayD<f64>, b: &ArrayD<f64>) -> f64 {
    let [extents_a, extents_b] = [a.shape(), b.shape()];
    match role {
        Role::Output => extents_b[1..].iter().product::<usize>() as f64,
        Role::Input => (extents_b[0] * extents_b[2] * extents_b[3]) as f64,
        Role::Weight => (extents_a[0] * extents_b[2] * extents_b[3]) as f64,
    }
}

/// The norm of each plane of x: images, channels.
fn norms(x: &ArrayD<f64>, of: impl Fn(ArrayView2<f64>) -> f64) -> ArrayD<f64> {
    let [n, c, h, w] = [0, 1, 2, 3].map(|axis| x.len_of(Axis(axis)));
    let planes = x.outer_iter().flat_map(|image| {
        let planes = image.outer_iter().map(|plane| plane.into_shape_with_order((h, w)).map_or(f64::INFINITY, &of));
        planes.collect::<Vec<_>>()
    });
    ArrayD::from_shape_vec(IxDyn(&[n, c, 1, 1]), planes.collect())
        .unwrap_or_else(|_| ArrayD::zeros(IxDyn(&[n, c, 1, 1])))
}

fn fft(rounding: &Rounding, window: Window, role: Role, [a, b]: [&ArrayD<f64>; 2], shape: &[usize]) -> ArrayD<f64> {
    let (a, b) = (a.as_standard_layout().into_owned(), b.as_standard_layout().into_owned());
    let two = |x: &ArrayD<f64>| norms(x, |p| p.iter().map(|x| x * x).sum::<f64>().sqrt());
    let one = |x: &ArrayD<f64>| norms(x, |p| p.iter().map(|x| x.abs()).sum::<f64>());
    // One pixel and one tap a plane: sums over channels, or images, of products of norms.
    let planes = Window { groups: window.groups, ..Window::PLAIN };
    let small = [shape[0], shape[1], 1, 1];
    let of = |a: &ArrayD<f64>, b: &ArrayD<f64>| apply(planes, role, a, b, &small);
    let sizes = of(&two(&a), &two(&b)) * 2.0 + of(&two(&a), &one(&b));
    let u = rounding.operations.sum;
    let eta = u + gamma(4.0, u) * (std::f64::consts::SQRT_2 + u);
    // Transforms of both operands' extents, doubled at most for powers of two, in two dimensions.
    let points: usize = [2, 3].iter().map(|&axis| 2 * (a.len_of(Axis(axis)) + b.len_of(Axis(axis)))).product();
    let e = 4.0 * eta * libm::log2(points as f64) + 2.0 * rounding.operations.operand;
    let per_size = e + gamma(longest(role, &a, &b), u);
    let wide = sizes.broadcast(IxDyn(shape)).map(|sizes| sizes.to_owned());
    wide.unwrap_or_else(|| ArrayD::from_elem(IxDyn(shape), f64::INFINITY)).mapv(|size| per_size * size)
}
