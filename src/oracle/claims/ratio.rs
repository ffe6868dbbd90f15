//! Everything is off by the same factor: which one, where no other mistake explains it.

use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Cause, Outcome, Worth};
use crate::oracle::report::Finding;

/// A factor as it is told: a whole number or one over it where it is one to within its bounds, else three digits.
struct Factor {
    value: f64,
    is_plain: bool,
    text: String,
}

impl Factor {
    fn new(bounds: Interval) -> Self {
        let middle = 0.5 * (bounds.low + bounds.high);
        let (whole, part) = (middle.round(), (1.0 / middle).round());
        if whole.abs() >= 2.0 && bounds.contains(whole) {
            Self { value: whole, is_plain: true, text: whole.to_string() }
        } else if part.abs() >= 2.0 && part.is_finite() && bounds.contains(1.0 / part) {
            Self { value: 1.0 / part, is_plain: true, text: format!("1/{part}") }
        } else {
            Self { value: middle, is_plain: false, text: short(middle) }
        }
    }
}

/// Three digits.
pub(crate) fn short(x: f64) -> String {
    if (0.1..1e4).contains(&x.abs()) { format!("{x:.3}") } else { format!("{x:.2e}") }
}

/// The factor by which all findings differ from what was expected; a single one says something by being whole, or by being
/// another event's too.
/// `known`: numbers by name, one of which may be behind it.
pub(crate) fn causes(outcome: &Outcome, known: &[(String, f64)]) -> Vec<Cause> {
    let Some(bounds) = common(&outcome.findings) else { return Vec::new() };
    let factor = Factor::new(bounds);
    let source = source(bounds, known);
    let worth = if outcome.total < 2 && !factor.is_plain { Worth::IfRepeated } else { Worth::Number };
    let squared = Factor::new(Interval { low: bounds.low.max(0.0).sqrt(), high: bounds.high.max(0.0).sqrt() });
    let scaled = "a loss scale, the number of devices or of micro-batches that is not divided out";
    let why = match (outcome.label.equation, outcome.label.part) {
        ("eq2" | "eq3", "") if factor.value > 0.0 => {
            format!(
                ": the gradients are {} times those recorded, and the square of that enters G ({scaled})",
                squared.text
            )
        }
        ("eq1", "") | ("alg1", "step") => format!(" ({scaled})"),
        _ => source.map(|source| format!(": {source}")).unwrap_or_default(),
    };
    vec![Cause { told: format!("every one is {} times what is expected{why}", factor.text), worth }]
}

/// Which known number gives a factor within these bounds, by itself, turned over, or by its rest; a constant of logarithms.
fn source(bounds: Interval, known: &[(String, f64)]) -> Option<String> {
    let ways = |(name, x): &(String, f64)| {
        [
            (name.clone(), *x),
            (format!("1 / {name}"), 1.0 / x),
            (format!("1 - {name}"), 1.0 - x),
            (format!("1 / (1 - {name})"), 1.0 / (1.0 - x)),
            (format!("1 - 1 / {name}"), 1.0 - 1.0 / x),
        ]
    };
    let logarithms = [
        ("log10(e), of a logarithm to the base 10", std::f64::consts::LOG10_E),
        ("log2(e), of a logarithm to the base 2", std::f64::consts::LOG2_E),
    ];
    let logarithms = logarithms.map(|(name, x)| (name.to_string(), x));
    known.iter().flat_map(ways).chain(logarithms).find(|(_, x)| bounds.contains(*x)).map(|(name, _)| name)
}

/// What `got / expected` may be in all findings together.
fn common(findings: &[Finding]) -> Option<Interval> {
    let mut all = Interval::ALL;
    // A product that is stored in f32 is rounded to it once.
    let is_f32 = findings.iter().all(|finding| f64::from(finding.got as f32) == finding.got);
    let rounding = if is_f32 { f64::from(f32::EPSILON) } else { 0.0 };
    for finding in findings {
        // An interval around 0 leaves every ratio open, and one at 0 none.
        if finding.expected_low < 0.0 && finding.expected_high > 0.0 {
            continue;
        }
        let (low, high) = (finding.got / finding.expected_low, finding.got / finding.expected_high);
        if !(low.is_finite() && high.is_finite()) {
            return None;
        }
        let slack = rounding * low.abs().max(high.abs());
        let (low, high) = (low.min(high) - slack, low.max(high) + slack);
        all = Interval { low: all.low.max(low), high: all.high.min(high) };
    }
    // Apart by the ratios' own rounding at least.
    let slack = 4.0 * f64::EPSILON * all.high.abs();
    let all = Interval { low: all.low - slack, high: all.high + slack };
    (all.low <= all.high && all.low.is_finite() && !all.contains(0.0) && !all.contains(1.0)).then_some(all)
}
