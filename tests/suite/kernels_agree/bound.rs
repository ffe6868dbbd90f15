//! Literal and Fast against [`DoubleDouble`], within the bounds of [`bounds`], from any memory layout.

use super::cases::{Convolution, Product, Values, scattered};
use crate::common::bounds;
use gdstar::kernel::{self, Kernel};
use gdstar::scalar::{DoubleDouble, Scalar};
use ndarray::{Array, Dimension, Zip};
use proptest::prelude::*;

/// The bound of one kernel's sum of `n` products, as a multiple of the magnitude.
fn relative_bound<S: Scalar>(kernel: Kernel, n: usize) -> f64 {
    // Number systems without a fast product, and small groups, take Literal's path inside Fast. Its accumulator is
    // at least as precise as S, but it rounds once more: hence the larger of the two.
    let literal = bounds::literal_sum::<S>(n);
    match kernel {
        Kernel::Literal => literal,
        Kernel::Fast => bounds::fast_sum::<S>(n).max(literal),
        #[cfg(feature = "cuda")]
        Kernel::Cuda => literal,
    }
}

/// |computed - exact| <= bound * magnitude, element by element; fails for NaN.
pub(super) fn check_within<S: Scalar, D: Dimension>(
    kernel: Kernel,
    terms: usize,
    computed: &Array<S, D>,
    exact: &Array<DoubleDouble, D>,
    magnitude: &Array<DoubleDouble, D>,
) -> Result<(), TestCaseError> {
    let bound = relative_bound::<S>(kernel, terms) + bounds::reference_sum(terms);
    let mut worst = Ok(());
    Zip::from(computed).and(exact).and(magnitude).for_each(|&computed, &exact, &magnitude| {
        let error = (DoubleDouble::from_f64(computed.to_f64()) - exact).to_f64().abs();
        let allowed = bounds::tolerance(bound, magnitude.to_f64());
        let within = error <= allowed;
        if !within && worst.is_ok() {
            worst = Err(TestCaseError::fail(format!(
                "{kernel:?} in {}: {computed:?}, exactly {exact:?}: error {error:e}, allowed {allowed:e}",
                S::NAME
            )));
        }
    });
    worst
}

pub(super) fn widened<D: Dimension>(values: &Array<f64, D>) -> Array<DoubleDouble, D> {
    values.mapv(DoubleDouble::from_f64)
}

pub(super) fn magnitudes<D: Dimension>(values: &Array<f64, D>) -> Array<DoubleDouble, D> {
    values.mapv(|value| DoubleDouble::from_f64(value.abs()))
}

fn check_product<S: Scalar>(case: &Product) -> Result<(), TestCaseError> {
    let mut rng = case.rng();
    let (a, b, bias) = case.draw(&mut rng, Values::Uneven);
    let truth = |a: Array<_, _>, b: Array<_, _>, bias: Array<_, _>| {
        kernel::matmul_with_bias(Kernel::Literal, a.view(), b.view(), Some(bias.view()))
    };
    let exact = truth(widened(&a), widened(&b), widened(&bias));
    let magnitude = truth(magnitudes(&a), magnitudes(&b), magnitudes(&bias));
    let [a, b] = [&a, &b].map(|matrix| scattered::<S, _>(&mut rng, matrix));
    let bias = scattered::<S, _>(&mut rng, &bias);
    for kernel in [Kernel::Literal, Kernel::Fast] {
        let y = kernel::matmul_with_bias(kernel, a.view(), b.view(), Some(bias.view()));
        check_within(kernel, case.shape[1] + 1, &y, &exact, &magnitude)?;
    }
    Ok(())
}

