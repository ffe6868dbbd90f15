//! Known mistakes in Eq. 1 and Eq. 2: other sums over the same gradients.

use super::{COARSEST_SUM, Candidates, UNBOUNDED, affected, clipping, column_major, is_near, lower_precision, reading};
use crate::error::Result;
use crate::oracle::bounds::theta;
use crate::oracle::check::{Carry, Descent, Epoch, Outcome, Rule, gradient_name};
use crate::paper::reading::{GradientOf, MaskedGradient};
use crate::scalar::power_of_two;
use crate::trace::{Arithmetic, TracedParameter};

/// What the gradients of one weight add up to, in the ways that mistakes add them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    /// `sum |g|`, `sum g`, `sum g^2`, `sum g^4`, `max g^2`.
    pub(super) abs: f64,
    pub(super) plain: f64,
    pub(super) squares: f64,
    fourth: f64,
    largest: f64,
    /// `g^2` of the first and of the last batch.
    first: f64,
    pub(super) last: f64,
    /// `|g|` of the first and of the last batch.
    first_abs: f64,
    last_abs: f64,
    /// `sum (g + weight_decay w)^2`, if the weights are known.
    decayed: f64,
    /// The same with weight decay twice.
    decayed_twice: f64,
    /// The squares of what momentum makes of the gradients.
    buffered: f64,
    /// The same with weight decay in what was kept alone.
    half_buffered: f64,
    /// `|sum g|` over all weights.
    summed_abs: f64,
}

