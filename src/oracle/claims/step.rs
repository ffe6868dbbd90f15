//! The step level within a check: the first batch of every epoch, whose weights the trace holds.

use crate::error::Result;
use crate::oracle::arithmetic::Tolerance;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::field::{Field, Flags};
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::report::{Event, Finding};
use crate::oracle::seen::Seen;
use crate::oracle::step::{Balls, Comparison, Recorded, RecordedGradient, Refusal, Task};
use crate::paper::reading::MaskedGradient;
use crate::trace::names::gradient;
use crate::trace::{Arithmetic, Clip, Trace};
use ndarray::ArrayD;
use std::collections::BTreeMap;

// Numbers that disagree are a mistake, or come from other samples than the reference's. Which of the two is guessed at
// by how many agree. These shares are chosen; they choose between FAIL and INCONCLUSIVE, and neither makes a PASS.

/// One in so many losses, at least, is what the reference's samples give.
const LOSSES: usize = 2;
/// One in so many entries of the first gradients, at most, is not.
const GRADIENTS: usize = 10;

const LABEL: Label = Label::part("alg1", "step");

impl Claim for StepLevel {
    fn label(&self) -> Label {
        LABEL
    }

    fn judge(&self, seen: &Seen) -> Result<Judged> {
        Ok(Judged::only(self.outcome(seen.k, &seen.arithmetic)))
    }

    fn mistakes(&self, _: &Seen, _: &Outcome) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

/// What recomputing batches gave.
#[derive(Debug, Default)]
pub(crate) struct StepLevel {
    /// Of each epoch's first batch.
    comparisons: BTreeMap<usize, Comparison>,
    /// Batches whose recorded loss is one that these samples and weights give.
    agreeing: usize,
    /// So are the gradients of the first of them, where the bounds are tightest.
    gradients_agree: bool,
    /// Why nothing, or not everything, was compared.
    refusal: Option<String>,
    /// Whether mismatches are findings even if no loss agrees.
    insists: bool,
}

/// What the step level says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Whether anything was compared.
    pub(crate) checked: bool,
    /// What, or why nothing was.
    pub(crate) status: String,
    /// Why a PASS would say too much.
    pub(crate) inconclusive: Option<String>,
}

impl StepLevel {
    /// Recomputes what can be, unless it is to be left out. `insists`: mismatches are findings even if no loss agrees.
    ///
    /// # Errors
    /// As [`Trace::floats`].
    pub(crate) fn run(trace: &Trace, arithmetic: &Arithmetic, insists: bool, leaves_out: bool) -> Result<Self> {
        let mut level = Self { insists, ..Self::default() };
        if leaves_out {
            level.refusal = Some("left out, as --without-step asks".to_string());
            return Ok(level);
        }
        let first = trace.header.reading.epoch_origin.first();
        let batches: Vec<usize> = trace
            .epochs()
            .filter(|&k| has_indices(trace, k) && (has_gradients(trace, k) || has_loss(trace, k)))
            .collect();
        let task = Task::find(trace.header.model.as_deref(), trace.header.dataset.as_deref());
        let task = match (batches.is_empty(), task) {
            (false, Ok(task)) => task,
            (false, Err(refusal)) => {
                level.refusal = Some(refusal.to_string());
                return Ok(level);
            }
            (true, task) => {
                let more = task.err().map(|refusal| format!("; {refusal}")).unwrap_or_default();
                level.refusal = Some(lacking(trace) + &more);
                return Ok(level);
            }
        };
        for k in batches {
            let prefix =
                if k == first { "init".to_string() } else { format!("epoch/{}/weights_after", k.wrapping_sub(1)) };
            let weights = Field::load(trace, &prefix, trace.parameters())?;
            match compare(trace, arithmetic, &task, k, &weights)? {
                Ok((comparison, entries)) => {
                    if level.comparisons.is_empty() {
                        let wrong = comparison.mismatches.iter().filter(|mismatch| mismatch.tensor != "loss").count();
                        level.gradients_agree = entries > 0 && GRADIENTS * wrong <= entries;
                    }
                    let agrees = comparison.mismatches.first().is_none_or(|mismatch| mismatch.tensor != "loss");
                    level.agreeing += usize::from(agrees && has_loss(trace, k));
                    level.comparisons.insert(k, comparison);
                }
                Err(refusal) => level.refusal = Some(format!("epoch {k}: {refusal}")),
            }
        }
        Ok(level)
    }

    /// Whether the port's samples seem to be the reference's: enough of the losses are what those give, or of the first
    /// gradients that are not 0. Without this, indices may mean another split, or images another normalisation, and
    /// findings would be held against a correct port.
    fn is_same_data(&self) -> bool {
        self.insists || self.gradients_agree || LOSSES * self.agreeing >= self.comparisons.len()
    }

    /// An epoch's findings.
    fn outcome(&self, k: usize, arithmetic: &Arithmetic) -> Outcome {
        let mut outcome = Outcome::new(LABEL);
        let Some(comparison) = self.comparisons.get(&k).filter(|_| self.is_same_data()) else { return outcome };
        outcome.compared = comparison.compared;
        for mismatch in &comparison.mismatches {
            let tensor = format!("epoch/{k}/batch/0/{}", mismatch.tensor);
            let at = (tensor, Event::Epoch(k), mismatch.index.clone());
            let finding = Finding::new(LABEL.equation, at, mismatch.got, mismatch.expected, arithmetic.dtype);
            outcome.find(Finding { batch: Some(0), ..finding });
        }
        outcome
    }

