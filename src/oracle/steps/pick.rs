//! What the methods' pages have in common: when they act, what they compare, and how much of it.

use super::counts::Counts;
use super::descend::{First, Update};
use super::desk::{Arrays, Choice, Desk, Known, Masks};
use super::left::{Left, Operands};
use super::near::{Flags, Near, Reals};
use super::slips::Slip;
use super::whole::share;
use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::select::cut::Cut;
use crate::select::update::GrowFrom;
use std::rc::Rc;

/// The keys by which entries are compared.
pub(crate) fn intervals(scores: &[Known<Reals>]) -> Vec<Known<Vec<Interval>>> {
    scores
        .iter()
        .map(|of| of.as_ref().map(|of| of.iter().map(Near::interval).collect()).map_err(Clone::clone))
        .collect()
}

/// Those of the mask.
pub(crate) fn active(mask: &[Known<Flags>]) -> Masks {
    mask.to_vec()
}

/// Those that are not of it.
fn inactive(mask: &[Known<Flags>]) -> Masks {
    mask.iter().map(|of| of.clone().map(|of| Rc::new(of.iter().map(|flag| !flag).collect()))).collect()
}

/// All entries of these parameters.
pub(crate) fn everything(desk: &Desk) -> Masks {
    desk.prunable().iter().map(|p| Ok(Rc::new(vec![true; p.range.len()]))).collect()
}

fn size(mask: &Flags) -> usize {
    mask.iter().filter(|&&active| active).count()
}

/// The number that a recorded count means: what a selection goes on with.
fn one_of(counts: Known<Counts>, more: bool, fewer: bool) -> Known<Counts> {
    counts.map(|k| match (more, fewer) {
        (true, _) => k.plus(1),
        (_, true) => Counts { low: k.low.saturating_sub(1), high: k.high.saturating_sub(1) },
        _ => k,
    })
}

