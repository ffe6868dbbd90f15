//! Known mistakes in Eq. 5.

use crate::oracle::claims::eq6::exact_quantile;
use crate::oracle::claims::mistakes::{by_columns, reading};
use crate::oracle::seen::Seen;
use crate::paper::reading::MaskedGradient;
use crate::scalar::Scalar;
use crate::trace::names::gradient;

/// Which mistakes select as the port did, among the weights that are compared.
pub(crate) fn causes(seen: &Seen) -> Vec<String> {
    let Some(tau) = seen.known.tau.map(|tau| tau.low) else { return Vec::new() };
    let g = &seen.known.g.low.values;
    let alive = &seen.known.alive.values;
    let selected = &seen.recorded.selected.values;
    let n = g.len();
    if selected.len() != n || alive.len() != n {
        return Vec::new();
    }
    let says = |rule: &dyn Fn(usize) -> bool| (0..n).filter(|&j| alive[j]).all(|j| rule(j) == selected[j]);
    let mut causes = Vec::new();
    let mut try_rule = |cause: &str, rule: &dyn Fn(usize) -> bool| {
        if says(rule) {
            causes.push(cause.to_string());
        }
    };
    try_rule("<= for <: a tie G = tau was selected", &|j| g[j] <= tau);
    try_rule("> for <: the largest G are selected", &|j| g[j] > tau);
    try_rule(">= for <: the largest G are selected", &|j| g[j] >= tau);
    if let Some(previous) = &seen.carry.previous {
        if let Some(stale) = previous.0.tau {
            try_rule("stale tau: the previous epoch's", &|j| g[j] < stale);
        }
        if previous.0.g.values.len() == n {
            try_rule("stale G: the previous epoch's is compared with tau", &|j| previous.0.g.values[j] < tau);
        }
        if previous.0.selected.values.len() == n {
            try_rule("selections accumulate: what an earlier epoch selected stays selected", &|j| {
                g[j] < tau || previous.0.selected.values[j]
            });
            try_rule("stale: the previous epoch's selection", &|j| previous.0.selected.values[j]);
        }
    }
    let alpha = seen.recorded.alpha.or(seen.known.alpha.map(|alpha| alpha.high)).unwrap_or(0.0);
    for (name, k) in [
        ("floor", (alpha * n as f64).floor()),
        ("ceil", (alpha * n as f64).ceil()),
        ("round", (alpha * n as f64).round()),
    ] {
        if is_smallest(g, selected, alive, k as usize) {
            let cause = format!("top-k for the threshold: the {name}(alpha N) smallest G are selected, ties and all");
            try_rule(&cause, &|j| selected[j]);
        }
    }
    let rule = seen.reading().quantile;
    let layers = seen.trace.prunable();
    let thresholds: Vec<f64> = layers
        .iter()
        .map(|parameter| exact_quantile(rule, alpha.clamp(0.0, 1.0), &g[parameter.range.clone()]).to_f64())
        .collect();
    let layer = |j: usize| layers.iter().position(|parameter| parameter.range.contains(&j)).unwrap_or(0);
    try_rule("each layer (parameter) is compared with its own quantile, not with tau", &|j| {
        g[j] < thresholds[layer(j)]
    });
    if let Some(quantiles) = &seen.recorded.chunk_quantiles {
        let excluded = seen.reading().masked_gradient == MaskedGradient::Excluded;
        let sizes = crate::paper::quantile::chunk_sizes(n, quantiles.len().clamp(1, n), seen.reading().chunking);
        if let (Ok(sizes), false) = (sizes, excluded) {
            let mut owner = Vec::with_capacity(n);
            sizes.iter().enumerate().for_each(|(c, &size)| owner.extend(std::iter::repeat_n(c, size)));
            try_rule("each chunk is compared with its own quantile, not with tau", &|j| {
                quantiles.get(owner[j]).is_some_and(|&q| g[j] < q)
            });
        }
        for &q in quantiles {
            try_rule("compared with one chunk's quantile, not with tau", &|j| g[j] < q);
        }
    }
    try_rule("sqrt(G) is compared with tau", &|j| g[j].sqrt() < tau);
    try_rule("G is compared with tau^2", &|j| g[j] < tau * tau);
    let batches = seen.trace.batches(seen.k) as f64;
    try_rule("the mean of G over the batches is compared with tau", &|j| g[j] / batches < tau);
    try_rule("G is compared with alpha", &|j| g[j] < alpha);
    let mean = g.iter().sum::<f64>() / n.max(1) as f64;
    try_rule("G is compared with its mean, not with tau", &|j| g[j] < mean);
    if seen.recorded.weights_before.values.len() >= n {
        let w = &seen.recorded.weights_before.values;
        try_rule("|w| is compared with tau, not G", &|j| w[j].abs() < tau);
        let sizes: Vec<f64> = w[..n].iter().map(|w| w.abs()).collect();
        let magnitude = exact_quantile(rule, alpha.clamp(0.0, 1.0), &sizes).to_f64();
        try_rule("selected by magnitude: the smallest |w|, not the smallest G", &|j| sizes[j] < magnitude);
    }
    let columns = by_columns(seen, g);
    try_rule("G is read in column-major (Fortran) order", &|j| columns[j] < tau);
    if let Some(last) = last_batch(seen) {
        try_rule("the last batch's squares are compared with tau, not G", &|j| last[j] * last[j] < tau);
    }
    for parameter in layers {
        let cause = format!("the parameter `{}` is left out", parameter.name);
        try_rule(&cause, &|j| g[j] < tau && !parameter.range.contains(&j));
    }
    try_rule("nothing is selected", &|_| false);
    try_rule("every weight is selected", &|_| true);
    try_rule(&format!("weights of G = 0 are left out ({})", reading("masked_gradient", "excluded")), &|j| {
        g[j] < tau && g[j] != 0.0
    });
    causes
}

/// The gradient of the epoch's last batch, flat over W, if it is recorded.
fn last_batch(seen: &Seen) -> Option<Vec<f64>> {
    let last = seen.trace.batches(seen.k).checked_sub(1)?;
    let mut all = Vec::with_capacity(seen.trace.weights());
    for parameter in seen.trace.prunable() {
        // A file that cannot be read any more leaves this one mistake untried.
        all.extend(seen.trace.floats(&gradient(seen.k, last, parameter)).ok()??);
    }
    Some(all)
}

/// Whether the selected weights, eliminated ones included or not, are `k` smallest ones.
fn is_smallest(g: &[f64], selected: &[bool], alive: &[bool], k: usize) -> bool {
    let largest_in = (0..g.len()).filter(|&j| selected[j] && alive[j]).map(|j| g[j]).fold(f64::MIN, f64::max);
    let smallest_out = (0..g.len()).filter(|&j| !selected[j] && alive[j]).map(|j| g[j]).fold(f64::MAX, f64::min);
    let count = selected.iter().filter(|&&selected| selected).count();
    largest_in <= smallest_out && count == k
}
