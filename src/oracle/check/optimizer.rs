//! Alg. 1's optimizer steps, with a bound on what rounding does to them: from the weights that one epoch left to those
//! at the end of the next, through the recorded gradients.

use super::epoch::{Carry, Epoch};
use crate::oracle::bounds::Arithmetic;
use crate::oracle::interval::Interval;
use crate::oracle::trace::TracedParameter;
use crate::paper::reading::LearningRateStep;
use crate::scalar::{DoubleDouble, Scalar};
use crate::train::cosine_learning_rate;

/// The optimizer's buffer of one parameter, each number within a radius of the port's.
#[derive(Debug, Clone)]
pub(crate) struct Momentum {
    pub(crate) centre: Vec<f64>,
    radius: Vec<f64>,
}

impl Momentum {
    /// Before the first step.
    pub(crate) fn zero(len: usize) -> Self {
        Self { centre: vec![0.0; len], radius: vec![0.0; len] }
    }
}

/// Stochastic gradient descent as PyTorch defines it, and the ways in which it is got wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rule {
    pub(crate) momentum: f64,
    pub(crate) weight_decay: f64,
    /// The learning rate of this step.
    pub(crate) rate: f64,
    /// How far a port's learning rate may be from it.
    pub(crate) rate_error: f64,
    /// Weight decay besides the gradient, not in it (AdamW's).
    pub(crate) decoupled: bool,
    pub(crate) nesterov: bool,
    pub(crate) dampening: f64,
    /// The learning rate goes into the buffer, not on top of it.
    pub(crate) rate_in_buffer: bool,
}

impl Rule {
    /// The rule of step `i` of an epoch with `batches` of them; `None` without hyper-parameters.
    ///
    /// A port forms the cosine in its dtype or wider, or from the rate before it: each of `s` updates rounds a few times
    /// a number no larger than the base rate.
    pub(crate) fn of(epoch: &Epoch, carry: &Carry, i: usize, batches: usize) -> Option<Self> {
        let sgd = epoch.trace.header.sgd?;
        let epochs = epoch.trace.header.hyper.epochs;
        let (s, total) = match epoch.reading().learning_rate {
            LearningRateStep::PerEpoch => (epoch.index, epochs),
            LearningRateStep::PerStep => (carry.steps? + i, epochs.checked_mul(batches)?),
        };
        Some(Self {
            momentum: sgd.momentum,
            weight_decay: sgd.weight_decay,
            rate: cosine_learning_rate(sgd.lr, s, total),
            rate_error: (8.0 + 2.0 * s as f64) * epoch.arithmetic.u() * sgd.lr,
            decoupled: false,
            nesterov: false,
            dampening: 0.0,
            rate_in_buffer: false,
        })
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
    pub(crate) fn start(epoch: &Epoch, carry: &Carry, p: usize, parameter: &TracedParameter) -> Option<Self> {
        epoch.trace.header.sgd?;
        let weights = carry.weights.of(p, parameter)?;
        let momentum = carry.momentum_before.get(p)?.clone()?;
        // The alive weights must be known, since those that are not are held at 0.
        if p < epoch.trace.prunable().len() {
            epoch.operands.alive.of(p, parameter)?;
        }
        let radius = weights.iter().map(|w| carry.weights.storage * w.abs()).collect();
        Some(Self { weights: weights.to_vec(), radius, momentum, arithmetic: epoch.arithmetic })
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
    /// w <- w - rate b
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
            let pull = decay * *w;
            let step = g + pull;
            let step_radius = u_in * g.abs() + decay * *w_radius + u * (2.0 * pull.abs() + step.abs());
            let kept = rule.momentum * *b;
            let scale = if rule.rate_in_buffer { rule.rate } else { 1.0 };
            *b = kept + (1.0 - rule.dampening) * scale * step;
            *b_radius = slack * (rule.momentum * *b_radius + step_radius + u * (2.0 * kept.abs() + b.abs()) + eta);
            let direction = if rule.nesterov { step + rule.momentum * *b } else { *b };
            let rate = if rule.rate_in_buffer { 1.0 } else { rule.rate };
            let pulled = if rule.decoupled { rule.rate * rule.weight_decay * *w } else { 0.0 };
            let moved = rate * direction;
            *w -= moved + pulled;
            *w_radius += rule.rate.abs() * *b_radius
                + rule.rate_error * (b.abs() + *b_radius)
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
