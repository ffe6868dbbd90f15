//! What recorded gradients add up to in the ways that mistakes add them.

use super::descent::{Descent, Rule};
use crate::error::Result;
use crate::oracle::seen::Seen;
use crate::trace::TracedParameter;
use crate::trace::names::gradient;
use half::{bf16, f16};

/// Decays of moving averages that libraries have.
pub(crate) const BETAS: [f64; 3] = [0.9, 0.99, 0.999];

/// What the gradients of one weight add up to, in the ways that mistakes add them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    /// `sum |g|`, `sum g`, `sum g^2`, `sum g^3`, `sum g^4`, `max g^2`.
    pub(crate) abs: f64,
    pub(crate) plain: f64,
    pub(crate) squares: f64,
    pub(crate) cubes: f64,
    pub(crate) fourth: f64,
    pub(crate) largest: f64,
    /// `sum g^2` where g is positive.
    pub(crate) positive: f64,
    /// `sum (g - mean g)^2`, with the mean over the parameter in each batch.
    pub(crate) centred: f64,
    /// `g^2` of the first and of the last batch.
    pub(crate) first: f64,
    pub(crate) last: f64,
    /// `|g|` of the first and of the last batch.
    pub(crate) first_abs: f64,
    pub(crate) last_abs: f64,
    /// `sum (g + weight_decay w)^2`, if the weights are known.
    pub(crate) decayed: f64,
    /// The same with weight decay twice.
    pub(crate) decayed_twice: f64,
    /// The squares of what momentum makes of the gradients.
    pub(crate) buffered: f64,
    /// The same with weight decay in what was kept alone.
    pub(crate) half_buffered: f64,
    /// Moving averages of `g^2` that start at 0, one for each of [`BETAS`].
    pub(crate) averages: [f64; 3],
    /// `sum (g w)^2`, if the weights are known.
    pub(crate) weighed: f64,
    /// `sum g^2` with g rounded to half precision, and to bfloat16.
    pub(crate) half: f64,
    pub(crate) bfloat16: f64,
    /// `|sum g|` over all weights.
    pub(crate) summed_abs: f64,
}

impl Sums {
    fn add(&mut self, g: f64, mean: f64, pull: f64, is_first: bool) {
        let square = g * g;
        for (average, beta) in self.averages.iter_mut().zip(BETAS) {
            *average = beta * *average + (1.0 - beta) * square;
        }
        let rounded = (f16::from_f64(g).to_f64(), bf16::from_f64(g).to_f64());
        self.half += rounded.0 * rounded.0;
        self.bfloat16 += rounded.1 * rounded.1;
        self.abs += g.abs();
        self.plain += g;
        self.squares += square;
        self.cubes += g * square;
        self.positive += if g > 0.0 { square } else { 0.0 };
        self.centred += (g - mean) * (g - mean);
        self.fourth += square * square;
        self.largest = self.largest.max(square);
        if is_first {
            (self.first, self.first_abs) = (square, g.abs());
        }
        (self.last, self.last_abs) = (square, g.abs());
        self.decayed += (g + pull) * (g + pull);
        self.decayed_twice += (g + 2.0 * pull) * (g + 2.0 * pull);
    }
}

/// The sums over one parameter's gradients, and over each batch; `None` without gradients.
pub(crate) struct ParameterSums {
    pub(crate) weights: Vec<Sums>,
    /// `sum_j g_ij^2` of each batch.
    pub(crate) batches: Vec<f64>,
    /// `max_j |g_ij|` of each batch.
    pub(crate) maxima: Vec<f64>,
    pub(crate) knows_weights: bool,
    /// The learning rate of the epoch's first step.
    pub(crate) rate: Option<f64>,
    /// `g^2` of the last batch of the epoch before.
    pub(crate) before: Option<Vec<f64>>,
}

