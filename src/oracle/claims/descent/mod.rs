//! Alg. 1's optimizer steps, with a bound on what rounding does to them: from the weights that one epoch left to those
//! at the end of the next, through the recorded gradients.

mod clip;

pub(crate) use clip::{norms as gradient_norms, of_epoch as clipping};

use crate::oracle::interval::{Decision, Interval};
use crate::oracle::seen::Seen;
use crate::oracle::sgd::{Clipping, Momentum};
use crate::paper::reading::{LearningRateStep, MomentumOnPrune};
use crate::scalar::{DoubleDouble, Scalar};
use crate::trace::{Arithmetic, Schedule, TracedParameter};
use crate::train::cosine_learning_rate;

/// Stochastic gradient descent as PyTorch defines it, with what a header declares of it, and the ways in which it is got
/// wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rule {
    pub(crate) momentum: f64,
    pub(crate) weight_decay: f64,
    /// The learning rate of this step.
    pub(crate) rate: f64,
    /// How far a port's learning rate may be from it.
    pub(crate) rate_error: f64,
    /// What becomes of the gradient first.
    pub(crate) clipping: Clipping,
    /// Weight decay besides the gradient, not in it (AdamW's).
    pub(crate) decoupled: bool,
    pub(crate) nesterov: bool,
    pub(crate) dampening: f64,
    /// The learning rate goes into the buffer, not on top of it.
    pub(crate) rate_in_buffer: bool,
}

impl Rule {
    /// The rule of step `i` of an epoch with `batches` of them, for one parameter; `None` where it is not known.
    pub(crate) fn of(
        seen: &Seen,
        clipping: &[Clipping],
        (i, batches): (usize, usize),
        parameter: &TracedParameter,
    ) -> Option<Self> {
        let (header, sgd) = (&seen.trace.header, seen.trace.header.sgd?);
        let (rate, rate_error) = learning_rate(seen, i, batches)?;
        Some(Self {
            momentum: sgd.momentum,
            weight_decay: header.weight_decay(&parameter.name)?,
            rate,
            rate_error,
            clipping: *clipping.get(i)?,
            decoupled: false,
            nesterov: header.optimizer.nesterov,
            dampening: 0.0,
            rate_in_buffer: false,
        })
    }
}

/// The learning rate of a step, and how far a port's may be from it; `None` where it is not known.
///
/// A port forms the cosine in its dtype or wider, or from the rate before it: each of `s` updates rounds a few times a
/// number no larger than the base rate. A rate that is given is rounded to the dtype at most.
fn learning_rate(seen: &Seen, i: usize, batches: usize) -> Option<(f64, f64)> {
    let (header, base) = (&seen.trace.header, seen.trace.header.sgd?.lr);
    let u = seen.arithmetic.u();
    let step = || match seen.reading().learning_rate {
        LearningRateStep::PerEpoch => Some(seen.index),
        LearningRateStep::PerStep => Some(seen.carry.steps? + i),
    };
    match &header.optimizer.schedule {
        Schedule::Cosine => {
            let (s, epochs) = (step()?, header.hyper.epochs);
            let total = match seen.reading().learning_rate {
                LearningRateStep::PerEpoch => epochs,
                LearningRateStep::PerStep => epochs.checked_mul(batches)?,
            };
            Some((cosine_learning_rate(base, s, total), (8.0 + 2.0 * s as f64) * u * base))
        }
        Schedule::Constant => Some((base, 2.0 * u * base)),
        Schedule::Rates(rates) => rates.get(step()?).map(|&rate| (rate, 2.0 * u * rate)),
        Schedule::Other => None,
    }
}

/// One parameter on its way through an epoch's steps.
#[derive(Debug, Clone)]
pub(crate) struct Descent {
    pub(crate) weights: Vec<f64>,
    /// How far a correct port's weights may be.
    pub(crate) radius: Vec<f64>,
    pub(crate) momentum: Momentum,
    arithmetic: Arithmetic,
}

impl Descent {
    /// The `p`-th parameter at the start of an epoch, if it follows from the trace.
    pub(crate) fn start(seen: &Seen, p: usize, parameter: &TracedParameter) -> Option<Self> {
        let mut descent = Self::start_with_momentum(seen, p, parameter)?;
        if seen.reading().momentum_on_prune == MomentumOnPrune::ZeroSelected {
            descent.forget_selected(seen, p, parameter)?;
        }
        Some(descent)
    }

    /// The same, with the momentum of the weights that the epoch before selected as it was.
    pub(crate) fn start_with_momentum(seen: &Seen, p: usize, parameter: &TracedParameter) -> Option<Self> {
        seen.trace.header.sgd?;
        if seen.trace.header.optimizer.unfollowed().is_some() {
            return None;
        }
        let weights = seen.carry.weights.of(p, parameter)?;
        let momentum = seen.carry.momentum.get(p)?.clone()?;
        // The alive weights must be known, since those that are not are held at 0.
        if p < seen.trace.prunable().len() {
            seen.known.alive.of(p, parameter)?;
        }
        let radius = weights.iter().map(|w| seen.carry.weights.storage * w.abs()).collect();
        Some(Self { weights: weights.to_vec(), radius, momentum, arithmetic: seen.arithmetic })
    }

