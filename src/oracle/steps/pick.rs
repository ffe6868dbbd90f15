//! What the methods' pages have in common: when they act, what they compare, and how much of it.

use super::counts::Counts;
use super::descend::First;
use super::desk::Desk;
use super::left::Operands;
use super::near::{Arrays, Flags, Known, Masks, Near, Reals};
use super::settle::Update;
use super::slips::Slip;
use super::state::Left;
use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use std::rc::Rc;

/// The keys by which entries are compared.
pub(crate) fn intervals(scores: &[Known<Reals>]) -> Vec<Known<Vec<Interval>>> {
    scores
        .iter()
        .map(|of| of.as_ref().map(|of| of.iter().map(Near::interval).collect()).map_err(Clone::clone))
        .collect()
}

/// All entries of these parameters.
pub(crate) fn everything(desk: &Desk) -> Masks {
    desk.prunable().iter().map(|p| Ok(Rc::new(vec![true; p.range.len()]))).collect()
}

pub(super) fn size(mask: &Flags) -> usize {
    mask.iter().filter(|&&active| active).count()
}

impl Desk<'_> {
    /// Label `when`: whether an update happens.
    pub(crate) fn updated(&mut self) -> Result<bool> {
        let due = self.rules.is_due(self.step());
        let flags = self.flags("when", ("updated", ""), &[1], Ok(vec![Decision::of(due)]))?;
        Ok(flags.map_or(due, |flags| flags[0]))
    }

    /// Label `when`: without an update the mask is what it was.
    pub(crate) fn unchanged(&mut self, operands: &Operands) -> Result<Update> {
        Ok(Update { mask: self.same("when", "mask", &operands.mask)?, kept: None })
    }

    /// A mask that is another one.
    pub(crate) fn same(&mut self, label: &str, quantity: &str, as_before: &[Known<Flags>]) -> Result<Masks> {
        let moves = label == "when" && self.rules.has(Slip::MovesUndue);
        let decide = |flag: &bool| if moves { Decision::Either } else { Decision::of(*flag) };
        let mut mask = Vec::new();
        for (p, parameter) in self.prunable().iter().enumerate() {
            let expected = as_before[p].clone().map(|before| before.iter().map(decide).collect());
            let of = format!("/{}", parameter.name);
            mask.push(self.flags(label, (quantity, &of), &parameter.shape, expected)?);
        }
        Ok(mask)
    }

    /// The step's end of a method with masks: labels `weights` and `momentum`.
    pub(crate) fn leave_masked(&mut self, operands: &Operands, first: &First, update: Update) -> Result<Left> {
        let (weights, momentum) = self.settle(operands, first, &update)?;
        Ok(Left { t: self.t, weights, momentum, mask: update.mask, ..self.left.clone() })
    }

    /// Which parameters are compared with each other: all, or each by itself.
    pub(crate) fn groups(&self, is_global: bool) -> Vec<Vec<usize>> {
        let n = self.prunable().len();
        if is_global { vec![(0..n).collect()] } else { (0..n).map(|p| vec![p]).collect() }
    }

    /// How many of n are kept where the share `s` goes.
    pub(crate) fn share_kept(&self, n: usize, s: Near) -> Counts {
        let (count, minimum) = self.rules.count();
        let k = match self.rules.has(Slip::ShareForRest) {
            false => self.kept(n, s, count, minimum),
            true => {
                let rest = Near::exact(1.0).minus(s);
                self.kept(n, rest, count, minimum).or(self.kept(n, s, count, minimum).of(n))
            }
        };
        match self.rules.slip(&[Slip::CountOneMore, Slip::CountOneFewer]) {
            Some(Slip::CountOneMore) => k.plus(1),
            Some(Slip::CountOneFewer) => k.fewer(1),
            _ => k,
        }
    }

    /// A share that follows a schedule, as a count takes it: it may have been rounded when it was recorded. One that the header
    /// declares stands for itself.
    pub(crate) fn scheduled(&self, s: &Known<Near>) -> Known<Near> {
        let u = self.rules.arithmetic.u();
        s.clone().map(|s| s.give(2.0 * u * s.size()))
    }

    /// Counts of a group's entries where the share `s` of them goes; of entries that a mask leaves, at most.
    pub(crate) fn shares_kept(
        &self,
        groups: &[Vec<usize>],
        mask: &[Known<Flags>],
        s: &Known<Near>,
        of_all: bool,
    ) -> Vec<Known<Counts>> {
        let of_all = match self.rules.slip(&[Slip::CountOfActive, Slip::CountOfAll]) {
            Some(Slip::CountOfActive) => false,
            Some(_) => true,
            None => of_all,
        };
        let of_group = |group: &Vec<usize>| -> Known<Counts> {
            let s = s.clone()?;
            let n: usize = group.iter().map(|&p| self.prunable()[p].range.len()).sum();
            let mut left = 0;
            for &p in group {
                left += size(mask[p].as_ref().map_err(Clone::clone)?);
            }
            let n = if self.rules.has(Slip::CountOverW) { self.trace.weights() } else { n };
            let k = self.share_kept(if of_all { n } else { left }, s);
            let is_free = [Slip::CountUnbounded, Slip::CountOneMore, Slip::CountOverW];
            Ok(if self.rules.slip(&is_free).is_some() { k.at_most(left).or(k) } else { k.at_most(left) })
        };
        groups.iter().map(of_group).collect()
    }

    /// What gradual pruning keeps of each group at c, on its course over `span`: labels `schedule` and, of the counts, `label`.
    pub(crate) fn gradually_kept(
        &mut self,
        label: &str,
        operands: &Operands,
        groups: &[Vec<usize>],
        c: usize,
        span: (usize, usize),
    ) -> Result<Vec<Known<Counts>>> {
        let ends = (self.rules.real("initial_sparsity"), self.rules.real("final_sparsity"));
        let course = self.rules.cubic(ends, c, span);
        let rate = self.real_number("schedule", "rate", Ok(course))?;
        let share = match self.rules.has(Slip::FinalAtOnce) {
            true => Ok(self.rules.constant(ends.1)),
            false => self.scheduled(&rate),
        };
        let counts = self.shares_kept(groups, &operands.mask, &share, true);
        self.counts(label, "keep", counts)
    }

    /// Label `score`: the size of these weights where they are candidates.
    pub(crate) fn sizes(
        &mut self,
        of: &[Known<Reals>],
        candidates: &[Known<Flags>],
        operands: &Operands,
    ) -> Result<Arrays> {
        let mut scores = Vec::new();
        for p in 0..self.prunable().len() {
            let expected = self.size_of(p, &of[p], operands)?;
            let at = candidates[p].clone().ok();
            scores.push(self.real("score", "score", p, at.as_ref().map(|at| at.as_slice()), expected)?);
        }
        Ok(scores)
    }

    fn size_of(&mut self, p: usize, w: &Known<Reals>, operands: &Operands) -> Result<Known<Reals>> {
        let among = [Slip::Signed, Slip::ScoreBefore, Slip::ScoreAfter, Slip::ScoreOfGradient, Slip::ScoreOfProduct];
        let Some(slip) = self.rules.slip(&among) else {
            return Ok(w.clone().map(|w| w.iter().map(Near::abs).collect()));
        };
        let (g, rate, u) = (self.gradient(p)?, self.rate()?, self.rules.arithmetic.u());
        let known = || -> Known<Reals> {
            let w = if slip == Slip::ScoreBefore { operands.weights[p].clone()? } else { w.clone()? };
            let (g, eta) = match slip {
                Slip::Signed | Slip::ScoreBefore => (w.clone(), Near::ZERO),
                Slip::ScoreAfter => (g?, rate?),
                _ => (g?, Near::ZERO),
            };
            let value = |(w, g): (Near, Near)| match slip {
                Slip::Signed => w,
                Slip::ScoreBefore => w.abs(),
                Slip::ScoreOfGradient => g.abs(),
                Slip::ScoreOfProduct => w.times(g).give(2.0 * u * w.size() * g.size()).abs(),
                _ => w.minus(g.times(eta)).give(3.0 * u * (w.size() + g.size() * eta.size())).abs(),
            };
            Ok(w.iter().zip(g.iter()).map(value).collect())
        };
        Ok(known())
    }

    /// Values that a method's header must have.
    pub(crate) fn required(&self, keys: &[&str]) -> Result<()> {
        keys.iter().try_for_each(|key| self.rules.required(self.trace, key).map(|_| ()))
    }

    /// The last update is not before the first.
    pub(crate) fn ends_after_its_start(&self) -> Result<()> {
        let due = self.rules.due();
        match self.rules.options.count("update_end") {
            Some(end) if end < due.start => {
                let expected = format!("at least `update_start` = {}", due.start);
                Err(self.trace.bad_header("hyper: update_end", expected, end))
            }
            _ => Ok(()),
        }
    }
}
