//! Convolutions by Winograd's minimal filtering and by Fourier transforms, computed here in f32 and f64 as libraries compute
//! them: each is inside of its declared bound, and a mistake in it is not.

use crate::judged::measured;
use gdstar::kernel::{Kernel, Window, conv2d, conv2d_input_gradient, conv2d_weight_gradient};
use gdstar::oracle::record::{Algorithm, Arg, AtenCall, Call, Carried, Declared, Measured, Value};
use gdstar::scalar::Scalar;
use ndarray::{Array2, Array4, ArrayView2, Axis, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::Dtype;
use std::collections::BTreeMap;

/// A convolution of 3x3 taps with a padding of 1, which keeps the extents.
const WINDOW: Window = Window { padding: [1, 1], ..Window::PLAIN };

/// Arrays of f64, and each number one of S.
struct Operands {
    x: Array4<f64>,
    w: Array4<f64>,
    dy: Array4<f64>,
}

fn operands<S: Scalar>() -> Operands {
    let mut rng = ChaCha8Rng::seed_from_u64(215);
    let mut random = |shape| Array4::from_shape_simple_fn(shape, || S::from_f64(rng.random_range(-1.0..1.0)).to_f64());
    Operands { x: random((2, 4, 8, 8)), w: random((3, 4, 3, 3)), dy: random((2, 3, 8, 8)) }
}

/// The transforms of a tile's side, F(2, 3): B^T d, G g and A^T m (Lavin and Gray, 2016).
fn of_pixels<S: Scalar>(d: [S; 4]) -> [S; 4] {
    [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]
}

fn of_taps<S: Scalar>(g: [S; 3]) -> [S; 4] {
    let half = S::from_f64(0.5);
    [g[0], (g[0] + g[1] + g[2]) * half, (g[0] - g[1] + g[2]) * half, g[2]]
}

fn of_products<S: Scalar>(m: [S; 4]) -> [S; 2] {
    [m[0] + m[1] + m[2], m[1] - m[2] - m[3]]
}

/// A transform of the columns, and then of the rows.
fn both<S: Scalar, const N: usize, const M: usize>(tile: [[S; N]; N], of: fn([S; N]) -> [S; M]) -> [[S; M]; M] {
    let columns: [[S; M]; N] = std::array::from_fn(|j| of(std::array::from_fn(|i| tile[i][j])));
    std::array::from_fn(|i| of(std::array::from_fn(|j| columns[j][i])))
}

/// The cross-correlation of x `[n, c, h, w]` (even extents) with w `[o, c, 3, 3]`, padded by 1, tile by tile of 2x2
/// outputs; channels are added up among the products.
fn winograd<S: Scalar>(x: &Array4<f64>, w: &Array4<f64>) -> Array4<f64> {
    let (n, _, height, width) = x.dim();
    let mut y = Array4::zeros((n, w.len_of(Axis(0)), height, width));
    let pixel = |n: usize, c: usize, i: usize, j: usize| {
        let inside = (1..=height).contains(&i) && (1..=width).contains(&j);
        if inside { S::from_f64(x[[n, c, i - 1, j - 1]]) } else { S::ZERO }
    };
    for ((n, o, row, column), _) in Array4::<f64>::zeros((n, y.dim().1, height / 2, width / 2)).indexed_iter() {
        let mut sums = [[S::ZERO; 4]; 4];
        for c in 0..w.len_of(Axis(1)) {
            let d = both(
                std::array::from_fn(|i| std::array::from_fn(|j| pixel(n, c, 2 * row + i, 2 * column + j))),
                of_pixels,
            );
            let g = both(std::array::from_fn(|i| std::array::from_fn(|j| S::from_f64(w[[o, c, i, j]]))), of_taps);
            for (i, j) in (0..4).flat_map(|i| (0..4).map(move |j| (i, j))) {
                sums[i][j] += d[i][j] * g[i][j];
            }
        }
        let tile = both(sums, of_products);
        for (i, j) in (0..2).flat_map(|i| (0..2).map(move |j| (i, j))) {
            y[[n, o, 2 * row + i, 2 * column + j]] = tile[i][j].to_f64();
        }
    }
    y
}

/// The weight of the convolution that gives the gradient of x: turned, in and out exchanged.
fn turned(w: &Array4<f64>) -> Array4<f64> {
    w.slice(s![.., .., ..;-1, ..;-1]).permuted_axes([1, 0, 2, 3]).as_standard_layout().into_owned()
}

type Complex<S> = (S, S);

fn product<S: Scalar>((a, b): Complex<S>, (c, d): Complex<S>) -> Complex<S> {
    (a * c - b * d, a * d + b * c)
}

/// The transform of a power of two of numbers, `sign` 1 forward and -1 back, without the division.
fn transform<S: Scalar>(x: &[Complex<S>], sign: f64) -> Vec<Complex<S>> {
    if x.len() == 1 {
        return x.to_vec();
    }
    let half = |odd: usize| transform(&x.iter().skip(odd).step_by(2).copied().collect::<Vec<_>>(), sign);
    let (even, odd, n) = (half(0), half(1), x.len());
    let mut all = vec![(S::ZERO, S::ZERO); n];
    for k in 0..n / 2 {
        let angle = -sign * std::f64::consts::TAU * k as f64 / n as f64;
        let turn = (S::from_f64(libm::cos(angle)), S::from_f64(libm::sin(angle)));
        let ((a, b), (c, d)) = (even[k], product(turn, odd[k]));
        (all[k], all[k + n / 2]) = ((a + c, b + d), (a - c, b - d));
    }
    all
}

/// A plane of 16x16, each row and then each column.
fn plane<S: Scalar>(x: &Array2<Complex<S>>, sign: f64) -> Array2<Complex<S>> {
    let mut plane = x.clone();
    for axis in [0, 1] {
        for mut lane in plane.lanes_mut(Axis(axis)) {
            let transformed = transform(&lane.to_vec(), sign);
            lane.iter_mut().zip(transformed).for_each(|(x, y)| *x = y);
        }
    }
    plane
}

const SIDE: usize = 16;

/// The transform of a plane that begins at (from, from).
fn spectrum<S: Scalar>(x: ArrayView2<f64>, from: usize) -> Array2<Complex<S>> {
    let mut padded = Array2::from_elem((SIDE, SIDE), (S::ZERO, S::ZERO));
    x.indexed_iter().for_each(|((i, j), &x)| padded[[i + from, j + from]] = (S::from_f64(x), S::ZERO));
    plane(&padded, 1.0)
}

/// The sums over planes of products of transforms, and back: of pairs of planes `pairs(i)` for each plane i of the result,
/// whose pixels begin at (from, from).
fn by_spectra<S: Scalar>(
    shape: (usize, usize, usize, usize),
    from: usize,
    pairs: impl Fn(usize, usize) -> Vec<(Array2<Complex<S>>, Array2<Complex<S>>)>,
) -> Array4<f64> {
    let mut y = Array4::zeros(shape);
    for (i, j) in (0..shape.0).flat_map(|i| (0..shape.1).map(move |j| (i, j))) {
        let mut sum = Array2::from_elem((SIDE, SIDE), (S::ZERO, S::ZERO));
        for (a, b) in pairs(i, j) {
            ndarray::Zip::from(&mut sum).and(&a).and(&b).for_each(|sum, &a, &b| {
                let (re, im) = product(a, b);
                *sum = (sum.0 + re, sum.1 + im);
            });
        }
        let back = plane(&sum, -1.0);
        let scale = S::from_f64(1.0 / (SIDE * SIDE) as f64);
        for (p, q) in (0..shape.2).flat_map(|p| (0..shape.3).map(move |q| (p, q))) {
            y[[i, j, p, q]] = (back[[p + from, q + from]].0 * scale).to_f64();
        }
    }
    y
}

fn conjugate<S: Scalar>(x: Array2<Complex<S>>) -> Array2<Complex<S>> {
    x.mapv(|(re, im)| (re, -im))
}

/// y, dx and dw by Fourier transforms.
fn fourier<S: Scalar>(Operands { x, w, dy }: &Operands) -> [Array4<f64>; 3] {
    let part = |array: &Array4<f64>, i: usize, j: usize, from| spectrum::<S>(array.slice(s![i, j, .., ..]), from);
    let (channels, outputs, images) = (x.dim().1, w.dim().0, x.dim().0);
    let y = by_spectra(dy.dim(), 0, |n, o| {
        (0..channels).map(|c| (part(x, n, c, 1), conjugate(part(w, o, c, 0)))).collect()
    });
    let dx = by_spectra(x.dim(), 1, |n, c| (0..outputs).map(|o| (part(dy, n, o, 0), part(w, o, c, 0))).collect());
    let dw =
        by_spectra(w.dim(), 0, |o, c| (0..images).map(|n| (part(x, n, c, 1), conjugate(part(dy, n, o, 0)))).collect());
    [y, dx, dw]
}

/// One of a convolution's three results, as a call that a record has; 0 is y, 1 dx, 2 dw.
fn call(of: &Operands, dtype: Dtype, role: usize, result: &Array4<f64>, algorithm: Algorithm) -> Call<Value> {
    let value = |array: &Array4<f64>| Value { tensor: String::new(), dtype, array: array.clone().into_dyn() };
    let pair = |i: i64| Arg::List(vec![Arg::Integer(i); 2]);
    let rest = [pair(1), pair(1), pair(1), Arg::Bool(false), pair(0), Arg::Integer(1)];
    let tensors = |arrays: &[&Array4<f64>]| arrays.iter().map(|array| Arg::Tensor(value(array))).collect::<Vec<_>>();
    let mask = Arg::List([role == 1, role == 2, false].map(Arg::Bool).to_vec());
    let (op, args, results) = match role {
        0 => {
            let args = [tensors(&[&of.x, &of.w]), vec![Arg::Null], rest.to_vec()].concat();
            ("aten.convolution.default", args, vec![Some(value(result))])
        }
        _ => {
            let args = [tensors(&[&of.dy, &of.x, &of.w]), vec![Arg::Null], rest.to_vec(), vec![mask]].concat();
            let mut results = vec![None, None, None];
            results[role - 1] = Some(value(result));
            ("aten.convolution_backward.default", args, results)
        }
    };
    let carried = AtenCall { args, kwargs: BTreeMap::new(), results, writes: BTreeMap::new() };
    Call {
        name: "convolution".to_string(),
        op: op.to_string(),
        module: None,
        phase: None,
        of: None,
        declared: Declared { algorithm, ..Declared::default() },
        carried: Carried::Aten(carried),
    }
}

fn judged(of: &Operands, dtype: Dtype, role: usize, result: &Array4<f64>, algorithm: Algorithm) -> Measured {
    measured(&call(of, dtype, role, result, algorithm)).remove(0)
}

/// The results by an algorithm: y and dx by Winograd's, all three by Fourier's.
fn results<S: Scalar>(of: &Operands, algorithm: Algorithm) -> Vec<Array4<f64>> {
    match algorithm {
        Algorithm::Winograd => vec![winograd::<S>(&of.x, &of.w), winograd::<S>(&of.dy, &turned(&of.w))],
        _ => fourier::<S>(of).to_vec(),
    }
}

fn accepted<S: Scalar>(dtype: Dtype) {
    let of = operands::<S>();
    for algorithm in [Algorithm::Winograd, Algorithm::Fft] {
        for (role, result) in results::<S>(&of, algorithm).iter().enumerate() {
            for declared in [algorithm, Algorithm::Any] {
                let found = judged(&of, dtype, role, result, declared);
                assert!(found.passes(), "{dtype:?}, {algorithm:?} as {declared:?}, {role}: {found:?}");
            }
        }
    }
}

#[test]
fn correct_convolutions_of_either_algorithm_pass() {
    accepted::<f32>(Dtype::F32);
    accepted::<f64>(Dtype::F64);
}

/// In F64 what transforms lose is more than sums of products may: it has to be declared.
#[test]
fn transforms_have_to_be_declared() {
    let of = operands::<f64>();
    let y = &results::<f64>(&of, Algorithm::Fft)[0];
    let tiny = y.mapv(|y| y + 1e-13);
    assert!(judged(&of, Dtype::F64, 0, &tiny, Algorithm::Fft).passes());
    assert!(judged(&of, Dtype::F64, 0, &tiny, Algorithm::Direct).outside > 0);
}

/// A kernel turned, channels in another order, a tile that is not written, the last channel or image left out.
fn mistakes(of: &Operands, role: usize, right: &Array4<f64>) -> Vec<(&'static str, Array4<f64>)> {
    let flipped = of.w.slice(s![.., .., ..;-1, ..;-1]).to_owned();
    let without = |array: &Array4<f64>, axis: usize| {
        let mut array = array.clone();
        let last = array.len_of(Axis(axis)) - 1;
        array.index_axis_mut(Axis(axis), last).fill(0.0);
        array
    };
    let direct = |x: &Array4<f64>, w: &Array4<f64>, dy: &Array4<f64>| match role {
        0 => conv2d(Kernel::Literal, WINDOW, x.view(), w.view()),
        1 => conv2d_input_gradient(Kernel::Literal, WINDOW, dy.view(), w.view(), [2, 4, 8, 8]),
        _ => conv2d_weight_gradient(Kernel::Literal, WINDOW, x.view(), dy.view(), [3, 4, 3, 3]),
    };
    let mut torn = right.clone();
    torn.slice_mut(s![0, 0, ..2, ..2]).fill(0.0);
    let order: Vec<usize> = (1..right.dim().1).chain([0]).collect();
    let mut all = vec![
        ("channels in another order", right.select(Axis(1), &order)),
        ("a tile that is not written", torn),
        ("twice as large", right * 2.0),
    ];
    match role {
        2 => all.push(("the last image left out", direct(&without(&of.x, 0), &of.w, &of.dy))),
        _ => all.push(("a kernel turned", direct(&of.x, &flipped, &of.dy))),
    }
    if role == 0 {
        all.push(("the last channel left out", direct(&without(&of.x, 1), &of.w, &of.dy)));
    }
    all
}

#[test]
fn mistakes_of_either_algorithm_fail() {
    let (single, double) = (operands::<f32>(), operands::<f64>());
    for algorithm in [Algorithm::Winograd, Algorithm::Fft] {
        for (dtype, of) in [(Dtype::F32, &single), (Dtype::F64, &double)] {
            let right = match dtype {
                Dtype::F32 => results::<f32>(of, algorithm),
                _ => results::<f64>(of, algorithm),
            };
            for (role, right) in right.iter().enumerate() {
                for (mistake, wrong) in mistakes(of, role, right) {
                    let found = judged(of, dtype, role, &wrong, algorithm);
                    assert!(found.outside > 0, "{dtype:?}, {algorithm:?}, {role}: {mistake}: {found:?}");
                }
            }
        }
    }
}

/// A single product that is left out of one sum, of the size of the usual: in F64 outside of either bound.
#[test]
fn a_single_product_left_out_fails_in_f64() {
    let of = operands::<f64>();
    for algorithm in [Algorithm::Winograd, Algorithm::Fft] {
        let mut y = results::<f64>(&of, algorithm).remove(0);
        y[[1, 2, 3, 4]] -= of.x[[1, 3, 3, 4]] * of.w[[2, 3, 1, 1]];
        let found = judged(&of, Dtype::F64, 0, &y, algorithm);
        assert_eq!((found.outside, found.first.map(|first| first.index)), (1, Some(vec![1, 2, 3, 4])), "{algorithm:?}");
    }
}
