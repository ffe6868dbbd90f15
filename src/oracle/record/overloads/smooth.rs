//! Sigmoid and SiLU, and their gradients.
//!
//! With s = 1 / (1 + e^-x), a port's e^-x is off by a few units in its last place (`exp_ulps`), which s takes on times
//! 1 - s; the sum and the quotient round once each. Where e^-x overflows, a port holds 0 for an s below the smallest
//! normal number. `tanh(x/2)/2 + 1/2` (as compilers of graphs write it) is off by roundings of numbers near 1/2 however
//! small s is; what is only inside that is told as undeclared.

use super::super::ball::{Ball, Steps};
use super::super::expected::{Answer, Expected};
use super::super::rounding::Rounding;
use super::arguments::Arguments;
use super::pointwise::joined;
use super::slips::Slip;
use crate::error::Result;
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::ArrayD;

/// What has to be declared for sigmoids by tanh.
const BY_TANH: &str = "a sigmoid by way of tanh";

/// Which way a port forms its sigmoids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Exponential,
    Tanh,
}

/// s(x) as a port may hold it.
fn sigmoid_of(steps: Steps, x: f64, way: Way) -> Ball {
    let operations = &steps.0.operations;
    let power = DoubleDouble::from(-x.abs()).exp();
    let one = DoubleDouble::ONE;
    let (small, large) = (power / (one + power), one / (one + power));
    let (s, other) = if x < 0.0 { (small, large.to_f64()) } else { (large, small.to_f64()) };
    let relative = operations.elementary() * other + 3.0 * operations.stored;
    let underflow = 2.0 * f64::max(operations.underflow, smallest_normal(steps.0));
    // Of numbers up to 1: tanh within as many units as exp, half of it, and the sum.
    let by_tanh = operations.elementary() + 2.0 * operations.stored;
    let error = match way {
        Way::Exponential => relative * s.to_f64() + underflow,
        Way::Tanh => by_tanh + underflow,
    };
    Ball { centre: s, any: 0.0, likely: 0.0 }.off_by(error)
}

fn smallest_normal(rounding: &Rounding) -> f64 {
    let wide = rounding.operations.stored < crate::scalar::power_of_two(-40);
    if wide { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE.into() }
}

/// Both ways' results for one array, or for two of one shape.
fn both_ways(of: impl Fn(Way) -> Result<Expected>) -> Result<Answer> {
    Ok(Answer::of(of(Way::Exponential)?.unless_declared(of(Way::Tanh)?, BY_TANH)))
}

fn each(rounding: &Rounding, x: &ArrayD<f64>, of: impl Fn(Steps, f64) -> (Ball, f64)) -> Expected {
    Expected::settled(rounding, x.shape(), x.iter().map(|&x| of(Steps(rounding), x)))
}

/// `sigmoid(self)`.
pub(super) fn sigmoid(given: &Arguments) -> Result<Answer> {
    sigmoid_at(&given.rounding(0), given.array(0, "self")?)
}

/// What a correct port may hold for s(x).
pub(super) fn sigmoid_at(rounding: &Rounding, x: &ArrayD<f64>) -> Result<Answer> {
    both_ways(|way| {
        Ok(each(rounding, x, |steps, x| {
            let s = sigmoid_of(steps, x, way);
            (s, s.centre.to_f64())
        }))
    })
}

/// `sigmoid_backward(grad_output, output)`: dy (1 - s) s, in any order of its products; as s - s^2 too, whose errors are
/// of s and not of 1 - s.
pub(super) fn sigmoid_backward(given: &Arguments) -> Result<Answer> {
    let (dy, s) = (given.array(0, "grad_output")?, given.array(1, "output")?);
    let rounding = given.rounding(0);
    let of = |by_difference: bool| {
        joined(given, &rounding, [dy, s], |steps, dy, s| {
            sigmoid_slope(steps, Ball::exact(dy), Ball::exact(s), by_difference)
        })
    };
    Ok(Answer::of(of(false)?.unless_declared(of(true)?, "s - s^2 for (1 - s) s")))
}

