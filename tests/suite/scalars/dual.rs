//! Dual: against closed-form derivatives with derived bounds, and against one finite difference.

use super::{Verdict, assert_caught, assert_sound, power_of_two};
use gdstar::scalar::{Bounded, DoubleDouble, Dual, Scalar};

/// Functions of one variable that between them use every operation of [`Scalar`].
#[derive(Debug, Clone, Copy)]
enum Function {
    Sum,
    Difference,
    Product,
    Quotient,
    Sqrt,
    Exp,
    ExpM1,
    Ln,
    Ln1p,
    Abs,
}

impl Function {
    const ALL: [Self; 10] = [
        Self::Sum,
        Self::Difference,
        Self::Product,
        Self::Quotient,
        Self::Sqrt,
        Self::Exp,
        Self::ExpM1,
        Self::Ln,
        Self::Ln1p,
        Self::Abs,
    ];

    fn evaluate<S: Scalar>(self, x: S) -> S {
        let three = S::from_f64(3.0);
        match self {
            Self::Sum => x + three + x,
            Self::Difference => three - x,
            Self::Product => (x - three) * (x * x),
            Self::Quotient => (x - three) / (x + S::ONE),
            Self::Sqrt => x.sqrt(),
            Self::Exp => (-x).exp(),
            Self::ExpM1 => x.exp_m1(),
            Self::Ln => x.ln(),
            Self::Ln1p => x.ln_1p(),
            Self::Abs => (x - three).abs(),
        }
    }

    /// The derivative, from the textbook, for x > 0.
    fn derivative<S: Scalar>(self, x: S) -> S {
        let [two, three, four, six] = [2.0, 3.0, 4.0, 6.0].map(S::from_f64);
        match self {
            Self::Sum => two,
            Self::Difference => -S::ONE,
            Self::Product => three * x * x - six * x,
            Self::Quotient => four / ((x + S::ONE) * (x + S::ONE)),
            Self::Sqrt => S::ONE / (two * x.sqrt()),
            Self::Exp => -(-x).exp(),
            Self::ExpM1 => x.exp(),
            Self::Ln => S::ONE / x,
            Self::Ln1p => S::ONE / (S::ONE + x),
            Self::Abs if x < three => -S::ONE,
            Self::Abs if x > three => S::ONE,
            Self::Abs => S::ZERO,
        }
    }

    /// At least |f'''| over [x - 2^-30, x + 2^-30], for x >= 0.25: each is monotone in magnitude and decreasing but for
    /// `exp_m1`, so twice its value at x is more than enough for so short a step.
    fn third_derivative_bound(self, x: f64) -> f64 {
        2.0 * match self {
            Self::Sum | Self::Difference | Self::Abs => 0.0,
            Self::Product => 6.0,
            Self::Quotient => 24.0 / ((1.0 + x) * (1.0 + x) * (1.0 + x) * (1.0 + x)),
            Self::Sqrt => 0.375 / (x * x * x.sqrt()),
            Self::Exp => (-x).exp(),
            Self::ExpM1 => x.exp(),
            Self::Ln => 2.0 / (x * x * x),
            Self::Ln1p => 2.0 / ((1.0 + x) * (1.0 + x) * (1.0 + x)),
        }
    }
}

const POINTS: [f64; 8] = [0.25, 0.5, 0.9990234375, 1.0, 1.7, 2.5, 3.5, 40.0];

/// `f'(x)` by Dual, and by the closed form, are within the sum of their own rounding-error bounds, in `S`. The sum must
/// be at most `inexact (1 + |f'|)`, so that the check cannot pass for want of a bound.
fn check_closed_forms<S: gdstar::scalar::Rounding>(
    derivative: impl Fn(Function, Bounded<S>) -> Bounded<S>,
    inexact: f64,
) -> Verdict {
    for function in Function::ALL {
        for x in POINTS {
            let x = Bounded::exact(S::from_f64(x));
            let by_dual = derivative(function, x);
            let closed = function.derivative(x);
            let difference = (by_dual.value() - closed.value()).abs().to_f64();
            let bound = by_dual.error() + closed.error();
            let scale = 1.0 + closed.value().abs().to_f64();
            if !(difference <= bound && bound <= inexact * scale) {
                return Err(format!(
                    "{function:?} at {x:?} in {}: {by_dual:?} by dual, {closed:?} in closed form",
                    S::NAME
                ));
            }
        }
    }
    Ok(())
}

