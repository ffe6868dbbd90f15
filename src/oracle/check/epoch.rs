//! One epoch of a trace: what is recorded, what follows from it, and what is carried to the next.

use super::clip::Clipping;
use super::field::{Enclosure, Field, Flags};
use super::optimizer::Momentum;
use super::outcome::{Outcome, Place, Stage};
use super::{CheckOptions, decay, gradients, norms, quantile, rewind, schedule, selection, within};
use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::paper::reading::Reading;
use crate::trace::{Arithmetic, Trace};

/// What a trace records of an epoch, apart from its batches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorded {
    pub(crate) weights_before: Field<f64>,
    pub(crate) mask_before: Flags,
    pub(crate) g: Field<f64>,
    pub(crate) s_abs: Option<f64>,
    pub(crate) s_sq: Option<f64>,
    pub(crate) s_f: Option<f64>,
    pub(crate) min_before: Option<f64>,
    /// What random rewind drew.
    pub(crate) draw: Option<f64>,
    pub(crate) k_star: Option<i64>,
    pub(crate) rewind: Field<f64>,
    pub(crate) alpha: Option<f64>,
    pub(crate) chunk_quantiles: Option<Vec<f64>>,
    pub(crate) tau: Option<f64>,
    pub(crate) selected: Flags,
    pub(crate) t: Option<i64>,
    pub(crate) weights_after: Field<f64>,
    pub(crate) mask: Flags,
}

/// What the equations go on with: the port's own values where they are recorded, else what follows from others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operands {
    /// The mask before the epoch; true where a weight is alive.
    pub(crate) alive: Flags,
    pub(crate) g: Enclosure,
    /// What each step does to its gradient; empty where that is not known.
    pub(crate) clipping: Vec<Clipping>,
    /// The recorded gradients are such that no order of adding up their squares rounds.
    pub(crate) squares_are_exact: bool,
    pub(crate) s_sq: Option<Interval>,
    pub(crate) s_f: Option<Interval>,
    /// m of Alg. 4, before and after the epoch's update.
    pub(crate) min_before: Option<Interval>,
    pub(crate) minimum: Option<Interval>,
    /// k* and W_k* after the epoch's update.
    pub(crate) k_star: Option<i64>,
    pub(crate) rewind: Field<f64>,
    /// Whether the rewind point moved in this epoch.
    pub(crate) moved: Option<bool>,
    pub(crate) alpha: Option<Interval>,
    pub(crate) chunk_quantiles: Option<Vec<Interval>>,
    pub(crate) tau: Option<Interval>,
    pub(crate) selected: Field<Decision>,
    /// k* and W_k* that the epoch's decay uses, and t.
    pub(crate) decay_k_star: Option<i64>,
    pub(crate) w_star: Field<f64>,
    pub(crate) t: Option<i64>,
    /// What is alive after the epoch.
    pub(crate) mask: Flags,
}

/// One epoch.
pub(crate) struct Epoch<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) k: usize,
    /// The epoch's number counted from 0, whatever the origin; the learning rate's index.
    pub(crate) index: usize,
    pub(crate) arithmetic: Arithmetic,
    pub(crate) recorded: Recorded,
    pub(crate) operands: Operands,
}

