//! Bounded: its bound holds, and is not idle.

use super::{Verdict, assert_caught, assert_sound, power_of_two};
use gdstar::scalar::{Bounded, DoubleDouble, Rounding, Scalar};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;

/// A random formula. Leaves are exact in `f32`, so that every number system computes the same exact result.
#[derive(Debug, Clone)]
enum Formula {
    Leaf(f32),
    Neg(Box<Formula>),
    Add(Box<Formula>, Box<Formula>),
    Sub(Box<Formula>, Box<Formula>),
    Mul(Box<Formula>, Box<Formula>),
    Div(Box<Formula>, Box<Formula>),
    Sqrt(Box<Formula>),
    Exp(Box<Formula>),
    ExpM1(Box<Formula>),
    Ln(Box<Formula>),
    Ln1p(Box<Formula>),
    Abs(Box<Formula>),
    /// Evaluated in the wider type, and rounded once.
    Wide(Box<Formula>),
    /// The same through the accumulator.
    Accumulated(Box<Formula>, Box<Formula>),
}

impl Formula {
    fn evaluate<S: Scalar>(&self) -> S {
        match self {
            Self::Leaf(x) => S::from_f64(f64::from(*x)),
            Self::Neg(a) => -a.evaluate::<S>(),
            Self::Add(a, b) => a.evaluate::<S>() + b.evaluate(),
            Self::Sub(a, b) => a.evaluate::<S>() - b.evaluate(),
            Self::Mul(a, b) => a.evaluate::<S>() * b.evaluate(),
            Self::Div(a, b) => a.evaluate::<S>() / b.evaluate(),
            Self::Sqrt(a) => a.evaluate::<S>().sqrt(),
            Self::Exp(a) => a.evaluate::<S>().exp(),
            Self::ExpM1(a) => a.evaluate::<S>().exp_m1(),
            Self::Ln(a) => a.evaluate::<S>().ln(),
            Self::Ln1p(a) => a.evaluate::<S>().ln_1p(),
            Self::Abs(a) => a.evaluate::<S>().abs(),
            Self::Wide(a) => {
                let wide = a.evaluate::<S>().widen();
                S::narrow(wide / (wide.exp() + S::Wide::ONE))
            }
            Self::Accumulated(a, b) => {
                let (a, b) = (a.evaluate::<S>().to_accumulator(), b.evaluate::<S>().to_accumulator());
                S::from_accumulator(a * b + a)
            }
        }
    }
}

/// Leaves around 1, a few tiny, huge or zero.
fn leaf() -> impl Strategy<Value = Formula> {
    let moderate = (any::<i32>(), -20..8_i32).prop_map(|(m, e)| ((m >> 8) as f64 * power_of_two(e - 23)) as f32);
    prop_oneof![
        8 => moderate,
        1 => prop::sample::select(vec![0.0_f32, 1.0, -1.0, 2.0, 0.5, 3e38, 1e-38, 1e-45, -1e-40]),
    ]
    .prop_map(Formula::Leaf)
}

fn formula() -> impl Strategy<Value = Formula> {
    leaf().prop_recursive(7, 48, 2, |inner| {
        let one = |make: fn(Box<Formula>) -> Formula| inner.clone().prop_map(move |a| make(Box::new(a)));
        let two = |make: fn(Box<Formula>, Box<Formula>) -> Formula| {
            (inner.clone(), inner.clone()).prop_map(move |(a, b)| make(Box::new(a), Box::new(b)))
        };
        prop_oneof![
            1 => one(Formula::Neg),
            3 => two(Formula::Add),
            3 => two(Formula::Sub),
            4 => two(Formula::Mul),
            3 => two(Formula::Div),
            1 => one(Formula::Sqrt),
            1 => one(Formula::Exp),
            1 => one(Formula::ExpM1),
            1 => one(Formula::Ln),
            1 => one(Formula::Ln1p),
            1 => one(Formula::Abs),
            1 => one(Formula::Wide),
            1 => two(Formula::Accumulated),
        ]
    })
}

/// Over random formulas: the centre is what plain `S` computes, and `bounded`'s error covers the distance to the
/// DoubleDouble result (whose own bound is added). At least a quarter of the formulas must have a finite bound.
fn check_formulas<S: Rounding>(bounded: impl Fn(&Formula) -> Bounded<S>) -> Verdict {
    const CASES: u32 = 6000;
    let covered = Cell::new(0_u32);
    let mut runner =
        TestRunner::new(Config { cases: CASES, failure_persistence: None, max_shrink_iters: 200, ..Config::default() });
    let run = runner.run(&formula(), |formula| {
        let found = bounded(&formula);
        let plain: S = formula.evaluate();
        let same = found.value().total_order(&plain).is_eq() || (plain.is_nan() && found.value().is_nan());
        prop_assert!(same, "centre {:?}, plain {:?}", found.value(), plain);
        prop_assert!(found.error() >= 0.0);
        let truth: Bounded<DoubleDouble> = formula.evaluate();
        if found.error().is_finite() {
            prop_assert!(found.value().is_finite());
            let off = (DoubleDouble::from(found.value().to_f64()) - truth.value()).abs().to_f64();
            prop_assert!(off <= found.error() + truth.error(), "off by {off:e}: {found:?}, truth {truth:?}");
            if truth.error().is_finite() {
                covered.set(covered.get() + 1);
            }
        }
        Ok(())
    });
    run.map_err(|error| error.to_string())?;
    if covered.get() < CASES / 4 { Err(format!("only {} of {CASES} have a bound", covered.get())) } else { Ok(()) }
}

