//! Batch norm by definition: one expression an element.

use super::BatchNorm;
use crate::scalar::Scalar;
use ndarray::{ArrayD, Axis, IxDyn};

/// y, and in training the updated running statistics.
pub(super) fn outputs<S: Scalar>(op: &BatchNorm, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
    let [x, weight, bias, running_mean, running_var] = [0, 1, 2, 3, 4].map(|i| &inputs[i]);
    let m = S::from_usize(x.len() / x.shape()[1]);
    let sum = |c: usize, f: &dyn Fn(S) -> S| x.index_axis(Axis(1), c).iter().fold(S::ZERO, |sum, &x| sum + f(x));
    let batch_mean = |c: usize| sum(c, &|x| x) / m;
    let squares = |c: usize| sum(c, &|x| (x - batch_mean(c)) * (x - batch_mean(c)));
    let statistics = |c: usize| match op.training {
        true => (batch_mean(c), squares(c) / m),
        false => (running_mean[[c]], running_var[[c]]),
    };
    let y = ArrayD::from_shape_fn(x.shape(), |at| {
        let (mean, var) = statistics(at[1]);
        weight[[at[1]]] * (x[&at] - mean) / (var + S::from_f64(op.eps)).sqrt() + bias[[at[1]]]
    });
    if !op.training {
        return vec![y];
    }
    let moved = |old: &ArrayD<S>, new: &dyn Fn(usize) -> S| {
        let momentum = S::from_f64(op.momentum);
        let blend = |at: IxDyn| (S::ONE - momentum) * old[&at] + momentum * new(at[0]);
        ArrayD::from_shape_fn(old.shape(), blend)
    };
    vec![y, moved(running_mean, &batch_mean), moved(running_var, &|c| squares(c) / (m - S::ONE))]
}