/// Reads a parameter's gradients once more.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn sums(seen: &Seen, p: usize, parameter: &TracedParameter) -> Result<Option<ParameterSums>> {
    let batches = seen.trace.batches(seen.k);
    if batches == 0 || !seen.trace.has(&gradient(seen.k, 0, parameter)) {
        return Ok(None);
    }
    let momentum = seen.trace.header.sgd.map_or(0.0, |sgd| sgd.momentum);
    let decay = seen.trace.header.weight_decay(&parameter.name).unwrap_or(0.0);
    let mut descent = Descent::start(seen, p, parameter);
    let alive = if p < seen.trace.prunable().len() { seen.known.alive.of(p, parameter) } else { None };
    let mut all = ParameterSums {
        weights: vec![Sums::default(); parameter.range.len()],
        batches: Vec::with_capacity(batches),
        maxima: Vec::with_capacity(batches),
        knows_weights: descent.is_some(),
        rate: None,
        before: before(seen, parameter)?,
    };
    for i in 0..batches {
        let Some(gradient) = seen.trace.floats(&gradient(seen.k, i, parameter))? else { return Ok(None) };
        let mean = gradient.iter().sum::<f64>() / gradient.len().max(1) as f64;
        for (j, (sums, &g)) in all.weights.iter_mut().zip(&gradient).enumerate() {
            if let Some(descent) = &descent {
                let b = momentum * descent.momentum.centre[j] + g;
                sums.half_buffered += b * b;
            }
            let w = descent.as_ref().map_or(0.0, |descent| descent.weights[j]);
            let pull = decay * w;
            sums.weighed += (g * w) * (g * w);
            sums.add(g, mean, pull, i == 0);
        }
        all.batches.push(gradient.iter().map(|g| g * g).sum());
        all.maxima.push(gradient.iter().fold(0.0, |largest, g| g.abs().max(largest)));
        if let (Some(descent), Some(rule)) =
            (&mut descent, Rule::of(seen, &seen.known.clipping, (i, batches), parameter))
        {
            descent.step(&gradient, &rule);
            if let Some(alive) = alive {
                descent.hold(alive);
            }
            for (sums, &b) in all.weights.iter_mut().zip(&descent.momentum.centre) {
                sums.buffered += b * b;
            }
        }
    }
    all.rate = Rule::of(seen, &seen.known.clipping, (0, batches), parameter).map(|rule| rule.rate);
    Ok(Some(all))
}

/// The squares of the last gradient before the epoch.
fn before(seen: &Seen, parameter: &TracedParameter) -> Result<Option<Vec<f64>>> {
    let Some(k) = seen.k.checked_sub(1) else { return Ok(None) };
    let Some(last) = seen.trace.batches(k).checked_sub(1) else { return Ok(None) };
    let found = seen.trace.floats(&gradient(k, last, parameter))?;
    Ok(found.map(|gradient| gradient.iter().map(|g| g * g).collect()))
}

/// What the batches' gradients say besides G: sums over all of W, and over the parameters outside.
pub(crate) struct Batches {
    /// `||grad_i||_F^2` of each batch.
    pub(crate) norms: Vec<f64>,
    /// `sum_j g_j^2` of the last batch, `sum_j (sum_i g_ij)^2`, `sum |g|`.
    pub(crate) last: f64,
    pub(crate) summed: f64,
    pub(crate) abs: f64,
    /// `sum g^2` of the parameters outside W.
    pub(crate) others: f64,
}

/// `None` without gradients of all weights.
pub(crate) fn batches(seen: &Seen) -> Result<Option<Batches>> {
    if seen.trace.sample().is_some() {
        return Ok(None);
    }
    let mut all =
        Batches { norms: vec![0.0; seen.trace.batches(seen.k)], last: 0.0, summed: 0.0, abs: 0.0, others: 0.0 };
    let mut any = false;
    for (p, parameter) in seen.trace.parameters().iter().enumerate() {
        let Some(sums) = sums(seen, p, parameter)? else { continue };
        if p >= seen.trace.prunable().len() {
            all.others += sums.weights.iter().map(|s| s.squares).sum::<f64>();
            continue;
        }
        any = true;
        all.norms.iter_mut().zip(&sums.batches).for_each(|(norm, batch)| *norm += batch);
        for s in &sums.weights {
            all.last += s.last;
            all.summed += s.plain * s.plain;
            all.abs += s.abs;
        }
    }
    Ok(any.then_some(all))
}

/// `sum_j G_j` of each parameter; of none in a sample.
pub(crate) fn by_parameter<'a>(seen: &Seen<'a>) -> Vec<(&'a str, f64)> {
    if seen.trace.sample().is_some() {
        return Vec::new();
    }
    let g = &seen.known.g.low;
    let sum = |p: usize| seen.trace.prunable()[p].range.clone().map(|j| g.values.get(j).copied().unwrap_or(0.0)).sum();
    seen.trace.prunable().iter().enumerate().map(|(p, parameter)| (parameter.name.as_str(), sum(p))).collect()
}
