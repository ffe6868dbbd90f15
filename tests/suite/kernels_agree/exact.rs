//! On small integers every kernel is exact: bit for bit the integer result, in `f32` and `f64`.

use super::candidate::Candidate;
use super::cases::{Convolution, Product, Values, scattered};
use super::toeplitz::Truth;
use gdstar::kernel::{self, Kernel, Pool, buffer};
use gdstar::scalar::Scalar;
use ndarray::{Array, Array1, Array2, Array4, Dimension};
use proptest::prelude::*;

pub(super) fn integers<D: Dimension>(values: &Array<f64, D>) -> Array<i64, D> {
    values.mapv(|value| value as i64)
}

/// The same shape and the same bits (so +0 and not -0) as the integers.
pub(super) fn check_equal<S: Scalar, D: Dimension>(
    what: &str,
    computed: &Array<S, D>,
    expected: &Array<i64, D>,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(computed.shape(), expected.shape(), "{} in {}", what, S::NAME);
    for (computed, &expected) in computed.iter().zip(expected) {
        let bits = [computed.to_f64(), expected as f64].map(f64::to_bits);
        prop_assert!(bits[0] == bits[1], "{} in {}: {:?} for {}", what, S::NAME, computed, expected);
    }
    Ok(())
}

pub fn check_product<S: Scalar>(candidate: impl Candidate, case: &Product) -> Result<(), TestCaseError> {
    let mut rng = case.rng();
    let (a, b, bias) = case.draw(&mut rng, Values::Integers);
    let product = integers(&a).dot(&integers(&b));
    let with_bias = &product + &integers(&bias);
    let [a, b] = [&a, &b].map(|matrix| scattered::<S, _>(&mut rng, matrix));
    let bias = scattered::<S, _>(&mut rng, &bias);
    check_equal("a b", &candidate.matmul(a.view(), b.view(), None), &product)?;
    check_equal("a b + bias", &candidate.matmul(a.view(), b.view(), Some(bias.view())), &with_bias)
}

/// The truth that [`check_convolution`] compares with.
pub fn truth(case: &Convolution) -> Truth {
    let operands = case.draw(&mut case.rng(), Values::Integers);
    let [x, w, dy] = [&operands.x, &operands.w, &operands.dy].map(integers);
    Truth::new(case.window, x.view(), w.view(), integers(&operands.bias).view(), dy.view())
}

/// y, dx and dw against the explicit matrix, and the adjoint identity `<dy, y> = <dx, x> = <dw, w>`.
pub fn check_convolution<S: Scalar>(
    candidate: impl Candidate,
    case: &Convolution,
    truth: &Truth,
) -> Result<(), TestCaseError> {
    let mut rng = case.rng();
    let (window, operands) = (case.window, case.draw(&mut rng, Values::Integers));
    let [x, w, dy] = [&operands.x, &operands.w, &operands.dy].map(|array| scattered::<S, _>(&mut rng, array));
    let bias = scattered::<S, _>(&mut rng, &operands.bias);
    let y = candidate.conv2d(window, x.view(), w.view(), None);
    let with_bias = candidate.conv2d(window, x.view(), w.view(), Some(bias.view()));
    let dx = candidate.input_gradient(window, dy.view(), w.view(), case.x);
    let dw = candidate.weight_gradient(window, x.view(), dy.view(), case.w);

    let inner = |p: &Array4<S>, q: &Array4<f64>| (integers(&p.mapv(S::to_f64)) * integers(q)).sum();
    prop_assert_eq!(y.shape(), &case.y());
    prop_assert_eq!(inner(&y, &operands.dy), inner(&dx, &operands.x), "<dy, y> = <dx, x>");
    prop_assert_eq!(inner(&y, &operands.dy), inner(&dw, &operands.w), "<dy, y> = <dw, w>");

    check_equal("y", &y, &truth.y)?;
    check_equal("y + bias", &with_bias, &truth.with_bias)?;
    check_equal("dx", &dx, &truth.dx)?;
    check_equal("dw", &dw, &truth.dw)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn products_of_integers_are_exact(case in Product::any()) {
        for kernel in [Kernel::Literal, Kernel::Fast] {
            check_product::<f32>(kernel, &case)?;
            check_product::<f64>(kernel, &case)?;
        }
    }

    #[test]
    fn convolutions_of_integers_are_exact(case in Convolution::any()) {
        let truth = truth(&case);
        for kernel in [Kernel::Literal, Kernel::Fast] {
            check_convolution::<f32>(kernel, &case, &truth)?;
            check_convolution::<f64>(kernel, &case, &truth)?;
        }
    }

    /// db_o = sum_n sum_y sum_x dy[n,o,y,x].
    #[test]
    fn channel_sums_of_integers_are_exact(case in Convolution::any()) {
        let mut rng = case.rng();
        let dy = Values::Integers.draw(&mut rng, case.y());
        let expected: Array1<i64> = integers(&dy).axis_iter(ndarray::Axis(1)).map(|channel| channel.sum()).collect();
        let dy = scattered::<f32, _>(&mut rng, &dy);
        for kernel in [Kernel::Literal, Kernel::Fast] {
            check_equal("db", &kernel::channel_sums(kernel, dy.view()), &expected)?;
        }
    }
}

