//! Alg. 6: the mask that an epoch finds, the weights under it, the decay step, and the mask that the epoch leaves.

mod derive;
mod mask;
mod start;
mod step;
mod whole;
mod within;

pub(crate) use derive::derive;
pub(crate) use mask::Mask;
pub(crate) use start::Start;
pub(crate) use step::STEP;
pub(crate) use whole::Whole;
pub(crate) use within::Within;

use crate::oracle::interval::Decision;
use crate::oracle::outcome::Outcome;
use crate::oracle::seen::Seen;

/// Compares a parameter's flags.
fn compare_flags(
    outcome: &mut Outcome,
    seen: &Seen,
    quantity: &str,
    (p, found): (usize, &[bool]),
    expected: impl Fn(usize) -> Decision,
) {
    let (place, parameter) = (seen.place(quantity), &seen.trace.prunable()[p]);
    for (j, &flag) in found.iter().enumerate() {
        outcome.compare_entry(&place, parameter, j, f64::from(u8::from(flag)), expected(j).flags());
    }
}
