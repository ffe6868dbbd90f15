//! The mean cross-entropy of logits in balls, and its gradient.
//!
//! A row x of C logits with label l has, with p = softmax(x), the loss `ln(sum e^x_j) - x_l` and the gradient
//! `(p_j - [j = l]) / n`. Both are monotone in each logit, so over a box of logits their exact ranges lie at corners:
//! the loss and p_l at (x_l high, others low) and the other way around, p_j likewise.
//!
//! Around that come the roundings of a correct port, for any of these formulations, sums in any order. With
//! t_j = x_j - M, M the row's maximum, and s = sum e^t_j:
//!
//! - the loss as `ln s - t_l`, as `(M + ln s) - x_l`, as `ln(sum e^x_j) - x_l` (no shift; while nothing overflows), or
//!   as `-ln p_l`; `ln s` may be `ln(1 + the sum of the others)`; s may be formed online, rescaled whenever the running
//!   maximum moves;
//! - p_j as `e^t_j / s` (division, or product with a reciprocal) or as e to the power of the logarithm of p_j;
//! - the gradient as `(p_j - y_j) / n`, `(p_j - y_j) (1/n)`, `p_j / n - y_j / n`, or for the label minus the sum of the
//!   other p_j; 1/n may come in anywhere later, since everything after is linear and the factor's two roundings are
//!   charged here.
//!
//! Write every computed positive number as the true one times e^k. With v(u) = -ln(1 - u), each operation moves k by at
//! most v(u), each `exp` and `ln` result by v(8u) (4 ulp, see `rounding.rs`), and `exp` turns the absolute error
//! u T of t_j, T the row's spread, into the same amount of k:
//!
//! - e^t_j: `k_e = u T + v(8u)`;
//! - s, a tree over C leaves: `k_e + (C - 1) v(u)`, and C underflows on s >= 1; online, a leaf is also rescaled at most
//!   C - 1 times, by exponentials of shifts that sum to at most T: `k_s = k_e + u T + (C - 1)(v(8u) + 2 v(u))` covers
//!   both;
//! - ln s: `k_s` and 8u of its size, at most `ln C` with and `B + ln C` without the shift, |x_j| <= B;
//! - the loss: that, u T for t_l or u (B + ln C) for M + ln s, and u of the result; as -ln p_l: the k of p_l and 8u;
//! - p_j: `k_e + k_s + 2 v(u)`, or as a power the error of the logarithm (that of a loss of j) and v(8u).
//!
//! With smoothed targets y_j = (1 - e) [j = l] + e / C the loss is the sum of y_j (-ln p_j), and the gradient
//! (p_j - y_j) / n. The loss's range is within the sum of those of its terms. A port forms it from the losses of all
//! classes, or as ln s - sum y_j t_j with any of the shifts: weights y_j of four roundings, C products and sums, so
//! gamma(C + 8) of the terms' sizes and of B on top of the error of a loss. A gradient's y_j has four roundings, and
//! p_j may be multiplied by the sum of all y_j (the adjoint of a logarithm of softmax): C + 8 further roundings of p_j.

use super::balls::Balls;
use super::rounding::{OWN_ROUNDOFF, OWN_UNDERFLOW, Rounding, gamma, logarithmic, up};
use crate::kernel::Targets;
use crate::oracle::interval::Interval;
use crate::scalar::DoubleDouble;

/// One row: the intervals of its logits, and what follows from them for every formulation.
struct Row<'a> {
    logits: &'a [Interval],
    label: usize,
    /// e.
    smoothing: f64,
    /// T and B.
    spread: f64,
    size: f64,
}

/// How far one arithmetic may be from the truth of a row.
pub(in crate::oracle) struct Errors {
    /// Absolute, of the loss.
    pub loss: f64,
    /// Of the logarithm of any p_j.
    pub probability: f64,
}

