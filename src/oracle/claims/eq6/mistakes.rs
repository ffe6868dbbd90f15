//! Known mistakes in Eq. 6: other sets, chunks, ranks and rules.

use super::{exact_quantile, set};
use crate::oracle::claims::eq8::exact_rate;
use crate::oracle::claims::mistakes::{COARSEST, by_columns, is_near, reading};
use crate::oracle::seen::Seen;
use crate::paper::quantile::chunk_sizes;
use crate::paper::reading::{Chunking, MaskedGradient, QuantileRule};
use crate::scalar::Scalar;

/// One way of taking quantiles: of which values, cut how, read where.
#[derive(Clone)]
struct Way {
    values: Vec<f64>,
    chunks: Vec<std::ops::Range<usize>>,
    rule: QuantileRule,
    /// alpha as used, given a chunk's size.
    alpha: fn(f64, f64) -> f64,
    rate: f64,
}

impl Way {
    fn quantiles(&self) -> Vec<f64> {
        let one = |range: &std::ops::Range<usize>| {
            let values = &self.values[range.clone()];
            let alpha = (self.alpha)(self.rate, values.len() as f64);
            exact_quantile(self.rule, alpha.clamp(0.0, 1.0), values).to_f64()
        };
        self.chunks.iter().map(one).collect()
    }
}

/// Consecutive ranges of these sizes.
fn ranges(sizes: &[usize]) -> Vec<std::ops::Range<usize>> {
    let mut end = 0;
    let range = |&size: &usize| {
        end += size;
        end - size..end
    };
    sizes.iter().map(range).collect()
}

