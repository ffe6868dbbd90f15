//! Ops that work element by element.

use super::{Fault, Gradients, at, number, planted};
use gdstar::ops::{Add, Dropout, Mul, Relu, Relu6, Sigmoid, Silu};
use gdstar::scalar::Scalar;
use ndarray::{ArrayViewD, Axis, Slice};

planted! {
    /// relu'(0) = 1.
    ReluPassesAtZero in Relu {
        fn gradients<S: Scalar>(_: &Relu, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            ndarray::Zip::from(at(dx, 0)).and(&x[0]).and(dy).for_each(|dx, &x, &dy| if x == S::ZERO { *dx = dy });
        }
    }
    /// relu6'(6) = 1.
    Relu6PassesAtSix in Relu6 {
        fn gradients<S: Scalar>(_: &Relu6, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            ndarray::Zip::from(at(dx, 0)).and(&x[0]).and(dy).for_each(|dx, &x, &dy| if x == number(6) { *dx = dy });
        }
    }
    /// dx = dy s in place of dy s (1 - s).
    SigmoidDerivativeOfWrongS in Sigmoid {
        fn gradients<S: Scalar>(_: &Sigmoid, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            *at(dx, 0) = dy / &x[0].mapv(|x| S::ONE + (-x).exp());
        }
    }
    /// dx = dy s, without the term x s (1 - s).
    SiluDerivativeMissesATerm in Silu {
        fn gradients<S: Scalar>(_: &Silu, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            *at(dx, 0) = dy / &x[0].mapv(|x| S::ONE + (-x).exp());
        }
    }
    /// silu'(x) off by 2^-40 of itself: no finite difference sees it.
    SiluDerivativeOffInTheTwelfthDigit in Silu {
        fn gradients<S: Scalar>(_: &Silu, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            at(dx, 0).mapv_inplace(|dx| dx + dx * S::from_f64(1.0 / (1_u64 << 40) as f64));
        }
    }
    /// The gradient of a broadcast operand takes the first repetition and not their sum.
    MulGradientNotSummed in Mul {
        fn gradients<S: Scalar>(_: &Mul, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            let mut terms = dy * &inputs[1];
            while terms.ndim() > inputs[0].ndim() {
                terms = terms.index_axis_move(Axis(0), 0);
            }
            for axis in 0..terms.ndim() {
                terms = terms.slice_axis(Axis(axis), Slice::from(..inputs[0].shape()[axis])).to_owned();
            }
            *at(gradients, 0) = terms;
        }
    }
    /// db = -dy: the sign of another op.
    AddGradientSubtracts in Add {
        fn gradients<S: Scalar>(_: &Add, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            at(gradients, 1).mapv_inplace(|db| -db);
        }
    }
    /// The gradient is masked but not scaled.
    DropoutGradientNotScaled in Dropout {
        fn backward_as(op: &Dropout) -> Dropout {
            Dropout { p: 0.0, mask: op.mask.clone() }
        }
    }
}
