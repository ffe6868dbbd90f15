//! Correct ports never fail: over a thousand of them, of every kind.

use super::checked::verdict;
use super::excuses::{Answer, Excuse, answer};
use super::port::{Config, Epoch, Fault, KINDS, Order, Precision, READINGS, SquareSum, Store, run};
use super::variants::{coarse_sums, random, standard, take_in_biases, tiny, with_ties};
use gdstar::oracle::{Report, Verdict};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How many random variants are checked; GDSTAR_VARIANTS tells another number.
const VARIANTS: u64 = 1000;

/// What is told of a false alarm, enough to find it again.
fn told(config: &Config, report: &Report) -> String {
    let first = report.findings.first();
    let Report { verdict, findings_total, inconclusive, ambiguous_by_equation, .. } = report;
    format!(
        "{verdict:?}, {findings_total} findings, first {first:?}, {inconclusive:?}, ambiguous {ambiguous_by_equation:?}, in {config:?}"
    )
}

/// Whether nothing is held against the port, and PASS is denied only where what it records or how it sums is the reason.
fn is_right(config: &Config, report: &Report) -> bool {
    answer(config, report) != Answer::Alarm
}

/// What was said of the random variants.
#[derive(Default)]
pub struct Tally {
    pub variants: u64,
    pub alarms: Vec<String>,
    pub passes: usize,
    pub excused: BTreeMap<Excuse, usize>,
}

pub static RANDOM: LazyLock<Tally> = LazyLock::new(|| {
    let told_to = std::env::var("GDSTAR_VARIANTS").ok().and_then(|count| count.parse().ok());
    let mut tally = Tally { variants: told_to.unwrap_or(VARIANTS), ..Tally::default() };
    for seed in 0..tally.variants {
        let config = random(seed);
        match verdict(&config, &run(&config, Fault::None)) {
            Ok(report) => match answer(&config, &report) {
                Answer::Pass => tally.passes += 1,
                Answer::Excused(excuse) => *tally.excused.entry(excuse).or_default() += 1,
                Answer::Alarm => tally.alarms.push(format!("seed {seed}: {}", told(&config, &report))),
            },
            Err(error) => tally.alarms.push(format!("seed {seed}: {error}, in {config:?}")),
        }
    }
    tally
});

#[test]
fn correct_ports_pass() {
    let alarms = &RANDOM.alarms;
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}

/// Nine in ten of what is drawn are recorded well enough for a PASS, so that a checker that no longer judges is seen.
#[test]
fn most_correct_ports_pass() {
    let Tally { variants, passes, excused, .. } = &*RANDOM;
    assert!(10 * *passes as u64 >= 9 * variants, "{passes} of {variants} pass; {excused:?}");
}

/// Every value of every key of the format's table, alone, in both dtypes, with and without ties: everything is checked,
/// and nothing is ambiguous, as eps is a number of the dtype and all is stored as it was compared.
#[test]
fn every_reading_passes_alone() {
    for (key, values) in READINGS {
        for &value in values {
            for dtype in [Precision::F32, Precision::F64] {
                for ties in [false, true] {
                    let mut config = standard(41, dtype);
                    config.reading.set(key, value);
                    take_in_biases(&mut config);
                    if ties {
                        with_ties(&mut config);
                    }
                    let report = verdict(&config, &run(&config, Fault::None)).unwrap();
                    let answer = answer(&config, &report);
                    assert_eq!(answer, Answer::Pass, "{key} = {value}: {}", told(&config, &report));
                    // Weights within an epoch are not recorded, so weight decay inside G may be out of reach.
                    let reachable = |equation: &&str| !(value == "loss+decay" && *equation == "eq2");
                    let unchecked: Vec<&str> = report.unchecked().filter(reachable).collect();
                    assert!(unchecked.is_empty(), "{key} = {value}: {unchecked:?} not checked");
                }
            }
        }
    }
}

/// Gradients in every format, used as recorded or as they were before; results in every format.
#[test]
fn every_storage_passes() {
    use Precision::{Bf16, F16, F32, F64};
    for (dtype, gradients, floats) in
        [(F32, Bf16, F32), (F32, F16, F32), (F32, F64, F64), (F64, Bf16, F64), (F64, F16, F64), (F64, F32, F32)]
    {
        for uses_recorded_gradients in [false, true] {
            for seed in 51..54 {
                let mut config = standard(seed, dtype);
                config.recording.gradients = Store::As(gradients);
                config.recording.floats = Store::As(floats);
                config.recording.alpha = Store::As(floats);
                config.recording.uses_recorded_gradients = uses_recorded_gradients;
                let report = verdict(&config, &run(&config, Fault::None)).unwrap();
                assert!(is_right(&config, &report), "{dtype:?} {gradients:?} {floats:?}: {}", told(&config, &report));
            }
        }
    }
}

