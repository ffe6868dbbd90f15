//! Results of a step that are decisions, laid on its [`Desk`]: flags, and selections of the largest keys.

use super::counts::Counts;
use super::desk::{Desk, Job};
use super::near::{Flags, Known, Masks};
use super::select::{Selected, select};
use super::slips::Slip;
use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::select::cut::{Cut, Ties};
use crate::tensor_file::Tensor;
use std::rc::Rc;

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

impl Choice<'_> {
    /// How many of k are a layer's, by its share of the candidates.
    fn share_of(&self, p: usize, k: &Known<Counts>) -> Known<Counts> {
        let size = |of: &Known<Flags>| -> Known<usize> {
            Ok(of.as_ref().map_err(Clone::clone)?.iter().filter(|&&candidate| candidate).count())
        };
        let all = self.candidates.iter().map(size).sum::<Known<usize>>()?.max(1);
        let (own, k) = (size(&self.candidates[p])?, k.clone()?);
        Ok(Counts { low: k.low * own / all, high: (k.high * own).div_ceil(all) })
    }
}

impl Desk<'_> {
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
            Ok(_) if self.is_spared(&source) => {}
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
        for (group, k) in self.grouped(choice) {
            match self.group(label, quantity, &group, k, choice)? {
                Err(reason) => group.iter().for_each(|&p| expected[p] = Err(reason.clone())),
                Ok((decisions, number, base)) => {
                    let mut rest = decisions.into_iter();
                    for &p in &group {
                        expected[p] = Ok(rest.by_ref().take(params[p].range.len()).collect());
                    }
                    numbers.push((group, number, base));
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

    /// The groups of a selection, with how many each keeps.
    fn grouped(&self, choice: &Choice) -> Vec<(Vec<usize>, Known<Counts>)> {
        let n = self.prunable().len();
        match (self.rules.slip(&[Slip::ByLayer, Slip::OverAll]), choice.counts) {
            (Some(Slip::ByLayer), [k]) if n > 1 => (0..n).map(|p| (vec![p], choice.share_of(p, k))).collect(),
            (Some(Slip::OverAll), counts) if counts.len() > 1 => {
                let all = counts.iter().cloned().sum();
                vec![((0..n).collect(), all)]
            }
            _ => choice.groups.iter().cloned().zip(choice.counts.iter().cloned()).collect(),
        }
    }

    /// What a selection decides in a group: of all its entries, and how many it keeps beside how many `base` has.
    fn group(
        &self,
        label: &str,
        quantity: &str,
        group: &[usize],
        k: Known<Counts>,
        choice: &Choice,
    ) -> Result<Known<(Vec<Decision>, Counts, usize)>> {
        // What grows has its own mistakes.
        let has = |slip: Slip| label != "grow" && self.rules.has(slip);
        let mut returned = vec![None; self.prunable().len()];
        if has(Slip::Returning) {
            for &p in group {
                returned[p] = self.trace.flags(&self.name_of(quantity, p))?;
            }
        }
        let decide = || -> Known<(Vec<Decision>, Counts, usize)> {
            let (mut decisions, mut keys, mut places) = (Vec::new(), Vec::new(), Vec::new());
            let (mut base, mut both, mut back) = (0, 0, 0);
            let mut zeros = Vec::new();
            for &p in group {
                let of = choice.keys[p].as_ref().map_err(Clone::clone)?;
                let candidates = choice.candidates[p].as_ref().map_err(Clone::clone)?;
                let kept = choice.base.map(|base| base[p].as_ref().map_err(Clone::clone)).transpose()?;
                for j in 0..of.len() {
                    let is_kept = kept.is_some_and(|kept| kept[j]);
                    let is_candidate = candidates[j] || has(Slip::AmongAll);
                    let is_back = !is_candidate && returned[p].as_ref().is_some_and(|flags| flags[j]);
                    base += usize::from(is_kept);
                    both += usize::from(is_kept && is_candidate);
                    back += usize::from(is_back);
                    if is_candidate {
                        places.push(decisions.len());
                        keys.push(self.key(of[j], label));
                    } else if has(Slip::ZerosGo) {
                        zeros.push(self.key(of[j], label));
                    }
                    decisions.push(Decision::of(is_kept || is_back));
                }
            }
            let k = k.clone()?.fewer(back);
            let k = if has(Slip::OneMore) { k.plus(1) } else { k };
            let k = if has(Slip::OneFewer) { k.fewer(1) } else { k };
            let k = k.plus(zeros.len());
            let is_any = !zeros.is_empty();
            keys.append(&mut zeros);
            let Selected { decisions: chosen, number } = select(&keys, k, choice.cut, choice.ties);
            let number = if is_any { Counts { low: 0, ..number } } else { number };
            let number = if self.rules.has(Slip::OtherKey) { number.within(&chosen) } else { number };
            for (place, decision) in places.into_iter().zip(chosen) {
                decisions[place] = match decision {
                    _ if decisions[place] == Decision::Yes => Decision::Yes,
                    _ if self.rules.has(Slip::OtherKey) => Decision::Either,
                    decision if has(Slip::Inverted) => decision.opposite(),
                    decision => decision,
                };
            }
            // What is chosen though it is kept already counts once.
            Ok((decisions, Counts { low: number.low.saturating_sub(both), ..number }, base + back))
        };
        Ok(decide())
    }

    /// What an entry is chosen by.
    fn key(&self, key: Interval, label: &str) -> Interval {
        match self.rules.slip(&[Slip::Smallest, Slip::ByIndex, Slip::BySize]) {
            Some(Slip::Smallest) if label != "grow" => key.negated(),
            Some(Slip::ByIndex) => Interval::exact(0.0),
            Some(Slip::BySize) => key.magnitude(),
            _ => key,
        }
    }

    /// What a selection decides, without these.
    pub(crate) fn without(&self, label: &str, choice: &Choice, others: &[Known<Flags>]) -> Masks {
        let mut masks: Masks = vec![Err("depends on decisions that rounding may turn".to_string()); others.len()];
        for (group, k) in self.grouped(choice) {
            let Ok(Ok((decisions, ..))) = self.group(label, "", &group, k, choice) else { continue };
            let mut rest = decisions.into_iter();
            for p in group {
                let own: Vec<Decision> = rest.by_ref().take(self.prunable()[p].range.len()).collect();
                let Ok(other) = &others[p] else { continue };
                if !own.contains(&Decision::Either) {
                    masks[p] =
                        Ok(Rc::new(own.iter().zip(other.iter()).map(|(&d, &o)| d == Decision::Yes && !o).collect()));
                }
            }
        }
        masks
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
}

fn bytes(flags: &[bool]) -> Vec<u8> {
    flags.iter().map(|&flag| flag.into()).collect()
}