impl Errors {
    /// The module's bounds for a row of `classes` logits of the size `size` at most that lie within `spread`.
    pub fn of(rounding: &Rounding, classes: f64, spread: f64, size: f64) -> Self {
        let (u, eta) = (rounding.stored, rounding.elementary());
        let (t, log_classes) = (spread, libm::log(classes));
        let power = u * t + logarithmic(eta);
        let rescaled = u * t + (classes - 1.0) * (logarithmic(eta) + 2.0 * logarithmic(u));
        let sum = power + rescaled + 2.0 * classes * rounding.underflow;
        let log_size = size + log_classes;
        let logarithm = sum + eta * (log_size + sum);
        let loss_size = t + log_classes;
        let shifts = u * t + u * (log_size + logarithm);
        let by_logarithm = (logarithm + shifts) * (1.0 + u) + u * loss_size;
        let quotient = power + sum + 2.0 * logarithmic(u);
        let by_quotient = quotient + eta * (loss_size + quotient);
        Self { loss: up(by_logarithm.max(by_quotient)), probability: up(quotient.max(by_logarithm + logarithmic(eta))) }
    }
}

impl<'a> Row<'a> {
    fn new(logits: &'a [Interval], label: usize, smoothing: f64) -> Self {
        let lowest = logits.iter().fold(f64::INFINITY, |m, x| m.min(x.low));
        let highest = logits.iter().fold(f64::NEG_INFINITY, |m, x| m.max(x.high));
        Self { logits, label, smoothing, spread: up(highest - lowest), size: lowest.abs().max(highest.abs()) }
    }

    /// `-ln p_j = ln(1 + sum over i != j of e^(x_i - x_j))` for x_j and one end of each other interval.
    fn surprise(&self, j: usize, x_j: f64, end: impl Fn(&Interval) -> f64) -> f64 {
        let others = self.logits.iter().enumerate().filter(|&(i, _)| i != j).map(|(_, x)| end(x) - x_j);
        let largest = others.clone().fold(0.0, f64::max);
        let shifted: f64 = others.map(|t| libm::exp(t - largest)).sum();
        if largest == 0.0 { libm::log1p(shifted) } else { largest + libm::log(libm::exp(-largest) + shifted) }
    }

    /// What -ln p_j may be, but for our own rounding.
    fn range(&self, j: usize) -> Interval {
        let x = self.logits[j];
        Interval { low: self.surprise(j, x.high, |x| x.low), high: self.surprise(j, x.low, |x| x.high) }
    }

    /// The module's bounds in this arithmetic.
    fn errors(&self, rounding: &Rounding) -> Errors {
        Errors::of(rounding, self.logits.len() as f64, self.spread, self.size)
    }

    /// y_j, within [`TARGET_ROUNDINGS`].
    fn target(&self, j: usize) -> f64 {
        let even = self.smoothing / self.logits.len() as f64;
        if j == self.label { 1.0 - self.smoothing + even } else { even }
    }

    /// What a port may hold for the row's loss.
    fn loss(&self, rounding: &Rounding) -> Interval {
        if self.smoothing > 0.0 {
            return self.smoothed_loss(rounding);
        }
        let error = self.errors(rounding).loss + self.errors(&Rounding::OWN).loss;
        widened(self.range(self.label), up(error))
    }

    /// The same under smoothed targets.
    fn smoothed_loss(&self, rounding: &Rounding) -> Interval {
        let (mut low, mut high) = (0.0, 0.0);
        for j in 0..self.logits.len() {
            let (y, range) = (self.target(j), self.range(j));
            low += y * range.low;
            high += y * range.high;
        }
        let size = high + self.size;
        let error = |rounding: &Rounding| {
            let roundings = self.logits.len() as f64 + 2.0 * TARGET_ROUNDINGS;
            let weighed = gamma(roundings, rounding.stored);
            self.errors(rounding).loss * (1.0 + weighed) + weighed * size + roundings * rounding.underflow
        };
        widened(Interval { low, high }, up(error(rounding) + error(&Rounding::OWN)))
    }