/// dy (1 - s) s.
fn sigmoid_slope(steps: Steps, dy: Ball, s: Ball, by_difference: bool) -> (Ball, f64) {
    let other = steps.sub(Ball::exact(1.0), s);
    let by_product = steps.mul(dy, steps.mul(other, s));
    let slope = if by_difference {
        by_product.or(steps.mul(dy, steps.sub(s, steps.mul(s, s))))
    } else {
        by_product.or(steps.mul(steps.mul(dy, other), s))
    };
    (slope, slope.centre.abs().to_f64())
}

/// What a correct port may hold for dy s(x) (1 - s(x)), where it formed s itself.
pub(super) fn sigmoid_gradient_at(rounding: &Rounding, dy: &ArrayD<f64>, x: &ArrayD<f64>) -> Result<Answer> {
    both_ways(|way| {
        let balls = dy.iter().zip(x).map(|(&dy, &x)| {
            let steps = Steps(rounding);
            sigmoid_slope(steps, Ball::exact(dy), sigmoid_of(steps, x, way), way == Way::Tanh)
        });
        Ok(Expected::settled(rounding, x.shape(), balls))
    })
}

/// `silu(self)`: x s(x), or x / (1 + e^-x).
pub(super) fn silu(given: &Arguments) -> Result<Answer> {
    silu_at(&given.rounding(0), given.array(0, "self")?)
}

/// What a correct port may hold for x s(x).
pub(super) fn silu_at(rounding: &Rounding, x: &ArrayD<f64>) -> Result<Answer> {
    both_ways(|way| {
        Ok(each(rounding, x, |steps, x| {
            let y = steps.mul(Ball::exact(x), sigmoid_of(steps, x, way));
            (y, y.centre.abs().to_f64())
        }))
    })
}

/// `silu_backward(grad_output, self)`: dy s (1 + x (1 - s)), or dy (s + x s (1 - s)).
pub(super) fn silu_backward(given: &Arguments) -> Result<Answer> {
    let (dy, x) = (given.array(0, "grad_output")?, given.array(1, "self")?);
    if !given.has(Slip::SlopeLeftOut) {
        return silu_gradient_at(&given.rounding(0), dy, x);
    }
    let rounding = given.rounding(0);
    let balls = dy.iter().zip(x).map(|(&dy, &x)| {
        let steps = Steps(&rounding);
        let dx = steps.mul(Ball::exact(dy), sigmoid_of(steps, x, Way::Exponential));
        (dx, dx.size())
    });
    Ok(Answer::of(Expected::settled(&rounding, x.shape(), balls)))
}

/// What a correct port may hold for the gradient of x s(x).
pub(super) fn silu_gradient_at(rounding: &Rounding, dy: &ArrayD<f64>, x: &ArrayD<f64>) -> Result<Answer> {
    both_ways(|way| {
        let balls = dy.iter().zip(x).map(|(&dy, &x)| silu_slope(Steps(rounding), dy, x, way));
        Ok(Expected::settled(rounding, x.shape(), balls))
    })
}

fn silu_slope(steps: Steps, dy: f64, x: f64, way: Way) -> (Ball, f64) {
    let s = sigmoid_of(steps, x, way);
    let (one, x_ball, dy) = (Ball::exact(1.0), Ball::exact(x), Ball::exact(dy));
    // 1 - s is as well the sigmoid of -x, whose digits are all there.
    let other = sigmoid_of(steps, -x, way).or(steps.sub(one, s));
    let through_x = steps.mul(x_ball, other);
    let by_product = steps.mul(dy, steps.mul(s, steps.add(one, through_x)));
    let by_sum = steps.mul(dy, steps.add(s, steps.mul(s, through_x)));
    let size = dy.size() * s.size() * (1.0 + (x * other.size()).abs());
    (by_product.or(by_sum), size)
}
