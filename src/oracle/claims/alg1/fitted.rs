//! Optimizer steps with one number that is not known, found from one weight: the gradient's scale, the learning rate,
//! the bound of clipping. Whether it is the mistake, all other weights say.

use super::mistake::{Mistake, mistake};
use crate::error::Result;
use crate::oracle::claims::descent::{Descent, Rule, gradient_norms};
use crate::oracle::claims::ratio::short;
use crate::oracle::seen::Seen;
use crate::oracle::sgd::Clipping;
use crate::trace::TracedParameter;

/// The most steps in which a learning rate is looked for.
const SECANT_STEPS: usize = 40;

/// One weight's way through an epoch.
struct Single {
    start: Descent,
    rules: Vec<Rule>,
    /// The weight's own gradient in each batch.
    gradients: Vec<f64>,
    found: f64,
}

impl Single {
    /// Where the steps end under rules changed so, and how far a correct port's may be.
    fn end(&self, change: impl Fn(Rule, usize) -> Rule) -> (f64, f64) {
        let mut descent = self.start.clone();
        for (i, (rule, &g)) in self.rules.iter().zip(&self.gradients).enumerate() {
            descent.step(&[g], &change(*rule, i));
        }
        (descent.weights[0], descent.radius[0])
    }

    /// Gradients multiplied by a factor of each batch's own: the end is affine in all of them.
    fn scaled(&self, factor: impl Fn(usize) -> f64) -> (f64, f64) {
        self.end(|rule, i| Rule { clipping: Clipping::Scaled { factor: factor(i), error: 0.0 }, ..rule })
    }
}

/// The mistakes that take one weight of a parameter where the port's is: that which moved furthest.
///
/// # Errors
/// [`crate::Error::Io`].
pub(crate) fn mistakes(
    seen: &Seen,
    (p, parameter): (usize, &TracedParameter),
    gradients: &[Vec<f64>],
    found: &[f64],
) -> Result<Vec<Mistake>> {
    let Some(descent) = Descent::start(seen, p, parameter) else { return Ok(Vec::new()) };
    let alive = seen.known.alive.of(p, parameter);
    let moved = |j: &usize| (found[*j] - descent.weights[*j]).abs();
    let living = (0..found.len()).filter(|&j| alive.is_none_or(|alive| alive[j]));
    let Some(j) = living.max_by(|a, b| moved(a).total_cmp(&moved(b))) else { return Ok(Vec::new()) };
    let batches = gradients.len();
    let rules = (0..batches)
        .map(|i| Rule::of(seen, &seen.known.clipping, (i, batches), parameter))
        .collect::<Option<Vec<Rule>>>();
    let Some(rules) = rules else { return Ok(Vec::new()) };
    let own = gradients.iter().map(|gradient| gradient[j]).collect();
    let single = Single { start: descent.only(j), rules, gradients: own, found: found[j] };
    let mut all: Vec<Mistake> = scale(&single).into_iter().chain(rate(&single)).collect();
    let declared =
        if seen.trace.header.optimizer.clip.is_none() { ": declare it as `clip`" } else { ", not as `clip` declares" };
    if let Some(norms) = gradient_norms(seen)? {
        let u = seen.arithmetic.u();
        all.extend(bounds(&single, &norms).into_iter().map(|(bound, error)| {
            let clipping: Vec<Clipping> =
                norms.iter().map(|&norm| Clipping::of_norm(bound, norm, error, 0.0, u)).collect();
            let cause = format!("the gradients are clipped to a norm of {}{declared}", short(bound));
            mistake(cause, move |rule, i| Rule { clipping: clipping[i], ..rule })
        }));
    }
    let sizes: Vec<f64> = single.gradients.iter().map(|g| g.abs()).collect();
    all.extend(bounds(&single, &sizes).into_iter().map(|(bound, error)| {
        let cause = format!("the gradients are clamped to {}{declared}", short(bound));
        mistake(cause, move |rule, _| Rule { clipping: Clipping::Clamped { bound, error }, ..rule })
    }));
    Ok(all)
}

