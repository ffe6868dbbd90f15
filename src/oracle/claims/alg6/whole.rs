//! The masks of all weights, beside a sample of everything else: what is seen of weights outside of the sample.

use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::Seen;
use crate::paper::reading::Threshold;
use crate::trace::TracedParameter;
use crate::trace::names::of_parameter;

const LABEL: Label = Label::part("alg6", "whole");

/// No weight that was eliminated is alive again, and none is eliminated that was not selected.
pub(crate) struct Whole;

impl Claim for Whole {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        let mut outcome = Outcome::new(LABEL);
        if seen.trace.sample().is_some() {
            for (p, parameter) in seen.trace.prunable().iter().enumerate() {
                judge(seen, &mut outcome, (p, parameter))?;
            }
        }
        Ok(Judged::only(outcome))
    }

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        let revived = outcome.findings.iter().all(|finding| finding.expected_high == 0.0);
        let cause = match revived {
            true => "eliminated weights come back: mask resurrected",
            false if outcome.findings.iter().all(|finding| finding.tensor.contains("/mask_before/")) => {
                "the mask changes between two epochs"
            }
            false if seen.reading().threshold == Threshold::Selected => {
                "weights are eliminated that are not selected: the reading `threshold` = `all`, or another mask"
            }
            false => return Ok(Vec::new()),
        };
        Ok(vec![cause.to_string()])
    }
}

/// A parameter's weights outside of the sample; those within are judged with all that is recorded of them.
fn judge(seen: &Seen, outcome: &mut Outcome, (p, parameter): (usize, &TracedParameter)) -> Result<()> {
    let read = |k: usize, quantity| seen.trace.whole_mask(&of_parameter(k, quantity, parameter), parameter);
    let Some(coordinates) = &parameter.coordinates else { return Ok(()) };
    let mut compare = |quantity: &str, found: &[bool], expected: &dyn Fn(usize) -> Option<bool>| {
        let place = seen.place(&format!("{quantity}/{}", parameter.name));
        let mut sampled = coordinates.iter().copied().peekable();
        for (j, &flag) in found.iter().enumerate() {
            if sampled.next_if_eq(&j).is_some() {
                continue;
            }
            let Some(expected) = expected(j) else { continue };
            outcome.compared += 1;
            if flag != expected {
                let index = crate::trace::unflatten(j, &parameter.shape);
                let [found, expected] = [flag, expected].map(|flag| f64::from(u8::from(flag)));
                outcome.diverges_at(&place, index, found, Interval::exact(expected));
            }
        }
    };
    if let (Some(found), Some(left)) = (read(seen.k, "mask_before")?, seen.whole_left(p)?) {
        compare("mask_before", &found, &|j| Some(left[j]));
    }
    let (Some(found), Some(alive)) = (read(seen.k, "mask")?, seen.whole_alive(p)?) else { return Ok(()) };
    // Under `all` a weight may be eliminated that is not selected.
    let selected = read(seen.k, "selected")?.filter(|_| seen.reading().threshold == Threshold::Selected);
    compare("mask", &found, &|j| match &selected {
        _ if !alive[j] => Some(false),
        Some(selected) if !selected[j] => Some(true),
        _ => None,
    });
    Ok(())
}