fn by_dual<S: Scalar>(function: Function, x: S) -> S {
    function.evaluate(Dual::new(x, S::ONE)).derivative()
}

/// What [`check_closed_forms`] allows, in units of u: each of the two ways takes at most eight roundings of at most four
/// units (the elementary functions' own) of intermediates that are at most 4 (1 + |f'|) at the points above.
const ROUNDINGS: f64 = 2.0 * 8.0 * 4.0 * 4.0;

#[test]
fn closed_form_derivatives() {
    assert_sound(check_closed_forms::<f32>(by_dual, ROUNDINGS * f32::UNIT_ROUNDOFF));
    assert_sound(check_closed_forms::<f64>(by_dual, ROUNDINGS * f64::UNIT_ROUNDOFF));
    assert_sound(check_closed_forms::<DoubleDouble>(by_dual, ROUNDINGS * DoubleDouble::UNIT_ROUNDOFF));
}

/// The one finite difference, `(f(x + h) - f(x - h)) / 2h` in DoubleDouble: it knows nothing of derivatives.
///
/// Truncation is at most `h^2/6 max|f'''|`. Rounding is what running error analysis finds for the difference, over 2h.
/// With f, f''' of order 1 and u = 2^-102 the two balance near `h = u^(1/3) = 2^-34`, which leaves about 2^-68; dyadic h
/// makes x + h and x - h exact.
fn check_finite_differences(derivative: impl Fn(Function, DoubleDouble) -> DoubleDouble) -> Verdict {
    let h = power_of_two(-34);
    for function in Function::ALL {
        for x in POINTS {
            let at = |x: DoubleDouble| function.evaluate(Bounded::exact(x));
            let difference = at(DoubleDouble::from_sum(x, h)) - at(DoubleDouble::from_sum(x, -h));
            let quotient = difference / Bounded::exact(DoubleDouble::from(2.0 * h));
            let bound = h * h / 6.0 * function.third_derivative_bound(x) + quotient.error();
            let found = derivative(function, x.into());
            let off = (found - quotient.value()).abs().to_f64();
            // Dual's own rounding (see ROUNDINGS) is far below; a bound that says nothing would be no check.
            let scale = 1.0 + found.abs().to_f64();
            let allowed = bound + ROUNDINGS * DoubleDouble::UNIT_ROUNDOFF * scale;
            if !(off <= allowed && allowed <= power_of_two(-54) * scale) {
                return Err(format!(
                    "{function:?}'({x}) = {found}, differences say {} +- {allowed:e}",
                    quotient.value()
                ));
            }
        }
    }
    Ok(())
}

#[test]
fn finite_differences_agree() {
    assert_sound(check_finite_differences(by_dual));
}