/// The step takes the recorded gradient times a factor.
fn scale(single: &Single) -> Option<Mistake> {
    let (without, _) = single.scaled(|_| 0.0);
    let (with, radius) = single.scaled(|_| 1.0);
    let factor = (single.found - without) / (with - without);
    let error = 2.0 * (radius / (with - without)).abs() / factor.abs();
    let told = [factor.round(), 1.0 / (1.0 / factor).round()]
        .into_iter()
        .find(|told| told.is_finite() && *told != 0.0 && *told != 1.0 && (told - factor).abs() <= error * factor.abs());
    let text = match told {
        Some(told) if told.abs() < 1.0 => format!("1/{}", (1.0 / told).round()),
        Some(told) => told.to_string(),
        None => short(factor),
    };
    let clipping = Clipping::Scaled { factor: told.unwrap_or(factor), error };
    let cause = format!(
        "the steps take {text} times the gradients that are recorded (a loss scale, the number of devices or of \
         micro-batches)"
    );
    (factor.is_finite() && error.is_finite()).then(|| mistake(cause, move |rule, _| Rule { clipping, ..rule }))
}

/// All of an epoch's steps have another learning rate than they should, the same one.
fn rate(single: &Single) -> Option<Mistake> {
    let at = |rate: f64| single.end(|rule, _| Rule { rate, ..rule });
    let right = single.rules.first()?.rate;
    let (mut before, mut now) = (0.0, right.max(f64::MIN_POSITIVE));
    let mut missed = at(before).0 - single.found;
    for _ in 0..SECANT_STEPS {
        let (end, radius) = at(now);
        let miss = end - single.found;
        let slope = (miss - missed) / (now - before);
        if miss.abs() <= radius || !slope.is_finite() || slope == 0.0 {
            break;
        }
        (before, missed, now) = (now, miss, now - miss / slope);
    }
    let (end, radius) = at(now);
    let error = 2.0 * now.abs() * (radius / (end - single.start.weights[0])).abs();
    let is_found = (end - single.found).abs() <= radius && now.is_finite() && now >= 0.0 && error.is_finite();
    let cause = format!(
        "the learning rate of this epoch's steps is {}: another schedule, to be declared as `schedule`",
        short(now)
    );
    is_found.then(|| mistake(cause, move |rule, _| Rule { rate: now, rate_error: rule.rate_error + error, ..rule }))
}

/// Bounds that the sizes of the batches' gradients (their norms over all parameters, or the weight's own gradients) are
/// clipped to, each with its relative error. Between two neighbouring sizes the end is affine in the bound: what is smaller
/// is as it is, the rest in inverse proportion to its size.
fn bounds(single: &Single, sizes: &[f64]) -> Vec<(f64, f64)> {
    let (without, _) = single.scaled(|_| 0.0);
    let effect = |i: usize| single.scaled(|batch| f64::from(u8::from(batch == i))).0 - without;
    let sized = sizes.iter().enumerate().filter(|(_, size)| **size > 0.0);
    let mut batches: Vec<(f64, f64)> = sized.map(|(i, &size)| (size, effect(i))).collect();
    batches.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut clipped: f64 = batches.iter().map(|(size, effect)| effect / size).sum();
    let (mut whole, mut least) = (0.0, 0.0);
    let (_, radius) = single.scaled(|_| 1.0);
    let mut all = Vec::new();
    for &(size, effect) in &batches {
        let bound = (single.found - without - whole) / clipped;
        let error = 2.0 * (radius / clipped).abs();
        if bound > 0.0 && bound + error >= least && bound - error <= size && error < 0.5 * bound {
            all.push((bound, error / bound));
        }
        (whole, clipped, least) = (whole + effect, clipped - effect / size, size);
    }
    all
}
