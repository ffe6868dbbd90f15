//! Iterative magnitude pruning with rewinding (Frankle et al. 2020): an event is a level.

use crate::error::Result;
use crate::oracle::steps::desk::{Choice, Desk, Known};
use crate::oracle::steps::left::{Left, masked};
use crate::oracle::steps::near::{Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::intervals;
use crate::oracle::steps::slips::Slip;
use crate::select::distribution::Distribution;
use crate::trace::StepMethod;

pub(in crate::oracle::steps) static PAGE: Page = Page {
    // Before level 1 nothing is pruned.
    due: |_, t| t >= 1,
    // A level is trained between what one event leaves and the next one finds.
    results_are_operands: false,
    ..Page::new(
        StepMethod::Lth,
        &["lth.carry", "lth.count", "lth.score", "lth.mask", "lth.rewind", "lth.momentum"],
        step,
    )
};

fn step(desk: &mut Desk) -> Result<Left> {
    let rules = desk.rules;
    let n = desk.parameters().len();
    let mask_before = desk.masks()?;
    let (mut trained, mut rewind) = (Vec::new(), Vec::new());
    for p in 0..n {
        trained.push(desk.operand("weights_before", p)?);
        let name = format!("rewind/{}", desk.parameters()[p].name);
        rewind.push(match rules.slip {
            Some(Slip::RewoundToInitial) => desk.whole.init[p].clone(),
            Some(Slip::NotRewound) => trained[p].clone(),
            _ => desk.floats(&name)?.ok_or_else(|| format!("needs `{name}`")),
        });
    }
    let groups = desk.groups(rules.choice::<Distribution>() == Distribution::Global);
    let counts = desk.shares_kept(&groups, &mask_before, &Ok(Near::exact(rules.real("fraction"))), false);
    let counts = desk.counts("count", "keep", counts)?;
    let mut scores = Vec::new();
    for (p, candidates) in mask_before.iter().enumerate() {
        let from = if rules.has(Slip::ScoreBefore) { &rewind[p] } else { &trained[p] };
        let size = |w: Near| if rules.has(Slip::Signed) { w } else { w.abs() };
        let expected = from.clone().map(|w| w.iter().map(size).collect());
        let at = candidates.clone().ok();
        scores.push(desk.real("score", "score", p, at.as_ref().map(|at| at.as_slice()), expected)?);
    }
    let keys = intervals(&scores);
    let candidates =
        if rules.has(Slip::AmongAll) { crate::oracle::steps::pick::everything(desk) } else { mask_before.clone() };
    let choice = Choice {
        keys: &keys,
        candidates: &candidates,
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
            match mask.get(p).filter(|_| !rules.has(Slip::RewindUnmasked)) {
                Some(mask) => Ok(masked(&from?, &mask.clone()?)),
                None => from,
            }
        };
        let expected = expected();
        left.weights[p] = desk.real("rewind", "weights_after", p, None, expected)?;
    }
    for (p, parameter) in desk.parameters().iter().enumerate() {
        left.momentum[p] = desk.real("momentum", "momentum", p, None, Ok(Reals::all(0.0, parameter.range.len())))?;
    }
    Ok(left)
}
