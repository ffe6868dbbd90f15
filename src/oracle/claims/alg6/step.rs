//! Line 2 of Alg. 6: the decay step t.

use crate::error::Result;
use crate::oracle::claims::claim::{Judged, OneNumber};
use crate::oracle::claims::mistakes::{Candidates, reading};
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::seen::{Operands, Seen};
use crate::paper::reading::{DecayStep, RewindCopy, RewindUpdate};

const LABEL: Label = Label::part("alg6", "step");

/// t is what the reading counts.
pub(crate) const STEP: OneNumber = OneNumber { label: LABEL, judge, mistakes };

/// Line 2 of Alg. 6: t, on the recorded k*.
fn judge(seen: &Seen) -> Judged {
    let mut outcome = Outcome::new(LABEL);
    let reading = *seen.reading();
    let (k_star, source) = match reading.rewind_update {
        RewindUpdate::BeforePruning => (seen.known.k_star, &seen.known.rewind),
        RewindUpdate::AfterPruning => (seen.carry.k_star, &seen.carry.rewind),
    };
    let w_star = match reading.rewind_copy {
        RewindCopy::Copy => source.clone(),
        RewindCopy::Alias => seen.recorded.weights_before.clone(),
    };
    let k = seen.k as i64;
    let batches = seen.trace.batches(seen.k);
    let expected = match reading.decay_step {
        DecayStep::SinceRewind => k_star.and_then(|k_star| k.checked_sub(k_star)).filter(|&t| t >= 0),
        DecayStep::Constant => Some(1),
        DecayStep::Epoch => Some(k),
        DecayStep::Iteration => {
            seen.carry.steps.filter(|_| batches > 0).and_then(|steps| i64::try_from(steps + batches).ok())
        }
        DecayStep::RewindEpoch => k_star,
    };
    match (seen.recorded.t, expected) {
        (Some(t), Some(expected)) => {
            outcome.compare(&seen.place("t"), 0, t as f64, Interval::exact(expected as f64));
        }
        (Some(_), None) => outcome.leave_out("t: what it counts (k*, or the batches of every epoch) is not known"),
        (None, _) => outcome.leave_out("t is not recorded"),
    }
    let t = seen.recorded.t.or(expected);
    Judged { outcome, derived: Operands { w_star, decay_k_star: k_star, t, ..Operands::default() } }
}

/// Which mistakes give the port's t.
fn mistakes(seen: &Seen, got: f64) -> Result<Vec<String>> {
    let (k, now) = (seen.k as f64, seen.reading().decay_step);
    let k_star = seen.known.decay_k_star.map(|k_star| k_star as f64);
    let batches = seen.trace.batches(seen.k) as f64;
    let since = k_star.map(|k_star| k - k_star);
    let mut c = Candidates::default();
    let mut choice = |step: DecayStep, what: &str, value: Option<f64>| {
        if step != now {
            c.add_known(format!("{what}: {}", reading("decay_step", step.name())), value);
        }
    };
    choice(DecayStep::SinceRewind, "t = k - k*", since);
    choice(DecayStep::Epoch, "t = k", Some(k));
    choice(DecayStep::Constant, "t = 1", Some(1.0));
    choice(DecayStep::RewindEpoch, "t = k*", k_star);
    choice(DecayStep::Iteration, "t counts optimizer steps", seen.carry.steps.map(|steps| steps as f64 + batches));
    c.add_known("t is off by one: k - k* + 1", since.map(|t| t + 1.0));
    c.add_known("t is off by one: k - k* - 1", since.map(|t| t - 1.0));
    c.add_known("k and k* are swapped: k* - k", since.map(|t| -t));
    c.add_known("k* is added, not subtracted: k + k*", k_star.map(|k_star| k + k_star));
    c.add_known("a stale k*: that of the previous epoch", seen.carry.k_star.map(|k_star| k - k_star as f64));
    c.add_known("k* after the epoch's update", seen.known.k_star.map(|k_star| k - k_star as f64));
    c.add_known("t counts optimizer steps since k*, not epochs", since.map(|t| t * batches));
    c.add_known(
        "t counts optimizer steps since k*, not epochs (from the epoch's end)",
        since.map(|t| (t + 1.0) * batches),
    );
    c.add("t = 0 always", 0.0);
    c.add("t is off by one: k + 1", k + 1.0);
    c.add_known("t counts optimizer steps", seen.carry.steps.map(|steps| steps as f64));
    c.add("t counts from the end: K - k", seen.trace.header.hyper.epochs as f64 - k);
    c.add_known("stale: the previous epoch's t", seen.carry.previous.as_ref().and_then(|p| p.1.t).map(|t| t as f64));
    Ok(c.matching(got, 0.0))
}
