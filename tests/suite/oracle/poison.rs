//! One number of a correct trace spoilt, in every kind of tensor: NaN, infinities, and finite numbers that are merely
//! wrong. Each is found, and first under the equation that makes it.

use super::checked::verdict;
use super::port::{Config, Epoch, Fault, Precision, Trace, run};
use super::variants::standard;
use gdstar::oracle::{Report, Verdict};

/// The epoch that is spoilt: k* has moved before, weights are eliminated, and more epochs follow.
const SPOILT: usize = 3;

/// A number of a trace, the kind of tensor it is in, and the equation of that tensor.
struct Place {
    kind: &'static str,
    equation: &'static str,
    number: fn(&mut Trace) -> &mut f64,
}

fn epoch(trace: &mut Trace) -> &mut Epoch {
    &mut trace.epochs[SPOILT]
}

/// Every real quantity that an equation makes, or that enters the optimizer's step.
const PLACES: [Place; 13] = [
    Place { kind: "init", equation: "alg1", number: |t| &mut t.init[0][5] },
    Place { kind: "grad", equation: "alg1", number: |t| &mut epoch(t).batches[1].recorded[1][2] },
    Place { kind: "weights_before", equation: "alg1", number: |t| &mut epoch(t).weights_before[1][2] },
    Place { kind: "S_abs", equation: "eq1", number: |t| &mut epoch(t).s_abs },
    Place { kind: "G", equation: "eq2", number: |t| &mut epoch(t).g[17] },
    Place { kind: "S_sq", equation: "eq3", number: |t| &mut epoch(t).s_sq },
    Place { kind: "S_F", equation: "eq4", number: |t| &mut epoch(t).s_f },
    Place { kind: "min_before", equation: "alg4", number: |t| &mut epoch(t).min_before },
    Place { kind: "rewind", equation: "alg4", number: |t| &mut epoch(t).rewind[0][9] },
    Place { kind: "alpha", equation: "eq8", number: |t| &mut epoch(t).alpha },
    Place { kind: "chunk_quantiles", equation: "eq6", number: |t| &mut epoch(t).chunk_quantiles[1] },
    Place { kind: "tau", equation: "eq7", number: |t| &mut epoch(t).tau },
    Place { kind: "weights_after", equation: "eq9", number: |t| &mut epoch(t).weights_after[1][2] },
];

fn correct(dtype: Precision) -> (Config, Trace) {
    let config = standard(21, dtype);
    let trace = run(&config, Fault::None);
    (config, trace)
}

fn assert_fails(report: &Report, equation: &str, what: &str) {
    assert_eq!(report.verdict, Verdict::Fail, "{what} passes");
    let first = &report.findings[0];
    assert_eq!(
        (first.equation, first.epoch),
        (equation, Some(if what.contains("init") { 0 } else { SPOILT })),
        "{what}"
    );
}

/// No NaN and no infinity passes, wherever it is.
#[test]
fn non_finite_numbers_fail() {
    for dtype in [Precision::F32, Precision::F64] {
        let (config, trace) = correct(dtype);
        for Place { kind, equation, number } in PLACES {
            for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                let mut trace = trace.clone();
                *number(&mut trace) = poison;
                let report = verdict(&config, &trace).unwrap();
                assert_eq!(report.verdict, Verdict::Fail, "{poison} in {kind}");
                // A weight or gradient that is no number spoils all that is made of it; what is made first is named.
                let first = report.findings[0].equation;
                assert!(
                    first == equation || ["init", "grad", "weights_before"].contains(&kind),
                    "{poison} in {kind}: {first}"
                );
            }
        }
    }
}

/// A single wrong number of any tensor is found, under its own equation.
#[test]
fn wrong_numbers_fail() {
    for dtype in [Precision::F32, Precision::F64] {
        let (config, trace) = correct(dtype);
        for Place { kind, equation, number } in PLACES {
            let mut trace = trace.clone();
            *number(&mut trace) += 0.25;
            assert_fails(&verdict(&config, &trace).unwrap(), equation, kind);
        }
    }
}

/// A single wrong decision is found, under its own equation.
#[test]
fn wrong_decisions_fail() {
    type Spoil = fn(&mut Epoch);
    let flips: [(&str, &str, Spoil); 6] = [
        ("mask_before", "alg6", |e| flip_first_alive(&mut e.mask_before)),
        ("k_star", "alg4", |e| e.k_star -= 1),
        ("selected", "eq5", |e| {
            let alive = e.mask_before.iter().position(|&alive| alive).unwrap();
            e.selected[alive] = !e.selected[alive];
        }),
        ("t", "alg6", |e| e.t += 1),
        ("mask, of a living weight", "alg6", |e| flip_first_alive(&mut e.mask)),
        ("mask, of an eliminated weight", "alg6", |e| {
            let eliminated = e.mask.iter().position(|&alive| !alive).unwrap();
            e.mask[eliminated] = true;
        }),
    ];
    for dtype in [Precision::F32, Precision::F64] {
        let (config, trace) = correct(dtype);
        for (kind, equation, spoil) in flips {
            let mut trace = trace.clone();
            spoil(&mut trace.epochs[SPOILT]);
            assert_fails(&verdict(&config, &trace).unwrap(), equation, kind);
        }
    }
}

fn flip_first_alive(mask: &mut [bool]) {
    let alive = mask.iter().position(|&alive| alive).unwrap();
    mask[alive] = false;
}

/// +inf is a running minimum before the first epoch, and nowhere else.
#[test]
fn infinity_is_allowed_as_the_first_minimum_only() {
    let (config, mut trace) = correct(Precision::F32);
    assert_eq!(trace.epochs[0].min_before, f64::INFINITY);
    assert_eq!(verdict(&config, &trace).unwrap().verdict, Verdict::Pass);
    trace.epochs[0].min_before = 1e30;
    let report = verdict(&config, &trace).unwrap();
    assert_eq!((report.verdict, report.findings[0].equation), (Verdict::Fail, "alg4"));
}
