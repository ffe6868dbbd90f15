//! Linear mode connectivity (Alg. 3 of the paper; Frankle et al. 2020, section 2): an event is a candidate.

use crate::error::Result;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::steps::desk::{Desk, Known};
use crate::oracle::steps::left::Left;
use crate::oracle::steps::near::{Near, Reals};
use crate::oracle::steps::page::Page;
use crate::oracle::steps::slips::Slip;
use crate::scalar::{DoubleDouble, Scalar};
use crate::select::path::{BarrierOf, Grid, Interpolation};
use crate::trace::StepMethod;

pub(in crate::oracle::steps) static PAGE: Page = Page {
    end: choose,
    results_are_operands: false,
    begin: |_| Ok(Default::default()),
    ..Page::new(
        StepMethod::Lmc,
        &["lmc.carry", "lmc.grid", "lmc.interpolate", "lmc.score", "lmc.barrier", "lmc.argmin", "lmc.stable"],
        step,
    )
};

/// What a candidate came to.
#[derive(Debug, Clone)]
pub(in crate::oracle::steps) struct Candidate {
    k: usize,
    score: Known<Near>,
    barrier: Known<Near>,
}

fn step(desk: &mut Desk) -> Result<Left> {
    let alpha = grid(desk)?;
    let loss = along(desk, "loss", alpha.len())?;
    let error = along(desk, "error", alpha.len())?;
    interpolate(desk, &alpha)?;
    let u = desk.rules.arithmetic.u();
    let mean = loss.clone().map(|loss| mean(desk, &loss));
    let score = desk.real_number("score", "score", mean)?;
    let of = match (desk.rules.choice::<BarrierOf>(), error) {
        (BarrierOf::Error, Ok(error)) => Ok(error),
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
    let at = |i: usize| {
        let centre = DoubleDouble::from_usize(i) / DoubleDouble::from_usize(last);
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
                let at = |(x, y): (Near, Near)| {
                    let line = Near::exact(1.0).minus(a).times(x).plus(a.times(y));
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

fn mean(desk: &Desk, loss: &Reals) -> Near {
    let n = loss.len();
    let (mut sum, mut size) = (Near::ZERO, 0.0);
    for x in loss.iter() {
        sum = sum.plus(x);
        size += x.size();
    }
    let count = match desk.rules.slip {
        Some(Slip::MeanOfEnds) => n.saturating_sub(1).max(1),
        _ => n.max(1),
    };
    let centre = sum.centre / DoubleDouble::from_usize(count);
    let mean = Near { centre, radius: sum.radius / count as f64 };
    let (u, underflow) = (desk.rules.arithmetic.u(), desk.rules.arithmetic.underflow());
    mean.give((desk.rules.steps("points") as f64 + 3.0) * u * size / count as f64 + underflow)
}

/// The largest size on the line, and `max - (first + last) / 2`.
fn barrier(desk: &Desk, of: &Reals) -> (f64, Near) {
    let (first, last) = (of.at(0), of.at(of.len() - 1));
    let mut top = first;
    let mut size: f64 = 0.0;
    for x in of.iter() {
        if x.centre > top.centre {
            top = x;
        }
        size = size.max(x.size());
    }
    let below = match desk.rules.slip {
        Some(Slip::BarrierOfFirst) => first,
        Some(Slip::BarrierOfMean) => {
            let sum = of.iter().fold(Near::ZERO, Near::plus);
            Near { centre: sum.centre / DoubleDouble::from_usize(of.len()), radius: sum.radius }
        }
        _ => first.plus(last).scaled(0.5),
    };
    (size, top.minus(below))
}

/// Labels `argmin` and `stable`, after the last candidate.
fn choose(desk: &mut Desk) -> Result<()> {
    let candidates = desk.left.candidates.clone();
    if candidates.is_empty() {
        return Ok(());
    }
    let scores: Known<Vec<(usize, Interval)>> =
        candidates.iter().map(|of| Ok((of.k, of.score.clone()?.interval()))).collect();
    let k_star = scores.map(|scores| {
        let least = scores.iter().map(|(_, score)| score.high).fold(f64::INFINITY, f64::min);
        let mut possible = Vec::new();
        for (k, score) in &scores {
            // An earlier one that is surely as small comes first.
            let beaten = scores.iter().any(|(other, of)| other < k && of.high <= score.low);
            if score.low <= least && !beaten {
                possible.push(*k as i64);
            }
        }
        possible
    });
    let known: Vec<i64> = candidates.iter().map(|of| of.k as i64).collect();
    let k_star = of_candidates(desk, "k_star", k_star, &known)?;
    desk.one_of_integers("argmin", "k_star", k_star)?;
    let threshold = desk.rules.real("threshold");
    let threshold = Near::exact(threshold).give(2.0 * desk.rules.arithmetic.u() * threshold).interval();
    let below: Known<Vec<(usize, Decision)>> =
        candidates.iter().map(|of| Ok((of.k, of.barrier.clone()?.interval().less_than(threshold)))).collect();
    let exact = desk.is_replay();
    let k_stable = below.map(|below| {
        // From the last candidate downwards, as long as each may be below.
        let mut possible = Vec::new();
        let mut is_certain = true;
        let mut least = -1;
        for (k, decision) in below.iter().rev() {
            let decision = match (exact, decision) {
                (true, Decision::Either) => Decision::No,
                (_, decision) => *decision,
            };
            match decision {
                Decision::No => break,
                Decision::Either => {
                    possible.push(least);
                    is_certain = false;
                    least = *k as i64;
                }
                Decision::Yes => least = *k as i64,
            }
        }
        possible.push(least);
        debug_assert!(!is_certain || possible.len() == 1);
        possible
    });
    let k_stable = of_candidates(desk, "k_stable", k_stable, &known)?;
    desk.one_of_integers("stable", "k_stable", k_stable)
}

/// What names a candidate that the trace does not hold cannot be judged; its place among the candidates in its stead can.
fn of_candidates(desk: &Desk, name: &str, possible: Known<Vec<i64>>, known: &[i64]) -> Result<Known<Vec<i64>>> {
    let Some(named) = desk.trace.integers(name)?.and_then(|values| values.first().copied()) else {
        return Ok(possible);
    };
    let is_place =
        |k: &i64| known.iter().position(|other| other == k).is_some_and(|i| i as i64 == named || i as i64 + 1 == named);
    let is_place = possible.as_ref().is_ok_and(|possible| possible.iter().any(is_place));
    let is_judged = desk.is_replay() || known.contains(&named) || named < 0 || is_place;
    Ok(if is_judged { possible } else { Err(format!("names {named}, a candidate that is not recorded")) })
}
