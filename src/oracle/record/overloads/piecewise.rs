//! Activations of straight and bent pieces, and their gradients: leaky ReLU, hard sigmoid, hard swish.

use super::super::ball::{Ball, Steps};
use super::super::expected::{Answer, Expected};
use super::arguments::Arguments;
use super::pointwise::joined;
use super::reductions::divided;
use crate::error::Result;
use crate::scalar::DoubleDouble;

/// `of` each element of self.
pub(super) fn each(given: &Arguments, of: impl Fn(Steps, f64) -> Ball) -> Result<Answer> {
    let (x, rounding) = (given.array(0, "self")?, given.rounding(0));
    let balls = x.iter().map(|&x| {
        let y = of(Steps(&rounding), x);
        (y, y.size())
    });
    Ok(Answer::of(Expected::settled(&rounding, x.shape(), balls)))
}

/// `of(dy, x)` of each element of the upstream gradient and of what is at `position`.
pub(super) fn slope(given: &Arguments, position: usize, of: impl Fn(Steps, Ball, f64) -> Ball) -> Result<Answer> {
    let (dy, x) = (given.array(0, "grad_output")?, given.array(position, "self")?);
    let rounding = given.rounding(0);
    let dx = joined(given, &rounding, [dy, x], |steps, dy, x| {
        let dx = of(steps, Ball::exact(dy), x);
        (dx, dx.size())
    });
    Ok(Answer::of(dx?))
}

/// `leaky_relu(self, negative_slope=0.01)`.
pub(super) fn leaky(given: &Arguments) -> Result<Answer> {
    let slope = given.number(1, "negative_slope", Some(0.01))?;
    each(given, |steps, x| if x > 0.0 { Ball::exact(x) } else { steps.mul(Ball::exact(x), steps.number(slope)) })
}

/// `leaky_relu_backward(grad_output, self, negative_slope, self_is_result)`: dy, and dy times the slope where x <= 0, of
/// x or of the result alike.
pub(super) fn leaky_backward(given: &Arguments) -> Result<Answer> {
    let factor = given.number(2, "negative_slope", None)?;
    slope(given, 1, |steps, dy, x| if x > 0.0 { dy } else { steps.mul(dy, steps.number(factor)) })
}

/// min(max(x + 3, 0), 6). A rounded x + 3 is on the side of 0 and of 6 where the exact one is, or on the border.
fn ramp(steps: Steps, x: f64) -> Ball {
    if x <= -3.0 {
        return Ball::exact(0.0);
    }
    if x >= 3.0 {
        return Ball::exact(6.0);
    }
    let sum = steps.add(Ball::exact(x), Ball::exact(3.0));
    Ball { centre: DoubleDouble::from(x) + DoubleDouble::from(3.0), ..sum }
}

/// `hardsigmoid(self)`: min(max(x + 3, 0), 6) / 6.
pub(super) fn hard_sigmoid(given: &Arguments) -> Result<Answer> {
    each(given, |steps, x| divided(steps, ramp(steps, x), 6.0).or(by_terms(steps, x)))
}

/// The same as x/6 + 1/2, cut to 0 and 1.
fn by_terms(steps: Steps, x: f64) -> Ball {
    match x {
        x if x <= -3.0 => Ball::exact(0.0),
        x if x >= 3.0 => Ball::exact(1.0),
        x => steps.add(divided(steps, Ball::exact(x), 6.0), Ball::exact(0.5)),
    }
}

/// `hardsigmoid_backward(grad_output, self)`: dy / 6 strictly between -3 and 3, else 0.
pub(super) fn hard_sigmoid_backward(given: &Arguments) -> Result<Answer> {
    slope(given, 1, |steps, dy, x| if -3.0 < x && x < 3.0 { divided(steps, dy, 6.0) } else { Ball::exact(0.0) })
}

/// `hardswish(self)`: x min(max(x + 3, 0), 6) / 6, in any order.
pub(super) fn hard_swish(given: &Arguments) -> Result<Answer> {
    each(given, |steps, x| {
        let (ramp, x_ball) = (ramp(steps, x), Ball::exact(x));
        divided(steps, steps.mul(x_ball, ramp), 6.0)
            .or(steps.mul(x_ball, divided(steps, ramp, 6.0)))
            .or(steps.mul(x_ball, by_terms(steps, x)))
    })
}

/// `hardswish_backward(grad_output, self)`: 0 up to -3, dy (x/3 + 1/2) below 3, dy from there.
pub(super) fn hard_swish_backward(given: &Arguments) -> Result<Answer> {
    slope(given, 1, |steps, dy, x| match x {
        x if x <= -3.0 => Ball::exact(0.0),
        x if x < 3.0 => steps.mul(dy, steps.add(divided(steps, Ball::exact(x), 3.0), Ball::exact(0.5))),
        _ => dy,
    })
}
