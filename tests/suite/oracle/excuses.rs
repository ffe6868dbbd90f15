//! Where a correct port may be INCONCLUSIVE: what its trace leaves out, or its arithmetic, decides that, not what the
//! checker makes of it.

use super::port::{Config, Precision, Store};
use gdstar::oracle::{Report, Verdict};

/// Why a PASS is not due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excuse {
    /// No quantity is recorded together with what it is computed from.
    NothingRecorded,
    /// The operands of decisions are left out, or rounded in the record, and numbers tie.
    Undecidable,
    /// n u >= 1: rounding errors may add up to all of a sum.
    Unbounded,
}

/// What the checker says of a correct port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Pass,
    Excused(Excuse),
    /// Something is held against it, or a PASS that is due is withheld.
    Alarm,
}

pub fn answer(config: &Config, report: &Report) -> Answer {
    let decidable = |equation: &&str| !is_undecidable(config, equation);
    let has_findings = report.findings_total > 0 || !report.findings.is_empty();
    if has_findings || report.ambiguous_by_equation.keys().any(decidable) {
        return Answer::Alarm;
    }
    let excuses: Option<Vec<Excuse>> =
        report.inconclusive.iter().map(|reason| excuse(config, report, reason)).collect();
    match (report.verdict, excuses.as_deref()) {
        (Verdict::Pass, Some([])) => Answer::Pass,
        (Verdict::Inconclusive, Some([excuse, ..])) => Answer::Excused(*excuse),
        _ => Answer::Alarm,
    }
}

/// What excuses one reason that the checker gives; `None` if nothing does.
fn excuse(config: &Config, report: &Report, reason: &str) -> Option<Excuse> {
    let excuses = [
        ("nothing could be checked", Excuse::NothingRecorded, records_nothing(config)),
        ("could have gone either way", Excuse::Undecidable, !report.ambiguous_by_equation.is_empty()),
        ("no bound holds", Excuse::Unbounded, is_unbounded(config)),
    ];
    let fits = |(words, _, holds): &&(&str, Excuse, bool)| reason.contains(words) && *holds;
    excuses.iter().find(fits).map(|(_, excuse, _)| *excuse)
}

fn leaves_out(config: &Config, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| config.recording.omitted.contains(kind))
}

/// Whether each equation that is judged on scalars alone lacks one: Eq. 8 its result, Eq. 4 and Eq. 7 one of two.
fn records_nothing(config: &Config) -> bool {
    leaves_out(config, &["alpha"])
        && leaves_out(config, &["S_sq", "S_F"])
        && leaves_out(config, &["chunk_quantiles", "tau"])
}

/// The equations whose comparisons the trace does not let anyone decide where numbers tie: an operand is left out or
/// stored narrower than it was compared, or eps is no number of the dtype and weights lie between it and its rounding.
fn is_undecidable(config: &Config, equation: &str) -> bool {
    let recording = &config.recording;
    let dtype = config.arithmetic.dtype;
    let is_narrow = matches!(recording.floats, Store::As(p) if p.unit_roundoff() > dtype.unit_roundoff());
    is_narrow
        || match equation {
            "alg4" => leaves_out(config, &["S_F", "min_before"]),
            "eq5" => leaves_out(config, &["G", "tau"]),
            "eq9" => {
                let operands = ["mask_before", "mask", "selected", "rewind", "weights_before", "t"];
                leaves_out(config, &operands) || config.hyper.eps != dtype.round(config.hyper.eps)
            }
            _ => false,
        }
}

/// Whether the roundings of the longest sum, over all weights and batches or over the weights and then each batch, add
/// up to 1.
fn is_unbounded(config: &Config) -> bool {
    let narrower = |store: Store| match store {
        Store::As(p) if p.unit_roundoff() > config.arithmetic.dtype.unit_roundoff() => Some(p),
        _ => None,
    };
    let u_in = narrower(config.recording.gradients).map_or(0.0, Precision::unit_roundoff);
    let u_out = narrower(config.recording.floats).unwrap_or(config.arithmetic.dtype).unit_roundoff();
    let (n, batches) = (config.weights() as f64, config.batches as f64);
    let terms = (n * batches + 1.0).max(n + 2.0 * batches + 3.0);
    2.0 * u_in + terms * config.arithmetic.sums.unit_roundoff() + 5.0 * u_out >= 1.0
}
