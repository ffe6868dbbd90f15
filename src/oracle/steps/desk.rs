//! [`Desk`]: where a method's step lies open. A method's page takes operands from it and lays results on it, one after the
//! other, each with what follows for it; what becomes of that is the desk's business: a check compares it with what the trace
//! records and goes on with the port's own value, a replay rounds it once, writes it, and goes on with what is written.

use super::counts::{self, Counts};
use super::left::Left;
use super::near::{Flags, Near, Reals};
use super::rules::Rules;
use super::select::{Selected, select};
use super::slips::Slip;
use super::whole::Whole;
use crate::error::{Error, Result};
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::outcome::{Label, Outcome, Place};
use crate::oracle::report::Event;
use crate::select::count::{Count, Minimum};
use crate::select::cut::{Cut, Ties};
use crate::tensor_file::{Tensor, TensorSink};
use crate::trace::{StepTrace, TracedParameter};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What follows from a trace, or what it lacks for that.
pub(crate) type Known<T> = std::result::Result<T, String>;

/// Of every parameter, or of those of W, what its entries are as far as that is known.
pub(crate) type Arrays = Vec<Known<Reals>>;
pub(crate) type Masks = Vec<Known<Flags>>;

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

/// The name of an operand that a result becomes in the step after.
fn next_operand(quantity: &str) -> Option<&'static str> {
    match quantity {
        "weights_after" => Some("weights_before"),
        "momentum" => Some("momentum_before"),
        "mask" => Some("mask_before"),
        "accumulated" => Some("accumulated_before"),
        _ => None,
    }
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
        let name = self.name_of(quantity, p);
        Ok(self.floats(&name)?.ok_or_else(|| format!("needs `{name}`")))
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

    fn reals(&self, name: &str, values: Vec<f64>) -> Reals {
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
        let name = self.name_of(quantity, p);
        Ok(self.trace.flags(&name)?.map(Rc::new))
    }

    // ---- results

    fn label(&self, label: &str) -> &'static str {
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

    fn not_finite(&mut self, label: &'static str, name: &str, j: usize, got: f64) {
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

    /// Where a result is recorded: as such, or as the operand that it is of the step after.
    fn recorded_as(&self, name: &str, quantity: &str, of: &str) -> Option<String> {
        if self.trace.has(name) {
            return Some(name.to_string());
        }
        let next = self.t? + 1;
        let operand =
            next_operand(quantity).filter(|_| self.rules.results_are_operands && !self.trace.header.replayed)?;
        Some(format!("step/{next}/{operand}{of}")).filter(|name| self.trace.has(name))
    }

    /// A result of a parameter: one real number an entry, judged where `at` says so.
    pub(crate) fn real(
        &mut self,
        label: &str,
        quantity: &str,
        p: usize,
        at: Option<&[bool]>,
        expected: Known<Reals>,
    ) -> Result<Known<Reals>> {
        let of = format!("/{}", self.parameters()[p].name);
        self.real_named(label, (quantity, &of), &self.parameters()[p].shape.clone(), at, expected)
    }

    /// A result that is one real number.
    pub(crate) fn real_number(&mut self, label: &str, quantity: &str, expected: Known<Near>) -> Result<Known<Near>> {
        let expected = expected.map(|x| Reals::from_iter([x]));
        Ok(self.real_named(label, (quantity, ""), &[1], None, expected)?.map(|list| list.at(0)))
    }

    /// A result of this name: `quantity` and what follows it.
    pub(crate) fn real_named(
        &mut self,
        label: &str,
        (quantity, of): (&str, &str),
        shape: &[usize],
        at: Option<&[bool]>,
        expected: Known<Reals>,
    ) -> Result<Known<Reals>> {
        let name = self.name(&format!("{quantity}{of}"));
        if self.is_replay() {
            return match expected {
                Ok(expected) => self.write_reals(&name, shape, &expected).map(Ok),
                Err(reason) => {
                    self.leave_out(label, format!("`{name}` {reason}"));
                    Ok(Err(format!("needs `{name}`")))
                }
            };
        }
        let Some(source) = self.recorded_as(&name, quantity, of) else { return Ok(expected) };
        let values = self.trace.floats(&source)?.unwrap_or_default();
        let shape = self.trace.shape(&source).unwrap_or_default().to_vec();
        let is_judged = |j: usize| at.is_none_or(|at| at[j]);
        if let Some(j) = (0..values.len()).find(|&j| !values[j].is_finite() && is_judged(j)) {
            self.not_finite(self.label(label), &source, j, values[j]);
            return Ok(expected);
        }
        let storage = (self.trace.storage_error(&source), self.trace.storage_underflow(&source));
        match &expected {
            Ok(expected) if expected.len() != values.len() => {
                let wanted = format!("{} numbers", expected.len());
                return Err(self.trace.bad(&source, wanted, values.len()));
            }
            Ok(expected) => {
                let place = self.place(&source);
                let Some(outcome) = self.outcome(label) else { return Ok(Err(String::new())) };
                for j in (0..values.len()).filter(|&j| is_judged(j)) {
                    let interval = stored(expected.at(j), storage);
                    outcome.compared += 1;
                    if !interval.contains(values[j]) {
                        outcome.diverges_at(&place, crate::trace::unflatten(j, &shape), values[j], interval);
                    }
                }
            }
            Err(reason) => self.leave_out(label, format!("`{quantity}` {reason}")),
        }
        if values.iter().any(|x| !x.is_finite()) {
            return Ok(expected);
        }
        Ok(Ok(self.reals(&source, values)))
    }

    fn write_reals(&mut self, name: &str, shape: &[usize], expected: &Reals) -> Result<Reals> {
        let values: Vec<f64> = expected.iter().map(Near::rounded).collect();
        if let Some(j) = values.iter().position(|x| !x.is_finite()) {
            let index = crate::trace::unflatten(j, shape);
            let place = format!("tensor `{name}`, index {index:?}, as it follows from the operands");
            return Err(Error::file(self.trace.path(), place, "a finite number", values[j]));
        }
        if let Job::Replay { sink, .. } = &mut self.job {
            sink.put(name, &Tensor::from_slice(shape, &values))?;
        }
        Ok(Reals::Recorded { values: Rc::new(values), relative: 0.0, absolute: 0.0 })
    }

    /// How many are kept where the share `s` goes.
    pub(crate) fn kept(&self, n: usize, s: Near, count: Count, minimum: Minimum) -> Counts {
        match self.is_replay() {
            true => counts::literal(n, s.rounded(), count, minimum),
            false => counts::kept(n, s, count, minimum, self.rules.arithmetic.dtype),
        }
    }

    /// Counts, one a parameter of W or one for all.
    pub(crate) fn counts(
        &mut self,
        label: &str,
        quantity: &str,
        expected: Vec<Known<Counts>>,
    ) -> Result<Vec<Known<Counts>>> {
        let name = self.name(quantity);
        if self.is_replay() {
            let known: std::result::Result<Vec<i64>, &String> =
                expected.iter().map(|k| k.as_ref().map(|k| k.low as i64)).collect();
            match known {
                Ok(values) => {
                    if let Job::Replay { sink, .. } = &mut self.job {
                        sink.put(&name, &Tensor::from_slice(&[values.len()], &values))?;
                    }
                }
                Err(reason) => self.leave_out(label, format!("`{name}` {reason}")),
            }
            return Ok(expected);
        }
        let Some(values) = self.trace.integers(&name)? else { return Ok(expected) };
        if values.len() != expected.len() {
            let wanted = format!("shape [{}]", expected.len());
            return Err(self.trace.bad(&name, wanted, format!("shape [{}]", values.len())));
        }
        let place = self.place(&name);
        let mut known = Vec::with_capacity(values.len());
        for (i, (expected, got)) in expected.into_iter().zip(values).enumerate() {
            match &expected {
                Ok(k) => {
                    if let Some(outcome) = self.outcome(label) {
                        outcome.compared += 1;
                        if !k.interval().contains(got as f64) {
                            outcome.diverges_at(&place, vec![i], got as f64, k.interval());
                        }
                    }
                }
                Err(reason) => self.leave_out(label, format!("`{quantity}` {reason}")),
            }
            known.push(usize::try_from(got).map(Counts::exact).or(expected));
        }
        Ok(known)
    }

    /// A result of flags: what each must be, or may be; and how many are set in each group of parameters together.
    pub(crate) fn flags(
        &mut self,
        label: &str,
        (quantity, of): (&str, &str),
        shape: &[usize],
        expected: Known<Vec<Decision>>,
    ) -> Result<Known<Flags>> {
        let name = self.name(&format!("{quantity}{of}"));
        if self.is_replay() {
            return match expected {
                Ok(decisions) => {
                    let flags: Vec<bool> = decisions.iter().map(|&decision| decision == Decision::Yes).collect();
                    if let Job::Replay { sink, .. } = &mut self.job {
                        sink.put(&name, &Tensor::from_slice(shape, &bytes(&flags)))?;
                    }
                    Ok(Ok(Rc::new(flags)))
                }
                Err(reason) => {
                    self.leave_out(label, format!("`{name}` {reason}"));
                    Ok(Err(format!("needs `{name}`")))
                }
            };
        }
        let Some(source) = self.recorded_as(&name, quantity, of) else {
            let decided = |decisions: Vec<Decision>| {
                let open = decisions.contains(&Decision::Either);
                let flags = decisions.iter().map(|&decision| decision == Decision::Yes).collect();
                if open { Err(format!("needs `{name}`, of which rounding may decide")) } else { Ok(Rc::new(flags)) }
            };
            return Ok(expected.and_then(decided));
        };
        let flags = self.trace.flags(&source)?.unwrap_or_default();
        let shape = self.trace.shape(&source).unwrap_or_default().to_vec();
        match expected {
            Ok(decisions) if decisions.len() != flags.len() => {
                return Err(self.trace.bad(&source, format!("{} flags", decisions.len()), flags.len()));
            }
            Ok(decisions) => {
                let place = self.place(&source);
                let Some(outcome) = self.outcome(label) else { return Ok(Err(String::new())) };
                for (j, (&decision, &flag)) in decisions.iter().zip(&flags).enumerate() {
                    outcome.compared += 1;
                    outcome.decide(decision);
                    if !decision.allows(flag) {
                        let got = f64::from(u8::from(flag));
                        outcome.diverges_at(&place, crate::trace::unflatten(j, &shape), got, decision.flags());
                    }
                }
            }
            Err(reason) => self.leave_out(label, format!("`{quantity}` {reason}")),
        }
        Ok(Ok(Rc::new(flags)))
    }

    /// A selection among candidates, by groups of parameters: what is kept is 1, and what `base` has besides.
    pub(crate) fn chosen(&mut self, label: &str, quantity: &str, choice: &Choice) -> Result<Masks> {
        let params = self.prunable();
        let mut expected: Vec<Known<Vec<Decision>>> = vec![Err(String::new()); params.len()];
        let mut numbers: Vec<(Vec<usize>, Counts, usize)> = Vec::new();
        for (group, k) in choice.groups.iter().zip(choice.counts) {
            match self.group(label, group, k, choice) {
                Err(reason) => group.iter().for_each(|&p| expected[p] = Err(reason.clone())),
                Ok((decisions, number, base)) => {
                    let mut rest = decisions.into_iter();
                    for &p in group {
                        expected[p] = Ok(rest.by_ref().take(params[p].range.len()).collect());
                    }
                    numbers.push((group.clone(), number, base));
                }
            }
        }
        let mut known = Vec::with_capacity(params.len());
        let undecided: Vec<Option<usize>> = expected
            .iter()
            .map(|of| of.as_ref().ok().and_then(|of| of.iter().position(|&decision| decision == Decision::Either)))
            .collect();
        for (p, expected) in expected.into_iter().enumerate() {
            let of = format!("/{}", params[p].name);
            known.push(self.flags(label, (quantity, &of), &params[p].shape, expected)?);
        }
        for (group, number, base) in numbers {
            self.count_flags(label, quantity, (&group, number, base), &known, &undecided);
        }
        Ok(known)
    }

    /// What a selection decides in a group: of all its entries, and how many it keeps beside how many `base` has.
    fn group(
        &self,
        label: &str,
        group: &[usize],
        k: &Known<Counts>,
        choice: &Choice,
    ) -> Known<(Vec<Decision>, Counts, usize)> {
        let slip = self.rules.slip.filter(|_| label != "grow");
        let k = k.clone()?;
        let k = match slip {
            Some(Slip::OneMore) => k.plus(1),
            Some(Slip::OneFewer) => Counts { low: k.low.saturating_sub(1), high: k.high.saturating_sub(1) },
            _ => k,
        };
        let (mut decisions, mut keys, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut base = 0;
        for &p in group {
            let of = choice.keys[p].as_ref().map_err(Clone::clone)?;
            let candidates = choice.candidates[p].as_ref().map_err(Clone::clone)?;
            let kept = choice.base.map(|base| base[p].as_ref().map_err(Clone::clone)).transpose()?;
            for j in 0..of.len() {
                let is_kept = kept.is_some_and(|kept| kept[j]);
                base += usize::from(is_kept);
                if candidates[j] || slip == Some(Slip::AmongAll) {
                    places.push(decisions.len());
                    keys.push(if slip == Some(Slip::Smallest) { of[j].negated() } else { of[j] });
                }
                decisions.push(if is_kept { Decision::Yes } else { Decision::No });
            }
        }
        let Selected { decisions: chosen, number } = select(&keys, k, choice.cut, choice.ties);
        for (place, decision) in places.into_iter().zip(chosen) {
            decisions[place] = decision;
        }
        Ok((decisions, number, base))
    }

    /// Which of equal keys is kept: where any may be, a replay keeps the lower.
    pub(crate) fn ties(&self) -> Ties {
        match self.rules.choice() {
            Ties::Any if self.is_replay() => Ties::LowerIndex,
            ties => ties,
        }
    }

    /// Where decisions were open: whether as many were taken as must be.
    fn count_flags(
        &mut self,
        label: &str,
        quantity: &str,
        (group, number, base): (&[usize], Counts, usize),
        known: &[Known<Flags>],
        undecided: &[Option<usize>],
    ) {
        let Some((&p, j)) = group.iter().find_map(|p| undecided[*p].map(|j| (p, j))) else { return };
        let mut set = 0;
        for &p in group {
            let Ok(flags) = &known[p] else { return };
            set += flags.iter().filter(|&&flag| flag).count();
        }
        let allowed = number.plus(base);
        let name = self.name_of(quantity, p);
        let place = self.place(&name);
        let index = self.parameters()[p].index(j);
        if let Some(outcome) = self.outcome(label) {
            outcome.compared += 1;
            if !allowed.interval().contains(set as f64) {
                outcome.diverges_at(&place, index, set as f64, allowed.interval());
            }
        }
    }

    /// Where decisions were open: whether as many flags are set as must be.
    pub(crate) fn number_of_flags(&mut self, label: &str, tensor: &str, flags: &Flags, number: Counts) {
        let name = self.name(tensor);
        let place = self.place(&name);
        let set = flags.iter().filter(|&&flag| flag).count();
        let is_recorded = self.trace.has(&name);
        if let Some(outcome) = self.outcome(label).filter(|outcome| is_recorded && outcome.total == 0) {
            outcome.compared += 1;
            if !number.interval().contains(set as f64) {
                outcome.diverges_at(&place, vec![0], set as f64, number.interval());
            }
        }
    }

    /// A result that is one whole number of these.
    pub(crate) fn one_of_integers(&mut self, label: &str, quantity: &str, possible: Known<Vec<i64>>) -> Result<()> {
        let name = self.name(quantity);
        match (possible, &mut self.job) {
            (Ok(possible), Job::Replay { sink, .. }) => match possible.first() {
                Some(&k) => sink.put(&name, &Tensor::scalar(k)),
                None => Ok(()),
            },
            (Err(reason), Job::Replay { .. }) => {
                self.leave_out(label, format!("`{name}` {reason}"));
                Ok(())
            }
            (possible, Job::Check(_)) => {
                let Some(got) = self.trace.integers(&name)?.and_then(|values| values.first().copied()) else {
                    return Ok(());
                };
                let place = self.place(&name);
                match possible {
                    Err(reason) => self.leave_out(label, format!("`{quantity}` {reason}")),
                    Ok(possible) => {
                        let ends = || possible.iter().map(|&k| k as f64);
                        let expected = Interval {
                            low: ends().fold(f64::INFINITY, f64::min),
                            high: ends().fold(f64::NEG_INFINITY, f64::max),
                        };
                        if let Some(outcome) = self.outcome(label) {
                            outcome.compared += 1;
                            if !possible.contains(&got) {
                                outcome.diverges_at(&place, vec![0], got as f64, expected);
                            }
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

/// A selection to be made.
pub(crate) struct Choice<'a> {
    /// Of each parameter of W, its entries' keys.
    pub(crate) keys: &'a [Known<Vec<Interval>>],
    pub(crate) candidates: &'a [Known<Flags>],
    /// What is 1 whatever is chosen.
    pub(crate) base: Option<&'a [Known<Flags>]>,
    /// Parameters that are compared with each other.
    pub(crate) groups: &'a [Vec<usize>],
    /// One a group.
    pub(crate) counts: &'a [Known<Counts>],
    pub(crate) cut: Cut,
    pub(crate) ties: Ties,
}

/// What may be recorded of a number, in this storage.
fn stored(x: Near, (relative, absolute): (f64, f64)) -> Interval {
    if relative == 0.0 { x.interval() } else { x.give(relative * x.size() + absolute).interval() }
}

fn bytes(flags: &[bool]) -> Vec<u8> {
    flags.iter().map(|&flag| flag.into()).collect()
}