/// Past the block boundaries, where the explicit matrix would be too large: Literal in `f64`, exact on integers,
/// stands for the truth, and the adjoint identity holds as before.
#[test]
fn kernels_are_exact_past_every_block_boundary() {
    for case in Product::past_blocks() {
        check_product::<f32>(Kernel::Fast, &case).unwrap();
        check_product::<f64>(Kernel::Fast, &case).unwrap();
    }
    for case in Convolution::past_blocks() {
        let operands = case.draw(&mut case.rng(), Values::Integers);
        let (window, x, w, dy) = (case.window, operands.x.view(), operands.w.view(), operands.dy.view());
        let y = |bias| integers(&Kernel::Literal.conv2d(window, x, w, bias));
        let truth = Truth {
            y: y(None),
            with_bias: y(Some(operands.bias.view())),
            dx: integers(&Kernel::Literal.input_gradient(window, dy, w, case.x)),
            dw: integers(&Kernel::Literal.weight_gradient(window, x, dy, case.w)),
        };
        check_convolution::<f32>(Kernel::Fast, &case, &truth).unwrap();
        check_convolution::<f64>(Kernel::Fast, &case, &truth).unwrap();
    }
}

/// An empty sum is +0, an empty batch an empty result, in both kernels.
#[test]
fn degenerate_extents_give_zeros_or_nothing() {
    for kernel in [Kernel::Literal, Kernel::Fast] {
        for shape in [[0, 3, 2], [2, 0, 3], [2, 3, 0], [0, 0, 0], [1, 1, 1]] {
            check_product::<f32>(kernel, &Product { shape, seed: 0 }).unwrap();
            check_product::<f64>(kernel, &Product { shape, seed: 0 }).unwrap();
        }
        let nothing: Array2<f64> = kernel::matmul(kernel, Array2::zeros((2, 0)).view(), Array2::zeros((0, 3)).view());
        assert_eq!(nothing, Array2::<f64>::zeros((2, 3)));
    }
}

/// Eq. 2: the running sum of squares, exact on integers, the same bits from both kernels at every length.
#[test]
fn accumulated_squares_are_exact_on_integers() {
    for length in [0, 1, 4097, 300_001] {
        let gradient: Array1<f32> = (0..length).map(|j| (j % 17) as f32 - 8.0).collect();
        let start: Array1<f32> = (0..length).map(|j| (j % 5) as f32).collect();
        let expected: Vec<f32> = (0..length).map(|j| ((j % 5) + (j % 17 - 8) * (j % 17 - 8)) as f32).collect();
        for kernel in [Kernel::Literal, Kernel::Fast] {
            let mut sums = start.to_vec();
            kernel::accumulate_squares(kernel, &mut sums, gradient.as_slice().unwrap());
            assert_eq!(sums, expected);
        }
    }
}

/// Eq. 2: g^2 is not rounded, and the new sum once. By itself (1 + u)^2 would lose its last bit, and so would the sum.
#[test]
fn accumulated_squares_are_rounded_once() {
    fn check<S: Scalar>(u: f64) {
        for kernel in [Kernel::Literal, Kernel::Fast] {
            let mut sums = [S::from_f64(-1.0)];
            kernel::accumulate_squares(kernel, &mut sums, &[S::from_f64(1.0 + u)]);
            assert_eq!(sums[0].to_f64(), 2.0 * u + u * u, "{} by {kernel}", S::NAME);
        }
    }
    check::<f32>(2f64.powi(-12));
    check::<f64>(2f64.powi(-27));
}

/// A linear layer's weight gradient, whose samples are taken in tiles and whose outputs in blocks: about the edges of both.
#[test]
fn linear_weight_gradients_are_exact_on_integers() {
    fn check<S: Scalar>() {
        for (n, features, outputs) in [(1, 1, 1), (5, 17, 3), (128, 33, 9), (129, 16, 8), (300, 50, 20), (40, 3000, 12)]
        {
            let x = Array2::from_shape_fn((n, features), |(i, j)| ((3 * i + 5 * j) % 11) as i64 - 5);
            let dy = Array2::from_shape_fn((n, outputs), |(i, j)| ((7 * i + 2 * j) % 13) as i64 - 6);
            let [of_x, of_dy] = [&x, &dy].map(|matrix| matrix.mapv(|value| S::from_f64(value as f64)));
            for kernel in [Kernel::Literal, Kernel::Fast] {
                let dw = Pool::new().install(|| {
                    // What memory that is used again holds must not matter.
                    let mut nan = buffer::zeros(outputs * features);
                    nan.fill(S::from_f64(f64::NAN));
                    buffer::recycle_elements(nan);
                    kernel::linear_weight_gradient(kernel, of_x.view(), of_dy.view())
                });
                check_equal("dw", &dw, &dy.t().dot(&x)).unwrap();
            }
        }
    }
    check::<f32>();
    check::<f64>();
}
