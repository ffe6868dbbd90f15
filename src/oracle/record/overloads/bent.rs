//! Activations by exponentials, and their gradients: tanh, ELU, softplus.
//!
//! An elementary function of an operand is within `exp_ulps` of the operand's own. A short cut that loses the digits of
//! small results (e^x - 1 for a function of its own, ln(1 + e^x) by a sum) is told as undeclared.

use super::super::ball::{Ball, Steps};
use super::super::expected::Answer;
use super::arguments::Arguments;
use super::piecewise::{each, slope};
use super::slips::Slip;
use crate::error::Result;

/// What has to be declared for short cuts.
const SHORT_CUT: &str = "e^x - 1 or ln(1 + e^x) by a plain sum";

/// `tanh(self)`.
pub(super) fn tanh(given: &Arguments) -> Result<Answer> {
    each(given, |steps, x| steps.tanh(Ball::exact(x)))
}

/// `tanh_backward(grad_output, output)`: dy (1 - y^2).
pub(super) fn tanh_backward(given: &Arguments) -> Result<Answer> {
    let squared = !given.has(Slip::SquareLeftOut);
    slope(given, 1, |steps, dy, y| {
        let (y, one) = (Ball::exact(y), Ball::exact(1.0));
        let square = if squared { steps.mul(y, y) } else { y };
        steps.mul(dy, steps.sub(one, square))
    })
}

/// e^x - 1, or by a plain sum.
fn less_one(steps: Steps, x: Ball, plainly: bool) -> Ball {
    if plainly { steps.sub(steps.exp(x), Ball::exact(1.0)) } else { steps.exp_m1(x) }
}

/// Both ways.
fn either_way(of: impl Fn(bool) -> Result<Answer>) -> Result<Answer> {
    Ok(of(false)?.unless_declared(of(true)?, SHORT_CUT))
}

/// The three numbers of an ELU: alpha, scale and input_scale, from the argument at `first` on.
fn scales(given: &Arguments, first: usize) -> Result<[f64; 3]> {
    let number = |i: usize, name| given.number(first + i, name, Some(1.0));
    Ok([number(0, "alpha")?, number(1, "scale")?, number(2, "input_scale")?])
}

/// `elu(self, alpha=1, scale=1, input_scale=1)`: scale x above 0, scale alpha (e^(input_scale x) - 1) below.
pub(super) fn elu(given: &Arguments) -> Result<Answer> {
    let [alpha, scale, input_scale] = scales(given, 1)?;
    either_way(|plainly| {
        each(given, |steps, x| {
            let x_ball = Ball::exact(x);
            if x > 0.0 {
                return steps.mul(x_ball, steps.number(scale));
            }
            let power = less_one(steps, steps.mul(x_ball, steps.number(input_scale)), plainly);
            steps.mul(power, steps.mul(steps.number(alpha), steps.number(scale)))
        })
    })
}

/// `elu_backward(grad_output, alpha, scale, input_scale, is_result, self_or_result)`.
pub(super) fn elu_backward(given: &Arguments) -> Result<Answer> {
    let [alpha, scale, input_scale] = scales(given, 1)?;
    let is_result = given.flag(4, "is_result", None)?;
    slope(given, 5, |steps, dy, x| {
        if x > 0.0 {
            return steps.mul(dy, steps.number(scale));
        }
        let factor = steps.mul(steps.number(alpha), steps.number(scale));
        let inner = steps.number(input_scale);
        // Of a result y, e^(input_scale x) alpha scale is y + alpha scale.
        let power = match is_result {
            true => steps.add(Ball::exact(x), factor),
            false => steps.mul(factor, steps.exp(steps.mul(Ball::exact(x), inner))),
        };
        steps.mul(steps.mul(dy, inner), power)
    })
}

/// Whether softplus is taken for its operand there; `None` where a rounded beta x may be on either side.
fn is_straight(z: Ball, threshold: f64) -> Option<bool> {
    let distance = z.centre.hi() - threshold;
    (distance.abs() > z.any).then_some(distance > 0.0).or((z.any == 0.0).then_some(distance > 0.0))
}

/// The curve, its straight end, or either.
fn pieces(z: Ball, threshold: f64, straight: Ball, curve: Ball) -> Ball {
    match is_straight(z, threshold) {
        Some(true) => straight,
        Some(false) => curve,
        None => curve.or(straight),
    }
}

/// `softplus(self, beta=1, threshold=20)`: ln(1 + e^(beta x)) / beta, and x where beta x is above the threshold.
pub(super) fn softplus(given: &Arguments) -> Result<Answer> {
    let [beta, threshold] = [given.number(1, "beta", Some(1.0))?, given.number(2, "threshold", Some(20.0))?];
    either_way(|plainly| {
        each(given, |steps, x| {
            let (x, beta) = (Ball::exact(x), steps.number(beta));
            let z = steps.mul(x, beta);
            let logarithm = |power: Ball| match plainly {
                true => steps.ln(steps.add(Ball::exact(1.0), power)),
                false => steps.ln_1p(power),
            };
            // ln(1 + e^z) = max(z, 0) + ln(1 + e^-|z|)
            let shifted = logarithm(steps.exp(z.magnitude().negated()));
            let shifted = if z.centre.hi() > 0.0 { steps.add(z, shifted) } else { shifted };
            let curve = logarithm(steps.exp(z)).or(shifted);
            pieces(z, threshold, x, steps.div(curve, beta))
        })
    })
}

/// `softplus_backward(grad_output, self, beta, threshold)`: dy s(beta x), and dy above the threshold.
pub(super) fn softplus_backward(given: &Arguments) -> Result<Answer> {
    let [beta, threshold] = [given.number(2, "beta", None)?, given.number(3, "threshold", None)?];
    slope(given, 1, |steps, dy, x| {
        let z = steps.mul(Ball::exact(x), steps.number(beta));
        let (power, one) = (steps.exp(z), Ball::exact(1.0));
        let by_quotient = steps.div(steps.mul(dy, power), steps.add(power, one));
        let by_reciprocal = steps.div(dy, steps.add(one, steps.exp(z.negated())));
        pieces(z, threshold, dy, by_quotient.or(by_reciprocal))
    })
}
