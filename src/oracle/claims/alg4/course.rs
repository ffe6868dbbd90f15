//! Known mistakes in where k* goes, held against all of a trace: a rule is named where it gives every epoch's k*, and the right
//! one does not.

use crate::oracle::seen::Seen;
use crate::trace::TracedMethod;

/// What an epoch records of the rewind point.
struct Point {
    k: usize,
    s_f: f64,
    s_sq: f64,
    k_star: i64,
    /// Whether k* is the epoch's own.
    moved: bool,
    /// What random rewind drew.
    draw: Option<f64>,
}

/// Which rules give the course of k*; none where a part of it is not recorded.
pub(super) fn causes(seen: &Seen) -> Vec<String> {
    let Some(points) = points(seen) else { return Vec::new() };
    match seen.trace.header.method {
        TracedMethod::Gdstar if least(&points, |point| point.s_f, |new, m| new < m) => Vec::new(),
        TracedMethod::Gdstar => by_norms(&points),
        TracedMethod::RandomRewind => by_draws(&points, seen.trace.header.rewind_probability),
        TracedMethod::Reset | TracedMethod::FixedRewind => Vec::new(),
    }
}

fn points(seen: &Seen) -> Option<Vec<Point>> {
    let trace = seen.trace;
    let point = |k: usize| -> Option<Point> {
        let scalar = |quantity: &str| trace.scalar(k, quantity).ok().flatten();
        let s_f = scalar("S_F")?;
        let k_star = trace.integer(k, "k_star").ok().flatten()?;
        let s_sq = scalar("S_sq").unwrap_or(s_f * s_f);
        Some(Point { k, s_f, s_sq, k_star, moved: k_star == i64::try_from(k).ok()?, draw: scalar("draw") })
    };
    let points: Vec<Point> = trace.epochs().map(point).collect::<Option<_>>()?;
    let goes_on = |pair: &[Point]| pair[1].k == pair[0].k + 1 && (pair[1].moved || pair[1].k_star == pair[0].k_star);
    let is_whole = points.first()?.k == trace.header.reading.epoch_origin.first() && points.windows(2).all(goes_on);
    // Of two epochs any rule may be the one.
    (is_whole && points.len() > 2).then_some(points)
}

/// Of Alg. 4.
fn by_norms(points: &[Point]) -> Vec<String> {
    let mut causes = Vec::new();
    let mut say = |holds: bool, cause: &str| {
        if holds {
            causes.push(cause.to_string());
        }
    };
    let s_f: fn(&Point) -> f64 = |point| point.s_f;
    if !points.iter().skip(1).any(|point| point.moved) {
        return causes;
    }
    say(least(points, s_f, |new, m| new <= m), "<= for <: a norm equal to the minimum moves k*");
    say(least(points, |point| -point.s_f, |new, m| new < m), "> for <: k* follows the largest S_F");
    say(
        follows(points, |point| point.s_sq, s_f, |new, m| new < m),
        "another norm than S_F (S_sq) is compared with the least S_F",
    );
    say(points.iter().all(|point| point.moved), "k* moves in every epoch, whatever the norm");
    say(falls(points), "S_F is compared with the previous epoch's, not with the running minimum");
    say(stale(points), "the comparison uses a stale S_F, the previous epoch's");
    if causes.is_empty() {
        causes.extend(warm_up(points).or_else(|| threshold(points)));
    }
    causes
}

/// Of random rewind, whose first epoch always moves.
fn by_draws(points: &[Point], probability: f64) -> Vec<String> {
    let pairs = || points.iter().zip(points.iter().skip(1));
    let agrees =
        |draw: Option<f64>, point: &Point, rule: &dyn Fn(f64) -> bool| draw.is_some_and(|x| rule(x) == point.moved);
    let goes = |rule: &dyn Fn(f64) -> bool| pairs().all(|(_, point)| agrees(point.draw, point, rule));
    let right = |draw: f64| draw < probability;
    let is_stale = pairs().all(|(before, point)| agrees(before.draw, point, &right));
    let rules: [(bool, &str); 4] = [
        (is_stale, "a stale draw: the previous epoch's"),
        (goes(&|draw| draw <= probability), "<= for <: a draw equal to the probability moves k*"),
        (
            goes(&|draw| draw > probability) || goes(&|draw| draw >= probability),
            "k* moves where the draw is not below the probability: > for <",
        ),
        (goes(&|draw| 1.0 - draw < probability), "1 - draw for draw: k* moves where the draw is large"),
    ];
    let is_right = goes(&right);
    let holding = rules.into_iter().filter(|(holds, _)| *holds && !is_right);
    holding.map(|(_, cause)| cause.to_string()).collect()
}

/// Whether k* moves where a number is below the running minimum of those that moved it.
fn least(points: &[Point], of: fn(&Point) -> f64, is_below: fn(f64, f64) -> bool) -> bool {
    follows(points, of, of, is_below)
}

/// Whether k* moves where a number is below what another was where k* moved last.
fn follows(points: &[Point], of: fn(&Point) -> f64, kept: fn(&Point) -> f64, is_below: fn(f64, f64) -> bool) -> bool {
    let mut m = f64::INFINITY;
    points.iter().all(|point| {
        let moves = is_below(of(point), m);
        if moves {
            m = kept(point);
        }
        moves == point.moved
    })
}

/// Whether k* moves where S_F is below that of the epoch before.
fn falls(points: &[Point]) -> bool {
    points[0].moved && points.windows(2).all(|pair| pair[1].moved == (pair[1].s_f < pair[0].s_f))
}

/// Whether k* moves an epoch late: by the S_F of the epoch before.
fn stale(points: &[Point]) -> bool {
    let mut m = f64::INFINITY;
    points.windows(2).all(|pair| {
        let moves = pair[0].s_f < m;
        if moves {
            m = pair[0].s_f;
        }
        moves == pair[1].moved
    })
}

/// Whether the rule is right but for the first epochs, in which nothing moves; how many these are. In epoch 0 nothing tells k* = 0
/// from what it was before.
fn warm_up(points: &[Point]) -> Option<String> {
    let first = points.iter().skip(1).position(|point| point.moved)? + 1;
    let holds = least(&points[first..], |point| point.s_f, |new, m| new < m);
    (first > 1 && holds).then(|| format!("k* does not move in the first {first} epochs: a warm-up"))
}

/// Whether a new minimum counts only where it is clearly below the old one; between which shares of it the border lies.
fn threshold(points: &[Point]) -> Option<String> {
    let (mut m, mut moves_at, mut stays_at) = (f64::INFINITY, 0.0_f64, f64::INFINITY);
    for point in points {
        let share = point.s_f / m;
        if point.moved {
            moves_at = moves_at.max(share);
            m = point.s_f;
        } else if share < 1.0 {
            stays_at = stays_at.min(share);
        }
    }
    (moves_at < stays_at && stays_at < 1.0).then(|| {
        format!(
            "k* moves only where S_F is clearly below its minimum (a threshold, min_delta): at {moves_at:.3} of it k* does, at \
             {stays_at:.3} not"
        )
    })
}