#[test]
fn the_bound_covers_f32() {
    assert_sound(check_formulas::<f32>(|formula| formula.evaluate()));
}

#[test]
fn the_bound_covers_f64() {
    assert_sound(check_formulas::<f64>(|formula| formula.evaluate()));
}

/// `sum a_i b_i`, left to right, in `S`.
fn dot<S: Scalar>(terms: &[(f32, f32)]) -> S {
    terms.iter().fold(S::ZERO, |sum, &(a, b)| sum + S::from_f64(a.into()) * S::from_f64(b.into()))
}

/// For a dot product of n terms the running bound is at most the a-priori one, `gamma_n sum|a_i b_i|` with
/// `gamma_n = n u / (1 - n u)` (Higham 2002, section 3.1), but for its own outward rounding, 2^-40 for each of the 2n
/// operations, and the underflow terms: and it covers the error.
///
/// Derivation: it sums `u |p_i|` over n rounded products and `u |s_k|` over n - 1 rounded sums (the first adds to 0), and
/// `|p_i|, |s_k| <= (1 + u)^n sum|a_i b_i|`. A term `i` is in its product and in at most n - 1 sums: n u (1 + u)^n in all,
/// which is at most gamma_n.
fn check_dot<S: Rounding>(terms: &[(f32, f32)], running: Bounded<S>) -> Result<(), TestCaseError> {
    let n = terms.len() as f64;
    let truth: Bounded<DoubleDouble> = dot(terms);
    let magnitude: f64 = terms.iter().map(|&(a, b)| (f64::from(a) * f64::from(b)).abs()).sum();
    let gamma = n * S::UNIT_ROUNDOFF / (1.0 - n * S::UNIT_ROUNDOFF);
    // The f64 sum of magnitudes has n roundings of its own, which the 2^-40s cover many times over.
    let a_priori = gamma * magnitude * (1.0 + 4.0 * n * power_of_two(-40)) + 4.0 * n * S::UNDERFLOW_UNIT;
    let off = (DoubleDouble::from(running.value().to_f64()) - truth.value()).abs().to_f64();
    prop_assert!(off <= running.error() + truth.error());
    prop_assert!(running.error() <= a_priori, "{running:?} over {a_priori:e}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bound_of_a_dot_product_is_at_most_a_priori(
        terms in prop::collection::vec((-1e3_f32..1e3, -1e3_f32..1e3), 1..200),
    ) {
        check_dot::<f32>(&terms, dot(&terms))?;
        check_dot::<f64>(&terms, dot(&terms))?;
    }
}

/// One operation on exact operands adds its own rounding and hardly more.
#[test]
fn one_operation_costs_one_rounding() {
    fn check<S: Rounding>() {
        let [a, b] = [1.7, 0.3].map(|x| Bounded::exact(S::from_f64(x)));
        let arithmetic = [a + b, a - b, a * b, a / b, a.sqrt()];
        let functions = [a.exp(), a.exp_m1(), a.ln(), a.ln_1p()];
        let roundings = arithmetic.map(|x| (x, 1.0)).into_iter().chain(functions.map(|x| (x, S::ELEMENTARY_ERROR)));
        for (x, units) in roundings {
            let expected = units * S::UNIT_ROUNDOFF * x.value().abs().to_f64();
            // Outward rounding is 2^-40; DoubleDouble's conversion to f64 is within 2^-53.
            assert!(x.error() >= expected * (1.0 - power_of_two(-50)), "{}: {x:?}", S::NAME);
            assert!(x.error() <= expected * (1.0 + power_of_two(-39)), "{}: {x:?}", S::NAME);
        }
    }
    check::<f32>();
    check::<f64>();
    check::<DoubleDouble>();
}

/// What rounds nothing adds nothing; exact data stay exact.
#[test]
fn exact_operations_keep_exactness() {
    let [zero, one, x] = [0.0_f32, 1.0, 0.1].map(Bounded::exact);
    let exact = [x + zero, zero - x, x * zero, x * one, -x * -one, zero / x, x.abs(), zero.sqrt(), zero.exp()];
    assert!(exact.iter().all(|x| x.error() == 0.0), "{exact:?}");
    assert_eq!((zero.exp_m1().error(), one.ln().error(), zero.ln_1p().error()), (0.0, 0.0, 0.0));
    assert_eq!(Bounded::<f32>::narrow(x.widen()).error(), 0.0);
    assert_eq!(Bounded::<f32>::from_accumulator(x.to_accumulator()).error(), 0.0);
    assert_eq!(Bounded::<f32>::from_f64(0.5).error(), 0.0);
    assert!(Bounded::<f32>::from_f64(0.1).error() > 0.0);
    assert_eq!(Bounded::<f32>::from_usize((1 << 24) - 1).error(), 0.0);
    assert!(Bounded::<f32>::from_usize((1 << 24) + 1).error() >= 1.0);
}