    /// What a port may hold for entry j of the gradient of the mean over n rows.
    fn gradient(&self, rounding: &Rounding, j: usize, n: f64) -> Interval {
        if self.smoothing > 0.0 {
            return self.smoothed_gradient(rounding, j, n);
        }
        let Interval { low: least, high: most } = self.range(j);
        let (p_low, p_high) = (libm::exp(-most), libm::exp(-least));
        let v = logarithmic(rounding.stored);
        let k = self.errors(rounding).probability;
        // Ours: -ln p_j, and a handful of operations here.
        let ours = self.errors(&Rounding::OWN);
        let own = ours.loss.max(ours.probability) + 16.0 * logarithmic(OWN_ROUNDOFF);
        let smallest = 8.0 * (rounding.underflow + OWN_UNDERFLOW);
        if j != self.label {
            // p_j, and four operations that bring in 1/n
            let k = k + own + 4.0 * v;
            return widened(Interval { low: p_low / n * libm::exp(-k), high: p_high / n * libm::exp(k) }, smallest);
        }
        // p - 1 = -q. A port's p - 1 has p's error and that of four operations on numbers of at most p and 1; its minus
        // the sum of the others has the others' error and C - 1 additions. Our q is off by a factor within e^own.
        let (q_low, q_high) = (-libm::expm1(-least), -libm::expm1(-most));
        let of_parts = p_high.max(q_high) * libm::expm1(k + self.logits.len() as f64 * v);
        let of_operations = libm::expm1(4.0 * v) * (1.0 + p_high * libm::exp(k));
        let of_ours = libm::expm1(own) * q_high;
        let error = up((of_parts + of_operations + of_ours) / n + smallest);
        widened(Interval { low: -q_high / n, high: -q_low / n }, error)
    }
}

impl Row<'_> {
    /// [`Row::gradient`] under smoothed targets.
    fn smoothed_gradient(&self, rounding: &Rounding, j: usize, n: f64) -> Interval {
        let (y, Interval { low: least, high: most }) = (self.target(j), self.range(j));
        let (p_low, p_high) = (libm::exp(-most), libm::exp(-least));
        let error = |rounding: &Rounding, k: f64| {
            let v = logarithmic(rounding.stored);
            let of_p = libm::expm1(k + (self.logits.len() as f64 + 2.0 * TARGET_ROUNDINGS) * v);
            // Those of y, and four operations on both that bring in 1/n.
            p_high * of_p + (y + p_high * (1.0 + of_p)) * libm::expm1(2.0 * TARGET_ROUNDINGS * v)
        };
        // Ours goes by -ln p_j, the port's by any way to p_j.
        let ours = self.errors(&Rounding::OWN);
        let ours = error(&Rounding::OWN, ours.loss.max(ours.probability));
        let smallest = 8.0 * (rounding.underflow + OWN_UNDERFLOW);
        let error = up((error(rounding, self.errors(rounding).probability) + ours) / n + smallest);
        widened(Interval { low: (p_low - y) / n, high: (p_high - y) / n }, error)
    }
}

/// Of a share of a target: of e as a number of the port's, of 1 - e, of e / C and of their sum.
const TARGET_ROUNDINGS: f64 = 4.0;

/// An interval widened on both sides.
fn widened(interval: Interval, by: f64) -> Interval {
    let around = |end: f64| Interval::around(DoubleDouble::from(end), 0.0, by);
    Interval { low: around(interval.low).low, high: around(interval.high).high }
}

/// What a port may hold for the mean loss and its gradient, for logits `[n, classes]` and labels `[n]` below
/// `classes`.
pub(in crate::oracle) fn cross_entropy(rounding: &Rounding, logits: &Balls, targets: Targets) -> (Interval, Balls) {
    let Targets { labels, smoothing } = targets;
    let intervals: Vec<Interval> = logits.intervals().collect();
    let classes = intervals.len() / labels.len().max(1);
    let n = labels.len() as f64;
    let mut gradient = Vec::with_capacity(intervals.len());
    let (mut low, mut high, mut size) = (0.0, 0.0, 0.0);
    for (logits, &label) in intervals.chunks(classes.max(1)).zip(labels) {
        let row = Row::new(logits, label, smoothing);
        let loss = row.loss(rounding);
        low += loss.low / n;
        high += loss.high / n;
        size += loss.magnitude().high / n;
        gradient.extend((0..classes).map(|j| row.gradient(rounding, j, n)));
    }
    // n losses in any tree of additions, 1/n and its product brought in before or after, and the store.
    let ours = gamma(n + 8.0, OWN_ROUNDOFF);
    let (sums, others) = (gamma(n, rounding.sum), gamma(4.0, rounding.stored));
    let error = up((sums + others + sums * others + ours) * size + 2.0 * n * rounding.underflow);
    let loss = widened(Interval { low, high }, error);
    (loss, Balls::from_intervals(logits.shape(), &gradient))
}
