//! two_sum and two_prod lose nothing: checked in integer arithmetic.

use super::{Verdict, assert_caught, assert_sound, power_of_two};
use gdstar::scalar::{quick_two_sum, two_prod, two_sum};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// An integer of up to 53 bits times a power of two: every finite double is one.
#[derive(Debug, Clone, Copy)]
struct Dyadic {
    integer: i64,
    exponent: i32,
}

impl Dyadic {
    fn to_f64(self) -> f64 {
        self.integer as f64 * power_of_two(self.exponent)
    }
}

/// `x / 2^unit`, if that is an integer that fits.
fn in_units(x: f64, unit: i32) -> Option<i128> {
    let biased = ((x.to_bits() >> 52) & 0x7ff) as i32;
    let fraction = (x.to_bits() & ((1 << 52) - 1)) as i128;
    let (magnitude, exponent) = match biased {
        0 => (fraction, -1074),
        0x7ff => return None,
        _ => (fraction | 1 << 52, biased - 1075),
    };
    let integer = if x < 0.0 { -magnitude } else { magnitude };
    match exponent - unit {
        _ if integer == 0 => Some(0),
        up @ 0..=70 => Some(integer << up),
        down @ -52..=-1 if integer.trailing_zeros() as i32 >= -down => Some(integer >> -down),
        _ => None,
    }
}

/// Integers of every length, so that products of short ones and long runs of zero bits occur.
fn integer() -> impl Strategy<Value = i64> {
    (0_u32..=53, any::<i64>()).prop_map(|(bits, value)| if bits == 0 { 0 } else { value >> (64 - bits) })
}

/// Operands up to 60 binary places apart, anywhere in the range.
fn sum_operands() -> impl Strategy<Value = (Dyadic, Dyadic)> {
    (integer(), integer(), -1074..=850_i32, 0..=60_i32, any::<bool>()).prop_map(|(m, n, exponent, apart, swap)| {
        let low = Dyadic { integer: m, exponent };
        let high = Dyadic { integer: n, exponent: exponent + apart };
        if swap { (high, low) } else { (low, high) }
    })
}

/// Operands whose product neither overflows nor has bits below 2^-1074; either may be beyond 2^996, where the splitting
/// overflows.
fn product_operands() -> impl Strategy<Value = (Dyadic, Dyadic)> {
    (integer(), integer(), -1074..=917_i32, -1074..=970_i32).prop_map(|(m, n, total, exponent)| {
        let first = exponent.clamp((total - 970).max(-1074), (total + 1074).min(970));
        (Dyadic { integer: m, exponent: first }, Dyadic { integer: n, exponent: total - first })
    })
}

fn run(operands: impl Strategy<Value = (Dyadic, Dyadic)>, exact: impl Fn(Dyadic, Dyadic) -> bool) -> Verdict {
    let mut runner = TestRunner::new(Config { cases: 4096, failure_persistence: None, ..Config::default() });
    runner
        .run(&operands, |(a, b)| {
            prop_assert!(exact(a, b));
            Ok(())
        })
        .map_err(|error| error.to_string())
}

/// `s = fl(a + b)` and `s + e = a + b`.
fn check_sum(transformation: fn(f64, f64) -> (f64, f64)) -> Verdict {
    run(sum_operands(), |a, b| {
        let unit = a.exponent.min(b.exponent);
        let exact = (i128::from(a.integer) << (a.exponent - unit)) + (i128::from(b.integer) << (b.exponent - unit));
        let (s, e) = transformation(a.to_f64(), b.to_f64());
        let total = in_units(s, unit).zip(in_units(e, unit)).map(|(s, e)| s + e);
        s == a.to_f64() + b.to_f64() && total == Some(exact)
    })
}

/// `p = fl(a b)` and `p + e = a b`.
fn check_product(transformation: fn(f64, f64) -> (f64, f64)) -> Verdict {
    run(product_operands(), |a, b| {
        let unit = a.exponent + b.exponent;
        let exact = i128::from(a.integer) * i128::from(b.integer);
        let (p, e) = transformation(a.to_f64(), b.to_f64());
        let total = in_units(p, unit).zip(in_units(e, unit)).map(|(p, e)| p + e);
        p == a.to_f64() * b.to_f64() && total == Some(exact)
    })
}

#[test]
fn two_sum_is_exact() {
    assert_sound(check_sum(two_sum));
}

#[test]
fn two_prod_is_exact() {
    assert_sound(check_product(two_prod));
}

#[test]
fn quick_two_sum_is_exact_for_ordered_operands() {
    assert_sound(check_sum(|a, b| if a.abs() >= b.abs() { quick_two_sum(a, b) } else { quick_two_sum(b, a) }));
}

/// Under 2^-960 two_prod promises `fl(a b - p)`: within half of 2^-1074. Both factors are halves of powers of two here,
/// so the product has one bit and the promise means `p` alone is within that.
#[test]
fn two_prod_rounds_once_in_the_subnormal_range() {
    for k in -2148..=-960 {
        let (p, e) = two_prod(power_of_two(k / 2), power_of_two(k - k / 2));
        let exact = if k >= -1074 { power_of_two(k) } else { 0.0 };
        assert_eq!((p, e), (exact, 0.0), "2^{k}");
    }
    // (1 + 2^-52)^2 2^-1040 = 2^-1040 + 2^-1091 + ..: the rest is under half the smallest subnormal.
    let x = (1.0 + f64::EPSILON) * power_of_two(-520);
    assert_eq!(two_prod(x, x), (power_of_two(-1040), 0.0));
    // 3 (2^52 + 1) 2^-1075 ends in half a subnormal, a tie: `p` goes to the even neighbour, `e` to 0.
    let (p, e) = two_prod(3.0 * power_of_two(-1000), (power_of_two(52) + 1.0) * power_of_two(-75));
    assert_eq!((p / power_of_two(-1074), e), ((3.0 * (power_of_two(52) + 1.0) / 2.0).round_ties_even(), 0.0));
}

#[test]
fn planted_faults_are_caught() {
    assert_caught("two_sum without its second correction", {
        check_sum(|a, b| {
            let s = a + b;
            let b_seen = s - a;
            (s, b - b_seen)
        })
    });
    assert_caught("two_sum without ordering the operands", check_sum(quick_two_sum));
    assert_caught("two_prod without the product of the tails", {
        check_product(|a, b| {
            let split = |x: f64| {
                let shifted = 134_217_729.0 * x;
                let head = shifted - (shifted - x);
                (head, x - head)
            };
            let p = a * b;
            let ((a_hi, a_lo), (b_hi, b_lo)) = (split(a), split(b));
            (p, -(((p - a_hi * b_hi) - a_lo * b_hi) - a_hi * b_lo))
        })
    });
    assert_caught("two_prod that overflows in the splitting", {
        check_product(|a, b| {
            let split = |x: f64| {
                let shifted = 134_217_729.0 * x;
                let head = shifted - (shifted - x);
                (head, x - head)
            };
            let p = a * b;
            let ((a_hi, a_lo), (b_hi, b_lo)) = (split(a), split(b));
            (p, a_lo * b_lo - (((p - a_hi * b_hi) - a_lo * b_hi) - a_hi * b_lo))
        })
    });
}
