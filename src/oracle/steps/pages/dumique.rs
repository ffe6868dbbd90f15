//! DUMIQUE: Procrustes' running estimate of the quantile above which weights are tracked.

use crate::error::Result;
use crate::oracle::interval::Decision;
use crate::oracle::steps::counts::Counts;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::near::{Known, Masks, Near, Reals};
use crate::oracle::steps::rules::Rules;
use crate::oracle::steps::slips::Slip;
use crate::scalar::DoubleDouble;
use crate::select::dumique::{DumiqueCarry, DumiqueOrder};

/// One pass over W: tracked iff Q < score; Q then grows by 1 + rho q, or shrinks by 1 - rho (1 - q). The estimate follows the
/// recorded decisions, to (3i + 2) u after i of them. Labels `quantile` and `track`; where the estimate ended.
pub(super) fn estimate(desk: &mut Desk, scores: &[Known<Reals>], k: Known<Counts>) -> Result<(Masks, Known<Near>)> {
    let params = desk.prunable();
    let recorded = recorded_start(desk)?;
    let begins = match recorded.filter(|_| desk.rules.has(Slip::QuantileStart)) {
        Some(recorded) => Ok(recorded),
        None => begins(desk),
    };
    // A check goes on from where the port says that it starts.
    let starts = if desk.is_replay() { begins.clone() } else { recorded.map_or(begins.clone(), Ok) };
    let mut taken: Vec<Option<Vec<bool>>> = Vec::new();
    for p in 0..params.len() {
        taken.push(if desk.is_replay() { None } else { desk.trace.flags(&desk.name_of("mask", p))? });
    }
    let walked = k.and_then(|k| walk(desk, scores, k, &starts?, &taken));
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

/// Where the port says that the estimate starts, if that is a number.
fn recorded_start(desk: &Desk) -> Result<Option<Near>> {
    let name = desk.name("quantile");
    let recorded = desk.trace.floats(&name)?.filter(|quantile| quantile.iter().all(|q| q.is_finite()));
    Ok(recorded.map(|quantile| desk.reals(&name, quantile).at(0)))
}

/// Where the estimate starts: at `dumique_start`, or where it ended.
fn begins(desk: &Desk) -> Known<Near> {
    let (rules, last) = (desk.rules, desk.left.t);
    let is_first = last.is_none() && desk.step() == 0;
    if is_first || rules.choice::<DumiqueCarry>() == DumiqueCarry::Restart {
        return Ok(rules.constant(rules.real("dumique_start")));
    }
    match last {
        Some(last) if last + 1 == desk.step() => desk.left.quantile.clone(),
        _ => Err("needs `quantile` of the step before".to_string()),
    }
}

/// What the estimate is multiplied by where a weight is tracked, and where not.
fn factors(rules: &Rules, k: usize, n: usize) -> (DoubleDouble, DoubleDouble) {
    let one = DoubleDouble::from(1.0);
    let share = DoubleDouble::from(k as f64) / DoubleDouble::from(n.max(1) as f64);
    let q = if rules.has(Slip::QuantileOfKept) { share } else { one - share };
    let rho = DoubleDouble::from(rules.real("dumique_rate"));
    match rules.slip(&[Slip::QuantileSwapped, Slip::QuantileAlike, Slip::QuantileWrongWay]) {
        Some(Slip::QuantileSwapped) => (one + rho * (one - q), one - rho * q),
        Some(Slip::QuantileAlike) => (one + rho, one - rho),
        Some(_) => (one - rho * (one - q), one + rho * q),
        None => (one + rho * q, one - rho * (one - q)),
    }
}

/// The decisions, and where the estimate ends.
fn walk(
    desk: &Desk,
    scores: &[Known<Reals>],
    k: Counts,
    start: &Near,
    taken: &[Option<Vec<bool>>],
) -> Known<(Vec<Vec<Decision>>, Near)> {
    let (rules, params) = (desk.rules, desk.prunable());
    let u = rules.arithmetic.u();
    let (up, down) = factors(rules, k.low, desk.trace.weights());
    let inverts = rules.has(Slip::TrackedBelow);
    let mut decisions: Vec<Vec<Decision>> = params.iter().map(|p| vec![Decision::No; p.range.len()]).collect();
    let mut places: Vec<(usize, usize)> =
        params.iter().enumerate().flat_map(|(p, of)| (0..of.range.len()).map(move |j| (p, j))).collect();
    if rules.choice::<DumiqueOrder>() == DumiqueOrder::LastToFirst {
        places.reverse();
    }
    let mut centre = start.centre;
    let after = |centre: DoubleDouble, i: usize| {
        Near { centre, radius: start.radius }.give((3.0 * i as f64 + 2.0) * u * centre.hi().abs())
    };
    for (i, &(p, j)) in places.iter().enumerate() {
        let score = scores[p].as_ref().map_err(Clone::clone)?.at(j);
        let above = match desk.is_replay() {
            true => Decision::of(centre < score.centre),
            false => after(centre, i).interval().less_than(score.interval()),
        };
        decisions[p][j] = if inverts { above.opposite() } else { above };
        let is_tracked = match (&taken[p], decisions[p][j]) {
            (Some(taken), _) => taken[j],
            (None, Decision::Yes) => true,
            (None, Decision::No) => false,
            (None, Decision::Either) => return Err("depends on decisions that rounding may turn".to_string()),
        };
        centre *= if is_tracked != inverts { up } else { down };
    }
    Ok((decisions, after(centre, places.len())))
}
