//! Products, batch norm and the loss.

use super::{Fault, Gradients, at, number, planted};
use gdstar::ops::{BatchNorm, Conv2d, CrossEntropy, Linear, Matmul};
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, Axis, Slice};

planted! {
    /// The sum over the batch, forward and backward alike.
    CrossEntropySumsTheBatch in CrossEntropy {
        fn outputs<S: Scalar>(op: &CrossEntropy, _: &[ArrayViewD<S>], loss: &mut [ArrayD<S>]) {
            loss[0].mapv_inplace(|loss| loss * number(op.labels.len()));
        }
        fn gradients<S: Scalar>(op: &CrossEntropy, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            at(dx, 0).mapv_inplace(|dx| dx * number(op.labels.len()));
        }
    }
    /// dx = p, without the 1 that is taken off at the label.
    CrossEntropyGradientIsTheSoftmax in CrossEntropy {
        fn gradients<S: Scalar>(op: &CrossEntropy, _: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            let share = dy.iter().fold(S::ZERO, |_, &dy| dy / number(op.labels.len()));
            op.labels.iter().enumerate().for_each(|(i, &label)| at(dx, 0)[[i, label]] += share);
        }
    }
    /// What is taken from the label is spread over no class.
    CrossEntropySmoothsTheLabelAlone in CrossEntropy {
        fn gradients<S: Scalar>(op: &CrossEntropy, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            let share = S::from_f64(op.label_smoothing) / number(x[0].len());
            let even = dy.iter().fold(S::ZERO, |_, &dy| dy * share);
            let others = at(dx, 0).indexed_iter_mut().filter(|(at, _)| at[1] != op.labels[at[0]]);
            others.for_each(|(_, dx)| *dx += even);
        }
    }
    /// Backward knows of no smoothing.
    CrossEntropyGradientIsNotSmoothed in CrossEntropy {
        fn backward_as(op: &CrossEntropy) -> CrossEntropy {
            CrossEntropy { label_smoothing: 0.0, ..op.clone() }
        }
    }
    /// The bias gradient misses the first sample.
    LinearBiasGradientMissesASample in Linear {
        fn gradients<S: Scalar>(_: &Linear, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            if inputs.len() == 3 {
                *at(gradients, 2) = dy.slice_axis(Axis(0), Slice::from(1..)).fold_axis(Axis(0), S::ZERO, |&a, &b| a + b);
            }
        }
    }
    /// The weight gradient of the last tap column is lost.
    ConvWeightGradientMissesATap in Conv2d {
        fn gradients<S: Scalar>(_: &Conv2d, inputs: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            at(gradients, 1).index_axis_mut(Axis(3), inputs[1].shape()[3] - 1).fill(S::ZERO);
        }
    }
    /// da and db exchanged where their shapes allow it.
    MatmulGradientsTransposed in Matmul {
        fn gradients<S: Scalar>(_: &Matmul, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            let da = at(gradients, 0);
            if da.shape()[0] == da.shape()[1] {
                *da = da.t().to_owned();
            }
        }
    }
    /// The running variance moves towards the biased variance.
    BatchNormRunningVarianceBiased in BatchNorm {
        fn outputs<S: Scalar>(op: &BatchNorm, inputs: &[ArrayViewD<S>], outputs: &mut [ArrayD<S>]) {
            let [m, kept] = [number::<S>(inputs[0].len() / inputs[1].len()), S::ONE - S::from_f64(op.momentum)];
            if let Some(variance) = outputs.get_mut(2) {
                ndarray::Zip::from(variance).and(&inputs[4]).for_each(|new, &old| {
                    *new = kept * old + (*new - kept * old) * ((m - S::ONE) / m);
                });
            }
        }
    }
    /// momentum weighs the old statistics.
    BatchNormMomentumWeighsTheOld in BatchNorm {
        fn forward_as(op: &BatchNorm) -> BatchNorm {
            BatchNorm { momentum: 1.0 - op.momentum, ..*op }
        }
        fn backward_as(op: &BatchNorm) -> BatchNorm {
            BatchNorm { momentum: 1.0 - op.momentum, ..*op }
        }
    }
    /// dx without the term mean(dy).
    BatchNormGradientMissesTheMean in BatchNorm {
        fn gradients<S: Scalar>(op: &BatchNorm, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            let m = number::<S>(inputs[0].len() / inputs[1].len());
            let sum = |x: ArrayViewD<S>, f: &dyn Fn(S) -> S| x.iter().fold(S::ZERO, |sum, &x| sum + f(x));
            for c in 0..inputs[1].len() * usize::from(op.training) {
                let x = inputs[0].index_axis(Axis(1), c);
                let mean = sum(x.view(), &|x| x) / m;
                let variance = sum(x.view(), &|x| (x - mean) * (x - mean)) / m;
                let scale = inputs[1][[c]] / (variance + S::from_f64(op.eps)).sqrt();
                let missing = scale * sum(dy.index_axis(Axis(1), c), &|dy| dy) / m;
                at(gradients, 0).index_axis_mut(Axis(1), c).mapv_inplace(|dx| dx + missing);
            }
        }
    }
}
