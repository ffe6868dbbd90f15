//! GELU, x Phi(x) with the normal distribution Phi, by the error function or by tanh, and its gradient.
//!
//! `Phi(x) = (1 + erf(x / sqrt 2)) / 2`: a quotient rounded twice, whose errors reach erf times its slope,
//! `2/sqrt(pi) |z| e^(-z^2)`; an erf within `exp_ulps` of 1, to which it is added (vectorised
//! ones are polynomials that are good to that, and not to their own last place); and a sum that rounds a number near 1 even where Phi is small. A port
//! that takes `erfc(-x / sqrt 2) / 2` is inside of that.

use super::super::Arg;
use super::super::ball::{Ball, Steps};
use super::super::expected::Answer;
use super::arguments::Arguments;
use super::piecewise::{each, slope};
use super::slips::Slip;
use crate::error::Result;
use crate::scalar::{DoubleDouble, Scalar};

/// The coefficient of the cube in the form by tanh.
const CUBE: f64 = 0.044715;

/// Whether the form by tanh is asked for.
fn is_by_tanh(given: &Arguments) -> bool {
    let approximate = given.call.argument(usize::MAX, "approximate");
    let is_asked = matches!(approximate, Some(Arg::Text(text)) if text == "tanh");
    is_asked != given.has(Slip::OtherForm)
}

fn two() -> DoubleDouble {
    DoubleDouble::from(2.0)
}

/// erf(z) = 2/sqrt(pi) e^(-z^2) sum over n of 2^n z^(2n+1) / (1 3 .. (2n+1)), whose terms have one sign. From 9 on it is
/// 1 to 31 digits, and more than 200 terms are never needed: they fall by 2 z^2 / (2n + 1) each.
fn erf(z: DoubleDouble) -> DoubleDouble {
    if z.hi().abs() >= 9.0 || z.is_nan() {
        return if z.is_nan() { z } else { DoubleDouble::from(z.hi().signum()) };
    }
    let square = z * z;
    let (mut term, mut sum) = (z, z);
    for n in 1..400_u32 {
        term = term * (two() * square) / DoubleDouble::from(f64::from(2 * n + 1));
        sum += term;
        if term.abs() < sum.abs() * DoubleDouble::from(crate::scalar::power_of_two(-110)) {
            break;
        }
    }
    two() / pi().sqrt() * (-square).exp() * sum
}

/// To 31 digits.
fn pi() -> DoubleDouble {
    DoubleDouble::new(std::f64::consts::PI, 1.224_646_799_147_353_2e-16)
}

/// Phi(x).
fn normal(steps: Steps, x: f64) -> Ball {
    let operations = &steps.0.operations;
    let z = DoubleDouble::from(x) / two().sqrt();
    let (value, size) = (erf(z), z.abs().to_f64());
    let slope = std::f64::consts::FRAC_2_SQRT_PI * size * libm::exp(-size * size);
    // The quotient, or a product with a rounded constant, and what lies between the two places.
    let own = if x == 0.0 { 0.0 } else { operations.elementary() };
    let error = own + 3.0 * operations.stored * slope;
    let erf = Ball { centre: value, any: error, likely: error };
    steps.mul(Ball::exact(0.5), steps.add(Ball::exact(1.0), erf))
}

/// The density of the normal distribution: e^(-x^2 / 2) / sqrt(2 pi).
fn density(steps: Steps, x: Ball) -> Ball {
    let constant = DoubleDouble::ONE / (two() * pi()).sqrt();
    let power = steps.exp(steps.mul(Ball::exact(-0.5), steps.mul(x, x)));
    steps.mul(power, steps.constant(constant))
}

/// tanh of sqrt(2/pi) (x + 0.044715 x^3), and the derivative of what it is of.
fn by_tanh(steps: Steps, x: Ball) -> [Ball; 2] {
    let (constant, cube) = (steps.constant((two() / pi()).sqrt()), steps.number(CUBE));
    let square = steps.mul(x, x);
    let inner = steps.mul(constant, steps.add(x, steps.mul(cube, steps.mul(square, x))));
    let factored = steps.mul(steps.mul(constant, x), steps.add(Ball::exact(1.0), steps.mul(cube, square)));
    let triple = steps.mul(Ball::exact(3.0), steps.mul(cube, square));
    let slope = steps.mul(constant, steps.add(Ball::exact(1.0), triple));
    [steps.tanh(inner.or(factored)), slope]
}

/// `gelu(self, *, approximate='none')`.
pub(super) fn gelu(given: &Arguments) -> Result<Answer> {
    let tanh = is_by_tanh(given);
    each(given, |steps, x| {
        let x_ball = Ball::exact(x);
        let share = match tanh {
            true => steps.mul(Ball::exact(0.5), steps.add(Ball::exact(1.0), by_tanh(steps, x_ball)[0])),
            false => normal(steps, x),
        };
        // Halves are exact but near underflow: in any order.
        steps.mul(x_ball, share)
    })
}

/// `gelu_backward(grad_output, self, *, approximate='none')`: dy (Phi(x) + x Phi'(x)), or that of the form by tanh.
pub(super) fn gelu_backward(given: &Arguments) -> Result<Answer> {
    let tanh = is_by_tanh(given);
    slope(given, 1, |steps, dy, x| {
        let (x_ball, half, one) = (Ball::exact(x), Ball::exact(0.5), Ball::exact(1.0));
        let (share, through) = if tanh {
            let [t, inner] = by_tanh(steps, x_ball);
            let share = steps.mul(half, steps.add(one, t));
            let bend = steps.sub(one, steps.mul(t, t));
            (share, steps.mul(steps.mul(half, x_ball), steps.mul(bend, inner)))
        } else {
            (normal(steps, x), steps.mul(x_ball, density(steps, x_ball)))
        };
        let slope = if given.has(Slip::SlopeLeftOut) { share } else { steps.add(share, through) };
        steps.mul(dy, slope)
    })
}