impl<'a> Epoch<'a> {
    /// Reads what is recorded of epoch `k`.
    ///
    /// # Errors
    /// As [`Trace::flags`] and [`Trace::floats`].
    pub(crate) fn load(trace: &'a Trace, k: usize, arithmetic: Arithmetic) -> Result<Self> {
        let (all, prunable) = (trace.parameters(), trace.prunable());
        let field = |quantity: &str, parameters| Field::load(trace, &format!("epoch/{k}/{quantity}"), parameters);
        let flags = |quantity: &str| Flags::load_flags(trace, &format!("epoch/{k}/{quantity}"), prunable);
        let recorded = Recorded {
            weights_before: field("weights_before", all)?,
            mask_before: flags("mask_before")?,
            g: field("G", prunable)?,
            s_abs: trace.scalar(k, "S_abs")?,
            s_sq: trace.scalar(k, "S_sq")?,
            s_f: trace.scalar(k, "S_F")?,
            min_before: trace.scalar(k, "min_before")?,
            draw: trace.scalar(k, "draw")?,
            k_star: trace.integer(k, "k_star")?,
            rewind: field("rewind", all)?,
            alpha: trace.scalar(k, "alpha")?,
            chunk_quantiles: trace.floats(&format!("epoch/{k}/chunk_quantiles"))?,
            tau: trace.scalar(k, "tau")?,
            selected: flags("selected")?,
            t: trace.integer(k, "t")?,
            weights_after: field("weights_after", all)?,
            mask: flags("mask")?,
        };
        let index = k.saturating_sub(trace.header.reading.epoch_origin.first());
        Ok(Self { trace, k, index, arithmetic, recorded, operands: Operands::default() })
    }

    /// Judges every equation, in the order of findings.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if a batch's gradients cannot be read.
    pub(crate) fn check(&mut self, carry: &mut Carry) -> Result<Vec<Outcome>> {
        carry.arrive(self.k);
        let mut outcomes = vec![decay::at_start(self, carry)];
        outcomes.push(within::masked(self)?);
        outcomes.extend(gradients::check(self, carry)?);
        outcomes.push(norms::eq3(self));
        outcomes.push(norms::eq4(self));
        outcomes.push(rewind::alg4(self, carry));
        outcomes.push(schedule::eq8(self));
        outcomes.push(quantile::eq6(self));
        outcomes.push(quantile::eq7(self));
        outcomes.push(selection::eq5(self));
        outcomes.push(decay::step(self, carry));
        let (eq9, lives) = decay::eq9(self);
        outcomes.push(eq9);
        outcomes.push(decay::mask(self, &lives));
        outcomes.sort_by_key(|outcome| outcome.stage);
        Ok(outcomes)
    }

    pub(crate) fn reading(&self) -> &Reading {
        &self.trace.header.reading
    }

    /// The place of a tensor of this epoch, for comparisons.
    pub(crate) fn place(&self, quantity: &str) -> Place {
        Place { tensor: format!("epoch/{}/{quantity}", self.k), epoch: self.k, arithmetic: self.arithmetic }
    }

    /// How far a recorded scalar may be, relatively, from what the port went on with.
    pub(crate) fn storage(&self, quantity: &str) -> f64 {
        self.trace.storage_error(&format!("epoch/{}/{quantity}", self.k))
    }

    /// A recorded scalar as an operand: what the port went on with. Nothing if it is not finite.
    pub(crate) fn operand(&self, quantity: &str, recorded: Option<f64>) -> Option<Interval> {
        let value = recorded.filter(|x| x.is_finite())?;
        Some(Interval::exact(value).widened(self.storage(quantity)))
    }

    /// Compares a recorded scalar; one that is not finite is a finding whether anything is expected or not.
    pub(crate) fn judge(
        &self,
        outcome: &mut Outcome,
        quantity: &str,
        recorded: Option<f64>,
        expected: std::result::Result<Interval, &str>,
    ) {
        match (recorded, expected) {
            (Some(got), Ok(expected)) => outcome.compare(&self.place(quantity), 0, got, expected),
            (Some(got), Err(_)) if !got.is_finite() => outcome.compare(&self.place(quantity), 0, got, FINITE),
            (Some(_), Err(reason)) => outcome.leave_out(format!("{quantity}: {reason}")),
            (None, _) => outcome.leave_out(format!("{quantity} is not recorded")),
        }
    }

    /// A finding for every parameter with a number that is not finite.
    pub(crate) fn poison(&self, outcome: &mut Outcome, quantity: &str, field: &Field<f64>) {
        for &(p, j, value) in &field.poison {
            outcome.compare_entry(&self.place(quantity), &self.trace.parameters()[p], j, value, FINITE);
        }
    }
}

