//! Known mistakes in Eq. 2: other sums over the same gradients.

use super::clipping;
use crate::error::Result;
use crate::oracle::arithmetic::theta;
use crate::oracle::claims::mistakes::{UNBOUNDED, affected, column_major, is_f16, is_near, reading};
use crate::oracle::claims::sums::{BETAS, ParameterSums, Sums, sums};
use crate::oracle::outcome::Outcome;
use crate::oracle::seen::Seen;
use crate::paper::reading::{GradientOf, MaskedGradient};
use crate::scalar::power_of_two;
use crate::trace::{Arithmetic, TracedParameter};

/// Mistakes whose terms cancel, by how they begin, and which power of the gradients they add.
const CANCELS: [(&str, i32); 4] =
    [("the square of", 2), ("the gradient's mean", 2), ("g^3 for g^2", 3), ("the gradients are not squared", 1)];

type Guess = Box<dyn Fn(&Sums) -> f64>;

/// What G would be under each mistake that looks at one weight alone.
fn guesses(seen: &Seen, sums: &ParameterSums) -> Vec<(String, Guess)> {
    let n = seen.trace.batches(seen.k) as f64;
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
        ("g^3 for g^2".to_string(), Box::new(|s| s.cubes)),
        ("negative gradients are left out: max(g, 0)^2".to_string(), Box::new(|s| s.positive)),
        ("the gradient's mean over the parameter is subtracted: a variance".to_string(), Box::new(|s| s.centred)),
        ("the sum is squared again".to_string(), Box::new(|s| s.squares * s.squares)),
        ("the largest square, not the sum".to_string(), Box::new(|s| s.largest)),
        ("the optimizer's momentum buffer is squared, not the gradient".to_string(), Box::new(|s| s.buffered)),
        ("the optimizer's momentum, b <- momentum b + g, is squared".to_string(), Box::new(|s| s.half_buffered)),
        ("half of g^2".to_string(), Box::new(|s| 0.5 * s.squares)),
        ("counted twice".to_string(), Box::new(|s| 2.0 * s.squares)),
        ("the mean root: sqrt of the mean square".to_string(), Box::new(move |s| (s.squares / n).sqrt())),
        ("the step lr g is squared, not the gradient".to_string(), Box::new(move |s| rate * rate * s.squares)),
        ("the gradient is rounded to half precision before it is squared".to_string(), Box::new(|s| s.half)),
        ("the gradient is rounded to bfloat16 before it is squared".to_string(), Box::new(|s| s.bfloat16)),
        ("the first batch counts twice".to_string(), Box::new(|s| s.squares + s.first)),
        ("never accumulated: 0".to_string(), Box::new(|_| 0.0)),
    ];
    let other = match seen.reading().gradient {
        GradientOf::Loss => ("loss+decay", "weight decay is in the gradient"),
        GradientOf::LossAndDecay => ("loss", "weight decay is not in the gradient"),
    };
    for (i, beta) in BETAS.into_iter().enumerate() {
        let told = format!("a moving average of g^2 (beta = {beta}, as Adam's), not their sum");
        all.push((told.clone(), Box::new(move |s| s.averages[i])));
        all.push((
            format!("{told}, with its bias corrected"),
            Box::new(move |s| s.averages[i] / (1.0 - libm::pow(beta, n))),
        ));
    }
    if sums.knows_weights {
        all.push(("the gradient is multiplied by its weight: (g w)^2 for g^2".to_string(), Box::new(|s| s.weighed)));
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
pub(crate) fn causes(seen: &Seen, outcome: &Outcome) -> Result<Vec<String>> {
    let batches = seen.trace.batches(seen.k);
    let tolerance = seen.arithmetic.sum_over_gradients(batches).map_or(UNBOUNDED, |t| 4.0 * t.relative);
    let mut surviving: Option<Vec<String>> = None;
    for (p, parameter) in affected(seen, &outcome.findings) {
        let (Some(found), Some(sums)) = (seen.recorded.g.of(p, parameter), sums(seen, p, parameter)?) else {
            continue;
        };
        let causes = of_parameter(seen, (p, parameter), found, &sums, tolerance);
        surviving = Some(match surviving {
            None => causes,
            Some(before) => before.into_iter().filter(|cause| causes.contains(cause)).collect(),
        });
    }
    let causes = surviving.unwrap_or_default();
    if causes.is_empty() { clipping::before_g(seen, outcome) } else { Ok(causes) }
}

fn of_parameter(
    seen: &Seen,
    (p, parameter): (usize, &TracedParameter),
    found: &[f64],
    sums: &ParameterSums,
    tolerance: f64,
) -> Vec<String> {
    let alive = seen.known.alive.of(p, parameter);
    let masks = seen.reading().masked_gradient != MaskedGradient::Dense;
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
    for (cause, guess) in guesses(seen, sums) {
        let power = CANCELS.iter().find(|(begin, _)| cause.starts_with(begin)).map(|(_, power)| f64::from(*power));
        let value = |j: usize| if counts(j) { guess(&w[j]) } else { 0.0 };
        // What is left of a sum that cancels is as far off as its terms are large.
        let scale = |j: usize| power.map_or(0.0, |power| libm::pow(w[j].abs, power));
        if (0..found.len())
            .all(|j| (found[j] - value(j)).abs() <= tolerance * found[j].abs().max(value(j).abs()).max(scale(j)))
        {
            causes.push(cause);
        }
    }
    let square = |j: usize| if counts(j) { w[j].squares } else { 0.0 };
    if let Some(previous) = seen.carry.previous.as_ref().and_then(|previous| previous.0.g.of(p, parameter)) {
        if all(&|j| previous[j] + square(j)) {
            causes.push("G is not reset at the start of the epoch: the previous epoch's is added to".to_string());
        }
        if all(&|j| previous[j]) {
            causes.push("stale: the previous epoch's G".to_string());
        }
        for (i, beta) in BETAS.into_iter().enumerate() {
            let kept = libm::pow(beta, seen.trace.batches(seen.k) as f64);
            if all(&|j| kept * previous[j] + w[j].averages[i]) {
                causes.push(format!("a moving average of g^2 (beta = {beta}, as Adam's), not the epoch's sum"));
            }
        }
        if all(&|j| 0.9 * previous[j] + 0.1 * square(j)) || all(&|j| 0.999 * previous[j] + 0.001 * square(j)) {
            causes.push("a running average over epochs, not a sum over one".to_string());
        }
    }
    if let Some(before) = &sums.before
        && all(&|j| if counts(j) { w[j].squares - w[j].last + before[j] } else { 0.0 })
    {
        causes.push("the gradient of the batch before is added: G is taken before the backward pass".to_string());
    }
    causes.extend(summed_losses(seen, found, w, &|j, value| if counts(j) { value } else { 0.0 }, tolerance));
    for (axes, whose) in [(2, "kernel"), (1, "output")] {
        let inner: usize = parameter.shape.iter().skip(axes).product();
        if parameter.coordinates.is_none() && parameter.shape.len() > axes && inner > 1 {
            let mean = |j: usize| {
                let first = j / inner * inner;
                (first..first + inner).map(&square).sum::<f64>() / inner as f64
            };
            if all(&mean) {
                causes.push(format!("the mean over each {whose} stands for every one of its weights"));
            }
        }
    }
    let has_columns = parameter.shape.len() > 1 && parameter.coordinates.is_none();
    if has_columns && all(&|j| square(column_major(j, &parameter.shape))) {
        causes.push("written in column-major (Fortran) order".to_string());
    }
    causes.extend(rounding(seen, found, &square));
    causes
}

/// Gradients of summed losses, each its batch's size times the mean's; of the last batch, which may be shorter, the size that the
/// largest of its squares says.
fn summed_losses(
    seen: &Seen,
    found: &[f64],
    w: &[Sums],
    counted: &dyn Fn(usize, f64) -> f64,
    tolerance: f64,
) -> Option<String> {
    let size = seen.trace.header.batch_size? as f64;
    let (j, of) = w.iter().enumerate().max_by(|(_, a), (_, b)| a.last.total_cmp(&b.last))?;
    let last = libm::sqrt((found[j] - size * size * (of.squares - of.last)) / of.last).round();
    let value = |j: usize| counted(j, size * size * (w[j].squares - w[j].last) + last * last * w[j].last);
    let is_size = last >= 1.0 && last < size && (0..found.len()).all(|j| is_near(found[j], value(j), tolerance));
    is_size.then(|| {
        format!("the loss is summed, not averaged: gradients are {size} times those recorded, of the last batch {last} times")
    })
}

/// The right sums in an arithmetic that was not declared.
fn rounding(seen: &Seen, found: &[f64], square: &dyn Fn(usize) -> f64) -> Vec<String> {
    let arithmetic = seen.arithmetic;
    let batches = seen.trace.batches(seen.k);
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
    // Half precision has few small numbers: each of the sum's roundings may be half of the least.
    let least = libm::ldexp((batches + 2) as f64, -25);
    let is_half =
        |j: usize| off(j) <= theta((batches + 3) as f64 * power_of_two(-11)).unwrap_or(1.0) * square(j) + least;
    for (name, u) in [("f32", 24), ("tf32 or f16", 11), ("bf16", 8)] {
        let u = power_of_two(-u);
        let lower = Arithmetic { u_acc: u.max(arithmetic.u_acc), u_out: u.max(arithmetic.u_out), ..arithmetic };
        if theta((batches + 3) as f64 * u).is_some() && within(lower) {
            return vec![format!("rounded as in {name} arithmetic: declare `u_acc` and `u_out`, or compute wider")];
        }
        if u == power_of_two(-11) && (0..found.len()).all(is_half) && found.iter().all(|&g| is_f16(g)) {
            return vec!["rounded as in f16 arithmetic: declare `u_acc` and `u_out`, or compute wider".to_string()];
        }
    }
    Vec::new()
}
