//! DropBack (Golub, Lemieux, Lis 2019, Alg. 1) and Procrustes (Yang et al. 2020; Alg. 2 of the paper): k weights are tracked,
//! all others set back to their first values, or to what is left of these.

use crate::error::Result;
use crate::oracle::interval::Decision;
use crate::oracle::steps::counts::Counts;
use crate::oracle::steps::descend::First;
use crate::oracle::steps::desk::{Arrays, Choice, Desk, Known, Masks};
use crate::oracle::steps::left::{Left, Operands};
use crate::oracle::steps::near::{Flags, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::pick::{everything, intervals};
use crate::oracle::steps::slips::Slip;
use crate::scalar::DoubleDouble;
use crate::select::dumique::{DumiqueCarry, DumiqueOrder, Select};
use crate::select::schedule::Clock;
use crate::select::score::{Accumulate, Score};
use crate::trace::StepMethod;

pub(in crate::oracle::steps) static DROPBACK: Page = Page {
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

pub(in crate::oracle::steps) static PROCRUSTES: Page = Page {
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
fn first_weights(desk: &mut Desk) -> Result<crate::oracle::steps::whole::Whole> {
    let mut whole = desk.whole(None, false)?;
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
    let t = desk.step();
    let operands = desk.operands()?;
    let is_summed = desk.rules.choice::<Score>() == Score::Accumulated;
    let sums = if is_summed { sums_before(desk)? } else { Vec::new() };
    let first = desk.descend(("step", "between"), &operands, None, false)?;
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
        left.momentum[p] = desk.real("momentum", "momentum", p, None, first.momentum[p].clone())?;
    }
    if let Some(moved) = moved {
        for (p, mask) in mask.iter().enumerate() {
            let expected = accumulate(desk, &moved[p], mask);
            left.accumulated[p] = desk.real("accumulate", "accumulated", p, None, expected)?;
        }
    }
    debug_assert_eq!(left.t, Some(t));
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
    let k = match desk.rules.options.count("tracked") {
        Some(k) => Counts::exact(k),
        None => {
            let (count, minimum) = desk.rules.count();
            desk.kept(n, Near::exact(desk.rules.real("sparsity")), count, minimum)
        }
    };
    match desk.rules.slip {
        Some(Slip::CountOneMore) => k.plus(1),
        Some(Slip::CountOneFewer) => Counts { low: k.low.saturating_sub(1), high: k.high.saturating_sub(1) },
        Some(Slip::CountOfRemoved) => k.of(n),
        _ => k,
    }
}

/// a, before the step.
fn sums_before(desk: &mut Desk) -> Result<Arrays> {
    let left = desk.left;
    let consecutive = left.t.map_or(0, |last| last + 1) == desk.step();
    let mut sums = Vec::new();
    for p in 0..desk.prunable().len() {
        let before = consecutive.then(|| left.accumulated[p].clone());
        sums.push(desk.carried("accumulated_before", "accumulated", p, before)?);
    }
    Ok(sums)
}

/// a': `a + eta g` where a weight was tracked, `eta g` elsewhere; and whether the sum itself runs on (`always`).
struct Moved {
    score: Known<Reals>,
    sum: Known<Reals>,
}

fn moves(desk: &mut Desk, operands: &Operands, sums: &[Known<Reals>]) -> Result<Vec<Moved>> {
    let rate = desk.rate()?;
    let arithmetic = desk.rules.arithmetic;
    let mut all = Vec::new();
    for (p, a) in sums.iter().enumerate() {
        let g = desk.gradient(p)?;
        let with = |is_tracked: &dyn Fn(usize) -> bool| -> Known<Reals> {
            let (a, g, eta) = (a.clone()?, g.clone()?, rate.clone()?);
            let eta = if desk.rules.has(Slip::NoRate) { Near::exact(1.0) } else { eta };
            let sum = |j: usize| {
                let before = if is_tracked(j) { a.at(j) } else { Near::ZERO };
                let step = g.at(j).times(eta);
                let error = 5.0 * arithmetic.u() * (before.size() + step.size()) + 2.0 * arithmetic.underflow();
                before.plus(step).give(error)
            };
            Ok((0..g.len()).map(sum).collect())
        };
        let score = match &operands.mask[p] {
            _ if desk.rules.has(Slip::SumsOfAll) => with(&|_| true),
            Ok(mask) => with(&|j| mask[j]),
            Err(reason) => Err(reason.clone()),
        };
        let sum = match desk.rules.choice::<Accumulate>() {
            Accumulate::Tracked => score.clone(),
            Accumulate::Always => with(&|_| true),
        };
        all.push(Moved { score, sum });
    }
    Ok(all)
}

/// Label `accumulate`.
fn accumulate(desk: &Desk, moved: &Moved, mask: &Known<Flags>) -> Known<Reals> {
    let sum = moved.sum.clone()?;
    if desk.rules.choice::<Accumulate>() == Accumulate::Always || desk.rules.has(Slip::SumsKept) {
        return Ok(sum);
    }
    let mask = mask.clone()?;
    Ok((0..sum.len()).map(|j| if mask[j] { sum.at(j) } else { Near::ZERO }).collect())
}

/// Label `score`.
fn scores(desk: &mut Desk, first: &First, operands: &Operands, moved: Option<&[Moved]>, e: usize) -> Result<Arrays> {
    let mut scores = Vec::new();
    for p in 0..desk.prunable().len() {
        let expected = match moved {
            Some(moved) => moved[p].score.clone().map(|a| a.iter().map(|a| sized(desk, a)).collect()),
            None => distances(desk, p, first, operands, e),
        };
        scores.push(desk.real("score", "score", p, None, expected)?);
    }
    Ok(scores)
}

fn sized(desk: &Desk, x: Near) -> Near {
    match desk.rules.slip {
        Some(Slip::Signed) => x,
        Some(Slip::Squared) => x.times(x),
        _ => x.abs(),
    }
}

/// `|between - lambda^e w0|`.
fn distances(desk: &mut Desk, p: usize, first: &First, operands: &Operands, e: usize) -> Known<Reals> {
    let of = match desk.rules.slip {
        Some(Slip::ScoreBefore) => operands.weights[p].clone()?,
        _ => first.between[p].clone()?,
    };
    let w0 = desk.whole.init[p].clone()?;
    let u = desk.rules.arithmetic.u();
    let distance = |j: usize| {
        let origin = match desk.rules.slip {
            Some(Slip::ScoreOfWeight) => Near::ZERO,
            Some(Slip::ResetToBefore) => operands.weights[p].as_ref().map_or(Near::ZERO, |w| w.at(j)),
            _ => remains(desk, w0.at(j), e),
        };
        let apart = of.at(j).minus(origin);
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
    let is_frozen = rules.options.count("freeze_step").is_some_and(|freeze| desk.step() >= freeze);
    if is_frozen || rules.has(Slip::Frozen) {
        let mut mask = Vec::new();
        for (p, parameter) in desk.prunable().iter().enumerate() {
            let before = operands.mask[p].clone();
            let expected = before.map(|before| before.iter().map(|&flag| Decision::of(flag)).collect());
            let of = format!("/{}", parameter.name);
            mask.push(desk.flags("track", ("mask", &of), &parameter.shape, expected)?);
        }
        return Ok((mask, desk.left.quantile.clone()));
    }
    if rules.method() == StepMethod::Procrustes && rules.choice::<Select>() == Select::Dumique {
        return estimate(desk, scores, k);
    }
    let keys = intervals(scores);
    let groups = desk.groups(true);
    let choice = Choice {
        keys: &keys,
        candidates: &everything(desk),
        base: None,
        groups: &groups,
        counts: &vec![k; groups.len()],
        cut: rules.choice(),
        ties: desk.ties(),
    };
    Ok((desk.chosen("track", "mask", &choice)?, desk.left.quantile.clone()))
}

/// One pass over W: tracked iff Q < score; Q then grows by 1 + rho q, or shrinks by 1 - rho (1 - q). The estimate follows the
/// recorded decisions, to (3i + 2) u after i of them.
fn estimate(desk: &mut Desk, scores: &[Known<Reals>], k: Known<Counts>) -> Result<(Masks, Known<Near>)> {
    let rules = desk.rules;
    let u = rules.arithmetic.u();
    let params = desk.prunable();
    let n = desk.trace.weights();
    let recorded = desk.list("quantile")?;
    let restarts = rules.choice::<DumiqueCarry>() == DumiqueCarry::Restart;
    let consecutive = desk.left.t.map_or(0, |last| last + 1) == desk.step();
    let begins: Known<Near> = match (restarts, consecutive || desk.left.t.is_none() && desk.step() == 0) {
        (true, _) => Ok(rules.constant(rules.real("dumique_start"))),
        (false, true) if desk.left.t.is_none() => Ok(rules.constant(rules.real("dumique_start"))),
        (false, true) => desk.left.quantile.clone(),
        (false, false) => Err("needs `quantile` of the step before".to_string()),
    };
    // A check goes on from where the port says that it starts.
    let starts =
        if desk.is_replay() { begins.clone() } else { recorded.as_ref().map(|q| q.at(0)).or_else(|_| begins.clone()) };
    let backwards = rules.choice::<DumiqueOrder>() == DumiqueOrder::LastToFirst;
    let mut taken: Vec<Option<Vec<bool>>> = Vec::new();
    for parameter in params {
        let name = desk.name(&format!("mask/{}", parameter.name));
        taken.push(if desk.is_replay() { None } else { desk.trace.flags(&name)? });
    }
    let walk = || -> Known<(Vec<Vec<Decision>>, Near)> {
        let (k, start) = (k.clone()?, starts.clone()?);
        let q = DoubleDouble::from(1.0) - DoubleDouble::from(k.low as f64) / DoubleDouble::from(n.max(1) as f64);
        let rho = DoubleDouble::from(rules.real("dumique_rate"));
        let one = DoubleDouble::from(1.0);
        let (up, down) = (one + rho * q, one - rho * (one - q));
        let (mut centre, mut i) = (start.centre, 0_usize);
        let mut decisions: Vec<Vec<Decision>> = params.iter().map(|p| vec![Decision::No; p.range.len()]).collect();
        let mut places: Vec<(usize, usize)> =
            params.iter().enumerate().flat_map(|(p, of)| (0..of.range.len()).map(move |j| (p, j))).collect();
        if backwards {
            places.reverse();
        }
        for (p, j) in places {
            let estimate = Near { centre, radius: start.radius }.give((3.0 * i as f64 + 2.0) * u * centre.hi().abs());
            let score = scores[p].as_ref().map_err(Clone::clone)?.at(j).interval();
            let decision = if i == 0 || u > 0.0 {
                estimate.interval().less_than(score)
            } else {
                Near { centre, radius: 0.0 }.interval().less_than(score)
            };
            let exact = Near { centre, radius: 0.0 };
            let decision = if desk.is_replay() {
                Decision::of(exact.centre < scores[p].as_ref().map_err(Clone::clone)?.at(j).centre)
            } else {
                decision
            };
            decisions[p][j] = decision;
            let is_tracked = match (&taken[p], decision) {
                (Some(taken), _) => taken[j],
                (None, Decision::Yes) => true,
                (None, Decision::No) => false,
                (None, Decision::Either) => return Err("depends on decisions that rounding may turn".to_string()),
            };
            centre *= if is_tracked { up } else { down };
            i += 1;
        }
        let end = Near { centre, radius: start.radius }.give((3.0 * i as f64 + 2.0) * u * centre.hi().abs());
        Ok((decisions, end))
    };
    let walked = walk();
    let ends = walked.as_ref().map(|(_, end)| *end).map_err(Clone::clone);
    let expected = || -> Known<Reals> { Ok([begins.clone()?, ends.clone()?].into_iter().collect()) };
    let expected = expected();
    let quantile = desk.real_named("quantile", ("quantile", ""), &[2], None, expected)?;
    let mut mask = Vec::new();
    for (p, parameter) in params.iter().enumerate() {
        let of = format!("/{}", parameter.name);
        let decisions = walked.as_ref().map(|(decisions, _)| decisions[p].clone()).map_err(Clone::clone);
        mask.push(desk.flags("track", ("mask", &of), &parameter.shape, decisions)?);
    }
    Ok((mask, quantile.map(|q| q.at(1))))
}

/// Label `reset`: what is tracked stays, the rest is what remains of w0.
fn reset(desk: &Desk, p: usize, first: &First, operands: &Operands, mask: &Known<Flags>, e: usize) -> Known<Reals> {
    let (between, mask) = (first.between[p].clone()?, mask.clone()?);
    let w0 = desk.whole.init[p].clone();
    let value = |j: usize| -> Known<Near> {
        if mask[j] || desk.rules.has(Slip::NotReset) {
            return Ok(between.at(j));
        }
        Ok(match desk.rules.slip {
            Some(Slip::ResetToZero) => Near::ZERO,
            Some(Slip::ResetToBefore) => operands.weights[p].as_ref().map_err(Clone::clone)?.at(j),
            _ => remains(desk, w0.as_ref().map_err(Clone::clone)?.at(j), e),
        })
    };
    (0..between.len()).map(value).collect::<Known<Vec<Near>>>().map(Reals::from_iter)
}