/// The right way, and each mistake's: a name, and the quantiles that it gives.
pub(crate) fn ways(seen: &Seen) -> Vec<(String, Vec<f64>)> {
    let Some((values, _)) = set(seen) else { return Vec::new() };
    let (hyper, now) = (&seen.trace.header.hyper, seen.reading());
    let Some(alpha) = seen.recorded.alpha.or(seen.known.alpha.map(|alpha| alpha.high)) else { return Vec::new() };
    let Some(right) = cut(values, hyper.chunks, now.chunking, now.quantile, alpha) else { return Vec::new() };
    let mut all: Vec<(String, Vec<f64>)> = Vec::new();
    for &rule in QuantileRule::ALL.iter().filter(|&&rule| rule != now.quantile) {
        let cause = format!("{} for {}: {}", rule.name(), now.quantile.name(), reading("quantile", rule.name()));
        all.push((cause, Way { rule, ..right.clone() }.quantiles()));
    }
    let recut = |chunks: usize, chunking| {
        cut(right.values.clone(), chunks, chunking, now.quantile, alpha).map(|way| way.quantiles())
    };
    let mut add = |cause: &str, quantiles: Option<Vec<f64>>| {
        if let Some(quantiles) = quantiles {
            all.push((cause.to_string(), quantiles));
        }
    };
    let other = if now.chunking == Chunking::Ceil { Chunking::NearEqual } else { Chunking::Ceil };
    add(&format!("chunks are cut otherwise: {}", reading("chunking", other.name())), recut(hyper.chunks, other));
    let whole = recut(1, now.chunking);
    let repeated = whole.as_ref().and_then(|q| q.first()).map(|&q| vec![q; right.chunks.len()]);
    add("one quantile over all weights: C = 1", whole);
    add("one quantile over all weights, given for each chunk", repeated);
    add("one chunk too many: C + 1", recut(hyper.chunks + 1, now.chunking));
    add("one chunk too few: C - 1", recut(hyper.chunks.saturating_sub(1), now.chunking));
    let at = |alpha: fn(f64, f64) -> f64| Some(Way { alpha, ..right.clone() }.quantiles());
    add("alpha rounded to f32, as torch.quantile does", at(|alpha, _| f64::from(alpha as f32)));
    add("alpha is cut to whole percents", at(|alpha, _| (100.0 * alpha).floor() / 100.0));
    add("alpha is rounded to whole percents", at(|alpha, _| (100.0 * alpha).round() / 100.0));
    add("the quantile of 1 - alpha (sorted downwards)", at(|alpha, _| 1.0 - alpha));
    add("rank alpha N instead of alpha (N - 1)", at(|alpha, n| alpha * n / (n - 1.0).max(1.0)));
    add("rank alpha N - 1 instead of alpha (N - 1)", at(|alpha, n| (alpha * n - 1.0) / (n - 1.0).max(1.0)));
    add("rank alpha (N + 1) - 1 (Weibull's)", at(|alpha, n| (alpha * (n + 1.0) - 1.0) / (n - 1.0).max(1.0)));
    add("rank alpha N - 1/2 (Hazen's)", at(|alpha, n| (alpha * n - 0.5) / (n - 1.0).max(1.0)));
    add("the index alpha N rounded down, without interpolation", at_index(&right, |alpha, n| (alpha * n).floor()));
    add(
        "the index alpha N - 1 rounded up, without interpolation",
        at_index(&right, |alpha, n| (alpha * n).ceil() - 1.0),
    );
    add(
        "the index alpha N (the k-th smallest), without interpolation",
        at_index(&right, |alpha, n| (alpha * n).round() - 1.0),
    );
    add(
        "the floor(alpha N)-th smallest, without interpolation",
        at_index(&right, |alpha, n| (alpha * n).floor() - 1.0),
    );
    add("the values are not sorted", Some(unsorted(&right, 0.0)));
    add("the values are not sorted (and read between two)", Some(unsorted(&right, 1.0)));
    let with_rate = |rate: f64| Some(Way { rate, ..right.clone() }.quantiles());
    let rate = |k: usize| exact_rate(k, hyper.epochs, hyper.alpha_0, hyper.alpha_end).to_f64();
    add("alpha is stale: that of k-1", with_rate(rate(seen.k.saturating_sub(1))));
    add("alpha of k+1", with_rate(rate(seen.k + 1)));
    add("alpha is alpha_0 in every epoch", with_rate(hyper.alpha_0));
    let revalued =
        |values: Vec<f64>| cut(values, hyper.chunks, now.chunking, now.quantile, alpha).map(|way| way.quantiles());
    let mapped = |f: fn(f64) -> f64| revalued(right.values.iter().map(|&g| f(g)).collect());
    add("of sqrt(G), not of G", mapped(f64::sqrt));
    add("of G^2, not of G", mapped(|g| g * g));
    let mut sorted = right.values.clone();
    sorted.sort_by(f64::total_cmp);
    add("G is sorted before it is cut into chunks, not within each", revalued(sorted));
    let largest = |range: &std::ops::Range<usize>| right.values[range.clone()].iter().copied().fold(0.0, f64::max);
    let shares = right.chunks.iter().map(|range| alpha * largest(range)).collect();
    add("the share alpha of a chunk's largest G, not a quantile", Some(shares));
    for every in [2, 4, 10, 100] {
        let some = right.values.iter().copied().step_by(every).collect();
        add(&format!("of a part of the weights alone: one in {every}"), revalued(some));
    }
    let batches = seen.trace.batches(seen.k) as f64;
    add("of the mean of G over the batches", revalued(right.values.iter().map(|g| g / batches).collect()));
    for (cause, values) in other_values(seen) {
        add(&cause, revalued(values));
    }
    for (cause, chunks) in other_chunks(seen, &right) {
        add(&cause, Some(Way { chunks, ..right.clone() }.quantiles()));
    }
    let c = right.chunks.len();
    let strided: Vec<f64> = (0..c).flat_map(|i| right.values.iter().copied().skip(i).step_by(c)).collect();
    let sizes: Vec<usize> = (0..c).map(|i| right.values.len().saturating_sub(i).div_ceil(c)).collect();
    add(
        "every C-th weight in a chunk, not consecutive ones",
        Some(Way { values: strided, chunks: ranges(&sizes), ..right.clone() }.quantiles()),
    );
    all
}

