//! Known mistakes: what the claims' own lists of them have in common.
//!
//! Each entry computes what the port would have recorded with that mistake. A mistake that is a legitimate choice on an
//! open point is named as that reading. What explains the port's values to within the equation's own tolerance is named;
//! a single corrupted number, which no rule gives, is not.

use crate::oracle::report::Finding;
use crate::oracle::seen::Seen;
use crate::trace::TracedParameter;

/// What a port may have made of a declared number, and how that is told.
pub(crate) type Otherwise = (&'static str, fn(f64) -> f64);

/// Those that are tried of every real number that a header declares.
pub(crate) const OTHERWISE: [Otherwise; 8] = [
    ("1 less it", |x| 1.0 - x),
    ("half", |x| 0.5 * x),
    ("twice", |x| 2.0 * x),
    ("squared", |x| x * x),
    ("its root", libm::sqrt),
    ("a hundredth, of a percentage", |x| 0.01 * x),
    ("none", |_| 0.0),
    ("all", |_| 1.0),
];

// How near a mistake's value must be to the port's for the mistake to be named. No verdict depends on it: what is named
// is a finding already. An equation's own bound says how far two correct computations can be apart, and so, a few times
// over, how far a mistake's value here (in f64) and the port's can be; where that bound is coarser than the smallest
// difference that mistakes make among themselves, or there is none, these take its place.

/// Where the equation has no bound.
pub(crate) const UNBOUNDED: f64 = 1e-3;
/// The coarsest: of quantiles and decayed weights, in which neighbouring mistakes (t and t + 1, ranks one apart) differ
/// by per cent.
pub(crate) const COARSEST: f64 = 1e-3;
/// The coarsest of long sums, in which mistakes leave out or add whole batches or parameters.
pub(crate) const COARSEST_SUM: f64 = 1e-2;
/// The coarsest of prune rates, whose step from epoch to epoch is 2.3e-3 at the paper's settings.
pub(crate) const COARSEST_RATE: f64 = 1e-4;
/// The most that [`lower_precision`] excuses: some roundings of bfloat16.
const COARSEST_PRECISION: f64 = 0.02;

/// A mistake's name, and the number it gives.
struct Candidate {
    cause: String,
    value: f64,
}

/// Candidates for one number.
#[derive(Default)]
pub(crate) struct Candidates(Vec<Candidate>);

impl Candidates {
    pub(crate) fn add(&mut self, cause: impl Into<String>, value: f64) {
        self.0.push(Candidate { cause: cause.into(), value });
    }

    /// As [`Candidates::add`], where the value is known.
    pub(crate) fn add_known(&mut self, cause: impl Into<String>, value: Option<f64>) {
        if let Some(value) = value {
            self.add(cause, value);
        }
    }

    /// The names of those within `relative` of `got`.
    pub(crate) fn matching(self, got: f64, relative: f64) -> Vec<String> {
        let fits = |candidate: &Candidate| is_near(got, candidate.value, relative);
        self.0.into_iter().filter(fits).map(|candidate| candidate.cause).collect()
    }
}

/// Whether a port that computes `value` may have recorded `got`.
pub(crate) fn is_near(got: f64, value: f64, relative: f64) -> bool {
    got == value || (got - value).abs() <= relative * got.abs().max(value.abs())
}

/// The parameters that have findings.
pub(crate) fn affected<'a>(seen: &'a Seen, findings: &[Finding]) -> Vec<(usize, &'a TracedParameter)> {
    let named = |parameter: &TracedParameter| {
        findings
            .iter()
            .any(|finding| finding.tensor.strip_suffix(&parameter.name).is_some_and(|rest| rest.ends_with('/')))
    };
    seen.trace.parameters().iter().enumerate().filter(|(_, parameter)| named(parameter)).collect()
}

/// The name of a mistake that is a choice on an open point.
pub(crate) fn reading(key: &str, choice: &str) -> String {
    format!("this is the reading `{key}` = `{choice}`: declare it, or change it")
}

/// The place, row-major, of what is at place `j` when the entries are written column by column (Fortran's order).
pub(crate) fn column_major(mut j: usize, shape: &[usize]) -> usize {
    let (mut place, mut stride) = (0, shape.iter().product::<usize>());
    let mut digits = Vec::with_capacity(shape.len());
    for &extent in shape {
        digits.push(j % extent.max(1));
        j /= extent.max(1);
    }
    for (digit, &extent) in digits.iter().zip(shape) {
        stride /= extent.max(1);
        place += digit * stride;
    }
    place
}

/// G as a port would flatten it that goes through each parameter in column-major order; a sample as it is.
pub(crate) fn by_columns(seen: &Seen, g: &[f64]) -> Vec<f64> {
    let of_parameter = |parameter: &TracedParameter| {
        let (start, shape) = (parameter.range.start, parameter.shape.clone());
        let is_whole = parameter.coordinates.is_none();
        (0..parameter.range.len()).map(move |j| g[start + if is_whole { column_major(j, &shape) } else { j }])
    };
    seen.trace.prunable().iter().flat_map(of_parameter).collect()
}

/// Whether a number has no more bits than bfloat16 has.
pub(crate) fn is_bf16(x: f64) -> bool {
    half::bf16::from_f64(x).to_f64() == x
}

/// Whether a number has no more bits than half precision has.
pub(crate) fn is_f16(x: f64) -> bool {
    half::f16::from_f64(x).to_f64() == x
}

/// The last resort: a number that is right to within what a lower precision rounds.
pub(crate) fn lower_precision(got: f64, expected: f64, terms: usize) -> Vec<String> {
    for (name, u) in [("f32", 24), ("bf16", 8)] {
        // In any reasonable order a sum's roundings stay below the square root of their number.
        let typical = libm::ldexp((terms as f64).sqrt() + 2.0, -u).min(COARSEST_PRECISION);
        if is_near(got, expected, typical) {
            return vec![format!("rounded as in {name} arithmetic: declare `u_acc` and `u_out`, or compute wider")];
        }
    }
    Vec::new()
}
