//! Results of a step that are numbers, laid on its [`Desk`]: reals, counts, integers.

use super::counts::{self, Counts};
use super::desk::{Desk, Job};
use super::near::{Known, Near, Reals};
use super::slips::Slip;
use crate::error::{Error, Result};
use crate::oracle::interval::Interval;
use crate::scalar::{DoubleDouble, Scalar};
use crate::select::count::{Count, Minimum};
use crate::tensor_file::Tensor;
use std::rc::Rc;

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

impl Desk<'_> {
    /// Where a result is recorded: as such, or as the operand that it is of the step after.
    pub(super) fn recorded_as(&self, name: &str, quantity: &str, of: &str) -> Option<String> {
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
        let parameter = &self.parameters()[p];
        let of = format!("/{}", parameter.name);
        let n = parameter.range.len();
        let is_other = p >= self.prunable().len();
        match self.rules.slip(&[Slip::OthersCleared, Slip::OthersDiffer]).filter(|_| is_other) {
            Some(Slip::OthersCleared) => {
                self.real_named(label, (quantity, &of), &parameter.shape, at, Ok(Reals::all(0.0, n)))
            }
            Some(_) => self.real_named(label, (quantity, &of), &parameter.shape, Some(&vec![false; n]), expected),
            None => self.real_named(label, (quantity, &of), &parameter.shape, at, expected),
        }
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
        let is_spared = self.is_spared(&source);
        let is_judged = |j: usize| !is_spared && at.is_none_or(|at| at[j]);
        if let Some(j) = (0..values.len()).find(|&j| !values[j].is_finite() && is_judged(j)) {
            self.not_finite(self.label(label), &source, j, values[j]);
            return Ok(expected);
        }
        let storage = (self.trace.storage_error(&source), self.trace.storage_underflow(&source));
        self.rules.asked.note_result(quantity);
        let expected = expected.map(|expected| self.changed(quantity, self.mistaken(expected, &values)));
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

    /// What a mistake makes of a result, whatever its formula.
    fn mistaken(&self, expected: Reals, recorded: &[f64]) -> Reals {
        let u = self.rules.arithmetic.u();
        let among = [Slip::Cleared, Slip::Negated, Slip::Unsigned, Slip::Squared, Slip::Rescaled];
        let Some(slip) = self.rules.slip(&among) else { return expected };
        let factor = if slip == Slip::Rescaled { factor(&expected, recorded, u) } else { None };
        let taken = |x: Near| match slip {
            Slip::Cleared => Near::ZERO,
            Slip::Negated => x.negated(),
            Slip::Unsigned => x.abs(),
            Slip::Squared => x.times(x).give(2.0 * u * x.size() * x.size()),
            _ => factor.map_or(x, |factor| x.times(factor)),
        };
        expected.iter().map(taken).collect()
    }

    /// Whether a tensor is left out of judgement.
    pub(super) fn is_spared(&self, name: &str) -> bool {
        self.rules.spared.as_deref() == Some(name)
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
        let is_spared = self.is_spared(&name);
        let mut known = Vec::with_capacity(values.len());
        for (i, (expected, got)) in expected.into_iter().zip(values).enumerate() {
            match &expected {
                Ok(k) => {
                    if let Some(outcome) = self.outcome(label).filter(|_| !is_spared) {
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

/// What may be recorded of a number, in this storage.
fn stored(x: Near, (relative, absolute): (f64, f64)) -> Interval {
    if relative == 0.0 { x.interval() } else { x.give(relative * x.size() + absolute).interval() }
}

/// The one number that results are multiplied by, if they are: as the largest of at least two that are not 0 says.
fn factor(expected: &Reals, recorded: &[f64], u: f64) -> Option<Near> {
    let others: Vec<(Near, &f64)> =
        expected.iter().zip(recorded).filter(|(x, _)| x.centre != DoubleDouble::ZERO).collect();
    let &(largest, got) = others.iter().max_by(|(a, _), (b, _)| a.size().total_cmp(&b.size()))?;
    let is_one_of_some = others.len() > 1 && *got != 0.0 && largest.radius < largest.centre.abs().to_f64();
    is_one_of_some.then(|| Near::exact(*got).over(largest, u.max(f64::EPSILON)))
}