/// What any finite number is.
pub(crate) const FINITE: Interval = Interval { low: -f64::MAX, high: f64::MAX };

/// What one epoch leaves to the next, as recorded or as it follows.
pub(crate) struct Carry<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) arithmetic: Arithmetic,
    /// W_0.
    pub(crate) initial: Field<f64>,
    /// The epoch that comes next if none is left out.
    next: Option<usize>,
    pub(crate) mask: Flags,
    /// m of Alg. 4.
    pub(crate) minimum: Option<Interval>,
    pub(crate) k_star: Option<i64>,
    pub(crate) rewind: Field<f64>,
    /// The weights that the next epoch starts from.
    pub(crate) weights: Field<f64>,
    /// The optimizer's state, a parameter each; `None` where it does not follow from the trace.
    pub(crate) momentum: Vec<Option<Momentum>>,
    /// The same before the epoch's steps.
    pub(crate) momentum_before: Vec<Option<Momentum>>,
    /// Optimizer steps taken.
    pub(crate) steps: Option<usize>,
    /// The epoch before, for mistakes that use what is stale.
    pub(crate) previous: Option<Box<(Recorded, Operands)>>,
}

impl<'a> Carry<'a> {
    /// Before the first epoch; what is wrong with W_0 is told to `collector`.
    ///
    /// # Errors
    /// As [`Trace::floats`].
    pub(crate) fn start(trace: &'a Trace, options: &CheckOptions, collector: &mut super::Collector) -> Result<Self> {
        let declared = trace.header.arithmetic;
        let arithmetic = if options.exact { declared.exactly() } else { declared };
        let initial = Field::load(trace, "init", trace.parameters())?;
        let first = trace.header.reading.epoch_origin.first();
        let mut outcome = Outcome::new(Stage::Alg1);
        for &(p, j, value) in &initial.poison {
            let place = Place { tensor: "init".to_string(), epoch: first, arithmetic };
            outcome.compare_entry(&place, &trace.parameters()[p], j, value, FINITE);
        }
        collector.add(outcome, |_| Ok(Vec::new()))?;
        Ok(Self {
            trace,
            arithmetic,
            next: Some(first),
            mask: Flags::all(true, trace.prunable()),
            minimum: Some(Interval::exact(f64::INFINITY)),
            k_star: Some(0),
            rewind: initial.clone(),
            weights: initial.clone(),
            momentum: trace.parameters().iter().map(|p| Some(Momentum::zero(p.range.len()))).collect(),
            momentum_before: Vec::new(),
            steps: Some(0),
            previous: None,
            initial,
        })
    }

    /// Forgets everything if epochs were left out before `k`.
    fn arrive(&mut self, k: usize) {
        if self.next == Some(k) {
            return;
        }
        self.mask = Flags::nothing(self.trace.prunable());
        self.minimum = None;
        self.k_star = None;
        self.rewind = Field::nothing(self.trace.parameters());
        self.weights = Field::nothing(self.trace.parameters());
        self.momentum.fill(None);
        self.steps = None;
        self.previous = None;
    }

    /// Takes over what epoch `epoch` leaves.
    pub(crate) fn advance(&mut self, epoch: Epoch<'a>) {
        let batches = self.trace.batches(epoch.k);
        self.next = epoch.k.checked_add(1);
        self.steps = self.steps.filter(|_| batches > 0).map(|steps| steps + batches);
        let Epoch { recorded, operands, .. } = epoch;
        self.mask = operands.mask.clone();
        self.minimum = operands.minimum;
        self.k_star = operands.k_star;
        self.rewind = operands.rewind.clone();
        self.weights = recorded.weights_after.clone();
        self.previous = Some(Box::new((recorded, operands)));
    }
}
