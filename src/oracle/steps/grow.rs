//! Section 5's drop and grow: of the active weights some go, and as many are grown where none were.

use super::choose::Choice;
use super::counts::Counts;
use super::descend::First;
use super::desk::Desk;
use super::left::Operands;
use super::near::{Flags, Known, Masks, Near};
use super::pick::{everything, intervals, size};
use super::select::select;
use super::settle::Update;
use super::slips::Slip;
use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::select::cut::Cut;
use crate::select::update::GrowFrom;
use std::rc::Rc;

/// How weights are dropped and grown.
pub(crate) struct DropAndGrow {
    /// Those nearest 0 of either sign go, not the smallest of all.
    pub(crate) signed: bool,
    /// Grown where the recorded draw is largest, not the gradient.
    pub(crate) by_draw: bool,
}

/// Those that are not of it.
fn inactive(mask: &[Known<Flags>]) -> Masks {
    mask.iter().map(|of| of.clone().map(|of| Rc::new(of.iter().map(|flag| !flag).collect()))).collect()
}

impl Desk<'_> {
    /// Section 5's drop and grow from what `from` has: labels `count`, `score`, `drop`, `grow`.
    pub(crate) fn drop_and_grow(
        &mut self,
        operands: &Operands,
        first: &First,
        from: &[Known<Flags>],
        fraction: &Known<Near>,
        rule: &DropAndGrow,
    ) -> Result<Update> {
        let (layers, fraction) = (self.groups(false), &self.scheduled(fraction));
        let left: Vec<Known<usize>> = from.iter().map(|of| of.as_ref().map(size).map_err(Clone::clone)).collect();
        let kept_shares = match rule.signed {
            true => self.signed_counts(first, from, fraction),
            false => {
                let all = self.shares_kept(&layers, from, fraction, false);
                all.into_iter().map(|k| k.map(|k| (k, Counts::exact(0)))).collect()
            }
        };
        let drops = (0..layers.len()).map(|p| self.dropped(p, &kept_shares[p], &left[p], fraction));
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

    /// How many of a layer's active weights go.
    fn dropped(
        &self,
        p: usize,
        kept: &Known<(Counts, Counts)>,
        left: &Known<usize>,
        fraction: &Known<Near>,
    ) -> Known<Counts> {
        let (left, (first, second)) = (left.clone()?, kept.clone()?);
        let all = self.prunable()[p].range.len();
        let n = match self.rules.slip(&[Slip::CountOfAll, Slip::CountOfInactive]) {
            Some(Slip::CountOfInactive) => all.saturating_sub(left),
            Some(_) => all,
            None => return Ok(first.add(second).of(left)),
        };
        let s = fraction.clone()?;
        Ok(self.share_kept(n, s).of(n).at_most(left))
    }

    /// Label `grow`: as many as went, of largest key.
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
            keys.push(self.growth(p, operands, first, rule)?);
        }
        let candidates = match (self.rules.has(Slip::GrownAmongKept), self.rules.choice::<GrowFrom>()) {
            (true, _) => everything(self),
            (_, GrowFrom::InactiveAfterDrop) => inactive(kept),
            (_, GrowFrom::InactiveBefore) => inactive(from),
        };
        let went = |p: usize| -> Known<Counts> {
            let (from, kept) = (from[p].as_ref().map_err(Clone::clone)?, kept[p].as_ref().map_err(Clone::clone)?);
            let went = Counts::exact(size(from).saturating_sub(size(kept)));
            Ok(match self.rules.slip(&[Slip::GrownMore, Slip::GrownFewer, Slip::GrownNone]) {
                Some(Slip::GrownMore) => went.plus(1),
                Some(Slip::GrownFewer) => went.fewer(1),
                Some(_) => Counts::exact(0),
                None => went,
            })
        };
        let counts: Vec<Known<Counts>> = (0..kept.len()).map(went).collect();
        let choice = Choice {
            keys: &keys,
            candidates: &candidates,
            base: Some(kept),
            groups: &self.groups(false),
            counts: &counts,
            cut: Cut::Exact,
            ties: self.ties(),
        };
        self.chosen("grow", "mask", &choice)
    }

    /// What a parameter's weights are grown by: the recorded draw, or the size of the gradient.
    fn growth(
        &mut self,
        p: usize,
        operands: &Operands,
        first: &First,
        rule: &DropAndGrow,
    ) -> Result<Known<Vec<Interval>>> {
        const AMONG: [Slip; 7] = [
            Slip::GrownByWeight,
            Slip::GrownByMomentum,
            Slip::GrownByGradient,
            Slip::GrownSigned,
            Slip::GrownDownhill,
            Slip::GrownByMasked,
            Slip::GrownSmallest,
        ];
        let slip = self.rules.slip(&AMONG);
        let by_draw = rule.by_draw && slip.is_none_or(|slip| slip == Slip::GrownSmallest);
        let of = match slip {
            Some(Slip::GrownByWeight) => operands.weights[p].clone(),
            Some(Slip::GrownByMomentum) => first.momentum[p].clone(),
            _ if by_draw => self.operand("draw", p)?,
            _ => self.gradient(p)?,
        };
        let mask = operands.mask[p].clone();
        let known = || -> Known<Vec<Interval>> {
            let (of, mask) = (of?, if slip == Some(Slip::GrownByMasked) { Some(mask?) } else { None });
            let key = |(j, x): (usize, Near)| match slip {
                Some(Slip::GrownSigned) => x.interval(),
                Some(Slip::GrownDownhill) => x.negated().interval(),
                Some(Slip::GrownSmallest) => x.abs().negated().interval(),
                _ if mask.as_ref().is_some_and(|mask| !mask[j]) => Interval::exact(0.0),
                _ => x.abs().interval(),
            };
            Ok(of.iter().enumerate().map(key).collect())
        };
        Ok(known())
    }

    /// Of the weights of each sign, how many stay.
    fn signed_counts(
        &self,
        first: &First,
        from: &[Known<Flags>],
        fraction: &Known<Near>,
    ) -> Vec<Known<(Counts, Counts)>> {
        let of = |p: usize| -> Known<(Counts, Counts)> {
            let s = fraction.clone()?;
            let (positive, negative) = self.signs(p, first, from)?;
            let of_negative = match self.rules.has(Slip::CountOfPositive) {
                true => Counts::exact(size(&negative)),
                false => self.share_kept(size(&negative), s),
            };
            Ok((self.share_kept(size(&positive), s), of_negative))
        };
        (0..from.len()).map(of).collect()
    }

    /// Which candidates are at least 0, and which are below.
    fn signs(&self, p: usize, first: &First, from: &[Known<Flags>]) -> Known<(Flags, Flags)> {
        let (between, from) = (first.between[p].clone()?, from[p].clone()?);
        let (mut positive, mut negative) = (vec![false; from.len()], vec![false; from.len()]);
        for j in (0..from.len()).filter(|&j| from[j]) {
            match between.at(j).interval() {
                x if x == Interval::exact(0.0) && self.rules.has(Slip::ZeroNegative) => negative[j] = true,
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
                let of_positive =
                    if self.rules.has(Slip::OneMorePositive) { of_positive.fewer(1) } else { of_positive };
                for (side, k, is_positive) in [(positive, of_positive, true), (negative, of_negative, false)] {
                    let places: Vec<usize> = (0..side.len()).filter(|&j| side[j]).collect();
                    let turns =
                        !is_positive && self.rules.has(Slip::NegativeFurthest) || self.rules.has(Slip::Smallest);
                    let size = |&j: &usize| between.at(j).abs().interval();
                    let key = |j: &usize| if turns { size(j).negated() } else { size(j) };
                    let keys: Vec<Interval> = places.iter().map(key).collect();
                    let chosen = select(&keys, k, Cut::Exact, ties).decisions;
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
}