    /// What was compared, and what the report says if nothing was or what it means is not known.
    pub(crate) fn told(&self) -> Told {
        let batches = self.comparisons.len();
        let sum = |count: fn(&Comparison) -> usize| self.comparisons.values().map(count).sum::<usize>();
        let (compared, ambiguous, decisions) = (sum(|c| c.compared), sum(|c| c.ambiguous), sum(|c| c.decisions));
        if compared == 0 {
            let none = || "nothing that is recorded of a batch is one of the network's".to_string();
            return Told { checked: false, status: self.refusal.clone().unwrap_or_else(none), inconclusive: None };
        }
        if !self.is_same_data() {
            let status = format!(
                "the loss of {} of {batches} batches is not what the reference's samples give at these weights, nor are \
                 the gradients: another split or normalisation, or a wrong loss and backward pass (taken for a mistake \
                 where one in {LOSSES} losses or {} in {GRADIENTS} entries of the first gradients agree: chosen shares); \
                 --insist makes findings of it, --without-step leaves the level out",
                batches - self.agreeing,
                GRADIENTS - 1
            );
            let open = "level step: losses and gradients are those of other data, or wrong".to_string();
            return Told { checked: false, inconclusive: Some(open), status };
        }
        let rest = self.refusal.as_ref().map(|refusal| format!("; not all: {refusal}")).unwrap_or_default();
        let status =
            format!("{compared} numbers of {batches} batches, {ambiguous} of {decisions} signs and maxima ambiguous");
        Told { checked: true, status: status + &rest, inconclusive: None }
    }
}

fn has_indices(trace: &Trace, k: usize) -> bool {
    trace.has(&format!("epoch/{k}/batch/0/indices"))
}

fn has_loss(trace: &Trace, k: usize) -> bool {
    trace.has(&format!("epoch/{k}/batch/0/loss"))
}

fn has_gradients(trace: &Trace, k: usize) -> bool {
    trace.parameters().iter().any(|parameter| trace.has(&gradient(k, 0, parameter)))
}

/// What no epoch's first batch has together.
fn lacking(trace: &Trace) -> String {
    let epochs = |has: fn(&Trace, usize) -> bool| trace.epochs().filter(|&k| has(trace, k)).count();
    format!(
        "needs the indices of an epoch's first batch and its loss or gradients, in one epoch; first batches have indices \
         in {} epochs, a loss in {}, gradients in {}",
        epochs(has_indices),
        epochs(has_loss),
        epochs(has_gradients)
    )
}

/// Compares an epoch's first batch, of which so many entries of gradients are not 0; the inner error says why it could
/// not be.
fn compare(
    trace: &Trace,
    arithmetic: &Arithmetic,
    task: &Task,
    k: usize,
    weights: &Field<f64>,
) -> Result<std::result::Result<(Comparison, usize), Refusal>> {
    let indices = trace.integers(&format!("epoch/{k}/batch/0/indices"))?.unwrap_or_default();
    let loss_name = format!("epoch/{k}/batch/0/loss");
    let loss = trace.floats(&loss_name)?.and_then(|loss| loss.first().copied());
    let masks = trace.header.reading.masked_gradient != MaskedGradient::Dense;
    let mask = Flags::load_flags(trace, &format!("epoch/{k}/mask_before"), trace.prunable())?;
    let mut gradients = Vec::new();
    for (p, parameter) in trace.parameters().iter().enumerate() {
        let name = gradient(k, 0, parameter);
        // Clipped ones are not the loss's.
        let is_clipped = trace.header.optimizer.clip == Some(Clip::Recorded);
        let Some(values) = trace.floats(&name)?.filter(|_| !is_clipped) else { continue };
        let Ok(value) = ArrayD::from_shape_vec(parameter.shape.as_slice(), values) else { continue };
        let alive = mask.of(p, parameter).filter(|_| masks);
        let alive = alive.and_then(|alive| ArrayD::from_shape_vec(parameter.shape.as_slice(), alive.to_vec()).ok());
        gradients.push(RecordedGradient { name: parameter.name.clone(), value, alive, storage: storage(trace, &name) });
    }
    let recorded = Recorded { loss, loss_storage: storage(trace, &loss_name), gradients: &gradients };
    let balls = |name: &str| -> Option<Balls> {
        let (p, parameter) = trace.parameters().iter().enumerate().find(|(_, parameter)| parameter.name == name)?;
        let values = weights.of(p, parameter)?.to_vec();
        Some(Balls::exact(ArrayD::from_shape_vec(parameter.shape.as_slice(), values).ok()?))
    };
    let entries = gradients.iter().map(|gradient| gradient.value.iter().filter(|&&g| g != 0.0).count()).sum();
    Ok(task.check(balls, &indices, &recorded, arithmetic).map(|comparison| (comparison, entries)))
}

/// How far a recorded number may be from the port's: half a unit in its storage's last place, and, for the formats with
/// few exponents, half the smallest subnormal number.
fn storage(trace: &Trace, name: &str) -> Tolerance {
    Tolerance { relative: trace.storage_error(name), absolute: trace.storage_underflow(name) }
}