/// The values cut as a reading says.
fn cut(values: Vec<f64>, chunks: usize, chunking: Chunking, rule: QuantileRule, rate: f64) -> Option<Way> {
    let sizes = chunk_sizes(values.len(), chunks.min(values.len()), chunking).ok()?;
    Some(Way { values, chunks: ranges(&sizes), rule, alpha: |alpha, _| alpha, rate })
}

/// Sorted values read at an index.
fn at_index(right: &Way, index: fn(f64, f64) -> f64) -> Option<Vec<f64>> {
    let one = |range: &std::ops::Range<usize>| {
        let mut chunk = right.values[range.clone()].to_vec();
        chunk.sort_by(f64::total_cmp);
        let index = index(right.rate, chunk.len() as f64).clamp(0.0, chunk.len() as f64 - 1.0);
        chunk.get(index as usize).copied()
    };
    right.chunks.iter().map(one).collect()
}

/// The value at the rank as the chunk comes, or `weight` of the way to the next by the rank's fraction.
fn unsorted(right: &Way, weight: f64) -> Vec<f64> {
    let one = |range: &std::ops::Range<usize>| {
        let chunk = &right.values[range.clone()];
        let rank = (right.rate * (chunk.len() as f64 - 1.0)).max(0.0);
        let at = |i: usize| chunk.get(i).or(chunk.last()).copied().unwrap_or(0.0);
        let (low, high) = (at(rank as usize), at((rank as usize).saturating_add(1)));
        low + weight * rank.fract() * (high - low)
    };
    right.chunks.iter().map(one).collect()
}

/// Other sets that a port may take the quantile of.
fn other_values(seen: &Seen) -> Vec<(String, Vec<f64>)> {
    let trace = seen.trace;
    let (g, alive) = (&seen.known.g.low.values, &seen.known.alive.values);
    let mut all = Vec::new();
    let alive_of = |values: &[f64]| -> Vec<f64> {
        values.iter().zip(alive).filter(|(_, alive)| **alive).map(|(&x, _)| x).collect()
    };
    let some_dead = alive.iter().any(|&alive| !alive);
    match seen.reading().masked_gradient {
        MaskedGradient::Excluded if some_dead => {
            let zeroed = g.iter().zip(alive).map(|(&g, &alive)| if alive { g } else { 0.0 }).collect();
            all.push((format!("eliminated weights stay in the set: {}", reading("masked_gradient", "zero")), zeroed));
        }
        MaskedGradient::Zero if some_dead => {
            let cause = reading("masked_gradient", "excluded");
            all.push((format!("eliminated weights leave the set: {cause}"), alive_of(g)));
        }
        MaskedGradient::Dense if some_dead => {
            let cause = reading("masked_gradient", "excluded");
            all.push((format!("eliminated weights leave the set: {cause}"), alive_of(g)));
            let zeroed = g.iter().zip(alive).map(|(&g, &alive)| if alive { g } else { 0.0 }).collect();
            all.push((format!("eliminated weights count as 0: {}", reading("masked_gradient", "zero")), zeroed));
        }
        _ => {}
    }
    all.push((
        "weights of G = 0 are left out of the set".to_string(),
        g.iter().copied().filter(|&g| g != 0.0).collect(),
    ));
    if let Some(previous) = seen.carry.previous.as_ref().filter(|p| p.0.g.values.len() == g.len()) {
        all.push(("stale: of the previous epoch's G".to_string(), previous.0.g.values.clone()));
    }
    if seen.recorded.weights_before.values.len() >= g.len() {
        let sizes = seen.recorded.weights_before.values[..g.len()].iter().map(|w| w.abs()).collect();
        all.push(("of |w|, not of G".to_string(), sizes));
    }
    all.push(("flattened in column-major (Fortran) order".to_string(), by_columns(seen, g)));
    let backwards = trace.prunable().iter().rev().flat_map(|parameter| g[parameter.range.clone()].iter().copied());
    all.push(("parameters flattened in the reverse order of `params`".to_string(), backwards.collect()));
    let mut by_name: Vec<_> = trace.prunable().iter().collect();
    by_name.sort_by(|a, b| a.name.cmp(&b.name));
    let sorted = by_name.iter().flat_map(|parameter| g[parameter.range.clone()].iter().copied()).collect();
    all.push(("parameters flattened in alphabetical order, not in that of `params`".to_string(), sorted));
    for (order, sign) in [("rising", 1), ("falling", -1)] {
        let mut by_size: Vec<_> = trace.prunable().iter().collect();
        by_size.sort_by_key(|parameter| sign * parameter.range.len() as isize);
        let sorted = by_size.iter().flat_map(|parameter| g[parameter.range.clone()].iter().copied()).collect();
        all.push((format!("parameters flattened in the order of {order} size, not in that of `params`"), sorted));
    }
    if trace.prunable().len() > 2 {
        let mut swapped: Vec<_> = trace.prunable().iter().collect();
        swapped.rotate_left(1);
        let rotated = swapped.iter().flat_map(|parameter| g[parameter.range.clone()].iter().copied()).collect();
        all.push(("parameters flattened in another order than that of `params`".to_string(), rotated));
    }
    for parameter in trace.prunable() {
        let rest = (0..g.len()).filter(|j| !parameter.range.contains(j)).map(|j| g[j]).collect();
        all.push((format!("`{}` is left out of the set", parameter.name), rest));
        all.push((format!("of `{}` alone", parameter.name), g[parameter.range.clone()].to_vec()));
    }
    all
}

