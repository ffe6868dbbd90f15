//! What of an epoch is shown for each equation.

use crate::error::Result;
use crate::explain::numbers::{count, number, percent};
use crate::explain::watch::{Followed, Moment, Watched, Whole};
use crate::paper::cost::{computation_saving, memory_saving};
use crate::paper::decay::decayed_weight;
use crate::scalar::Dtype;

/// How the example is called.
fn name(seen: &Watched) -> String {
    seen.place.as_ref().map_or_else(|| "j".to_string(), ToString::to_string)
}

fn followed(moment: &Moment) -> Followed {
    moment.followed.clone().unwrap_or_default()
}

fn batches(n: usize) -> String {
    if n == 1 { "1 batch".to_string() } else { format!("{n} batches") }
}

/// The first terms of a sum, each as `term` writes it.
fn sum(values: &[f64], term: impl Fn(f64) -> String) -> String {
    const SHOWN: usize = 4;
    let first: Vec<String> = values.iter().take(SHOWN).map(|&x| term(x)).collect();
    let rest = if values.len() > SHOWN { " + .." } else { "" };
    format!("{}{rest}", first.join(" + "))
}

pub(super) fn eq1(seen: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let example = followed(moment);
    Ok(vec![
        format!("{}, {}", batches(moment.batches), count(seen.whole.g.len(), "weight")),
        format!("{} alone adds {}", name(seen), sum(&example.gradients, |g| number(g.abs()))),
        format!("S_abs = {}", number(moment.s_abs)),
    ])
}

