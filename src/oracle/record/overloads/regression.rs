//! Losses of differences and of logits: mean squares, smooth absolute values, binary cross-entropy, and their gradients.

use super::super::ball::{Ball, Steps, Sum};
use super::super::expected::{Answer, Expected};
use super::super::rounding::Rounding;
use super::OWN_TYPE;
use super::arguments::Arguments;
use super::losses::{MEAN, NONE, reduction};
use super::reductions::divided;
use super::slips::Slip;
use crate::error::Result;
use crate::kernel::joined_shape;
use ndarray::{ArrayD, IxDyn};

/// Arrays spread to their joint shape, row-major.
fn spread<const N: usize>(given: &Arguments, arrays: [&ArrayD<f64>; N]) -> Result<([Vec<f64>; N], Vec<usize>)> {
    let shape = joined_shape(arrays.map(|array| array.shape())).map(|shape| shape.to_vec());
    let Some(shape) = shape else {
        let found = format!("shape {:?}", arrays[N - 1].shape());
        return Err(given.refused("target", format!("a shape that joins with {:?}", arrays[0].shape()), found));
    };
    let wide = |array: &ArrayD<f64>| array.broadcast(IxDyn(&shape)).map(|wide| wide.iter().copied().collect());
    let flat = arrays.map(|array| wide(array).unwrap_or_default());
    Ok((flat, shape))
}

/// The elements' losses as they are, their sum, or their mean; `loss(i)` with its size. A port in F16 or BF16 may form
/// each loss in that type, step by step.
fn reduced(given: &Arguments, reduction: i64, shape: &[usize], loss: impl Fn(Steps, usize) -> (Ball, f64)) -> Answer {
    let count = shape.iter().product();
    let of = |rounding: &Rounding| {
        let losses = (0..count).map(|i| loss(Steps(rounding), i));
        if reduction == NONE {
            return Answer::of(Expected::settled(rounding, shape, losses));
        }
        let mut sum = Sum::default();
        losses.for_each(|(loss, _)| sum.add(loss));
        let size = sum.size();
        let total = sum.settle(rounding);
        let reduced = match reduction {
            MEAN => (divided(Steps(rounding), total, count as f64), size / count as f64),
            _ => (total, size),
        };
        Answer::of(Expected::settled(rounding, &[], [reduced]))
    };
    let rounding = given.rounding(0);
    of(&rounding).unless_declared(of(&rounding.in_own_type()), OWN_TYPE)
}

/// What the derivative of the sum or of the mean multiplies with: 1, or 1/n times `factor`, which a port forms first.
fn share(steps: Steps, reduction: i64, factor: f64, count: usize) -> Ball {
    match reduction {
        MEAN => divided(steps, steps.number(factor), count as f64),
        _ => Ball::exact(factor),
    }
}

/// `mse_loss(self, target, reduction=1)`: (x - t)^2.
pub(super) fn squares(given: &Arguments) -> Result<Answer> {
    let ([x, t], shape) = spread(given, [given.array(0, "self")?, given.array(1, "target")?])?;
    let loss = |steps: Steps, i: usize| {
        let difference = steps.sub(Ball::exact(x[i]), Ball::exact(t[i]));
        let square = steps.mul(difference, difference);
        (square, square.size())
    };
    Ok(reduced(given, reduction(given, 2)?, &shape, loss))
}

/// `mse_loss_backward(grad_output, self, target, reduction)`: 2 (x - t) dy, or 2/n of it, in any order of its products.
pub(super) fn squares_backward(given: &Arguments) -> Result<Answer> {
    let factor = if given.has(Slip::FactorLeftOut) { 1.0 } else { 2.0 };
    differentiated(given, 3, |steps, share, dy, difference| {
        let dx = steps.mul(steps.mul(share(factor), difference), dy);
        // Another order of the three factors rounds as often, of numbers of the same size.
        dx.or(steps.mul(share(factor), steps.mul(difference, dy)))
    })
}

/// `of(share, dy, x - t)` of every element; `share(f)` is f, or f/n where the loss is a mean.
fn differentiated(
    given: &Arguments,
    position: usize,
    of: impl Fn(Steps, &dyn Fn(f64) -> Ball, Ball, Ball) -> Ball,
) -> Result<Answer> {
    let operands = [given.array(0, "grad_output")?, given.array(1, "self")?, given.array(2, "target")?];
    let ([dy, x, t], shape) = spread(given, operands)?;
    let (rounding, reduction) = (given.rounding(0), reduction(given, position)?);
    let steps = Steps(&rounding);
    let share = |factor: f64| share(steps, reduction, factor, x.len());
    let balls = dy.iter().zip(&x).zip(&t).map(|((&dy, &x), &t)| {
        let dx = of(steps, &share, Ball::exact(dy), steps.sub(Ball::exact(x), Ball::exact(t)));
        (dx, dx.size())
    });
    Ok(Answer::of(Expected::settled(&rounding, &shape, balls)))
}