    /// Sets the momentum of the weights that the epoch before selected to 0; `None` where it is not known which they were.
    pub(crate) fn forget_selected(&mut self, seen: &Seen, p: usize, parameter: &TracedParameter) -> Option<()> {
        let Some(previous) = seen.carry.previous.as_ref().filter(|_| p < seen.carry.trace.prunable().len()) else {
            return Some(());
        };
        let selected = previous.1.selected.of(p, parameter)?;
        for ((b, radius), selected) in self.momentum.centre.iter_mut().zip(&mut self.momentum.radius).zip(selected) {
            match selected {
                Decision::No => {}
                Decision::Yes => (*b, *radius) = (0.0, 0.0),
                // It may be what it was, or 0.
                Decision::Either => *radius += b.abs(),
            }
        }
        Some(())
    }

    /// The `j`-th weight by itself.
    pub(crate) fn only(&self, j: usize) -> Self {
        let momentum = Momentum { centre: vec![self.momentum.centre[j]], radius: vec![self.momentum.radius[j]] };
        Self { weights: vec![self.weights[j]], radius: vec![self.radius[j]], momentum, arithmetic: self.arithmetic }
    }

    /// Multiplies the buffer.
    pub(crate) fn scale_momentum(&mut self, factor: f64) {
        self.momentum.centre.iter_mut().chain(&mut self.momentum.radius).for_each(|b| *b *= factor);
    }

    /// One step:
    ///
    /// ```text
    /// g <- g + weight_decay w
    /// b <- momentum b + g
    /// w <- w - rate b    (Nesterov's: w - rate (g + momentum b))
    /// ```
    ///
    /// Each operation, and each hyper-parameter that the port rounds, adds its relative error times the size of its
    /// result; errors of operands are passed on. `u` is raised by 4 times 2^-53 for the rounding of the computation
    /// here, which is the same in `f64`. No error passes more than four further roundings of a step, so radii grow by
    /// `(1 + u)^4` for products of errors, and by `2^-30` for the radii's own roundings.
    pub(crate) fn step(&mut self, gradient: &[f64], rule: &Rule) {
        let u = self.arithmetic.u() + 4.0 * f64::UNIT_ROUNDOFF;
        let eta = 6.0 * self.arithmetic.underflow();
        let (u_in, slack) = (self.arithmetic.u_in, (1.0 + u).powi(4) * (1.0 + 1.0 / (1_u64 << 30) as f64));
        let entries = self.weights.iter_mut().zip(&mut self.radius);
        let buffer = self.momentum.centre.iter_mut().zip(&mut self.momentum.radius);
        let decay = if rule.decoupled { 0.0 } else { rule.weight_decay };
        for (((w, w_radius), (b, b_radius)), &g) in entries.zip(buffer).zip(gradient) {
            let (g, g_radius) = rule.clipping.apply(g, u_in, u);
            let pull = decay * *w;
            let step = g + pull;
            let step_radius = g_radius + decay * *w_radius + u * (2.0 * pull.abs() + step.abs());
            let kept = rule.momentum * *b;
            let scale = if rule.rate_in_buffer { rule.rate } else { 1.0 };
            *b = kept + (1.0 - rule.dampening) * scale * step;
            *b_radius = slack * (rule.momentum * *b_radius + step_radius + u * (2.0 * kept.abs() + b.abs()) + eta);
            let (direction, direction_radius) = if rule.nesterov {
                let ahead = rule.momentum * *b;
                let direction = step + ahead;
                let rounded = u * (2.0 * ahead.abs() + direction.abs()) + eta;
                (direction, step_radius + rule.momentum * *b_radius + rounded)
            } else {
                (*b, *b_radius)
            };
            let rate = if rule.rate_in_buffer { 1.0 } else { rule.rate };
            let pulled = if rule.decoupled { rule.rate * rule.weight_decay * *w } else { 0.0 };
            let moved = rate * direction;
            *w -= moved + pulled;
            *w_radius += rule.rate.abs() * direction_radius
                + rule.rate_error * (direction.abs() + direction_radius)
                + u * (2.0 * moved.abs() + w.abs() + *w_radius)
                + eta;
            *w_radius *= slack;
        }
    }

    /// What a correct port's `j`-th weight may be.
    pub(crate) fn weight(&self, j: usize) -> Interval {
        Interval::around(DoubleDouble::from(self.weights[j]), 0.0, self.radius[j])
    }

    /// Eliminated weights are held at 0, in the buffer too.
    pub(crate) fn hold(&mut self, alive: &[bool]) {
        for (j, _) in alive.iter().enumerate().filter(|(_, alive)| !**alive) {
            self.weights[j] = 0.0;
            self.radius[j] = 0.0;
            self.momentum.centre[j] = 0.0;
            self.momentum.radius[j] = 0.0;
        }
    }
}
