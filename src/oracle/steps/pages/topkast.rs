//! Top-KAST (Jayakumar et al. 2020): A is computed with, B, which holds A, is trained, and all weights are kept.

use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::steps::choose::Choice;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::left::Operands;
use crate::oracle::steps::near::{Flags, Known, Masks, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::everything;
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::Left;
use crate::scalar::{DoubleDouble, Scalar};
use crate::select::distribution::Distribution;
use crate::select::update::PenaltyRule;
use crate::trace::StepMethod;
use std::rc::Rc;

pub(super) static PAGE: Page = Page {
    fits: |desk| {
        desk.required(&["forward_sparsity", "backward_sparsity"])?;
        let (forward, backward) = (desk.rules.real("forward_sparsity"), desk.rules.real("backward_sparsity"));
        let bad = |key: &str, expected: &str, found: f64| {
            Err(desk.trace.bad_header(&format!("hyper: {key}"), expected, found))
        };
        match (forward < 1.0, backward <= forward) {
            (false, _) => bad("forward_sparsity", "a number in [0, 1)", forward),
            (_, false) => bad("backward_sparsity", "at most `forward_sparsity`", backward),
            _ => Ok(()),
        }
    },
    ..Page::new(
        StepMethod::TopKast,
        &[
            "topkast.carry",
            "topkast.when",
            "topkast.count",
            "topkast.forward",
            "topkast.backward",
            "topkast.step",
            "topkast.momentum",
        ],
        step,
    )
    .due(|rules, t| t.is_multiple_of(rules.steps("update_every").max(1)))
};

fn step(desk: &mut Desk) -> Result<Left> {
    let operands = desk.operands()?;
    let updated = desk.updated()?;
    let (forward, backward) = if updated { choose(desk, &operands)? } else { as_before(desk, &operands)? };
    let mut left = Left { t: desk.t, mask: forward.clone(), backward: backward.clone(), ..desk.left.clone() };
    let rate = desk.rate()?;
    let mut momentum = Vec::new();
    for (p, own) in operands.weights.iter().enumerate() {
        desk.real("step", "between", p, None, own.clone())?.ok();
        let stepped = match forward.get(p) {
            None => desk.descend_within(p, &operands, &rate, &|_, _| Near::ZERO, &|_| true)?,
            Some(a) => within(desk, p, &operands, &rate, (a, &backward[p]))?,
        };
        let (after, v) = match stepped {
            Ok((after, v)) => (Ok(after), Ok(v)),
            Err(reason) => (Err(reason.clone()), Err(reason)),
        };
        left.weights[p] = desk.real("step", "weights_after", p, None, after)?;
        momentum.push(v);
    }
    for (p, v) in momentum.into_iter().enumerate() {
        left.momentum[p] = desk.real("momentum", "momentum", p, None, v)?;
    }
    Ok(left)
}

/// Labels `count`, `forward` and `backward` at an update.
fn choose(desk: &mut Desk, operands: &Operands) -> Result<(Masks, Masks)> {
    let rules = desk.rules;
    let groups = desk.groups(rules.choice::<Distribution>() == Distribution::Global);
    let all = everything(desk);
    let share = |key: &str| Ok(Near::exact(rules.real(key)));
    let counts = desk.shares_kept(&groups, &all, &share("forward_sparsity"), true);
    let is_swapped = rules.has(Slip::CountsSwapped);
    let share = |key: &str| match key {
        "forward_sparsity" if is_swapped => share("backward_sparsity"),
        "backward_sparsity" if is_swapped || rules.has(Slip::BackwardIsForward) => share("forward_sparsity"),
        key => share(key),
    };
    let counts = if is_swapped { desk.shares_kept(&groups, &all, &share("forward_sparsity"), true) } else { counts };
    let forward_counts = desk.counts("count", "keep", counts)?;
    let counts = desk.shares_kept(&groups, &all, &share("backward_sparsity"), true);
    let backward_counts = desk.counts("count", "keep_backward", counts)?;
    let keys = keys(desk, operands, all.len())?;
    let choice = |counts| Choice {
        keys: &keys,
        candidates: &all,
        base: None,
        groups: &groups,
        counts,
        cut: rules.choice(),
        ties: desk.ties(),
    };
    let (a, b) = (choice(&forward_counts), choice(&backward_counts));
    let forward = desk.chosen("forward", "mask", &a)?;
    if let Some(backward) = otherwise(desk, &forward, operands)? {
        return Ok((forward, backward));
    }
    let backward = desk.chosen("backward", "backward", &b)?;
    contained(desk, &forward, &backward);
    Ok((forward, backward))
}

/// |w|.
fn keys(desk: &mut Desk, operands: &Operands, prunable: usize) -> Result<Vec<Known<Vec<Interval>>>> {
    let slip = desk.rules.slip(&[Slip::Signed, Slip::ChosenAfterStep]);
    let (rate, u) = (desk.rate()?, desk.rules.arithmetic.u());
    let mut keys = Vec::new();
    for (p, w) in operands.weights[..prunable].iter().enumerate() {
        let g = if slip == Some(Slip::ChosenAfterStep) { Some(desk.gradient(p)?) } else { None };
        let known = || -> Known<Vec<Interval>> {
            let w = w.clone()?;
            let Some(g) = g else {
                let size = |w: Near| if slip == Some(Slip::Signed) { w.interval() } else { w.abs().interval() };
                return Ok(w.iter().map(size).collect());
            };
            let (g, eta) = (g?, rate.clone()?);
            let moved = |(w, g): (Near, Near)| w.minus(g.times(eta)).give(3.0 * u * (w.size() + g.size() * eta.size()));
            Ok(w.iter().zip(g.iter()).map(|of| moved(of).abs().interval()).collect())
        };
        keys.push(known());
    }
    Ok(keys)
}

/// B, where it is taken for something else.
fn otherwise(desk: &mut Desk, forward: &[Known<Flags>], operands: &Operands) -> Result<Option<Masks>> {
    let among = [Slip::BackwardIsForward, Slip::BackwardIsAll, Slip::BackwardWithoutForward];
    let Some(slip) = desk.rules.slip(&among) else { return Ok(None) };
    let of = |a: &Known<Flags>| -> Known<Flags> {
        Ok(Rc::new(a.clone()?.iter().map(|&a| slip == Slip::BackwardIsAll || a).collect()))
    };
    let mut masks: Masks = forward.iter().map(of).collect();
    if slip == Slip::BackwardWithoutForward {
        let groups = desk.groups(desk.rules.choice::<Distribution>() == Distribution::Global);
        let keys = keys(desk, operands, masks.len())?;
        let share = Ok(Near::exact(desk.rules.real("backward_sparsity")));
        let counts = desk.shares_kept(&groups, &everything(desk), &share, true);
        let choice = Choice {
            keys: &keys,
            candidates: &everything(desk),
            base: None,
            groups: &groups,
            counts: &counts,
            cut: desk.rules.choice(),
            ties: desk.ties(),
        };
        masks = desk.without("backward", &choice, forward);
    }
    desk.same("backward", "backward", &masks).map(Some)
}

/// A lies in B, also where equal sizes leave both open.
fn contained(desk: &mut Desk, forward: &[Known<Flags>], backward: &[Known<Flags>]) {
    for (p, pair) in forward.iter().zip(backward).enumerate() {
        let (Ok(a), Ok(b)) = pair else { continue };
        let name = desk.name_of("backward", p);
        let Some(j) = (0..a.len()).find(|&j| a[j] && !b[j]).filter(|_| desk.trace.has(&name)) else { continue };
        let place = desk.place(&name);
        let index = desk.parameters()[p].index(j);
        if let Some(outcome) = desk.outcome("backward") {
            outcome.diverges_at(&place, index, 0.0, Interval::exact(1.0));
        }
    }
}

/// Without an update A and B are what they were.
fn as_before(desk: &mut Desk, operands: &Operands) -> Result<(Masks, Masks)> {
    let forward = desk.unchanged(operands)?.mask;
    let mut backward = Vec::new();
    for (p, parameter) in desk.prunable().iter().enumerate() {
        let before =
            desk.left.backward.get(p).cloned().unwrap_or_else(|| Err("needs the last update's `backward`".to_string()));
        // As of any mask: nothing may have been due since.
        let from = desk.left.t.map_or(0, |t| t + 1);
        let is_left = !(from..desk.step()).any(|t| desk.rules.is_due(t));
        let before = if is_left { before } else { Err("needs the last update's `backward`".to_string()) };
        let expected = before.map(|before| before.iter().map(|&flag| Decision::of(flag)).collect());
        let of = format!("/{}", parameter.name);
        backward.push(desk.flags("when", ("backward", &of), &parameter.shape, expected)?);
    }
    Ok((forward, backward))
}

/// SGD with the penalty in B; outside of it weights stay and have no momentum.
fn within(
    desk: &mut Desk,
    p: usize,
    operands: &Operands,
    rate: &Known<Near>,
    (a, b): (&Known<Flags>, &Known<Flags>),
) -> Result<Known<(Reals, Reals)>> {
    let rules = desk.rules;
    let (a, b) = match (a, b) {
        (Ok(a), Ok(b)) => (Rc::clone(a), Rc::clone(b)),
        (Err(reason), _) | (_, Err(reason)) => return Ok(Err(reason.clone())),
    };
    let among = [
        Slip::NoPenalty,
        Slip::PenaltyDoubled,
        Slip::PenaltyUnsigned,
        Slip::PenaltyOfSparsity,
        Slip::PenaltyOutsideAlone,
        Slip::PenaltyDividedInside,
        Slip::PenaltyOfBackward,
        Slip::PenaltyWithoutDensity,
        Slip::PenaltyTimesDensity,
    ];
    let slip = rules.slip(&among);
    let penalty = DoubleDouble::from(match slip {
        Some(Slip::NoPenalty) => 0.0,
        Some(Slip::PenaltyDoubled) => 2.0 * rules.real("penalty"),
        _ => rules.real("penalty"),
    });
    let of = if slip == Some(Slip::PenaltyOfBackward) { "backward_sparsity" } else { "forward_sparsity" };
    let density = DoubleDouble::ONE - DoubleDouble::from(rules.real(of));
    let pull = |j: usize, w: Near| {
        let of = match rules.choice::<PenaltyRule>() {
            PenaltyRule::L2 if slip == Some(Slip::PenaltyUnsigned) => w.abs(),
            PenaltyRule::L2 => w,
            PenaltyRule::L1 => Near::exact(if w.centre.hi() == 0.0 { 0.0 } else { w.centre.hi().signum() }),
        };
        let factor = match (a[j], slip) {
            (true, Some(Slip::PenaltyOutsideAlone)) => DoubleDouble::ZERO,
            (true, Some(Slip::PenaltyDividedInside)) => penalty / density,
            (true, _) | (_, Some(Slip::PenaltyWithoutDensity)) => penalty,
            (_, Some(Slip::PenaltyTimesDensity)) => penalty * density,
            (_, Some(Slip::PenaltyOfSparsity)) => penalty / (DoubleDouble::ONE - density),
            _ => penalty / density,
        };
        // D is a difference, formed in the port's dtype: what that may be off by counts as much more as D is smaller.
        let is_divided = !a[j] || slip == Some(Slip::PenaltyDividedInside);
        let spread = if is_divided { 2.0 * rules.arithmetic.u() * (factor / density).abs().to_f64() } else { 0.0 };
        of.times(Near { centre: factor, radius: spread })
    };
    let moves = |j: usize| match rules.slip(&[Slip::MovesForward, Slip::UnmaskedStep]) {
        Some(Slip::MovesForward) => a[j],
        Some(_) => true,
        None => b[j],
    };
    desk.descend_within(p, operands, rate, &pull, &moves)
}
