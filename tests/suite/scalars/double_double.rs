//! DoubleDouble against results certified by mpmath (golden/make/scalars.py), and its exact conversions.

use super::{Verdict, assert_caught, assert_sound, power_of_two};
use gdstar::scalar::{DoubleDouble, Scalar, quick_two_sum, two_prod, two_sum};
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;

type Operation = fn(&[DoubleDouble]) -> DoubleDouble;

/// Operations of the golden file, with the bound that the documentation promises.
const OPERATIONS: [(&str, Operation, f64); 8] = [
    ("add", |x| x[0] + x[1], DoubleDouble::SUM_ERROR),
    ("mul", |x| x[0] * x[1], DoubleDouble::PRODUCT_ERROR),
    ("div", |x| x[0] / x[1], DoubleDouble::QUOTIENT_ERROR),
    ("sqrt", |x| x[0].sqrt(), DoubleDouble::ROOT_ERROR),
    ("exp", |x| x[0].exp(), DoubleDouble::EXP_ERROR),
    ("exp_m1", |x| x[0].exp_m1(), DoubleDouble::EXP_M1_ERROR),
    ("ln", |x| x[0].ln(), DoubleDouble::LN_ERROR),
    ("ln_1p", |x| x[0].ln_1p(), DoubleDouble::LN_ERROR),
];

/// The absolute error that [`DoubleDouble`] allows results under 2^-960.
const UNDERFLOW: f64 = f64::from_bits(2);

/// Operands, and the three words of the exact result.
struct Case {
    operands: Vec<DoubleDouble>,
    exact: [f64; 3],
}