impl Sums {
    fn add(&mut self, g: f64, pull: f64, is_first: bool) {
        let square = g * g;
        self.abs += g.abs();
        self.plain += g;
        self.squares += square;
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
pub(super) struct ParameterSums {
    pub(super) weights: Vec<Sums>,
    /// `sum_j g_ij^2` of each batch.
    pub(super) batches: Vec<f64>,
    pub(super) knows_weights: bool,
    /// The learning rate of the epoch's first step.
    rate: Option<f64>,
}

/// Reads a parameter's gradients once more.
///
/// # Errors
/// [`crate::Error::Io`].
pub(super) fn sums(
    epoch: &Epoch,
    carry: &Carry,
    p: usize,
    parameter: &TracedParameter,
) -> Result<Option<ParameterSums>> {
    let batches = epoch.trace.batches(epoch.k);
    if batches == 0 || !epoch.trace.has(&gradient_name(epoch.k, 0, parameter)) {
        return Ok(None);
    }
    let momentum = epoch.trace.header.sgd.map_or(0.0, |sgd| sgd.momentum);
    let decay = epoch.trace.header.weight_decay(&parameter.name).unwrap_or(0.0);
    let mut descent = Descent::start(epoch, carry, p, parameter);
    let mut all = ParameterSums {
        weights: vec![Sums::default(); parameter.range.len()],
        batches: Vec::with_capacity(batches),
        knows_weights: descent.is_some(),
        rate: None,
    };
    for i in 0..batches {
        let Some(gradient) = epoch.trace.floats(&gradient_name(epoch.k, i, parameter))? else { return Ok(None) };
        for (j, (sums, &g)) in all.weights.iter_mut().zip(&gradient).enumerate() {
            if let Some(descent) = &descent {
                let b = momentum * descent.momentum.centre[j] + g;
                sums.half_buffered += b * b;
            }
            let pull = descent.as_ref().map_or(0.0, |descent| decay * descent.weights[j]);
            sums.add(g, pull, i == 0);
        }
        all.batches.push(gradient.iter().map(|g| g * g).sum());
        if let (Some(descent), Some(rule)) = (&mut descent, Rule::of(epoch, carry, (i, batches), parameter)) {
            descent.step(&gradient, &rule);
            for (sums, &b) in all.weights.iter_mut().zip(&descent.momentum.centre) {
                sums.buffered += b * b;
            }
        }
    }
    all.rate = Rule::of(epoch, carry, (0, batches), parameter).map(|rule| rule.rate);
    Ok(Some(all))
}

/// Mistakes that add the gradients before they square.
const CANCELS: &str = "the square of";

type Guess = Box<dyn Fn(&Sums) -> f64>;

/// What G would be under each mistake that looks at one weight alone.
fn guesses(epoch: &Epoch, sums: &ParameterSums) -> Vec<(String, Guess)> {
    let n = epoch.trace.batches(epoch.k) as f64;
    let rate = sums.rate.unwrap_or(f64::NAN);
    let mut all: Vec<(String, Guess)> = vec![
        ("|g| for g^2".to_string(), Box::new(|s| s.abs)),
        (format!("the mean over the {n} batches for the sum"), Box::new(move |s| s.squares / n)),
        ("the last batch only: assigned, not accumulated".to_string(), Box::new(|s| s.last)),
        ("the first batch only".to_string(), Box::new(|s| s.first)),
        ("the first batch is left out".to_string(), Box::new(|s| s.squares - s.first)),
        ("the last batch is left out".to_string(), Box::new(|s| s.squares - s.last)),
        ("the square of the summed gradient, not the sum of squares".to_string(), Box::new(|s| s.plain * s.plain)),
        ("the square of the mean gradient".to_string(), Box::new(move |s| (s.plain / n) * (s.plain / n))),
        ("the gradients are not squared".to_string(), Box::new(|s| s.plain)),
        ("a square root is taken of each sum".to_string(), Box::new(|s| s.squares.sqrt())),
        ("squared twice: g^4".to_string(), Box::new(|s| s.fourth)),
        ("the sum is squared again".to_string(), Box::new(|s| s.squares * s.squares)),
        ("the largest square, not the sum".to_string(), Box::new(|s| s.largest)),
        ("the optimizer's momentum buffer is squared, not the gradient".to_string(), Box::new(|s| s.buffered)),
        ("the optimizer's momentum, b <- momentum b + g, is squared".to_string(), Box::new(|s| s.half_buffered)),
        ("half of g^2".to_string(), Box::new(|s| 0.5 * s.squares)),
        ("counted twice".to_string(), Box::new(|s| 2.0 * s.squares)),
        ("the mean root: sqrt of the mean square".to_string(), Box::new(move |s| (s.squares / n).sqrt())),
        ("the step lr g is squared, not the gradient".to_string(), Box::new(move |s| rate * rate * s.squares)),
        ("the first batch counts twice".to_string(), Box::new(|s| s.squares + s.first)),
        ("never accumulated: 0".to_string(), Box::new(|_| 0.0)),
    ];
    let other = match epoch.reading().gradient {
        GradientOf::Loss => ("loss+decay", "weight decay is in the gradient"),
        GradientOf::LossAndDecay => ("loss", "weight decay is not in the gradient"),
    };
    if sums.knows_weights {
        let penalty = "weight decay is in the gradient twice: a penalty weight_decay ||w||^2, without 1/2, in the loss";
        all.push((penalty.to_string(), Box::new(|s| s.decayed_twice)));
    }
    if sums.knows_weights || other.0 == "loss" {
        let decayed = other.0 != "loss";
        let value = move |s: &Sums| if decayed { s.decayed } else { s.squares };
        all.insert(0, (format!("{}: {}", other.1, reading("gradient", other.0)), Box::new(value)));
    }
    all
}

/// Which mistakes give the port's G.
pub(super) fn of_eq2(epoch: &Epoch, carry: &Carry, outcome: &Outcome) -> Result<Vec<String>> {
    let batches = epoch.trace.batches(epoch.k);
    let tolerance = epoch.arithmetic.sum_over_gradients(batches).map_or(UNBOUNDED, |t| 4.0 * t.relative);
    let mut surviving: Option<Vec<String>> = None;
    for (p, parameter) in affected(epoch, &outcome.findings) {
        let (Some(found), Some(sums)) = (epoch.recorded.g.of(p, parameter), sums(epoch, carry, p, parameter)?) else {
            continue;
        };
        let causes = of_parameter(epoch, carry, (p, parameter), found, &sums, tolerance);
        surviving = Some(match surviving {
            None => causes,
            Some(before) => before.into_iter().filter(|cause| causes.contains(cause)).collect(),
        });
    }
    let causes = surviving.unwrap_or_default();
    if causes.is_empty() { clipping::before_g(epoch, outcome) } else { Ok(causes) }
}

fn of_parameter(
    epoch: &Epoch,
    carry: &Carry,
    (p, parameter): (usize, &TracedParameter),
    found: &[f64],
    sums: &ParameterSums,
    tolerance: f64,
) -> Vec<String> {
    let alive = epoch.operands.alive.of(p, parameter);
    let masks = epoch.reading().masked_gradient != MaskedGradient::Dense;
    let counts = |j: usize| !masks || alive.is_none_or(|alive| alive[j]);
    let all = |value: &dyn Fn(usize) -> f64| (0..found.len()).all(|j| is_near(found[j], value(j), tolerance));
    let w = &sums.weights;
    let mut causes = Vec::new();
    let masked = |j: usize| if alive.is_none_or(|alive| alive[j]) { w[j].squares } else { 0.0 };
    if masks && all(&|j| w[j].squares) {
        causes.push(format!("the gradient of eliminated weights is kept: {}", reading("masked_gradient", "dense")));
    }
    if !masks && all(&masked) {
        causes.push(format!("the gradient of eliminated weights is masked: {}", reading("masked_gradient", "zero")));
    }
    for (cause, guess) in guesses(epoch, sums) {
        let cancels = cause.starts_with(CANCELS);
        let value = |j: usize| if counts(j) { guess(&w[j]) } else { 0.0 };
        // What is left of a sum that cancels is as far off as its terms are large.
        let scale = |j: usize| if cancels { w[j].abs * w[j].abs } else { 0.0 };
        if (0..found.len())
            .all(|j| (found[j] - value(j)).abs() <= tolerance * found[j].abs().max(value(j).abs()).max(scale(j)))
        {
            causes.push(cause);
        }
    }
    let square = |j: usize| if counts(j) { w[j].squares } else { 0.0 };
    if let Some(previous) = carry.previous.as_ref().and_then(|previous| previous.0.g.of(p, parameter)) {
        if all(&|j| previous[j] + square(j)) {
            causes.push("G is not reset at the start of the epoch: the previous epoch's is added to".to_string());
        }
        if all(&|j| previous[j]) {
            causes.push("stale: the previous epoch's G".to_string());
        }
        if all(&|j| 0.9 * previous[j] + 0.1 * square(j)) || all(&|j| 0.999 * previous[j] + 0.001 * square(j)) {
            causes.push("a running average over epochs, not a sum over one".to_string());
        }
    }
    if parameter.shape.len() > 1 && all(&|j| square(column_major(j, &parameter.shape))) {
        causes.push("written in column-major (Fortran) order".to_string());
    }
    causes.extend(rounding(epoch, found, &square));
    causes
}

/// The right sums in an arithmetic that was not declared.
fn rounding(epoch: &Epoch, found: &[f64], square: &dyn Fn(usize) -> f64) -> Vec<String> {
    let arithmetic = epoch.arithmetic;
    let batches = epoch.trace.batches(epoch.k);
    let off = |j: usize| (found[j] - square(j)).abs();
    let outside = |declared: Arithmetic| match declared.sum_over_gradients(batches) {
        Some(t) => found.len() - (0..found.len()).filter(|&j| off(j) <= t.relative * square(j) + t.absolute).count(),
        None => found.len(),
    };
    let within = |declared: Arithmetic| outside(declared) == 0;
    if !arithmetic.ftz && within(Arithmetic { ftz: true, ..arithmetic }) {
        return vec!["subnormal numbers are flushed to 0: declare `ftz`".to_string()];
    }
    // Rounding is everywhere: one number that is off was corrupted.
    if 4 * outside(arithmetic) < found.iter().filter(|&&g| g != 0.0).count() {
        return Vec::new();
    }
    for (name, u) in [("f32", 24), ("tf32 or f16", 11), ("bf16", 8)] {
        let u = power_of_two(-u);
        let lower = Arithmetic { u_acc: u.max(arithmetic.u_acc), u_out: u.max(arithmetic.u_out), ..arithmetic };
        if theta((batches + 3) as f64 * u).is_some() && within(lower) {
            return vec![format!("rounded as in {name} arithmetic: declare `u_acc` and `u_out`, or compute wider")];
        }
    }
    Vec::new()
}

/// Which mistakes give the port's S_abs.
pub(super) fn of_eq1(epoch: &Epoch, carry: &Carry, got: f64) -> Result<Vec<String>> {
    let (mut w, mut masked, mut others) = (Sums::default(), 0.0, 0.0);
    let (mut norms, mut by_parameter) = (vec![0.0; epoch.trace.batches(epoch.k)], Vec::new());
    let prunable = epoch.trace.prunable().len();
    for (p, parameter) in epoch.trace.parameters().iter().enumerate() {
        let Some(sums) = sums(epoch, carry, p, parameter)? else { continue };
        if p >= prunable {
            others += sums.weights.iter().map(|s| s.abs).sum::<f64>();
            continue;
        }
        let alive = epoch.operands.alive.of(p, parameter);
        for (j, s) in sums.weights.iter().enumerate() {
            w.abs += s.abs;
            w.plain += s.plain;
            w.squares += s.squares;
            w.last_abs += s.last_abs;
            w.largest = w.largest.max(s.largest);
            w.summed_abs += s.plain.abs();
            w.first_abs += s.first_abs;
            masked += if alive.is_none_or(|alive| alive[j]) { s.abs } else { 0.0 };
        }
        by_parameter.push((&parameter.name, sums.weights.iter().map(|s| s.abs).sum::<f64>()));
        norms.iter_mut().zip(&sums.batches).for_each(|(norm, batch)| *norm += batch);
    }
    let (n, batches) = (epoch.trace.weights() as f64, norms.len() as f64);
    let masks = epoch.reading().masked_gradient != MaskedGradient::Dense;
    let right = if masks { masked } else { w.abs };
    let mut c = Candidates::default();
    if masks {
        c.add(format!("the gradient of eliminated weights is kept: {}", reading("masked_gradient", "dense")), w.abs);
    } else {
        c.add(format!("the gradient of eliminated weights is masked: {}", reading("masked_gradient", "zero")), masked);
    }
    c.add("g^2 for |g|", w.squares);
    c.add("no absolute value: the gradients themselves are summed", w.plain);
    c.add("no absolute value of the single entries: that of the sum is taken", w.plain.abs());
    c.add("the absolute values of the gradient summed over batches", w.summed_abs);
    c.add("the first batch is left out", right - w.first_abs);
    c.add("the last batch is left out", right - w.last_abs);
    c.add("the first batch counts twice", right + w.first_abs);
    c.add("counted twice", 2.0 * right);
    c.add("the last batch only", w.last_abs);
    c.add("the mean over the batches for the sum", right / batches);
    c.add("the mean over the weights for the sum", right / n);
    c.add("the mean over weights and batches for the sum", right / n / batches);
    c.add("parameters outside W (biases) are counted too", right + others);
    c.add("Frobenius norms of the batches, not 1-norms", norms.iter().map(|s| s.sqrt()).sum());
    c.add("the square root of the sum of squares", w.squares.sqrt());
    c.add("the largest entry, not the sum", w.largest.sqrt());
    c.add_known(
        "not reset at the start of the epoch",
        carry.previous.as_ref().and_then(|p| p.0.s_abs).map(|s| s + right),
    );
    c.add_known("stale: the previous epoch's", carry.previous.as_ref().and_then(|p| p.0.s_abs));
    for (name, sum) in &by_parameter {
        c.add(format!("`{name}` is left out"), right - sum);
        c.add(format!("of `{name}` alone"), *sum);
    }
    let terms = epoch.trace.weights() * norms.len();
    let tolerance = epoch.arithmetic.sum_over_gradients(terms).map_or(UNBOUNDED, |t| t.relative.min(COARSEST_SUM));
    let causes = c.matching(got, tolerance);
    Ok(if causes.is_empty() { lower_precision(got, right, terms) } else { causes })
}
