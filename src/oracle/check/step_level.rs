//! The step level within a check: the first batch of every epoch, whose weights the trace holds.

use super::field::{Field, Flags};
use super::gradients::gradient_name;
use super::outcome::{Outcome, Stage};
use crate::error::Result;
use crate::oracle::bounds::{Arithmetic, Tolerance};
use crate::oracle::report::Finding;
use crate::oracle::step::{Balls, Comparison, Recorded, RecordedGradient, Refusal, Task};
use crate::oracle::trace::Trace;
use crate::paper::reading::MaskedGradient;
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// What recomputing batches gave.
#[derive(Debug, Default)]
pub(super) struct StepLevel {
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

impl StepLevel {
    /// Recomputes what can be.
    ///
    /// # Errors
    /// As [`Trace::floats`].
    pub(super) fn run(trace: &Trace, arithmetic: &Arithmetic, insists: bool) -> Result<Self> {
        let mut level = Self { insists, ..Self::default() };
        let first = trace.header.reading.epoch_origin.first();
        let gradients =
            |k: usize| trace.parameters().iter().any(|parameter| trace.has(&gradient_name(k, 0, parameter)));
        let batches: Vec<usize> = trace
            .epochs()
            .filter(|&k| trace.has(&format!("epoch/{k}/batch/0/indices")) && (gradients(k) || has_loss(trace, k)))
            .collect();
        if batches.is_empty() {
            level.refusal = Some("needs indices and loss or gradients of an epoch's first batch".to_string());
            return Ok(level);
        }
        let task = match Task::find(trace.header.model.as_deref(), trace.header.dataset.as_deref()) {
            Ok(task) => task,
            Err(refusal) => {
                level.refusal = Some(refusal.to_string());
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
                        level.gradients_agree = entries > 0 && 10 * wrong <= entries;
                    }
                    let agrees = comparison.mismatches.first().is_none_or(|mismatch| mismatch.tensor != "loss");
                    level.agreeing += usize::from(agrees && has_loss(trace, k));
                    level.comparisons.insert(k, comparison);
                }
                Err(refusal) => level.refusal = Some(refusal.to_string()),
            }
        }
        Ok(level)
    }

    /// Whether the port's samples are the reference's: half of the losses are what those give, or nine tenths of the
    /// first gradients that are not 0. Without this, indices may mean another split, or images another normalisation,
    /// and a correct port would fail.
    fn is_same_data(&self) -> bool {
        self.insists || self.gradients_agree || 2 * self.agreeing >= self.comparisons.len()
    }

    /// An epoch's findings.
    pub(super) fn outcome(&self, k: usize, arithmetic: &Arithmetic) -> Outcome {
        let mut outcome = Outcome::new(Stage::Step);
        let Some(comparison) = self.comparisons.get(&k).filter(|_| self.is_same_data()) else { return outcome };
        outcome.compared = comparison.compared;
        for mismatch in &comparison.mismatches {
            let tensor = format!("epoch/{k}/batch/0/{}", mismatch.tensor);
            let at = (tensor, k, mismatch.index.clone());
            let finding = Finding::new(outcome.stage.equation(), at, mismatch.got, mismatch.expected, arithmetic.dtype);
            outcome.find(Finding { batch: Some(0), ..finding });
        }
        outcome
    }

    /// Whether anything was compared, and what.
    pub(super) fn status(&self) -> (bool, String) {
        let batches = self.comparisons.len();
        if batches == 0 {
            return (false, self.refusal.clone().unwrap_or_default());
        }
        if !self.is_same_data() {
            let status = format!(
                "the loss of {} of {batches} batches is not what the reference's samples give at these weights, nor are \
                 the gradients: another split or normalisation, or a wrong forward pass; --insist makes findings of it",
                batches - self.agreeing
            );
            return (false, status);
        }
        let sum = |count: fn(&Comparison) -> usize| self.comparisons.values().map(count).sum::<usize>();
        let (compared, ambiguous, decisions) = (sum(|c| c.compared), sum(|c| c.ambiguous), sum(|c| c.decisions));
        (
            true,
            format!("{compared} numbers of {batches} batches, {ambiguous} of {decisions} signs and maxima ambiguous"),
        )
    }
}

fn has_loss(trace: &Trace, k: usize) -> bool {
    trace.has(&format!("epoch/{k}/batch/0/loss"))
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
        let name = gradient_name(k, 0, parameter);
        let Some(values) = trace.floats(&name)? else { continue };
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