pub(super) fn eq2(seen: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let example = followed(moment);
    let mut sorted = seen.whole.g.clone();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get(((sorted.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or_default();
    let zeros = sorted.iter().filter(|&&g| g == 0.0).count();
    Ok(vec![
        format!(
            "G of {} = {} = {}",
            name(seen),
            sum(&example.gradients, |g| format!("({})^2", number(g))),
            number(example.g)
        ),
        format!(
            "over all weights: smallest {}, median {}, largest {}; {} exactly 0",
            number(at(0.0)),
            number(at(0.5)),
            number(at(1.0)),
            count(zeros, "weight")
        ),
    ])
}

pub(super) fn eq3(seen: &Watched, moment: &Moment) -> Result<Vec<String>> {
    Ok(vec![format!("S_sq = the sum of the G of {} = {}", count(seen.whole.g.len(), "weight"), number(moment.s_sq))])
}

pub(super) fn eq4(_: &Watched, moment: &Moment) -> Result<Vec<String>> {
    Ok(vec![format!("S_F = sqrt({}) = {}", number(moment.s_sq), number(moment.s_f))])
}

pub(super) fn alg4(_: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let (k, s_f) = (moment.k, number(moment.s_f));
    Ok(vec![match moment.min_before {
        None => format!("this run's rewind point does not look for a minimum; k* = {}", moment.k_star),
        Some(m) if moment.s_f < m => {
            format!("S_F = {s_f} < m = {}: a new minimum, so k* = {k}, and W_k* is what it is now", number(m))
        }
        Some(m) => format!("S_F = {s_f} >= m = {}: k* stays {}", number(m), moment.k_star),
    }])
}

pub(super) fn eq8(seen: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let hyper = &seen.hyper;
    Ok(vec![format!(
        "alpha_{k} = {a} + ({k}/{epochs}) ({end} - {a}) = {}",
        number(moment.alpha),
        k = moment.k,
        a = number(hyper.alpha_0),
        epochs = hyper.epochs,
        end = number(hyper.alpha_end),
    )])
}

pub(super) fn eq6(seen: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let n = seen.whole.g.len();
    let quantiles: Vec<String> = moment.chunk_quantiles.iter().map(|&q| number(q)).collect();
    Ok(vec![
        format!(
            "C = {}, N = {n}: {} of every chunk's G lie at or below its quantile",
            seen.hyper.chunks,
            number(moment.alpha)
        ),
        format!("q = {}", quantiles.join(", ")),
    ])
}

pub(super) fn eq7(_: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let quantiles: Vec<String> = moment.chunk_quantiles.iter().map(|&q| number(q)).collect();
    let tau = number(moment.tau);
    Ok(vec![match quantiles.as_slice() {
        [_] => format!("C = 1: tau = q = {tau}"),
        _ => format!("tau = ({}) / {} = {tau}", quantiles.join(" + "), quantiles.len()),
    }])
}

pub(super) fn eq5(seen: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let (example, whole) = (followed(moment), &seen.whole);
    let selected = whole.selected.iter().filter(|&&selected| selected).count();
    let relation = if example.g < moment.tau { "<" } else { ">=" };
    let so = if example.selected { "selected" } else { "not selected" };
    Ok(vec![
        format!(
            "{} of {} are selected ({})",
            selected,
            count(whole.g.len(), "weight"),
            percent(selected, whole.g.len())
        ),
        format!("{}: G = {} {relation} tau = {}: {so}", name(seen), number(example.g), number(moment.tau)),
    ])
}

pub(super) fn alg5(_: &Watched, moment: &Moment) -> Result<Vec<String>> {
    Ok(vec![format!("alpha = {}, tau = {}", number(moment.alpha), number(moment.tau))])
}

/// w* lambda^t of the example as the run computes it, with a threshold that eliminates nothing.
fn decayed(seen: &Watched, moment: &Moment, example: &Followed) -> Result<f64> {
    let (w_star, lambda, t) = (example.w_star, seen.hyper.lambda, moment.t);
    match seen.precision {
        Dtype::F32 => decayed_weight(w_star as f32, lambda, t, 0.0).map(f64::from), // w* is a number of f32
        Dtype::F64 => decayed_weight(w_star, lambda, t, 0.0),
    }
}

pub(super) fn eq9(seen: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let example = followed(moment);
    let hyper = &seen.hyper;
    let steps = format!("k = {}, k* = {}: t = {}", moment.k, moment.k_star, moment.t);
    if !example.selected || !example.was_alive {
        let why = if example.was_alive { "is not selected" } else { "was eliminated earlier" };
        return Ok(vec![steps, format!("{} {why}, and stays {}", name(seen), number(example.after))]);
    }
    let value = decayed(seen, moment, &example)?;
    let relation = if value.abs() >= hyper.eps { ">=" } else { "<" };
    let so = if example.is_alive { "it lives on, from there" } else { "eliminated" };
    Ok(vec![
        steps,
        format!(
            "{}: {} -> w* lambda^t = {} * {}^{} = {}",
            name(seen),
            number(example.before),
            number(example.w_star),
            number(hyper.lambda),
            moment.t,
            number(value)
        ),
        format!("{} {relation} eps = {}: {so}", number(value.abs()), number(hyper.eps)),
    ])
}

pub(super) fn alg6(seen: &Watched, moment: &Moment) -> Result<Vec<String>> {
    let Whole { was_alive, selected, is_alive, .. } = &seen.whole;
    let n = is_alive.len();
    let gone = was_alive.iter().zip(is_alive).filter(|(was, is)| **was && !**is).count();
    let rewound = selected.iter().zip(is_alive).filter(|(selected, alive)| **selected && **alive).count();
    Ok(vec![
        format!("{} rewound and alive, {} eliminated now", count(rewound, "weight"), count(gone, "weight")),
        format!("{} of {n} live: sparsity {}", moment.alive, percent(n - moment.alive, n)),
    ])
}

pub(super) fn eq10(seen: &Watched, _: &Moment) -> Result<Vec<String>> {
    let (n, c) = (seen.whole.g.len(), seen.hyper.chunks);
    let mut lines = Vec::new();
    for c in chunk_counts(c).into_iter().filter(|&c| n >= 2 && c <= n) {
        lines.push(format!("N = {n}, C = {c}: {} %", number(computation_saving(n, c)?)));
    }
    Ok(lines)
}

pub(super) fn eq11(seen: &Watched, _: &Moment) -> Result<Vec<String>> {
    chunk_counts(seen.hyper.chunks)
        .into_iter()
        .map(|c| Ok(format!("C = {c}: {} %", number(memory_saving(c)?))))
        .collect()
}

/// The run's C, and section A.4's.
fn chunk_counts(own: usize) -> Vec<usize> {
    if own == 16 { vec![16] } else { vec![own, 16] }
}
