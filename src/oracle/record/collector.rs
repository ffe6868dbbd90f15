//! [`Collector`]: from graded calls to a report.

use super::grade::{Grade, Measured, Outlier};
use super::report::{Adjoint, NotJudged, Numbers, OpSummary, RecordFinding, RecordReport, bare, label};
use super::wiring::{Misplaced, Wiring};
use super::{Call, Identity, Judged, Place, Record, Reference, Step, explain, ulps};
use crate::error::Result;
use crate::oracle::report::{LISTED, Verdict};
use crate::tensor_file::TensorFile;
use std::collections::BTreeMap;

/// A step and its place in the record.
#[derive(Clone, Copy)]
pub(super) struct Event<'a> {
    pub(super) at: usize,
    pub(super) step: &'a Step,
}

/// What all calls gave so far.
#[derive(Default)]
pub(super) struct Collector {
    findings: Vec<RecordFinding>,
    suspects: Vec<RecordFinding>,
    findings_by_label: BTreeMap<String, usize>,
    ops: BTreeMap<String, OpSummary>,
    not_judged: BTreeMap<(String, String), (usize, String)>,
    wiring: Wiring,
    adjoint: Adjoint,
    /// Steps whose gradients a trace in the same file has too.
    pub(super) tied_steps: usize,
    /// How many results of each label the dictionary was asked about.
    explained: BTreeMap<String, usize>,
}

/// What is said beside a result that was not judged.
const ADJOINT: &str = "; it is adjoint to its forward case";
const NOT_ADJOINT: &str = "; it is not adjoint to its forward case";
/// What is said of a result that is wrong where its inner product is right.
const LAID_OUT: &str =
    "<gradient, operand> = <dy, y> holds all the same: it may be right, and laid out otherwise than recorded";

/// How many results of one label the dictionary is asked about: each takes the judge some dozens of times.
const EXPLAINED: usize = 3;

impl Collector {
    /// Takes what the judge says of a call; `None`: it does not know the op.
    pub(super) fn add(
        &mut self,
        file: &TensorFile,
        event: Event,
        call: &Call<Reference>,
        judged: Option<Vec<Judged>>,
        identities: &[Identity],
    ) -> Result<()> {
        self.ops.entry(call.op.clone()).or_default().calls += 1;
        let Some(judged) = judged else {
            self.leave_out(call, "this op is not known".to_string());
            return Ok(());
        };
        for Judged { place, tensor, grade } in judged {
            let identity = identities.iter().find(|identity| place == Place::Result(identity.result));
            self.adjoint.asked += usize::from(identity.is_some());
            self.adjoint.held += usize::from(identity.is_some_and(Identity::holds));
            let at = At { event, call, place: place.named(), tensor: tensor.unwrap_or_default() };
            let explained = self.explanation(file, call, &place, &grade)?;
            match grade {
                Grade::Free => {}
                Grade::NotJudged(why) => {
                    let said = identity.map(|identity| if identity.holds() { ADJOINT } else { NOT_ADJOINT });
                    if let Some(identity) = identity.filter(|identity| !identity.holds()) {
                        let label = format!("adjoint.{}", bare(&call.op));
                        self.find(RecordFinding { label, ..at.finding(None, 1, Some(identity.told())) });
                    }
                    self.leave_out(call, format!("{}: {why}{}", at.place, said.unwrap_or_default()));
                }
                Grade::Misshapen { expected, found } => {
                    let elements = found.iter().product();
                    self.ops.entry(call.op.clone()).or_default().add_misshapen(elements);
                    let cause = format!("it has shape {found:?}, and a correct port's {expected:?}");
                    self.find(at.finding(None, elements.max(1), Some(cause)));
                }
                Grade::Measured(measured) => {
                    // Where few are off, an inner product does not tell.
                    let is_adjoint = identity.is_some_and(|identity| identity.holds() && identity.tells());
                    let is_told = is_adjoint && 2 * measured.outside > measured.elements;
                    let laid_out = is_told.then(|| LAID_OUT.to_string());
                    let explained = match (explained, laid_out) {
                        (Some(cause), Some(also)) => Some(format!("{cause}; {also}")),
                        (cause, also) => cause.or(also),
                    };
                    self.measure(file, at, &measured, explained);
                }
            }
        }
        Ok(())
    }

    /// What the dictionary says of a result that is not where correct ports are.
    fn explanation(
        &mut self,
        file: &TensorFile,
        call: &Call<Reference>,
        place: &Place,
        grade: &Grade,
    ) -> Result<Option<String>> {
        let is_wrong = matches!(grade, Grade::Measured(measured) if measured.outside + measured.unlikely > 0);
        let asked = self.explained.entry(label(&call.op)).or_insert(0);
        if !is_wrong || *asked == EXPLAINED {
            return Ok(None);
        }
        *asked += 1;
        explain(&call.load(file)?, place)
    }

    fn measure(&mut self, file: &TensorFile, at: At, measured: &Measured, explained: Option<String>) {
        self.ops.entry(at.call.op.clone()).or_default().add(measured);
        if measured.unbounded > 0 {
            self.leave_out(at.call, format!("{}: no bound holds in the declared arithmetic", at.place));
        }
        let numbers = measured.first.as_ref().map(|first| (first.index.clone(), numbers(file, &at.tensor, first)));
        if measured.outside > 0 {
            // One number is some factor of any other.
            let factor = measured.factor.filter(|_| measured.elements > 1);
            let factor = || factor.map(|c| format!("every element is {c:.7} times what it should be"));
            self.find(at.finding(numbers, measured.outside, explained.or_else(factor)));
        } else if measured.unlikely > 0 {
            let unlikely = "inside of what any order of the sums allows, where a correct port hardly ever is";
            let cause = explained.map_or(unlikely.to_string(), |cause| format!("{unlikely}: {cause}"));
            self.suspects.push(at.finding(numbers, measured.unlikely, Some(cause)));
        } else if let Some((count, choice)) = measured.undeclared {
            self.suspects.push(at.finding(numbers, count, Some(format!("right only if {choice} is declared"))));
        }
    }

