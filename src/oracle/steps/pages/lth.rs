//! Iterative magnitude pruning with rewinding (Frankle et al. 2020): an event is a level.

use crate::error::Result;
use crate::oracle::steps::choose::Choice;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::left::masked;
use crate::oracle::steps::near::{Known, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::intervals;
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::select::distribution::Distribution;
use crate::trace::StepMethod;

pub(super) static PAGE: Page = Page {
    ..Page::new(
        StepMethod::Lth,
        &["lth.carry", "lth.count", "lth.score", "lth.mask", "lth.rewind", "lth.momentum"],
        step,
    )
    .due(|_, t| t >= 1)
    .of_events()
};

fn step(desk: &mut Desk) -> Result<Left> {
    let rules = desk.rules;
    let n = desk.parameters().len();
    let mask_before = desk.masks()?;
    let (mut trained, mut rewind) = (Vec::new(), Vec::new());
    for p in 0..n {
        trained.push(desk.operand("weights_before", p)?);
        let name = format!("rewind/{}", desk.parameters()[p].name);
        let is_other = p >= mask_before.len();
        let among = [Slip::RewoundToInitial, Slip::NotRewound, Slip::OthersInitial, Slip::OthersNotRewound];
        rewind.push(match rules.slip(&among) {
            Some(Slip::RewoundToInitial) => desk.whole.init[p].clone(),
            Some(Slip::OthersInitial) if is_other => desk.whole.init[p].clone(),
            Some(Slip::NotRewound) => trained[p].clone(),
            Some(Slip::OthersNotRewound) if is_other => trained[p].clone(),
            _ => desk.floats(&name)?.ok_or_else(|| format!("needs `{name}`")),
        });
    }
    let groups = desk.groups(rules.choice::<Distribution>() == Distribution::Global);
    let counts = desk.shares_kept(&groups, &mask_before, &Ok(Near::exact(rules.real("fraction"))), false);
    let counts = desk.counts("count", "keep", counts)?;
    let mut scores = Vec::new();
    for (p, candidates) in mask_before.iter().enumerate() {
        let expected = score(desk, &trained[p], &rewind[p]);
        let at = candidates.clone().ok();
        scores.push(desk.real("score", "score", p, at.as_ref().map(|at| at.as_slice()), expected)?);
    }
    let keys = intervals(&scores);
    let choice = Choice {
        keys: &keys,
        candidates: &mask_before,
        base: None,
        groups: &groups,
        counts: &counts,
        cut: rules.choice(),
        ties: desk.ties(),
    };
    let mask = desk.chosen("mask", "mask", &choice)?;
    let mut left = Left { t: desk.t, mask: mask.clone(), ..desk.left.clone() };
    for (p, from) in rewind.into_iter().enumerate() {
        let expected = || -> Known<Reals> {
            let under = if rules.has(Slip::RewindUnderOldMask) { &mask_before } else { &mask };
            match under.get(p).filter(|_| !rules.has(Slip::RewindUnmasked)) {
                Some(mask) => Ok(masked(&from?, &mask.clone()?)),
                None => from,
            }
        };
        let expected = expected();
        left.weights[p] = desk.real("rewind", "weights_after", p, None, expected)?;
    }
    for (p, parameter) in desk.parameters().iter().enumerate() {
        let kept = rules.has(Slip::MomentumKept);
        let v = (0..parameter.range.len()).map(|_| if kept { Near::ANY } else { Near::ZERO });
        left.momentum[p] = desk.real("momentum", "momentum", p, None, Ok(v.collect()))?;
    }
    Ok(left)
}

/// |w|.
fn score(desk: &Desk, trained: &Known<Reals>, rewind: &Known<Reals>) -> Known<Reals> {
    let w = trained.clone()?;
    match desk.rules.slip(&[Slip::Signed, Slip::ScoreOfRewind, Slip::ScoreOfMove, Slip::ScoreOfIncrease]) {
        Some(Slip::Signed) => Ok(w),
        Some(Slip::ScoreOfRewind) => Ok(rewind.clone()?.iter().map(Near::abs).collect()),
        Some(slip) => {
            let u = desk.rules.arithmetic.u();
            let moved = |(w, k): (Near, Near)| {
                let is_increase = slip == Slip::ScoreOfIncrease;
                let moved = if is_increase { w.abs().minus(k.abs()) } else { w.minus(k) };
                let moved = moved.give(2.0 * u * moved.size());
                if is_increase { moved } else { moved.abs() }
            };
            Ok(w.iter().zip(rewind.clone()?.iter()).map(moved).collect())
        }
        None => Ok(w.iter().map(Near::abs).collect()),
    }
}
