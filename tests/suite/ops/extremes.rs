//! Where a naive formula cancels, saturates or underflows: the ops stay within one rounding of the exact result.

use crate::common::op_checks::{Drawn, Layout, adjoint_identity, close_to_truth, matches_definition};
use gdstar::kernel::Kernel;
use gdstar::ops::{AnyOp, AvgPool2d, BatchNorm, CrossEntropy, GlobalMean, Sigmoid, Silu};
use gdstar::scalar::{Bounded, DoubleDouble, Rounding, Scalar};
use ndarray::{Array, ArrayD, array};

/// Every output and gradient is the exact result rounded once: off by u |exact| (and half the subnormal spacing), and
/// by 2^-10 of that for what [`Scalar::Wide`] itself rounded, which leaves room for 2^18 roundings of f64 in an f32
/// result and for more of DoubleDouble in an f64 one.
fn rounded_once<S: Rounding>(case: &Drawn<AnyOp>, kernel: Kernel, layout: Layout) {
    let found = case.run::<S>(kernel, layout).unwrap();
    let truth = case.run::<Bounded<DoubleDouble>>(Kernel::Literal, Layout::RowMajor).unwrap();
    let gradients = found.gradients.iter().flatten().zip(truth.gradients.iter().flatten());
    for (found, truth) in found.outputs.iter().zip(&truth.outputs).chain(gradients) {
        for (found, truth) in found.iter().zip(truth) {
            let distance = (DoubleDouble::from(found.to_f64()) - truth.value()).to_f64().abs();
            let once = S::UNIT_ROUNDOFF * truth.to_f64().abs() + S::UNDERFLOW_UNIT / 2.0;
            let bound = once * (1.0 + 1.0 / 1024.0) + truth.error();
            assert!(distance <= bound, "{}: {found:?}, exactly {truth:?}, in {case:?}", S::NAME);
        }
    }
}

/// A case with upstream gradients of both signs and several sizes.
fn case(op: impl Into<AnyOp>, inputs: Vec<ArrayD<f64>>) -> Drawn<AnyOp> {
    let op = op.into();
    let shapes: Vec<_> = inputs.iter().map(ArrayD::shape).collect();
    let mut values = [1.0, -0.75, 0.5, 2.0, -3.0].into_iter().cycle();
    let mut upstream = |shape: &[usize]| ArrayD::from_shape_simple_fn(shape, || values.next().unwrap());
    let upstream = op.out_shapes(&shapes).unwrap().iter().map(|shape| upstream(shape)).collect();
    let directions = inputs.iter().map(|x| ArrayD::ones(x.shape())).collect();
    Drawn { op, inputs, upstream, directions, layout: Layout::RowMajor }
}

/// All the proofs that a random case goes through, and [`rounded_once`] in f32 and f64, under both kernels.
fn proved(op: impl Into<AnyOp>, inputs: Vec<ArrayD<f64>>) {
    let case = case(op, inputs);
    rounding_proved(&case);
    adjoint_identity::<DoubleDouble, _>(&case, -40).unwrap();
    matches_definition(&case, &case.op).unwrap();
}

/// The part of [`proved`] that holds where the definition's exponentials overflow.
fn rounding_proved(case: &Drawn<AnyOp>) {
    for (kernel, layout) in [(Kernel::Literal, Layout::RowMajor), (Kernel::Fast, Layout::BatchInnermost)] {
        rounded_once::<f32>(case, kernel, layout);
        rounded_once::<f64>(case, kernel, layout);
        close_to_truth::<f32, _>(case, kernel).unwrap();
        close_to_truth::<f64, _>(case, kernel).unwrap();
    }
}

/// s (1 - s) where s rounds to 1, and both tails into the subnormal range of f32 (x near -103) and f64 (near -744).
#[test]
fn sigmoid_and_silu_in_their_tails() {
    let x = [0.0, 1e-30, 8.0, 16.0, 17.5, 30.0, 37.0, 60.0, 87.0, 88.5, 95.0, 103.0, 104.5, 600.0, 709.0, 740.0, 744.5];
    let x: ArrayD<f64> =
        Array::from_iter(x.iter().flat_map(|&x| [f64::from(x as f32), -f64::from(x as f32)])).into_dyn();
    rounding_proved(&case(Sigmoid, vec![x.clone()]));
    rounding_proved(&case(Silu, vec![x]));
}

/// The root of silu' near -1.2785, where its terms cancel.
#[test]
fn silu_derivative_near_its_root() {
    let root = f64::from(-1.278_464_5f32);
    let ulp = f64::from(f32::EPSILON);
    proved(Silu, vec![Array::from_iter((-8..=8).map(|i| root + f64::from(i) * ulp)).into_dyn()]);
}

/// p - 1 where p rounds to 1, a loss far below the logits' ulp, logits of 1e3, and p of 0.
#[test]
fn cross_entropy_near_saturation() {
    for gap in [0.0, 1.0, 16.0, 17.5, 30.0, 80.0, 100.0] {
        for label in 0..3 {
            proved(CrossEntropy::new(vec![label]), vec![array![[gap, 0.0, -1.0]].into_dyn()]);
        }
    }
    for label in 0..3 {
        let x = array![[1000.0, 998.5, -1000.0]].into_dyn();
        rounding_proved(&case(CrossEntropy::new(vec![label]), vec![x]));
    }
}

fn batch_norm(eps: f64, x: ArrayD<f64>) {
    let [weight, bias, mean, var] = [1.5, 0.0, 0.25, 2.0].map(|value| array![value].into_dyn());
    let inputs = vec![x, weight, bias, mean, var];
    proved(BatchNorm { training: true, eps, momentum: 0.1 }, inputs);
}

/// Two values per channel: dx is eps / (var + eps) of its own terms.
#[test]
fn batch_norm_with_two_values_per_channel() {
    for spread in [1e-4, 1.0, 1000.0, 1e6] {
        let spread = f64::from(spread as f32);
        batch_norm(1e-5, array![[spread], [-2.0 * spread]].into_dyn());
        batch_norm(1e-5, array![[[[spread, 4.0 * spread]]]].into_dyn());
    }
}

/// Values that differ in the last places of f32 alone.
#[test]
fn batch_norm_with_nearly_constant_channels() {
    let ulp = f64::from(f32::EPSILON) * 512.0; // of f32 at 1000
    for base in [1000.0, -1000.0] {
        batch_norm(
            1e-5,
            Array::from_iter([0.0, 1.0, 3.0, 2.0, 2.0].map(|k| base + k * ulp))
                .to_shape((5, 1))
                .unwrap()
                .to_owned()
                .into_dyn(),
        );
    }
}

/// Sums that cancel to a sliver of their terms.
#[test]
fn means_of_values_that_cancel() {
    let x = array![[[[1e8, 1.0, -1e8, 3.0]]]].into_dyn();
    proved(GlobalMean, vec![x.clone()]);
    proved(AvgPool2d { kernel: [1, 4], stride: [1, 1], padding: [0, 0], count_include_pad: true }, vec![x]);
}