/// Sums in bf16 are bounded while n u < 1; beyond that nothing is claimed, and that is said.
#[test]
fn sums_without_a_bound_are_inconclusive() {
    let mut bounded = standard(61, Precision::F32);
    coarse_sums(&mut bounded);
    let report = verdict(&bounded, &run(&bounded, Fault::None)).unwrap();
    assert!(is_right(&bounded, &report), "{}", told(&bounded, &report));
    let mut unbounded = standard(61, Precision::F32);
    unbounded.arithmetic.sums = Precision::Bf16; // 284 weights: n u = 1.1
    let report = verdict(&unbounded, &run(&unbounded, Fault::None)).unwrap();
    assert_eq!((report.verdict, report.findings_total), (Verdict::Inconclusive, 0), "{}", told(&unbounded, &report));
}

/// Subnormal squares, kept or flushed and declared so.
#[test]
fn underflow_passes() {
    for dtype in [Precision::F32, Precision::F64] {
        for ftz in [false, true] {
            for seed in 71..76 {
                let mut config = standard(seed, dtype);
                tiny(&mut config, ftz);
                let report = verdict(&config, &run(&config, Fault::None)).unwrap();
                assert!(is_right(&config, &report), "{dtype:?} {ftz}: {}", told(&config, &report));
            }
        }
    }
}

/// Whatever a producer leaves out, alone, with one thing more, and without the decisions that Alg. 6 left: what is not
/// told is not guessed. Weights of exactly 0 live where eps is 0.
#[test]
fn every_pair_of_omissions_passes() {
    for (i, &one) in KINDS.iter().enumerate() {
        for &other in &KINDS[i..] {
            for (eps, decisions) in [(0.03125, &[][..]), (0.0, &[]), (0.0, &["mask", "selected"])] {
                let mut config = standard(91, Precision::F32);
                config.hyper.eps = eps;
                config.recording.omitted = [&[one, other], decisions].concat();
                let report = verdict(&config, &run(&config, Fault::None)).unwrap();
                assert!(
                    is_right(&config, &report),
                    "without {one}, {other}, {decisions:?}: {}",
                    told(&config, &report)
                );
            }
        }
    }
}

/// Eq. 3 has two sides: the sum of G, and the batches' squared norms. A port may take either, also where G adds up
/// without rounding, as sizes that are powers of two apart do.
#[test]
fn either_side_of_eq_3_passes() {
    for order in [Order::Forward, Order::Reversed, Order::Pairwise, Order::Lanes(16)] {
        for levels in [0, 1, 2, 6] {
            for seed in 95..100 {
                let mut config = standard(seed, Precision::F32);
                config.arithmetic.order = order;
                config.forms.square_sum = SquareSum::FromGradients;
                config.gradients.levels = levels;
                let report = verdict(&config, &run(&config, Fault::None)).unwrap();
                assert!(is_right(&config, &report), "{order:?}, {levels} levels: {}", told(&config, &report));
            }
        }
    }
}

/// The generator's own proof: what is drawn covers the method. k* moves and stays, weights are selected and eliminated,
/// norms and thresholds tie; each in at least one epoch of twenty.
#[test]
fn variants_exercise_the_method() {
    let epochs: Vec<Epoch> = (0..200).flat_map(|seed| run(&random(seed), Fault::None).epochs).collect();
    type Sign = fn(&Epoch) -> bool;
    let signs: [(&str, Sign); 5] = [
        ("k* moves", |e| e.k_star == e.k as i64),
        ("k* stays", |e| e.k_star < e.k as i64 && e.t > 1),
        ("weights are selected", |e| e.selected.contains(&true)),
        ("weights are eliminated", |e| e.mask != e.mask_before),
        ("ties", |e| e.s_f == e.min_before || e.tau > 0.0 && e.g.contains(&e.tau)),
    ];
    for (what, shows) in signs {
        let share = epochs.iter().filter(|epoch| shows(epoch)).count() * 20;
        assert!(share >= epochs.len(), "{what} in 1/20 of {share} of {} epochs", epochs.len());
    }
}
