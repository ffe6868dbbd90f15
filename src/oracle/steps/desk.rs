//! [`Desk`]: where a method's step lies open. A method's page takes operands from it and lays results on it, one after the
//! other, each with what follows for it; what becomes of that is the desk's business: a check compares it with what the trace
//! records and goes on with the port's own value, a replay rounds it once, writes it, and goes on with what is written.

use super::near::{Flags, Known, Near, Reals};
use super::rules::Rules;
use super::state::{Left, Whole};
use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::oracle::outcome::{Label, Outcome, Place};
use crate::oracle::report::Event;
use crate::tensor_file::TensorSink;
use crate::trace::{StepTrace, TracedParameter};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What is done with results.
pub(crate) enum Job<'a> {
    /// One outcome a label of the method, in its order.
    Check(Vec<Outcome>),
    Replay {
        sink: &'a mut dyn TensorSink,
        notes: &'a mut BTreeSet<String>,
    },
}

/// One step of a trace.
pub(crate) struct Desk<'a> {
    pub(crate) trace: &'a StepTrace,
    pub(crate) rules: &'a Rules,
    pub(crate) whole: &'a Whole,
    /// What the steps before left.
    pub(crate) left: &'a Left,
    /// The step; `None` for what belongs to the whole trace.
    pub(crate) t: Option<usize>,
    pub(crate) job: Job<'a>,
}

impl<'a> Desk<'a> {
    pub(crate) fn parameters(&self) -> &'a [TracedParameter] {
        self.trace.parameters()
    }

    pub(crate) fn prunable(&self) -> &'a [TracedParameter] {
        self.trace.prunable()
    }

    /// Whether the numbers are to be formed as a replay forms them.
    pub(crate) fn is_replay(&self) -> bool {
        matches!(self.job, Job::Replay { .. })
    }

    /// The name of a tensor of this step.
    pub(crate) fn name(&self, quantity: &str) -> String {
        match self.t {
            Some(t) => format!("step/{t}/{quantity}"),
            None => quantity.to_string(),
        }
    }

    /// The name of a parameter's tensor of this step.
    pub(crate) fn name_of(&self, quantity: &str, p: usize) -> String {
        self.name(&format!("{quantity}/{}", self.parameters()[p].name))
    }

    // ---- operands

    /// An operand of a parameter, as recorded.
    pub(crate) fn operand(&mut self, quantity: &str, p: usize) -> Result<Known<Reals>> {
        self.rules.asked.note_operand(quantity);
        let name = self.name_of(quantity, p);
        let found = match self.misread(quantity, p)? {
            Some(taken) => taken,
            None => self.floats(&name)?,
        };
        Ok(found.ok_or_else(|| format!("needs `{name}`")))
    }

    /// Recorded numbers, each finite; an operand that is not is an error.
    pub(crate) fn floats(&mut self, name: &str) -> Result<Option<Reals>> {
        let Some(values) = self.trace.floats(name)? else { return Ok(None) };
        if let Some(j) = values.iter().position(|x| !x.is_finite()) {
            if self.is_replay() {
                return Err(self.trace.bad(name, "finite numbers", format!("{} at {j}", values[j])));
            }
            let label = self.label_of_operands();
            self.not_finite(label, name, j, values[j]);
            return Ok(None);
        }
        Ok(Some(self.reals(name, values)))
    }

    pub(super) fn reals(&self, name: &str, values: Vec<f64>) -> Reals {
        let (relative, absolute) = (self.trace.storage_error(name), self.trace.storage_underflow(name));
        Reals::Recorded { values: Rc::new(values), relative, absolute }
    }

    /// Recorded numbers that belong to no parameter.
    pub(crate) fn list(&mut self, quantity: &str) -> Result<Known<Reals>> {
        let name = self.name(quantity);
        Ok(self.floats(&name)?.ok_or_else(|| format!("needs `{name}`")))
    }

    /// A recorded number.
    pub(crate) fn number(&mut self, quantity: &str) -> Result<Known<Near>> {
        Ok(self.list(quantity)?.map(|list| list.at(0)))
    }

    /// A recorded mask.
    pub(crate) fn mask_operand(&mut self, quantity: &str, p: usize) -> Result<Option<Flags>> {
        self.rules.asked.note_operand(quantity);
        match self.misread_mask(quantity, p)? {
            Some(taken) => Ok(taken),
            None => Ok(self.trace.flags(&self.name_of(quantity, p))?.map(Rc::new)),
        }
    }

    // ---- results

    pub(super) fn label(&self, label: &str) -> &'static str {
        self.rules.label(label)
    }

    fn label_of_operands(&self) -> &'static str {
        self.label("carry")
    }

    /// The outcome of a label, in a check.
    pub(crate) fn outcome(&mut self, label: &str) -> Option<&mut Outcome> {
        let full = self.label(label);
        let Job::Check(outcomes) = &mut self.job else { return None };
        let at = outcomes.iter().position(|outcome| outcome.label.equation == full);
        let at = at.unwrap_or_else(|| {
            outcomes.push(Outcome::new(Label::of(full)));
            outcomes.len() - 1
        });
        outcomes.get_mut(at)
    }

    fn event(&self) -> Event {
        self.t.map_or(Event::Whole, Event::Step)
    }

    pub(crate) fn place(&self, tensor: &str) -> Place {
        Place { tensor: tensor.to_string(), event: self.event(), arithmetic: self.rules.arithmetic }
    }

    pub(super) fn not_finite(&mut self, label: &'static str, name: &str, j: usize, got: f64) {
        let place = self.place(name);
        let index = crate::trace::unflatten(j, self.trace.shape(name).unwrap_or_default());
        if let Some(outcome) = self.outcome(label.rsplit('.').next().unwrap_or(label)) {
            outcome.compared += 1;
            outcome.diverges_at(&place, index, got, Interval { low: f64::MIN, high: f64::MAX });
        }
    }

    /// What is left out of a label, and why.
    pub(crate) fn leave_out(&mut self, label: &str, reason: impl Into<String>) {
        let reason = reason.into();
        let step = self.t.map_or(String::new(), |t| format!("step {t}: "));
        match &mut self.job {
            Job::Check(_) => {
                if let Some(outcome) = self.outcome(label) {
                    outcome.leave_out(reason);
                }
            }
            Job::Replay { notes, .. } => {
                notes.insert(format!("{step}{label}: {reason}"));
            }
        }
    }
}