fn golden(operation: &str) -> Vec<Case> {
    #[derive(serde::Deserialize)]
    struct Golden {
        operations: BTreeMap<String, Vec<[Vec<String>; 2]>>,
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/scalars.json");
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut file: Golden = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
    let number = |bits: &String| f64::from_bits(u64::from_str_radix(bits, 16).expect("16 hexadecimal digits"));
    let cases = file.operations.remove(operation).unwrap_or_else(|| panic!("{path}: no `{operation}`"));
    assert!(!cases.is_empty());
    let read = |[operands, exact]: [Vec<String>; 2]| Case {
        operands: operands.chunks(2).map(|pair| DoubleDouble::new(number(&pair[0]), number(&pair[1]))).collect(),
        exact: [number(&exact[0]), number(&exact[1]), number(&exact[2])],
    };
    cases.into_iter().map(read).collect()
}

/// Every golden case of `operation` is within `bound |exact|`, plus [`UNDERFLOW`] where the exact result is under
/// 2^-960 (not for sums, which are exact there). The worst relative error is printed.
fn check_golden(operation: &str, implementation: Operation, bound: f64) -> Verdict {
    let mut worst: f64 = 0.0;
    for Case { operands, exact } in golden(operation) {
        let found = implementation(&operands);
        let show = || format!("{operation}{operands:?} = {found}, exactly {}", DoubleDouble::new(exact[0], exact[1]));
        if found.hi() != found.hi() + found.lo() {
            return Err(format!("not normalised: {}", show()));
        }
        // Both differences are sums of two words without rounding; what rounds is relative to a small rest.
        let difference = DoubleDouble::from_sum(found.hi(), -exact[0])
            + (DoubleDouble::from_sum(found.lo(), -exact[1]) - exact[2].into());
        let error = difference.hi().abs();
        let underflow = if operation != "add" && exact[0].abs() < power_of_two(-960) { UNDERFLOW } else { 0.0 };
        let allowed = bound * exact[0].abs() + underflow;
        let within = error <= allowed;
        if !within {
            return Err(format!("off by {:.3} of the bound: {}", error / allowed, show()));
        }
        if underflow == 0.0 {
            worst = worst.max(error / exact[0].abs());
        }
    }
    println!(
        "{operation:8} worst {:6.3} * 2^-106, bound {:6.3}",
        worst / power_of_two(-106),
        bound / power_of_two(-106)
    );
    Ok(())
}

#[test]
fn every_operation_is_within_its_documented_bound() {
    for (name, implementation, bound) in OPERATIONS {
        assert_sound(check_golden(name, implementation, bound));
    }
}

/// Results under 2^-960 are rounded once: `to_f64` is the exact result's nearest double. (An error under 2^-102 changes that
/// for about one result in 2^49; the golden file has none of those.)
fn check_rounded_once(operation: &str, implementation: Operation) -> Verdict {
    let cases: Vec<Case> = golden(operation).into_iter().filter(|c| c.exact[0].abs() < power_of_two(-960)).collect();
    assert!(cases.len() >= 8, "{operation}: only {} results near underflow", cases.len());
    for Case { operands, exact } in cases {
        let found = implementation(&operands).to_f64();
        if found != exact[0] {
            return Err(format!("{operation}{operands:?} = {found:e}, not {:e}", exact[0]));
        }
    }
    Ok(())
}

#[test]
fn results_near_underflow_are_rounded_once() {
    for (name, implementation, _) in OPERATIONS {
        if ["mul", "div", "exp"].contains(&name) {
            assert_sound(check_rounded_once(name, implementation));
        }
    }
}

#[test]
fn planted_faults_are_caught() {
    assert_caught("a sum of the low words that is not error-free (the sloppy addition)", {
        let sloppy: Operation = |x| {
            let (s, e) = two_sum(x[0].hi(), x[1].hi());
            let (hi, lo) = quick_two_sum(s, e + (x[0].lo() + x[1].lo()));
            DoubleDouble::new(hi, lo)
        };
        check_golden("add", sloppy, DoubleDouble::SUM_ERROR)
    });
    assert_caught("a product without one of the cross terms", {
        let missing: Operation = |x| {
            let (p, e) = two_prod(x[0].hi(), x[1].hi());
            DoubleDouble::new(p, e + x[0].hi() * x[1].lo())
        };
        check_golden("mul", missing, DoubleDouble::PRODUCT_ERROR)
    });
    assert_caught("a product whose low word is rounded before the sum of both", {
        let twice: Operation = |x| {
            let (p, e) = two_prod(x[0].hi(), x[1].hi());
            DoubleDouble::new(p, e + (x[0].hi() * x[1].lo() + x[0].lo() * x[1].hi()))
        };
        check_rounded_once("mul", twice)
    });
    assert_caught("a quotient without scaling", {
        let unscaled: Operation = |x| {
            let q = x[0].hi() / x[1].hi();
            let rest = x[0] - x[1] * q.into();
            DoubleDouble::new(q, rest.hi() / x[1].hi())
        };
        check_golden("div", unscaled, DoubleDouble::QUOTIENT_ERROR)
    });
    assert_caught("an exponential reduced with ln 2 in two words", {
        let reduced: Operation = |x| {
            let ln_2 = DoubleDouble::from(2.0).ln();
            let k = (x[0].hi() / ln_2.hi()).round();
            let r = x[0] - ln_2 * k.into();
            let half = DoubleDouble::from(power_of_two((k / 2.0) as i32));
            r.exp() * half * DoubleDouble::from(power_of_two(k as i32 - (k / 2.0) as i32))
        };
        check_golden("exp", reduced, DoubleDouble::EXP_ERROR)
    });
    assert_caught("exp_m1 as exp - 1", {
        check_golden("exp_m1", |x| x[0].exp() - DoubleDouble::ONE, DoubleDouble::EXP_M1_ERROR)
    });
    assert_caught("a logarithm with a first-order Newton step, of absolute accuracy only", {
        let absolute: Operation = |x| {
            let z = DoubleDouble::from(libm::log(x[0].hi()));
            z + (x[0] * (-z).exp() - DoubleDouble::ONE)
        };
        check_golden("ln", absolute, DoubleDouble::LN_ERROR)
    });
}

/// Two words from an integer of up to 106 bits; exact if the bits below the first 53 fit the second word.
fn from_integer(n: i128) -> DoubleDouble {
    let hi = n as f64;
    DoubleDouble::new(hi, (n - hi as i128) as f64)
}

/// `x`, which must be an integer, exactly.
fn to_integer(x: DoubleDouble) -> i128 {
    x.hi() as i128 + x.lo() as i128
}

/// Integers that two words hold exactly.
fn wide_integer() -> impl Strategy<Value = i128> {
    (0_u32..=104, any::<i128>()).prop_map(|(bits, value)| if bits == 0 { 0 } else { value >> (128 - bits) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn integers_convert_and_compare_exactly(a in wide_integer(), b in wide_integer()) {
        let (x, y) = (from_integer(a), from_integer(b));
        prop_assert_eq!(to_integer(x), a);
        prop_assert_eq!(x.partial_cmp(&y), Some(a.cmp(&b)));
        prop_assert_eq!(x.total_order(&y), a.cmp(&b));
        prop_assert_eq!(x == y, a == b);
        prop_assert_eq!(to_integer(x.abs()), a.abs());
        // `as f64` rounds to nearest even.
        prop_assert_eq!(x.to_f64(), a as f64);
    }

    #[test]
    fn sums_and_products_of_integers_are_exact(a in wide_integer(), b in wide_integer(), m: i64, n: i64) {
        // Fewer than 2^105 in magnitude: representable, so within 3u^2 means equal.
        prop_assert_eq!(to_integer(from_integer(a / 2) + from_integer(b / 2)), a / 2 + b / 2);
        let (m, n) = (m >> 12, n >> 12);
        prop_assert_eq!(to_integer(DoubleDouble::from_product(m as f64, n as f64)), i128::from(m) * i128::from(n));
        prop_assert_eq!(DoubleDouble::from(m as f64) * DoubleDouble::from(n as f64),
                        DoubleDouble::from_product(m as f64, n as f64));
    }

    /// A sum that stays within 104 bits is exact, so its order cannot matter.
    #[test]
    fn exact_sums_do_not_depend_on_order(terms in prop::collection::vec(any::<i64>(), 0..40), seed: u64) {
        let mut shuffled = terms.clone();
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        let sum = |terms: &[i64]| terms.iter().map(|&n| from_integer(n.into())).sum::<DoubleDouble>();
        prop_assert_eq!(sum(&terms), sum(&shuffled));
        prop_assert_eq!(to_integer(sum(&terms)), terms.iter().map(|&n| i128::from(n)).sum::<i128>());
    }

    #[test]
    fn floor_is_exact(n in wide_integer(), places in 0_i32..=120) {
        let x = from_integer(n);
        let unit = DoubleDouble::from(power_of_two(-places));
        prop_assert_eq!(to_integer((x * unit).floor()), n >> places);
    }

    /// The exact product of two doubles, rounded once, is IEEE's product: in the subnormal range too.
    #[test]
    fn products_of_doubles_round_as_ieee(m: i64, n: i64, first in -1074_i32..0, total in -1140_i32..-900) {
        let (m, n) = (m >> 11, n >> 11);
        let (a, b) = (m as f64 * power_of_two(first), n as f64 * power_of_two((total - first).clamp(-1074, 900)));
        let product = DoubleDouble::from(a) * DoubleDouble::from(b);
        prop_assert_eq!(product.to_f64(), a * b);
        prop_assert_eq!(product.to_f64(), product.hi() + product.lo());
    }

    #[test]
    fn counts_are_exact(n: usize) {
        prop_assert_eq!(to_integer(DoubleDouble::from_usize(n)), n as i128);
    }
}

#[test]
fn total_order_is_ieee() {
    let ascending =
        [-f64::NAN, f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1.0, f64::INFINITY, f64::NAN].map(DoubleDouble::from);
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(a.total_order(b), i.cmp(&j), "{a} {b}");
        }
    }
    assert_eq!(DoubleDouble::from(f64::NAN).partial_cmp(&DoubleDouble::ONE), None);
    assert_eq!(DoubleDouble::from(0.0).partial_cmp(&DoubleDouble::from(-0.0)), Some(Ordering::Equal));
}

/// 32 digits, correctly rounded: the expected texts are exact decimal expansions, cut by hand.
#[test]
fn prints_32_digits() {
    let shown = [
        (DoubleDouble::from(0.1), "1.0000000000000000555111512312578e-1"),
        (DoubleDouble::from(-1.5), "-1.5e0"),
        (DoubleDouble::from(5e-324), "4.9406564584124654417656879286822e-324"),
        (DoubleDouble::from(f64::MAX), "1.797693134862315708145274237317e308"),
        (DoubleDouble::from_sum(1e30, 7.0), "1.000000000000000019884624838663e30"),
        (from_integer(10_i128.pow(30) + 7), "1.000000000000000000000000000007e30"),
        (from_integer(10_i128.pow(30) - 1), "9.99999999999999999999999999999e29"),
        (DoubleDouble::from_sum(1.0, -power_of_two(-120)), "1e0"), // carries through every digit
        (DoubleDouble::from(0.0), "0"),
        (DoubleDouble::from(f64::NEG_INFINITY), "-inf"),
    ];
    for (x, expected) in shown {
        assert_eq!(x.to_string(), expected);
        assert_eq!(format!("{x:?}"), expected);
    }
}
