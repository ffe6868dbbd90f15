//! DoubleDouble treats infinities, NaN and signed zeros as f64 does.

use gdstar::scalar::{DoubleDouble, Scalar};

const SPECIAL: [f64; 13] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    -2.5,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
];

/// The same number, sign of zero included; any NaN is like any other.
fn same(dd: DoubleDouble, x: f64) -> bool {
    let tail_fits = x.is_finite() || dd.lo() == 0.0;
    tail_fits && (dd.hi().to_bits() == x.to_bits() || (dd.is_nan() && x.is_nan()))
}

/// `hi` is the correctly rounded result, which is what `f64` computes, for every pair of the table.
#[test]
fn arithmetic_is_ieee_on_special_values() {
    type Operation = (&'static str, fn(DoubleDouble, DoubleDouble) -> DoubleDouble, fn(f64, f64) -> f64);
    let operations: [Operation; 4] = [
        ("+", |a, b| a + b, |a, b| a + b),
        ("-", |a, b| a - b, |a, b| a - b),
        ("*", |a, b| a * b, |a, b| a * b),
        ("/", |a, b| a / b, |a, b| a / b),
    ];
    for (name, dd, double) in operations {
        for a in SPECIAL {
            for b in SPECIAL {
                let found = dd(a.into(), b.into());
                assert!(same(found, double(a, b)), "{a:?} {name} {b:?} = {:?}, {:?}", found.hi(), found.lo());
            }
        }
    }
}

#[test]
fn functions_are_ieee_on_special_values() {
    type Function = (&'static str, fn(DoubleDouble) -> DoubleDouble, fn(f64) -> f64);
    let functions: [Function; 6] = [
        ("sqrt", Scalar::sqrt, Scalar::sqrt),
        ("exp", Scalar::exp, Scalar::exp),
        ("exp_m1", Scalar::exp_m1, Scalar::exp_m1),
        ("ln", Scalar::ln, Scalar::ln),
        ("ln_1p", Scalar::ln_1p, Scalar::ln_1p),
        ("abs", Scalar::abs, Scalar::abs),
    ];
    for (name, dd, double) in functions {
        for x in SPECIAL {
            let (found, expected) = (dd(x.into()), double(x));
            // Finite non-zero results are the golden test's matter: libm's are not correctly rounded.
            let special = !expected.is_finite() || expected == 0.0;
            let sound = if special { same(found, expected) } else { found.is_finite() && found.hi() != 0.0 };
            assert!(sound, "{name}({x:?}) = {:?}, {:?}, not {expected:?}", found.hi(), found.lo());
        }
    }
}

/// Sums overflow only where the value does: intermediates may, and `f64::MAX` in `two_sum` does.
#[test]
fn sums_near_overflow() {
    let half_ulp = f64::from_bits((1023 + 970) << 52);
    let greatest = DoubleDouble::new(f64::MAX, half_ulp * (1.0 - f64::EPSILON));
    assert_eq!((greatest.hi(), greatest.lo()), (f64::MAX, half_ulp * (1.0 - f64::EPSILON)));
    assert_eq!(DoubleDouble::new(f64::MAX, -half_ulp * 0.75).lo(), -half_ulp * 0.75);
    assert_eq!(greatest - greatest, DoubleDouble::ZERO);
    assert_eq!(greatest + -DoubleDouble::from(f64::MAX), DoubleDouble::from(greatest.lo()));
    assert_eq!(DoubleDouble::from(f64::MAX) + DoubleDouble::from(-1.0), DoubleDouble::new(f64::MAX, -1.0));
    assert!(same(greatest + DoubleDouble::from(half_ulp), f64::INFINITY));
    assert!(same(-greatest - greatest, f64::NEG_INFINITY));
    // hi + hi rounds up to overflow, but the tails bring the sum back under it.
    let x = DoubleDouble::new(f64::MAX, -half_ulp * 0.75);
    let y = DoubleDouble::new(half_ulp, -half_ulp * f64::EPSILON / 4.0);
    assert!((x.hi() + y.hi()).is_infinite() && (x + y).is_finite(), "{x} + {y} = {}", x + y);
}

#[test]
fn quotients_of_extremes_are_not_lost() {
    for x in [5e-324, f64::MIN_POSITIVE, 1e-300, 1e300, f64::MAX] {
        let x = DoubleDouble::from(x);
        assert_eq!(x / x, DoubleDouble::ONE);
        let third = x / (x + x + x).maximum(x);
        assert!(!third.is_nan());
    }
    let tiny = DoubleDouble::from(5e-324);
    let third = tiny / DoubleDouble::from(3.0 * 5e-324);
    let expected = DoubleDouble::ONE / DoubleDouble::from(3.0);
    assert_eq!(third, expected);
}