/// Other ways to cut the same values.
fn other_chunks(seen: &Seen, right: &Way) -> Vec<(String, Vec<std::ops::Range<usize>>)> {
    let (n, c) = (right.values.len(), right.chunks.len());
    let mut all = Vec::new();
    if c > 1 && !n.is_multiple_of(c) {
        let size = n / c;
        all.push(("the remainder N mod C is dropped".to_string(), ranges(&vec![size; c])));
        let mut last_longer = vec![size; c];
        last_longer[c - 1] += n % c;
        all.push(("the remainder N mod C goes to the last chunk".to_string(), ranges(&last_longer)));
        let mut last_ones = vec![size; c];
        last_ones[c - n % c..].iter_mut().for_each(|size| *size += 1);
        all.push(("the longer chunks come last".to_string(), ranges(&last_ones)));
    }
    if n == seen.trace.weights() {
        let layers = seen.trace.prunable().iter().map(|parameter| parameter.range.clone()).collect();
        all.push(("one quantile per layer (parameter), not per chunk of all weights".to_string(), layers));
    }
    all
}

/// How near a mistake's quantile must be: Eq. 6's own bound.
pub(crate) fn tolerance(seen: &Seen) -> f64 {
    4.0 * seen.arithmetic.interpolation().relative + seen.arithmetic.u() * seen.trace.weights() as f64
}

/// Which mistakes give the port's quantiles.
pub(crate) fn causes(seen: &Seen) -> Vec<String> {
    let Some(found) = &seen.recorded.chunk_quantiles else { return Vec::new() };
    let near = |(a, b): (&f64, &f64)| is_near(*a, *b, tolerance(seen).min(COARSEST));
    let fits = |quantiles: &[f64]| quantiles.len() == found.len() && found.iter().zip(quantiles).all(near);
    let mut causes: Vec<String> =
        ways(seen).into_iter().filter(|(_, quantiles)| fits(quantiles)).map(|(cause, _)| cause).collect();
    if seen.carry.previous.as_ref().is_some_and(|p| p.0.chunk_quantiles.as_ref() == Some(found)) {
        causes.push("stale: the previous epoch's".to_string());
    }
    causes
}
