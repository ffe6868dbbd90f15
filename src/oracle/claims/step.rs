//! The step level within a check: the first batch of every epoch, whose weights the trace holds.

mod batch;

use crate::error::Result;
use crate::oracle::claims::claim::{Claim, Judged};
use crate::oracle::claims::common_factor;
use crate::oracle::field::Field;
use crate::oracle::interval::Interval;
use crate::oracle::options::{CheckOptions, Reach};
use crate::oracle::outcome::{Label, Outcome};
use crate::oracle::report::{Event, Finding};
use crate::oracle::seen::Seen;
use crate::oracle::step::{Comparison, Task};
use crate::scalar::Dtype;
use crate::trace::{Arithmetic, Trace};
use batch::{compare, has_gradients, has_indices, has_loss, has_samples, lacking, recorded_samples};
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

    fn mistakes(&self, seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
        let told =
            "the recorded gradients have weight decay in them: a penalty in the loss, or the optimizer's own gradients";
        let holds = outcome.total > 1 && outcome.findings.iter().all(|finding| has_decay(seen, finding) == Some(true));
        Ok(if holds { vec![told.to_string()] } else { Vec::new() })
    }
}

/// Whether the gradient of a finding is what it should be once the weight's decay is added, as far as the weight is known.
fn has_decay(seen: &Seen, finding: &Finding) -> Option<bool> {
    let decay = seen.trace.header.sgd?.weight_decay;
    let name = finding.tensor.split_once("/grad/")?.1;
    let (p, parameter) = seen.trace.parameters().iter().enumerate().find(|(_, parameter)| parameter.name == name)?;
    let j = finding.index.iter().zip(&parameter.shape).fold(0, |j, (i, extent)| j * extent + i);
    let penalty = decay * seen.carry.weights.of(p, parameter)?.get(j)?;
    // The product and the sum are rounded once each.
    let slack = 4.0 * seen.arithmetic.u() * (penalty.abs() + finding.got.abs());
    let expected = Interval { low: finding.expected_low + penalty, high: finding.expected_high + penalty };
    Some(expected.widened(slack).contains(finding.got))
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
    /// Whether mismatches are findings even if no loss agrees: asked for, or the samples are the trace's own.
    insists: bool,
    /// Whether gradients are recorded that ought to have been recomputed.
    has_material: bool,
    /// How many steps were judged op by op instead.
    steps_by_ops: usize,
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
    /// Recomputes what can be, unless it is to be left out.
    ///
    /// # Errors
    /// As [`Trace::floats`].
    pub(crate) fn run(trace: &Trace, arithmetic: &Arithmetic, options: &CheckOptions) -> Result<Self> {
        let (insists, steps_by_ops) = (options.insist, options.steps_by_ops);
        let mut level = Self { insists, steps_by_ops, ..Self::default() };
        if options.without_step || options.reach == Some(Reach::Method) {
            let asks = if options.without_step { "--without-step" } else { "--level method" };
            level.refusal = Some(format!("left out, as {asks} asks"));
            return Ok(level);
        }
        if trace.sample().is_some() {
            let refusal =
                "needs all weights, of which the trace keeps a sample: a record of a step (gdstar-ops) has them";
            level.refusal = Some(refusal.to_string());
            return Ok(level);
        }
        let first = trace.header.reading.epoch_origin.first();
        let batches: Vec<usize> = trace
            .epochs()
            .filter(|&k| has_indices(trace, k) || has_samples(trace, k))
            .filter(|&k| has_gradients(trace, k) || has_loss(trace, k))
            .collect();
        let named = trace.header.model.is_some() && trace.header.dataset.is_some();
        let known = |&k: &usize| has_samples(trace, k) || named;
        level.has_material = batches.iter().any(|&k| has_gradients(trace, k) && known(&k));
        level.insists |= !batches.is_empty() && batches.iter().all(|&k| has_samples(trace, k));
        let by_name = Task::find(trace.header.model.as_deref(), trace.header.dataset.as_deref());
        if batches.is_empty() {
            let more = by_name.err().map(|refusal| format!("; {refusal}")).unwrap_or_default();
            level.refusal = Some(lacking(trace) + &more);
            return Ok(level);
        }
        for k in batches {
            let samples = match (recorded_samples(trace, k)?, &by_name) {
                (Some(own), _) => own,
                (None, Ok(task)) => {
                    let indices = trace.integers(&format!("epoch/{k}/batch/0/indices"))?.unwrap_or_default();
                    task.samples(&indices, arithmetic)
                }
                (None, Err(refusal)) => {
                    level.refusal = Some(refusal.to_string());
                    continue;
                }
            };
            let prefix =
                if k == first { "init".to_string() } else { format!("epoch/{}/weights_after", k.wrapping_sub(1)) };
            let weights = Field::load(trace, &prefix, trace.parameters())?;
            match compare(trace, arithmetic, samples, k, &weights)? {
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

    /// What all losses that are not the reference's are of it, where there are several and that is one number.
    fn factor_of_losses(&self) -> Option<String> {
        let mut losses = Outcome::new(LABEL);
        for (&k, comparison) in &self.comparisons {
            let Some(loss) = comparison.mismatches.first().filter(|mismatch| mismatch.tensor == "loss") else {
                continue;
            };
            let at = (format!("epoch/{k}/batch/0/loss"), Event::Epoch(k), Vec::new());
            losses.find(Finding::new(LABEL.equation, at, loss.got, loss.expected, Dtype::F32));
        }
        let told = if losses.total > 1 { common_factor(&losses, &[]) } else { Vec::new() };
        told.into_iter().next().map(|cause| cause.told)
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
            let status = self.refusal.clone().unwrap_or_else(none);
            if self.steps_by_ops > 0 {
                let status =
                    format!("of {} step(s) op by op, in the file's record; otherwise: {status}", self.steps_by_ops);
                return Told { checked: true, status, inconclusive: None };
            }
            // What was asked to be left out is not missed.
            let open = || {
                format!(
                    "level step: gradients are recorded, and not recomputed: {status}; --level method asks for less"
                )
            };
            let inconclusive = self.has_material.then(open);
            return Told { checked: false, inconclusive, status };
        }
        if !self.is_same_data() {
            let factor = self.factor_of_losses().map(|told| format!(" (of these losses {told})")).unwrap_or_default();
            let status = format!(
                "the loss of {} of {batches} batches is not what the reference's samples give at these weights{factor}, nor are \
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