/// Closed form and finite difference each catch a wrong rule.
#[test]
fn planted_faults_are_caught() {
    /// Product rule without `a b'`.
    fn product(function: Function, x: DoubleDouble) -> DoubleDouble {
        match function {
            Function::Product => {
                let (a, b) = (Dual::new(x - 3.0.into(), DoubleDouble::ONE), Dual::new(x, DoubleDouble::ONE));
                let b = b * b;
                a.derivative() * b.value()
            }
            _ => by_dual(function, x),
        }
    }
    /// Quotient rule with the wrong sign.
    fn quotient(function: Function, x: DoubleDouble) -> DoubleDouble {
        match function {
            Function::Quotient => {
                let (a, b) = (x - 3.0.into(), x + DoubleDouble::ONE);
                (DoubleDouble::ONE + a / b) / b
            }
            _ => by_dual(function, x),
        }
    }
    /// A derivative that is right to 1e-17 only.
    fn nearly(function: Function, x: DoubleDouble) -> DoubleDouble {
        by_dual(function, x).to_f64().into()
    }
    type Fault = (&'static str, fn(Function, DoubleDouble) -> DoubleDouble);
    let faults: [Fault; 3] = [
        ("product rule without a term", product),
        ("quotient rule with the wrong sign", quotient),
        ("rounded to f64", nearly),
    ];
    for (fault, derivative) in faults {
        let bounded = |function, x: Bounded<DoubleDouble>| {
            Bounded::new(derivative(function, x.value()), by_dual(function, x).error())
        };
        assert_caught(fault, check_closed_forms(bounded, ROUNDINGS * DoubleDouble::UNIT_ROUNDOFF));
    }
    for (fault, derivative) in &faults[..2] {
        assert_caught(fault, check_finite_differences(derivative));
    }
}

/// Conventions at the kinks, and what a constant's derivative is.
#[test]
fn kinks() {
    let moving = |x: f64| Dual::new(x, 1.0);
    assert_eq!(moving(0.0).abs().derivative(), 0.0);
    assert_eq!(moving(-0.0).abs().derivative(), 0.0);
    assert!(moving(f64::NAN).abs().derivative().is_nan());
    assert_eq!(moving(0.0).sqrt().derivative(), f64::INFINITY);
    assert_eq!(Dual::new(0.0, -1.0).sqrt().derivative(), f64::NEG_INFINITY);
    assert_eq!(Dual::constant(0.0).sqrt().derivative(), 0.0);
    assert_eq!((moving(0.0) * moving(0.0)).sqrt().derivative(), 0.0);
    assert!(moving(-1.0).sqrt().derivative().is_nan());
}

/// Every conversion carries the derivative, and comparisons see the value alone.
#[test]
fn conversions_and_comparisons() {
    let third = Dual::new(DoubleDouble::ONE / 3.0.into(), DoubleDouble::ONE / 7.0.into());
    let narrow: Dual<f64> = Scalar::narrow(third);
    assert_eq!((narrow.value(), narrow.derivative()), (1.0 / 3.0, 1.0 / 7.0));
    assert_eq!(narrow.widen().derivative(), DoubleDouble::from(1.0 / 7.0));
    let single: Dual<f32> = Scalar::narrow(narrow);
    assert_eq!((single.value(), single.derivative()), (1.0 / 3.0, 1.0 / 7.0));
    assert_eq!(single.to_accumulator().derivative(), f64::from(1.0_f32 / 7.0));
    assert_eq!(Dual::<f32>::from_accumulator(narrow).derivative(), 1.0 / 7.0);
    assert_eq!(Dual::new(1.0, 2.0), Dual::new(1.0, 3.0));
    assert!(Dual::new(1.0, 9.0) < Dual::new(2.0, 0.0));
    assert_eq!(Dual::<f64>::from_f64(2.0).derivative(), 0.0);
    assert_eq!(Dual::<f64>::from_usize(7).value(), 7.0);
    assert_eq!(<Dual<Bounded<f64>> as Scalar>::NAME, "dual<bounded<f64>>");
}

/// x^n by repeated multiplication has derivative n x^(n-1), exactly for small integers; and twice differentiated,
/// n (n-1) x^(n-2).
#[test]
fn powers_and_second_derivatives() {
    for x in [-3.0_f64, -1.0, 0.0, 2.0, 5.0] {
        for n in 2..8_usize {
            let first = Dual::new(x, 1.0);
            assert_eq!(power(first, n).derivative(), n as f64 * power(x, n - 1));
            let second = Dual::new(first, Dual::constant(1.0));
            assert_eq!(power(second, n).derivative().derivative(), (n * (n - 1)) as f64 * power(x, n - 2));
        }
    }
}

/// `x^n` by repeated multiplication.
fn power<S: Scalar>(x: S, n: usize) -> S {
    (0..n).fold(S::ONE, |product, _| product * x)
}