/// `smooth_l1_loss(self, target, reduction=1, beta=1)`: of d = |x - t|, d^2 / (2 beta) below beta and d - beta/2 above.
pub(super) fn smooth(given: &Arguments) -> Result<Answer> {
    let ([x, t], shape) = spread(given, [given.array(0, "self")?, given.array(1, "target")?])?;
    let beta = given.number(3, "beta", Some(1.0))?;
    let loss = |steps: Steps, i: usize| {
        let difference = steps.sub(Ball::exact(x[i]), Ball::exact(t[i]));
        let far = difference.magnitude();
        let half = steps.mul(Ball::exact(0.5), steps.number(beta));
        let below = || {
            let square = steps.mul(Ball::exact(0.5), steps.mul(far, far));
            divided(steps, square, beta).or(steps.mul(Ball::exact(0.5), steps.mul(far, divided(steps, far, beta))))
        };
        let loss = of_either(far, beta, below, || steps.sub(far, half));
        (loss, loss.size())
    };
    Ok(reduced(given, reduction(given, 2)?, &shape, loss))
}

/// `below` where a number is less than `limit`, else `above`; either where it may be both.
fn of_either(number: Ball, limit: f64, below: impl Fn() -> Ball, above: impl Fn() -> Ball) -> Ball {
    let distance = number.centre.hi() - limit;
    let is_below = distance < 0.0;
    match (is_below, distance.abs() > number.any) {
        (true, true) => below(),
        (false, true) => above(),
        (true, false) => below().or(above()),
        (false, false) => above().or(if limit > 0.0 { below() } else { above() }),
    }
}

/// `smooth_l1_loss_backward(grad_output, self, target, reduction, beta)`: dy (x - t) / beta within beta, else dy with the
/// sign of x - t; of a mean, a share of it.
pub(super) fn smooth_backward(given: &Arguments) -> Result<Answer> {
    let beta = given.number(4, "beta", None)?;
    differentiated(given, 3, |steps, share, dy, difference| {
        let sign = if difference.centre.hi() < 0.0 { -1.0 } else { 1.0 };
        let far = || steps.mul(share(sign), dy);
        let near = || {
            let product = steps.mul(steps.mul(share(1.0), difference), dy);
            divided(steps, product, beta).or(steps.mul(steps.mul(share(1.0), divided(steps, difference, beta)), dy))
        };
        of_either(difference.magnitude(), beta, near, far)
    })
}

/// `binary_cross_entropy_with_logits(self, target, weight=None, pos_weight=None, reduction=1)`: with p the weight of the
/// positives, w (1 - t) x + w (1 + (p - 1) t) ln(1 + e^-x); without p also w (max(x, 0) - x t + ln(1 + e^-|x|)).
pub(super) fn of_logits(given: &Arguments) -> Result<Answer> {
    let ones = ArrayD::ones(IxDyn(&[]));
    let (weight, positive) = (given.optional(2, "weight")?, given.optional(3, "pos_weight")?);
    let operands = [given.array(0, "self")?, given.array(1, "target")?];
    let [w, p] = [weight.unwrap_or(&ones), positive.unwrap_or(&ones)];
    let ([x, t, w, p], shape) = spread(given, [operands[0], operands[1], w, p])?;
    let loss = |steps: Steps, i: usize| {
        let [x, t, w, p] = [x[i], t[i], w[i], p[i]].map(Ball::exact);
        let one = Ball::exact(1.0);
        let small = steps.ln_1p(steps.exp(x.magnitude().negated()));
        // ln(1 + e^-x) = max(-x, 0) + ln(1 + e^-|x|)
        let positives = if x.centre.hi() < 0.0 { steps.add(x.negated(), small) } else { small };
        let scale = steps.add(steps.mul(steps.sub(p, one), t), one);
        let by_weights = steps.add(steps.mul(steps.sub(one, t), x), steps.mul(scale, positives));
        let loss = if positive.is_some() {
            by_weights
        } else {
            let largest = if x.centre.hi() > 0.0 { x } else { Ball::exact(0.0) };
            by_weights.or(steps.add(steps.sub(largest, steps.mul(x, t)), small))
        };
        let size = x.size() * (1.0 + t.size()) + scale.size() * positives.size();
        (steps.mul(loss, w), size * w.size())
    };
    Ok(reduced(given, reduction(given, 4)?, &shape, loss))
}