impl Desk<'_> {
    /// Label `when`: whether an update happens.
    pub(crate) fn updated(&mut self) -> Result<bool> {
        let t = self.step();
        let due = match self.rules.slip {
            Some(Slip::UpdateEarlier) => self.rules.is_due(t + 1),
            Some(Slip::UpdateLater) => t.checked_sub(1).is_some_and(|t| self.rules.is_due(t)),
            _ => self.rules.is_due(t),
        };
        let flags = self.flags("when", ("updated", ""), &[1], Ok(vec![Decision::of(due)]))?;
        Ok(flags.map_or(due, |flags| flags[0]))
    }

    /// Label `when`: without an update the mask is what it was.
    pub(crate) fn unchanged(&mut self, operands: &Operands) -> Result<Update> {
        let mut mask = Vec::new();
        for (p, parameter) in self.prunable().iter().enumerate() {
            let before = operands.mask[p].clone();
            let expected = before.map(|before| before.iter().map(|&flag| Decision::of(flag)).collect());
            let of = format!("/{}", parameter.name);
            mask.push(self.flags("when", ("mask", &of), &parameter.shape, expected)?);
        }
        Ok(Update { mask, kept: None })
    }

    /// The step's end of a method with masks: labels `weights` and `momentum`.
    pub(crate) fn leave_masked(&mut self, operands: &Operands, first: &First, update: Update) -> Result<Left> {
        let (weights, momentum) = self.settle(operands, first, &update)?;
        Ok(Left { t: self.t, weights, momentum, mask: update.mask, ..self.left.clone() })
    }

    /// Which parameters are compared with each other: all, or each by itself.
    pub(crate) fn groups(&self, is_global: bool) -> Vec<Vec<usize>> {
        let n = self.prunable().len();
        let is_global = match self.rules.slip {
            Some(Slip::ByLayer) => false,
            Some(Slip::OverAll) => true,
            _ => is_global,
        };
        if is_global { vec![(0..n).collect()] } else { (0..n).map(|p| vec![p]).collect() }
    }

    /// Each parameter by itself.
    fn layers(&self) -> Vec<Vec<usize>> {
        (0..self.prunable().len()).map(|p| vec![p]).collect()
    }

    /// Counts of a group's entries where the share `s` of them goes; of entries that a mask leaves, at most.
    pub(crate) fn shares_kept(
        &self,
        groups: &[Vec<usize>],
        mask: &[Known<Flags>],
        s: &Known<Near>,
        of_all: bool,
    ) -> Vec<Known<Counts>> {
        let (count, minimum) = self.rules.count();
        let of_all = match self.rules.slip {
            Some(Slip::CountOfActive) => false,
            Some(Slip::CountOfAll) => true,
            _ => of_all,
        };
        let of_group = |group: &Vec<usize>| -> Known<Counts> {
            let s = share(s.clone()?, self.rules.arithmetic.u());
            let n: usize = group.iter().map(|&p| self.prunable()[p].range.len()).sum();
            let mut left = 0;
            for &p in group {
                left += size(mask[p].as_ref().map_err(Clone::clone)?);
            }
            let k = self.kept(if of_all { n } else { left }, s, count, minimum);
            let k = if self.rules.has(Slip::CountOfRemoved) { k.of(left) } else { k };
            let k = one_of(Ok(k), self.rules.has(Slip::CountOneMore), self.rules.has(Slip::CountOneFewer))?;
            Ok(k.at_most(left))
        };
        groups.iter().map(of_group).collect()
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
            let of = match self.rules.slip {
                Some(Slip::ScoreBefore) => &operands.weights[p],
                _ => &of[p],
            };
            let value = |x: Near| match self.rules.slip {
                Some(Slip::Signed) => x,
                Some(Slip::Squared) => x.times(x),
                Some(Slip::Negated) => Near { centre: -x.abs().centre, ..x },
                _ => x.abs(),
            };
            let expected = match self.rules.slip {
                Some(Slip::ScoreOfGradient) => self.gradient(p)?.map(|g| g.iter().map(Near::abs).collect()),
                _ => of.clone().map(|of| of.iter().map(value).collect()),
            };
            let at = candidates[p].clone().ok();
            scores.push(self.real("score", "score", p, at.as_ref().map(|at| at.as_slice()), expected)?);
        }
        Ok(scores)
    }

    /// Section 5's drop and grow from what `from` has: labels `count`, `score`, `drop`, `grow`.
    pub(crate) fn drop_and_grow(
        &mut self,
        operands: &Operands,
        first: &First,
        from: &[Known<Flags>],
        fraction: &Known<Near>,
        rule: &DropAndGrow,
    ) -> Result<Update> {
        let layers = self.layers();
        let kept_shares = match rule.signed {
            true => self.signed_counts(first, from, fraction),
            false => self.shares_kept(&layers, from, fraction, false).into_iter().map(|k| k.map(|k| (k, k))).collect(),
        };
        let left: Vec<Known<usize>> = from.iter().map(|of| of.as_ref().map(size).map_err(Clone::clone)).collect();
        let drops = (0..layers.len()).map(|p| {
            let (left, kept) = (left[p].clone()?, kept_shares[p].clone()?);
            Ok(if rule.signed { kept.0.add(kept.1).of(left) } else { kept.0.of(left) })
        });
        let drops = drops.collect();
        let drops = self.counts("count", "drop", drops)?;
        let scores = self.sizes(&first.between, from, operands)?;
        let kept = if rule.signed {
            self.drop_by_sign(first, from, &kept_shares)?
        } else {
            let counts: Vec<Known<Counts>> =
                drops.iter().zip(&left).map(|(drop, left)| Ok(drop.clone()?.of(left.clone()?))).collect();
            let keys = intervals(&scores);
            let choice = Choice {
                keys: &keys,
                candidates: from,
                base: None,
                groups: &layers,
                counts: &counts,
                cut: self.rules.choice(),
                ties: self.ties(),
            };
            self.chosen("drop", "kept", &choice)?
        };
        let mask = self.grow(operands, first, from, &kept, rule)?;
        Ok(Update { mask, kept: Some(kept) })
    }

    fn grow(
        &mut self,
        operands: &Operands,
        first: &First,
        from: &[Known<Flags>],
        kept: &[Known<Flags>],
        rule: &DropAndGrow,
    ) -> Result<Masks> {
        let mut keys = Vec::new();
        for p in 0..self.prunable().len() {
            let key = match (self.rules.slip, rule.by_draw) {
                (Some(Slip::GrownByWeight), _) => {
                    operands.weights[p].clone().map(|w| w.iter().map(|w| w.abs().interval()).collect())
                }
                (Some(Slip::GrownByMomentum), _) => {
                    first.momentum[p].clone().map(|v| v.iter().map(|v| v.abs().interval()).collect())
                }
                (Some(Slip::GrownSigned), false) => self.gradient(p)?.map(|g| g.iter().map(Near::interval).collect()),
                (_, false) => self.gradient(p)?.map(|g| g.iter().map(|g| g.abs().interval()).collect()),
                (_, true) => self.operand("draw", p)?.map(|draw| draw.iter().map(Near::interval).collect()),
            };
            keys.push(match self.rules.slip {
                Some(Slip::GrownSmallest) => {
                    key.map(|of: Vec<Interval>| of.into_iter().map(Interval::negated).collect())
                }
                _ => key,
            });
        }
        let candidates = match (self.rules.slip, self.rules.choice::<GrowFrom>()) {
            (Some(Slip::GrownAmongKept), _) => everything(self),
            (_, GrowFrom::InactiveAfterDrop) => inactive(kept),
            (_, GrowFrom::InactiveBefore) => inactive(from),
        };
        let went = |p: usize| -> Known<Counts> {
            let (from, kept) = (from[p].as_ref().map_err(Clone::clone)?, kept[p].as_ref().map_err(Clone::clone)?);
            let went = Counts::exact(size(from).saturating_sub(size(kept)));
            one_of(Ok(went), self.rules.has(Slip::GrownMore), self.rules.has(Slip::GrownFewer))
        };
        let counts: Vec<Known<Counts>> = (0..kept.len()).map(went).collect();
        let layers = self.layers();
        let choice = Choice {
            keys: &keys,
            candidates: &candidates,
            base: Some(kept),
            groups: &layers,
            counts: &counts,
            cut: Cut::Exact,
            ties: self.ties(),
        };
        self.chosen("grow", "mask", &choice)
    }

    /// Of the weights of each sign, how many stay.
    fn signed_counts(
        &self,
        first: &First,
        from: &[Known<Flags>],
        fraction: &Known<Near>,
    ) -> Vec<Known<(Counts, Counts)>> {
        let (count, minimum) = self.rules.count();
        let of = |p: usize| -> Known<(Counts, Counts)> {
            let s = share(fraction.clone()?, self.rules.arithmetic.u());
            let (positive, negative) = self.signs(p, first, from)?;
            Ok((self.kept(size(&positive), s, count, minimum), self.kept(size(&negative), s, count, minimum)))
        };
        (0..from.len()).map(of).collect()
    }

    /// Which candidates are at least 0, and which are below.
    fn signs(&self, p: usize, first: &First, from: &[Known<Flags>]) -> Known<(Flags, Flags)> {
        let (between, from) = (first.between[p].clone()?, from[p].clone()?);
        let (mut positive, mut negative) = (vec![false; from.len()], vec![false; from.len()]);
        for j in (0..from.len()).filter(|&j| from[j]) {
            match between.at(j).interval() {
                x if x.low >= 0.0 => positive[j] = true,
                x if x.high < 0.0 => negative[j] = true,
                _ => {
                    return Err(format!(
                        "needs `{}`, of which rounding may decide the sign",
                        self.name_of("between", p)
                    ));
                }
            }
        }
        Ok((Rc::new(positive), Rc::new(negative)))
    }

    /// SET's rule: of each sign those nearest 0 go.
    fn drop_by_sign(
        &mut self,
        first: &First,
        from: &[Known<Flags>],
        counts: &[Known<(Counts, Counts)>],
    ) -> Result<Masks> {
        let ties = self.ties();
        let mut kept = Vec::new();
        for (p, parameter) in self.prunable().iter().enumerate() {
            let expected = || -> Known<Vec<Decision>> {
                let (positive, negative) = self.signs(p, first, from)?;
                let (of_positive, of_negative) = counts[p].clone()?;
                let between = first.between[p].clone()?;
                let mut decisions = vec![Decision::No; positive.len()];
                for (side, k) in [(positive, of_positive), (negative, of_negative)] {
                    let places: Vec<usize> = (0..side.len()).filter(|&j| side[j]).collect();
                    let keys: Vec<Interval> = places.iter().map(|&j| between.at(j).abs().interval()).collect();
                    let chosen = super::select::select(&keys, k, Cut::Exact, ties).decisions;
                    for (place, decision) in places.into_iter().zip(chosen) {
                        decisions[place] = decision;
                    }
                }
                Ok(decisions)
            };
            let expected = expected();
            let of = format!("/{}", parameter.name);
            kept.push(self.flags("drop", ("kept", &of), &parameter.shape, expected)?);
        }
        Ok(kept)
    }

    /// Values that a method's header must have.
    pub(crate) fn required(&self, keys: &[&str]) -> Result<()> {
        keys.iter().try_for_each(|key| self.rules.required(self.trace, key).map(|_| ()))
    }

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

/// How weights are dropped and grown.
pub(crate) struct DropAndGrow {
    /// Those nearest 0 of either sign go, not the smallest of all.
    pub(crate) signed: bool,
    /// Grown where the recorded draw is largest, not the gradient.
    pub(crate) by_draw: bool,
}