fn check_convolution<S: Scalar>(case: &Convolution) -> Result<(), TestCaseError> {
    let mut rng = case.rng();
    let (window, operands) = (case.window, case.draw(&mut rng, Values::Uneven));
    let truth = |form: fn(&Array<f64, ndarray::Ix4>) -> Array<DoubleDouble, ndarray::Ix4>, bias: Array<_, _>| {
        let (x, w, dy) = (form(&operands.x), form(&operands.w), form(&operands.dy));
        (
            kernel::conv2d_with_bias(Kernel::Literal, window, x.view(), w.view(), Some(bias.view())),
            kernel::conv2d_input_gradient(Kernel::Literal, window, dy.view(), w.view(), case.x),
            kernel::conv2d_weight_gradient(Kernel::Literal, window, x.view(), dy.view(), case.w),
        )
    };
    let exact = truth(widened, widened(&operands.bias));
    let magnitude = truth(magnitudes, magnitudes(&operands.bias));
    let [x, w, dy] = [&operands.x, &operands.w, &operands.dy].map(|array| scattered::<S, _>(&mut rng, array));
    let bias = scattered::<S, _>(&mut rng, &operands.bias);
    let [of_y, of_dx, of_dw] = case.terms();
    for kernel in [Kernel::Literal, Kernel::Fast] {
        let y = kernel::conv2d_with_bias(kernel, window, x.view(), w.view(), Some(bias.view()));
        check_within(kernel, of_y + 1, &y, &exact.0, &magnitude.0)?;
        let dx = kernel::conv2d_input_gradient(kernel, window, dy.view(), w.view(), case.x);
        check_within(kernel, of_dx, &dx, &exact.1, &magnitude.1)?;
        let dw = kernel::conv2d_weight_gradient(kernel, window, x.view(), dy.view(), case.w);
        check_within(kernel, of_dw, &dw, &exact.2, &magnitude.2)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn products_are_within_the_a_priori_bound(case in Product::any()) {
        check_product::<f32>(&case)?;
        check_product::<f64>(&case)?;
    }

    #[test]
    fn convolutions_are_within_the_a_priori_bound(case in Convolution::any()) {
        check_convolution::<f32>(&case)?;
        check_convolution::<f64>(&case)?;
    }
}

/// What Literal computes in `f64`, and the same sums in DoubleDouble, rounded.
type Pair = (Vec<f64>, Vec<DoubleDouble>);

fn assert_rounded_once((literal, exact): Pair) -> Result<(), TestCaseError> {
    for (literal, exact) in literal.into_iter().zip(exact) {
        prop_assert_eq!(literal, exact.to_f64());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The promise: in `f64` Literal's sums of products are the truth rounded once, whatever cancels within 31 digits and
    /// however large the bias is.
    #[test]
    fn literal_in_f64_is_accurate_to_the_last_place(
        product in Product::any(),
        convolution in Convolution::any(),
        scale in prop_oneof![Just(1.0), Just(1e9)],
    ) {
        let (a, b, bias) = product.draw(&mut product.rng(), Values::Uneven);
        let bias = bias * scale;
        assert_rounded_once((
            kernel::matmul_with_bias(Kernel::Literal, a.view(), b.view(), Some(bias.view())).into_raw_vec_and_offset().0,
            kernel::matmul_with_bias(
                Kernel::Literal,
                widened(&a).view(),
                widened(&b).view(),
                Some(widened(&bias).view()),
            )
            .into_raw_vec_and_offset()
            .0,
        ))?;
        let (window, operands) = (convolution.window, convolution.draw(&mut convolution.rng(), Values::Uneven));
        let (x, w, dy, bias) = (&operands.x, &operands.w, &operands.dy, &(&operands.bias * scale));
        let (wide_x, wide_w, wide_dy, wide_bias) = (widened(x), widened(w), widened(dy), widened(bias));
        let y = kernel::conv2d_with_bias(Kernel::Literal, window, x.view(), w.view(), Some(bias.view()));
        let wide = (wide_x.view(), wide_w.view(), Some(wide_bias.view()));
        let exact = kernel::conv2d_with_bias(Kernel::Literal, window, wide.0, wide.1, wide.2);
        assert_rounded_once((y.into_iter().collect(), exact.into_iter().collect()))?;
        let dx = kernel::conv2d_input_gradient(Kernel::Literal, window, dy.view(), w.view(), convolution.x);
        let (wide_dy, wide_w) = (wide_dy.view(), wide_w.view());
        let exact = kernel::conv2d_input_gradient(Kernel::Literal, window, wide_dy, wide_w, convolution.x);
        assert_rounded_once((dx.into_iter().collect(), exact.into_iter().collect()))?;
        let dw = kernel::conv2d_weight_gradient(Kernel::Literal, window, x.view(), dy.view(), convolution.w);
        let exact = kernel::conv2d_weight_gradient(Kernel::Literal, window, wide_x.view(), wide_dy, convolution.w);
        assert_rounded_once((dw.into_iter().collect(), exact.into_iter().collect()))?;
    }
}

/// A long reduction, past several of `matrixmultiply`'s blocks of k.
#[test]
fn long_sums_are_within_the_a_priori_bound() {
    let case = Product { shape: [17, 1500, 19], seed: 1 };
    check_product::<f32>(&case).unwrap();
    check_product::<f64>(&case).unwrap();
}

/// The bound is not slack enough to hide a lost product: dropping the last of k breaks it.
#[test]
fn the_bound_notices_a_lost_product() {
    let case = Product { shape: [8, 24, 8], seed: 2 };
    let mut rng = case.rng();
    let (a, b, _) = case.draw(&mut rng, Values::Uneven);
    let exact = kernel::matmul(Kernel::Literal, widened(&a).view(), widened(&b).view());
    let magnitude = kernel::matmul(Kernel::Literal, magnitudes(&a).view(), magnitudes(&b).view());
    let cut = ndarray::s![.., ..23];
    let short = kernel::matmul(Kernel::Fast, a.slice(cut), b.slice(ndarray::s![..23, ..]));
    assert!(check_within(Kernel::Fast, 24, &short, &exact, &magnitude).is_err());
}