    fn find(&mut self, finding: RecordFinding) {
        *self.findings_by_label.entry(finding.label.clone()).or_insert(0) += finding.elements;
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        }
    }

    fn leave_out(&mut self, call: &Call<Reference>, reason: String) {
        let entry = self.not_judged.entry((call.op.clone(), reason)).or_insert_with(|| (0, call.name.clone()));
        entry.0 += 1;
    }

    /// Takes how a step hangs together.
    pub(super) fn add_wiring(&mut self, event: Event, wiring: Wiring) {
        for misplaced in &wiring.misplaced {
            self.find(misplaced_finding(event, misplaced));
        }
        self.wiring.operands += wiring.operands;
        self.wiring.saved += wiring.saved;
        self.wiring.gradients += wiring.gradients;
        self.wiring.misplaced.extend(wiring.misplaced);
        for untold in wiring.untold {
            if !self.wiring.untold.contains(&untold) {
                self.wiring.untold.push(untold);
            }
        }
    }

    /// The report over all steps.
    pub(super) fn report(self, record: &Record) -> RecordReport {
        let not_judged: Vec<NotJudged> = self
            .not_judged
            .into_iter()
            .map(|((op, reason), (count, first))| NotJudged { op, reason, count, first })
            .collect();
        let compared: usize = self.ops.values().map(|op| op.elements).sum();
        let mut inconclusive = Vec::new();
        let judged_any = self.ops.values().any(|op| op.results > 0);
        if !judged_any {
            inconclusive.push("no case holds a result that could be judged".to_string());
        }
        let sum = |count: fn(&OpSummary) -> usize| self.ops.values().map(count).sum::<usize>();
        let (suspect, undeclared) = (sum(|op| op.suspect), sum(|op| op.undeclared));
        if suspect > 0 {
            inconclusive
                .push(format!("{suspect} numbers are where a correct port hardly ever is, inside the widest bound"));
        }
        if undeclared > 0 {
            inconclusive.push(format!("{undeclared} numbers are right only by a choice that is not declared"));
        }
        inconclusive.extend(not_judged.iter().map(|left_out| format!("not judged: {left_out}")));
        inconclusive.extend(self.wiring.untold.iter().map(|reason| format!("wiring: {reason}")));
        let findings_total = self.findings_by_label.values().sum();
        let verdict = match (findings_total > 0, inconclusive.is_empty()) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Pass,
            (false, false) => Verdict::Inconclusive,
        };
        RecordReport {
            file: record.file().path().display().to_string(),
            producer: record.producer.clone(),
            verdict,
            inconclusive,
            findings: self.findings,
            findings_total,
            findings_by_label: self.findings_by_label,
            suspects: self.suspects,
            ops: self.ops,
            not_judged,
            wiring: self.wiring,
            adjoint: self.adjoint,
            steps: record.steps.len(),
            calls: record.steps.iter().map(|step| step.calls.len()).sum(),
            compared,
            tied_steps: self.tied_steps,
        }
    }
}

/// A tensor of a call.
struct At<'a> {
    event: Event<'a>,
    call: &'a Call<Reference>,
    place: String,
    tensor: String,
}

impl At<'_> {
    fn finding(
        &self,
        numbers: Option<(Vec<usize>, Numbers)>,
        elements: usize,
        likely_cause: Option<String>,
    ) -> RecordFinding {
        let (index, numbers) = numbers.map_or((Vec::new(), None), |(index, numbers)| (index, Some(numbers)));
        RecordFinding {
            label: label(&self.call.op),
            case: self.call.name.clone(),
            module: self.call.module.clone(),
            place: self.place.clone(),
            tensor: self.tensor.clone(),
            step: self.event.at,
            epoch: self.event.step.epoch,
            batch: self.event.step.index,
            index,
            numbers,
            elements,
            likely_cause,
        }
    }
}

fn misplaced_finding(event: Event, misplaced: &Misplaced) -> RecordFinding {
    let call = event.step.calls.iter().find(|call| call.name == misplaced.call);
    let numbers = misplaced.difference.as_ref().map(|difference| {
        let (got, expected) = (difference.got, difference.expected);
        Numbers { got, expected_low: expected, expected_high: expected, ulps: difference.ulps }
    });
    RecordFinding {
        label: misplaced.rule.to_string(),
        case: misplaced.call.clone(),
        module: call.and_then(|call| call.module.clone()),
        place: misplaced.place.clone(),
        tensor: misplaced.tensor.clone(),
        step: event.at,
        epoch: event.step.epoch,
        batch: event.step.index,
        index: misplaced.difference.as_ref().map(|difference| difference.index.clone()).unwrap_or_default(),
        numbers,
        elements: 1,
        likely_cause: Some(misplaced.told.clone()),
    }
}

/// An element against its bound, with the distance in the units of its tensor's type.
fn numbers(file: &TensorFile, tensor: &str, first: &Outlier) -> Numbers {
    let nearest = if first.got < first.low { first.low } else { first.high };
    let ulps =
        if first.got >= first.low && first.got <= first.high { 0.0 } else { ulps(file, tensor, first.got, nearest) };
    Numbers { got: first.got, expected_low: first.low, expected_high: first.high, ulps }
}