/// No knowledge is an infinite error, never NaN, whatever comes after.
#[test]
fn the_unknown_is_infinite() {
    let about = |value: f64, error: f64| Bounded::new(value, error);
    let one = Bounded::<f64>::ONE;
    let unknown = [
        one / about(0.0, 0.0),
        one / about(1e-3, 1e-3),
        one / about(-1e-3, 2e-3),
        about(0.0, 0.0) / about(0.0, 0.0),
        about(1e-3, 1e-3).ln(),
        about(0.0, 0.0).ln(),
        about(-1.0, 0.0).ln(),
        about(-1.0, 1e-9).ln_1p(),
        about(-0.5, 0.6).ln_1p(),
        about(1e-3, 2e-3).sqrt(),
        about(0.0, 1e-300).sqrt(),
        about(-1.0, 0.0).sqrt(),
        about(800.0, 0.0).exp(),
        about(1.0, f64::INFINITY).exp(),
        about(1.0, f64::INFINITY) * about(0.0, 0.0),
        about(f64::MAX, 0.0) + about(f64::MAX, 0.0),
        Bounded::exact(f64::NAN),
        Bounded::exact(f64::INFINITY),
        about(1.0, f64::NAN),
        about(1.0, -1.0),
    ];
    for (i, x) in unknown.into_iter().enumerate() {
        assert_eq!(x.error(), f64::INFINITY, "entry {i}: {x:?}");
        for after in [x + one, x * one, x * Bounded::ZERO, x / one, x.exp(), x.abs(), -x, Scalar::narrow(x.widen())] {
            assert_eq!(after.error(), f64::INFINITY, "after entry {i}: {after:?}");
        }
    }
    assert_eq!(Bounded::<f32>::narrow(Bounded::exact(1e300)).error(), f64::INFINITY);
}

/// Errors underflow upwards: a product of errors below 2^-1074 is not 0.
#[test]
fn tiny_errors_do_not_vanish() {
    let tiny = Bounded::new(0.0, 1e-200);
    assert!((tiny * tiny).error() > 0.0);
    assert!((Bounded::new(1e-200, 0.0) * tiny).error() > 0.0);
    assert!((Bounded::exact(1e-200_f64) * Bounded::exact(1e-200)).error() > 0.0);
    assert!((tiny / Bounded::exact(1e300)).error() > 0.0);
}

#[test]
fn names() {
    assert_eq!(<Bounded<f32> as Scalar>::NAME, "bounded<f32>");
    assert_eq!(<<Bounded<f64> as Scalar>::Wide as Scalar>::NAME, "bounded<dd>");
}

/// Faults are planted in the evaluation of formulas; the check is the same.
#[test]
fn planted_faults_are_caught() {
    /// `evaluate`, with the operation at the root replaced.
    fn faulty(formula: &Formula, fault: impl Fn(&Formula) -> Option<Bounded<f64>>) -> Bounded<f64> {
        fault(formula).unwrap_or_else(|| formula.evaluate())
    }
    assert_caught("a sum and a product without the rounding term", {
        check_formulas(|formula| {
            faulty(formula, |formula| match formula {
                Formula::Add(a, b) => {
                    let (a, b): (Bounded<f64>, Bounded<f64>) = (a.evaluate(), b.evaluate());
                    Some(Bounded::new(a.value() + b.value(), a.error() + b.error()))
                }
                Formula::Mul(a, b) => {
                    let (a, b): (Bounded<f64>, Bounded<f64>) = (a.evaluate(), b.evaluate());
                    let spread = a.value().abs() * b.error() + b.value().abs() * a.error() + a.error() * b.error();
                    Some(Bounded::new(a.value() * b.value(), spread))
                }
                _ => None,
            })
        })
    });
    assert_caught("a quotient that forgets its divisor's error", {
        check_formulas(|formula| {
            faulty(formula, |formula| match formula {
                Formula::Div(a, b) => Some(a.evaluate::<Bounded<f64>>() / Bounded::exact(b.evaluate())),
                _ => None,
            })
        })
    });
    assert_caught("a difference that subtracts the errors", {
        check_formulas(|formula| {
            faulty(formula, |formula| match formula {
                Formula::Sub(a, b) => {
                    let (a, b): (Bounded<f64>, Bounded<f64>) = (a.evaluate(), b.evaluate());
                    Some(Bounded::new(a.value() - b.value(), (a.error() - b.error()).abs()))
                }
                _ => None,
            })
        })
    });
    assert_caught("an error that is always infinite", {
        check_formulas(|formula| Bounded::new(formula.evaluate::<f64>(), f64::INFINITY))
    });
}
