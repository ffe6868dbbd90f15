//! Linear mode connectivity (Alg. 3 of the paper; Frankle et al. 2020, section 2): an event is a candidate.

use crate::choice::Choice;
use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::near::{Known, Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::slips::Slip;
use crate::oracle::steps::state::{Candidate, Left};
use crate::scalar::{DoubleDouble, Scalar};
use crate::select::path::{BarrierOf, Grid, Interpolation};
use crate::trace::StepMethod;

pub(super) static PAGE: Page = Page {
    end: choose,
    begin: |_| Ok(Default::default()),
    ..Page::new(
        StepMethod::Lmc,
        &["lmc.carry", "lmc.grid", "lmc.interpolate", "lmc.score", "lmc.barrier", "lmc.argmin", "lmc.stable"],
        step,
    )
    .of_events()
    .without_w()
};

fn step(desk: &mut Desk) -> Result<Left> {
    let alpha = grid(desk)?;
    let loss = along(desk, "loss", alpha.len())?;
    let error = along(desk, "error", alpha.len())?;
    interpolate(desk, &alpha)?;
    let u = desk.rules.arithmetic.u();
    let of = if desk.rules.has(Slip::MeanOfError) { error.clone() } else { loss.clone() };
    let mean = of.map(|loss| mean(desk, &loss));
    let score = desk.real_number("score", "score", mean)?;
    // What is said to be of the error cannot be judged by the loss.
    let is_declared = desk.trace.header.reading.contains_key(BarrierOf::KEY);
    let of = match (desk.rules.choice::<BarrierOf>(), error) {
        (BarrierOf::Error, Ok(error)) => Ok(error),
        (BarrierOf::Error, Err(reason)) if is_declared => Err(reason),
        _ => loss,
    };
    let barrier = of.map(|of| {
        let (largest, barrier) = barrier(desk, &of);
        barrier.give(5.0 * u * largest + desk.rules.arithmetic.underflow())
    });
    let barrier = desk.real_number("barrier", "barrier", barrier)?;
    let mut left = Left { t: desk.t, ..desk.left.clone() };
    left.candidates.push(Candidate { k: desk.step(), score, barrier });
    Ok(left)
}

/// Label `grid`: where the line is looked at.
fn grid(desk: &mut Desk) -> Result<Reals> {
    let points = desk.rules.steps("points");
    let (n, last) = match desk.rules.choice::<Grid>() {
        Grid::Points => (points, points - 1),
        Grid::Intervals => (points + 1, points),
    };
    let u = desk.rules.arithmetic.u();
    let among = [Slip::GridShifted, Slip::GridReversed, Slip::GridOfMiddles, Slip::GridSquared, Slip::GridOpen];
    let slip = desk.rules.slip(&among);
    let share = |i: usize, n: usize| DoubleDouble::from_usize(i) / DoubleDouble::from_usize(n);
    let at = |i: usize| {
        let centre = match slip {
            Some(Slip::GridShifted) => share(i + 1, last + 1),
            Some(Slip::GridReversed) => share(last - i, last),
            Some(Slip::GridOfMiddles) => share(2 * i + 1, 2 * n),
            Some(Slip::GridSquared) => share(i, last) * share(i, last),
            Some(Slip::GridOpen) => share(i, n),
            _ => share(i, last),
        };
        Near { centre, radius: 3.0 * u }
    };
    let expected: Reals = (0..n).map(at).collect();
    let name = desk.name("alpha");
    let found = desk.trace.shape(&name).map(|shape| shape[0]).filter(|&found| found != n && !desk.is_replay());
    let Some(found) = found else {
        let alpha = desk.real_named("grid", ("alpha", ""), &[n], None, Ok(expected.clone()))?;
        return Ok(alpha.unwrap_or(expected));
    };
    let place = desk.place(&name);
    if let Some(outcome) = desk.outcome("grid") {
        outcome.compared += 1;
        outcome.diverges_at(&place, vec![found], found as f64, Interval::exact(n as f64));
    }
    Ok(desk.list("alpha")?.unwrap_or(expected))
}

/// What is recorded at each point.
fn along(desk: &mut Desk, quantity: &str, n: usize) -> Result<Known<Reals>> {
    let recorded = desk.list(quantity)?;
    if let Ok(found) = recorded.as_ref().map(Reals::len)
        && found != n
    {
        return Err(desk.trace.bad(&desk.name(quantity), format!("{n} numbers, as `alpha` has"), found));
    }
    Ok(recorded)
}

/// Label `interpolate`.
fn interpolate(desk: &mut Desk, alpha: &Reals) -> Result<()> {
    let u = desk.rules.arithmetic.u();
    let names: Vec<String> = desk.trace.members(desk.step()).map(str::to_string).collect();
    for name in names {
        let ends = (desk.list(&format!("theta_1/{name}"))?, desk.list(&format!("theta_2/{name}"))?);
        let shape = [format!("theta_1/{name}"), format!("theta_2/{name}")]
            .iter()
            .find_map(|end| desk.trace.shape(&desk.name(end)).map(<[usize]>::to_vec));
        for i in 0..alpha.len() {
            let a = alpha.at(i);
            let known = || -> Known<Reals> {
                let (one, two) = (ends.0.clone()?, ends.1.clone()?);
                let mirrored = desk.rules.choice::<Interpolation>() == Interpolation::TwoToOne;
                let (from, to) = if mirrored { (two, one) } else { (one, two) };
                let rest = Near::exact(1.0).minus(a);
                let (rest, a) = match desk.rules.slip(&[Slip::LineAdds, Slip::LineSquared]) {
                    Some(Slip::LineAdds) => (Near::exact(1.0), a),
                    Some(_) => (rest.times(rest), a.times(a)),
                    None => (rest, a),
                };
                let at = |(x, y): (Near, Near)| {
                    let line = rest.times(x).plus(a.times(y));
                    line.give(5.0 * u * (x.size() + y.size()) + 4.0 * desk.rules.arithmetic.underflow())
                };
                Ok(from.iter().zip(to.iter()).map(at).collect())
            };
            let expected = known();
            let quantity = format!("theta/{i}");
            let shape = shape
                .clone()
                .or_else(|| desk.trace.shape(&desk.name(&format!("{quantity}/{name}"))).map(<[usize]>::to_vec));
            let Some(shape) = shape else { continue };
            if desk.is_replay() && expected.is_err() {
                continue;
            }
            desk.real_named("interpolate", (&quantity, &format!("/{name}")), &shape, None, expected)?.ok();
        }
    }
    Ok(())
}

/// The mean of what is recorded along the line, to (points + 3) u of its size.
fn mean(desk: &Desk, loss: &Reals) -> Near {
    let n = loss.len();
    let all: Vec<Near> = loss.iter().collect();
    let sum = |of: &[Near]| of.iter().fold(Near::ZERO, |sum, &x| sum.plus(x));
    let over = |sum: Near, n: usize| {
        let n = n.max(1);
        Near { centre: sum.centre / DoubleDouble::from_usize(n), radius: sum.radius / n as f64 }
    };
    let ends = all[0].plus(all[n - 1]).scaled(0.5);
    let among = [
        Slip::MeanInner,
        Slip::MeanOverIntervals,
        Slip::MeanByTrapezia,
        Slip::MeanLargest,
        Slip::MeanSummed,
        Slip::MeanMiddle,
        Slip::MeanMedian,
        Slip::MeanExcess,
    ];
    let score = match desk.rules.slip(&among) {
        Some(Slip::MeanInner) => over(sum(&all[1..(n - 1).max(1)]), n.saturating_sub(2)),
        Some(Slip::MeanOverIntervals) => over(sum(&all), n - 1),
        Some(Slip::MeanByTrapezia) => over(sum(&all).minus(ends), n - 1),
        Some(Slip::MeanLargest) => largest(&all),
        Some(Slip::MeanSummed) => sum(&all),
        Some(Slip::MeanMiddle) => all[n / 2],
        Some(Slip::MeanMedian) => median(&all),
        Some(Slip::MeanExcess) => over(sum(&all), n).minus(ends),
        _ => over(sum(&all), n),
    };
    let size = all.iter().map(|x| x.size()).sum::<f64>() / n as f64;
    let (u, underflow) = (desk.rules.arithmetic.u(), desk.rules.arithmetic.underflow());
    score.give((desk.rules.steps("points") as f64 + 3.0) * u * size.max(score.size()) + underflow)
}

/// The middle one by size, or the mean of the middle two.
fn median(of: &[Near]) -> Near {
    let mut sorted = of.to_vec();
    sorted.sort_by(|a, b| a.centre.to_f64().total_cmp(&b.centre.to_f64()));
    let n = sorted.len();
    sorted[(n - 1) / 2].plus(sorted[n / 2]).scaled(0.5)
}

fn largest(of: &[Near]) -> Near {
    of.iter().copied().reduce(|most, x| if x.centre > most.centre { x } else { most }).unwrap_or(Near::ZERO)
}

fn least(of: &[Near]) -> Near {
    largest(&of.iter().map(|x| x.negated()).collect::<Vec<_>>()).negated()
}

/// How far each is above the straight line between the ends, by its place.
fn above_line(of: &[Near]) -> Vec<Near> {
    let last = of.len().saturating_sub(1);
    let straight = |i: usize| {
        let share = DoubleDouble::from_usize(i) / DoubleDouble::from_usize(last.max(1));
        let at = |x: Near, share: DoubleDouble| x.times(Near { centre: share, radius: 0.0 });
        at(of[0], DoubleDouble::ONE - share).plus(at(of[last], share))
    };
    of.iter().enumerate().map(|(i, &x)| x.minus(straight(i))).collect()
}

/// The largest size on the line, and `max - (first + last) / 2`.
fn barrier(desk: &Desk, of: &Reals) -> (f64, Near) {
    let all: Vec<Near> = of.iter().collect();
    let n = all.len();
    let ends = [all[0], all[n - 1]];
    let mean = || {
        let sum = all.iter().fold(Near::ZERO, |sum, &x| sum.plus(x));
        Near { centre: sum.centre / DoubleDouble::from_usize(n), radius: sum.radius }
    };
    let among = [
        Slip::BarrierOfMean,
        Slip::BarrierBelowMean,
        Slip::BarrierOverLeast,
        Slip::BarrierOverLargest,
        Slip::BarrierOfFirst,
        Slip::BarrierOfMiddle,
        Slip::BarrierOfRange,
        Slip::BarrierAboveLine,
    ];
    let slip = desk.rules.slip(&among);
    let top = match slip {
        Some(Slip::BarrierOfMean) => mean(),
        Some(Slip::BarrierOfMiddle) => all[n / 2],
        Some(Slip::BarrierAboveLine) => largest(&above_line(&all)),
        _ => largest(&all),
    };
    let below = match slip {
        Some(Slip::BarrierBelowMean) => mean(),
        Some(Slip::BarrierOverLeast) => least(&ends),
        Some(Slip::BarrierOverLargest) => largest(&ends),
        Some(Slip::BarrierOfFirst) => ends[0],
        Some(Slip::BarrierOfRange) => least(&all),
        Some(Slip::BarrierAboveLine) => Near::ZERO,
        _ => ends[0].plus(ends[1]).scaled(0.5),
    };
    (all.iter().map(|x| x.size()).fold(0.0, f64::max), top.minus(below))
}

/// Labels `argmin` and `stable`, after the last candidate.
fn choose(desk: &mut Desk) -> Result<()> {
    let candidates = desk.left.candidates.clone();
    if candidates.is_empty() {
        return Ok(());
    }
    let known: Vec<i64> = candidates.iter().map(|of| of.k as i64).collect();
    let k_star = best(desk, &candidates).map(|possible| placed(desk, possible, &known));
    let k_star = of_candidates(desk, "k_star", k_star, &known)?;
    desk.one_of_integers("argmin", "k_star", k_star)?;
    let k_stable = stable(desk, &candidates).map(|possible| placed(desk, possible, &known));
    let k_stable = of_candidates(desk, "k_stable", k_stable, &known)?;
    desk.one_of_integers("stable", "k_stable", k_stable)
}

/// A known mistake: the place among the candidates, or the one before.
fn placed(desk: &Desk, possible: Vec<i64>, known: &[i64]) -> Vec<i64> {
    let place = |k: &i64| known.iter().position(|other| other == k);
    match desk.rules.slip(&[Slip::PlaceForStep, Slip::OneBefore, Slip::NoneAsZero]) {
        Some(Slip::PlaceForStep) => possible.iter().filter_map(place).map(|i| i as i64).collect(),
        Some(Slip::OneBefore) => {
            let before = |k: &i64| place(k).map_or(-1, |i| i.checked_sub(1).map_or(-1, |i| known[i]));
            possible.iter().map(before).collect()
        }
        Some(_) => possible.into_iter().map(|k| k.max(0)).collect(),
        None => possible,
    }
}

/// Which candidate may have the least score, the smallest at a tie.
fn best(desk: &Desk, candidates: &[Candidate]) -> Known<Vec<i64>> {
    let among = [Slip::TieToLast, Slip::LargestScore, Slip::LeastBarrier, Slip::FirstLeftOut];
    let slip = desk.rules.slip(&among);
    let score = |of: &Candidate| -> Known<(usize, Interval)> {
        let score = if slip == Some(Slip::LeastBarrier) { of.barrier.clone()? } else { of.score.clone()? };
        let score = score.interval();
        Ok((of.k, if slip == Some(Slip::LargestScore) { score.negated() } else { score }))
    };
    let from = usize::from(slip == Some(Slip::FirstLeftOut) && candidates.len() > 1);
    let scores: Vec<(usize, Interval)> = candidates[from..].iter().map(score).collect::<Known<_>>()?;
    let least = scores.iter().map(|(_, score)| score.high).fold(f64::INFINITY, f64::min);
    let precedes = |other: usize, k: usize| if slip == Some(Slip::TieToLast) { other > k } else { other < k };
    let is_possible = |(k, score): &&(usize, Interval)| {
        // One that is surely as small and comes first.
        let beaten = scores.iter().any(|(other, of)| precedes(*other, *k) && of.high <= score.low);
        score.low <= least && !beaten
    };
    Ok(scores.iter().filter(is_possible).map(|&(k, _)| k as i64).collect())
}

/// From which candidate on every barrier may be below the threshold; -1 of none.
fn stable(desk: &Desk, candidates: &[Candidate]) -> Known<Vec<i64>> {
    let threshold = desk.rules.real("threshold");
    let threshold = Near::exact(threshold).give(2.0 * desk.rules.arithmetic.u() * threshold).interval();
    let below = |of: &Candidate| -> Known<(i64, Decision)> {
        let decision = of.barrier.clone()?.interval().less_than(threshold);
        let is_open = decision == Decision::Either;
        Ok((of.k as i64, if is_open && desk.is_replay() { Decision::No } else { decision }))
    };
    let below: Vec<(i64, Decision)> = candidates.iter().map(below).collect::<Known<_>>()?;
    match desk.rules.slip(&[Slip::FirstBelow, Slip::LastCandidate]) {
        Some(Slip::FirstBelow) => {
            let first = below.iter().find(|(_, decision)| *decision == Decision::Yes);
            return Ok(vec![first.map_or(-1, |&(k, _)| k)]);
        }
        Some(_) => return Ok(below.last().map(|&(k, _)| k).into_iter().collect()),
        None => {}
    }
    // From the last candidate downwards, as long as each may be below.
    let (mut possible, mut least) = (Vec::new(), -1);
    for (k, decision) in below.into_iter().rev() {
        match decision {
            Decision::No => break,
            Decision::Either => possible.push(least),
            Decision::Yes => {}
        }
        least = k;
    }
    possible.push(least);
    Ok(possible)
}

/// What names a candidate that the trace does not hold cannot be judged; its place among the candidates in its stead can.
fn of_candidates(desk: &Desk, name: &str, possible: Known<Vec<i64>>, known: &[i64]) -> Result<Known<Vec<i64>>> {
    let Some(named) = desk.trace.integers(name)?.and_then(|values| values.first().copied()) else {
        return Ok(possible);
    };
    let is_place =
        |k: &i64| known.iter().position(|other| other == k).is_some_and(|i| i as i64 == named || i as i64 + 1 == named);
    let is_place = possible.as_ref().is_ok_and(|possible| possible.iter().any(is_place));
    let is_altered = possible.as_ref().is_ok_and(|possible| possible.contains(&named));
    let is_judged = desk.is_replay() || known.contains(&named) || named < 0 || is_place || is_altered;
    Ok(if is_judged { possible } else { Err(format!("names {named}, a candidate that is not recorded")) })
}
