//! Eq. 2: the accumulated squares, `G_j = sum_i g_ij^2`.

mod clipping;
mod mistakes;
mod squares;

pub(crate) use squares::Squares;

use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::exact::case::{Case, Results};
use crate::oracle::exact::dyadic::Dyadic;
use crate::oracle::exact::{exact, rounded};
use crate::oracle::field::{Enclosure, Field};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{Operands, Seen};
use crate::paper::gradient_norm;

const LABEL: Label = Label::of("eq2");

/// An outcome of Eq. 2, for what reads the gradients.
pub(crate) fn outcome() -> Outcome {
    Outcome::new(LABEL)
}

/// G is the sum of the squares of each weight's recorded gradients.
pub(crate) struct Eq2;

impl Claim for Eq2 {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        let Some(sums) = &seen.known.sums else { return Ok(Judged::only(outcome())) };
        let mut outcome = sums.eq2.clone();
        let g = judge(seen, &sums.g, &mut outcome);
        Ok(Judged { outcome, derived: Operands { g, ..Operands::default() } })
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        mistakes::causes(seen, outcome)
    }
}

/// Judges G on what the gradients allow; gives the G to go on with.
fn judge(seen: &Seen, expected: &Enclosure, eq2: &mut Outcome) -> Enclosure {
    let prunable = seen.trace.prunable();
    seen.poison(eq2, "G", &seen.recorded.g);
    for (p, parameter) in prunable.iter().enumerate() {
        let (Some(low), Some(high)) = (expected.low.of(p, parameter), expected.high.of(p, parameter)) else { continue };
        let Some(found) = seen.recorded.g.of(p, parameter) else { continue };
        let place = seen.place("G");
        for (j, &g) in found.iter().enumerate() {
            let expected = Interval { low: low[j], high: high[j] }.widened(seen.recorded.g.storage);
            eq2.compare_entry(&place, parameter, j, g, expected);
        }
    }
    if eq2.compared == 0 && eq2.undecided.is_none() {
        eq2.leave_out("G of any parameter together with its gradients is not recorded");
    }
    // What the port recorded is what it went on with; elsewhere, what its gradients allow.
    let recorded = &seen.recorded.g;
    if recorded.is_complete(prunable.len()) {
        Enclosure { low: recorded.clone(), high: Field::default() }
    } else {
        Enclosure {
            low: recorded.clone().or(&expected.low, prunable),
            high: recorded.clone().or(&expected.high, prunable),
        }
    }
}

/// The exact result of a golden case.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let gradients = case.rows("grad")?;
    let rows: Vec<&[f64]> = gradients.iter().map(Vec::as_slice).collect();
    let mut g = vec![Dyadic::ZERO; rows.first().map_or(0, |row| row.len())];
    for row in &rows {
        for (g_j, grad) in g.iter_mut().zip(exact(row)?) {
            *g_j = g_j.plus(&grad.times(&grad));
        }
    }
    Ok(vec![("G", rounded(&g, gradient_norm::accumulated_squares(&rows)?))])
}
