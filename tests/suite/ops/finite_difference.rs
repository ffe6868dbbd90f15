//! One finite-difference test, to guard [`Dual`] itself: every other proof of a derivative relies on it.

use gdstar::kernel::Kernel;
use gdstar::ops::{AnyOp, AvgPool2d, BatchNorm, CrossEntropy, Flatten, Mul, Sigmoid, Silu};
use gdstar::scalar::{DoubleDouble, Dual, Scalar};
use ndarray::{ArrayD, array};

/// The loss of batch_norm -> silu -> mul by itself through sigmoid -> avg_pool2d -> flatten -> cross_entropy at
/// `x`, which has the shape [2,3,2,2].
fn loss<S: Scalar>(x: ArrayD<S>) -> S {
    let apply = |op: AnyOp, inputs: &[&ArrayD<S>]| {
        let views: Vec<_> = inputs.iter().map(|x| x.view()).collect();
        let still = vec![false; inputs.len()];
        op.evaluate(Kernel::Literal, &views, &[], &still).unwrap().outputs.swap_remove(0)
    };
    let constant = |values: [f64; 3]| array![values[0], values[1], values[2]].into_dyn().mapv(S::from_f64);
    let [weight, bias] = [[1.5, -0.5, 1.0], [0.25, 0.0, -1.0]].map(constant);
    let [mean, var] = [[0.0; 3], [1.0; 3]].map(constant);
    let normalised =
        apply(BatchNorm { training: true, eps: 1e-3, momentum: 0.1 }.into(), &[&x, &weight, &bias, &mean, &var]);
    let gated = apply(Mul.into(), &[&apply(Silu.into(), &[&normalised]), &apply(Sigmoid.into(), &[&x])]);
    let pool = AvgPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0], count_include_pad: true };
    let logits = apply(Flatten { start_dim: 1 }.into(), &[&apply(pool.into(), &[&gated])]);
    apply(CrossEntropy::new(vec![2, 0]).into(), &[&logits]).into_iter().next().unwrap()
}

/// Central differences D(h) = f' + c h^2 + d h^4 + .., extrapolated once: R(h) = (4 D(h/2) - D(h)) / 3 = f' - d h^4/4 ...
/// R(2h) is off by 16 times as much as R(h), so |R(2h) - R(h)| is 15 times R(h)'s error and bounds it. At h = 2^-16
/// that is near 2^-60 of f''''', far above the rounding of 2^-104 / h, and far below any error of a formula.
#[test]
fn dual_agrees_with_finite_differences() {
    type DD = DoubleDouble;
    let at = |i: usize| DD::from_f64(((i * 7 + 3) % 11) as f64 / 4.0 - 1.25);
    let along = |i: usize| DD::from_f64(((i * 5 + 1) % 9) as f64 / 8.0 - 0.5);
    let shape = vec![2, 3, 2, 2];
    let line = |t: DD| ArrayD::from_shape_vec(shape.clone(), (0..24).map(|i| at(i) + t * along(i)).collect()).unwrap();
    let dual: ArrayD<Dual<DD>> =
        ArrayD::from_shape_vec(shape.clone(), (0..24).map(|i| Dual::new(at(i), along(i))).collect()).unwrap();
    let central = |h: f64| {
        let h = DD::from_f64(h);
        (loss(line(h)) - loss(line(-h))) / (h + h)
    };
    let extrapolated = |h: f64| (DD::from_f64(4.0) * central(h / 2.0) - central(h)) / DD::from_f64(3.0);
    let h = 2f64.powi(-16);
    let (fine, coarse) = (extrapolated(h), extrapolated(2.0 * h));
    let bound = (coarse - fine).to_f64().abs();
    let exact = loss(dual).derivative();
    let distance = (exact - fine).to_f64().abs();
    assert!(distance <= bound, "Dual {exact:?}, differences {fine:?}: {distance:e} apart, the bound is {bound:e}");
    assert!(bound <= exact.to_f64().abs() * 2f64.powi(-50), "the bound {bound:e} says little about {exact:?}");
}
