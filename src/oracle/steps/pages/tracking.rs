//! DropBack (Golub, Lemieux, Lis 2019, Alg. 1) and Procrustes (Yang et al. 2020; Alg. 2 of the paper): k weights are tracked,
//! all others set back to their first values, or to what is left of these.

use super::sums::{Moved, accumulate, moves, sums_before};
use crate::error::Result;
use crate::oracle::steps::choose::Choice;
use crate::oracle::steps::counts::Counts;
use crate::oracle::steps::descend::First;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::left::{Operands, masked};
use crate::oracle::steps::near::{Arrays, Flags, Known, Masks, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::{everything, intervals};
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::{Left, Whole};
use crate::oracle::steps::whole::Start;
use crate::select::dumique::Select;
use crate::select::schedule::Clock;
use crate::select::score::Score;
use crate::trace::StepMethod;

pub(super) static DROPBACK: Page = Page {
    fits: tracks_some,
    begin: first_weights,
    ..Page::new(
        StepMethod::DropBack,
        &[
            "dropback.carry",
            "dropback.step",
            "dropback.count",
            "dropback.score",
            "dropback.track",
            "dropback.reset",
            "dropback.momentum",
            "dropback.accumulate",
        ],
        step,
    )
};

pub(super) static PROCRUSTES: Page = Page {
    fits: tracks_some,
    begin: first_weights,
    ..Page::new(
        StepMethod::Procrustes,
        &[
            "procrustes.carry",
            "procrustes.step",
            "procrustes.schedule",
            "procrustes.count",
            "procrustes.score",
            "procrustes.quantile",
            "procrustes.track",
            "procrustes.reset",
            "procrustes.momentum",
            "procrustes.accumulate",
        ],
        step,
    )
};

fn tracks_some(desk: &Desk) -> Result<()> {
    let n = desk.trace.weights();
    match desk.rules.options.count("tracked") {
        Some(k) if k > n => {
            Err(desk.trace.bad_header("hyper: tracked", format!("at most N = {n}, the weights of `params`"), k))
        }
        Some(_) => Ok(()),
        None => desk.required(&["sparsity"]),
    }
}

/// w0 is `init`, or the weights before the first step.
fn first_weights(desk: &mut Desk) -> Result<Whole> {
    let mut whole = desk.whole(Start::DENSE)?;
    for (p, parameter) in desk.parameters().iter().enumerate() {
        if whole.init[p].is_err()
            && let Some(first) = desk.floats(&format!("step/0/weights_before/{}", parameter.name))?
        {
            whole.init[p] = Ok(first);
        }
    }
    Ok(whole)
}

fn step(desk: &mut Desk) -> Result<Left> {
    let rules = desk.rules;
    let operands = desk.operands()?;
    let is_summed = desk.rules.choice::<Score>() == Score::Accumulated;
    let sums = if is_summed { sums_before(desk)? } else { Vec::new() };
    let mask = rules.has(Slip::MaskedStep).then_some(&operands.mask[..]);
    let first = desk.descend(("step", "between"), &operands, mask, false)?;
    let e = exponent(desk);
    if rules.method() == StepMethod::Procrustes {
        let (u, underflow) = (rules.arithmetic.u(), rules.arithmetic.underflow());
        let rate = Near { centre: rules.decayed(rules.real("lambda"), e), radius: 0.0 };
        let rate = rate.give((6.0 * e as f64 + 8.0) * u * rate.size() + underflow);
        desk.real_number("schedule", "rate", Ok(rate))?.ok();
    }
    let k = desk.counts("count", "keep", vec![Ok(tracked(desk))])?.remove(0);
    let moved = if is_summed { Some(moves(desk, &operands, &sums)?) } else { None };
    let scores = scores(desk, &first, &operands, moved.as_deref(), e)?;
    let (mask, quantile) = track(desk, &scores, &operands, k)?;
    let mut left = Left { t: desk.t, mask: mask.clone(), quantile, ..desk.left.clone() };
    for p in 0..desk.parameters().len() {
        let expected = match mask.get(p) {
            None => first.between[p].clone(),
            Some(mask) => reset(desk, p, &first, &operands, mask, e),
        };
        left.weights[p] = desk.real("reset", "weights_after", p, None, expected)?;
    }
    for p in 0..desk.parameters().len() {
        let expected = match mask.get(p).filter(|_| rules.has(Slip::MomentumOfTracked)) {
            Some(mask) => first.momentum[p].clone().and_then(|v| Ok(masked(&v, &mask.clone()?))),
            None => first.momentum[p].clone(),
        };
        left.momentum[p] = desk.real("momentum", "momentum", p, None, expected)?;
    }
    if let Some(moved) = moved {
        for (p, mask) in mask.iter().enumerate() {
            let expected = accumulate(desk, &moved[p], mask);
            left.accumulated[p] = desk.real("accumulate", "accumulated", p, None, expected)?;
        }
    }
    Ok(left)
}

/// e of lambda^e; 0 for DropBack, whose first values do not decay.
fn exponent(desk: &Desk) -> usize {
    match (desk.rules.method(), desk.rules.choice::<Clock>()) {
        (StepMethod::Procrustes, Clock::Index) => desk.step(),
        (StepMethod::Procrustes, _) => desk.step() + 1,
        _ => 0,
    }
}

fn tracked(desk: &Desk) -> Counts {
    let n = desk.trace.weights();
    match desk.rules.options.count("tracked") {
        Some(k) => match desk.rules.slip(&[Slip::CountOneMore, Slip::CountOneFewer]) {
            Some(Slip::CountOneMore) => Counts::exact(k + 1),
            Some(_) => Counts::exact(k.saturating_sub(1)),
            None => Counts::exact(k),
        },
        None => desk.share_kept(n, Near::exact(desk.rules.real("sparsity"))),
    }
}

/// Label `score`.
fn scores(desk: &mut Desk, first: &First, operands: &Operands, moved: Option<&[Moved]>, e: usize) -> Result<Arrays> {
    let mut scores = Vec::new();
    for p in 0..desk.prunable().len() {
        let expected = match moved {
            _ if desk.rules.has(Slip::ScoreOfWeight) => {
                first.between[p].clone().map(|w| w.iter().map(Near::abs).collect())
            }
            Some(moved) => moved[p].score.clone().map(|a| a.iter().map(|a| sized(desk, a)).collect()),
            None => distances(desk, p, first, operands, e),
        };
        scores.push(desk.real("score", "score", p, None, expected)?);
    }
    Ok(scores)
}

fn sized(desk: &Desk, x: Near) -> Near {
    if desk.rules.has(Slip::Signed) { x } else { x.abs() }
}

/// `|between - lambda^e w0|`.
fn distances(desk: &Desk, p: usize, first: &First, operands: &Operands, e: usize) -> Known<Reals> {
    let slip = desk.rules.slip(&[Slip::ScoreBefore, Slip::Aliased]);
    let before = || operands.weights[p].clone();
    let of = if slip == Some(Slip::ScoreBefore) { before()? } else { first.between[p].clone()? };
    let w0 = if slip == Some(Slip::Aliased) { before()? } else { desk.whole.init[p].clone()? };
    let u = desk.rules.arithmetic.u();
    let distance = |j: usize| {
        let apart = of.at(j).minus(remains(desk, w0.at(j), e));
        sized(desk, apart.give(2.0 * u * apart.size() + desk.rules.arithmetic.underflow()))
    };
    Ok((0..of.len()).map(distance).collect())
}

/// lambda^e w0, of which e roundings and a product are made; w0 itself, bit for bit, where nothing decays.
fn remains(desk: &Desk, w0: Near, e: usize) -> Near {
    if desk.rules.method() == StepMethod::DropBack || desk.rules.has(Slip::ResetToInitial) {
        return w0;
    }
    let lambda = Near { centre: desk.rules.decayed(desk.rules.real("lambda"), e), radius: 0.0 };
    let left = lambda.times(w0);
    let (u, underflow) = (desk.rules.arithmetic.u(), desk.rules.arithmetic.underflow());
    // An underflow of lambda^e times w0, and the product's own.
    left.give((6.0 * e as f64 + 10.0) * u * left.size() + underflow * (1.0 + w0.size()))
}

/// Label `track`, and with DUMIQUE `quantile`; where its estimate ended.
fn track(
    desk: &mut Desk,
    scores: &[Known<Reals>],
    operands: &Operands,
    k: Known<Counts>,
) -> Result<(Masks, Known<Near>)> {
    let rules = desk.rules;
    if is_frozen(desk) {
        return Ok((desk.same("track", "mask", &operands.mask)?, desk.left.quantile.clone()));
    }
    if rules.method() == StepMethod::Procrustes && rules.choice::<Select>() == Select::Dumique {
        return super::dumique::estimate(desk, scores, k);
    }
    let keys = intervals(scores);
    let groups = desk.groups(true);
    let is_after_first = desk.left.t.is_some();
    let candidates =
        if rules.has(Slip::NeverAgain) && is_after_first { operands.mask.clone() } else { everything(desk) };
    let choice = Choice {
        keys: &keys,
        candidates: &candidates,
        base: rules.has(Slip::OnceTracked).then_some(&operands.mask[..]).filter(|_| is_after_first),
        groups: &groups,
        counts: &vec![k; groups.len()],
        cut: rules.choice(),
        ties: desk.ties(),
    };
    Ok((desk.chosen("track", "mask", &choice)?, desk.left.quantile.clone()))
}

/// Whether the mask stays what it was.
fn is_frozen(desk: &Desk) -> bool {
    let (rules, t) = (desk.rules, desk.step());
    let Some(freeze) = rules.options.count("freeze_step") else { return rules.has(Slip::Frozen) };
    match rules.slip(&[Slip::Frozen, Slip::FrozenLater, Slip::NeverFrozen]) {
        Some(Slip::Frozen) => true,
        Some(Slip::FrozenLater) => t > freeze,
        Some(_) => false,
        None => t >= freeze,
    }
}

/// Label `reset`: what is tracked stays, the rest is what remains of w0.
fn reset(desk: &Desk, p: usize, first: &First, operands: &Operands, mask: &Known<Flags>, e: usize) -> Known<Reals> {
    let (between, mask) = (first.between[p].clone()?, mask.clone()?);
    let w0 = desk.whole.init[p].clone();
    let among = [
        Slip::NotReset,
        Slip::ResetToZero,
        Slip::ResetToBefore,
        Slip::ResetOfOwn,
        Slip::ResetCompounds,
        Slip::InactiveDiffer,
        Slip::SurvivorsDiffer,
    ];
    let slip = desk.rules.slip(&among);
    let value = |j: usize| -> Known<Near> {
        Ok(match slip {
            Some(Slip::SurvivorsDiffer) if mask[j] => Near::ANY,
            _ if mask[j] => between.at(j),
            Some(Slip::NotReset) => between.at(j),
            Some(Slip::InactiveDiffer) => Near::ANY,
            Some(Slip::ResetToZero) => Near::ZERO,
            Some(Slip::ResetToBefore) => operands.weights[p].as_ref().map_err(Clone::clone)?.at(j),
            Some(Slip::ResetOfOwn) => {
                let own = between.at(j).scaled(desk.rules.real("lambda"));
                own.give(2.0 * desk.rules.arithmetic.u() * own.size() + desk.rules.arithmetic.underflow())
            }
            Some(Slip::ResetCompounds) if desk.rules.method() == StepMethod::Procrustes => {
                remains(desk, between.at(j), e)
            }
            _ => remains(desk, w0.as_ref().map_err(Clone::clone)?.at(j), e),
        })
    };
    (0..between.len()).map(value).collect::<Known<Vec<Near>>>().map(Reals::from_iter)
}
