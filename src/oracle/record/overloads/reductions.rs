//! Sums and means over axes.

use super::super::ball::{Ball, Steps, Sum};
use super::super::expected::{Answer, Expected};
use super::super::rounding::Rounding;
use super::arguments::Arguments;
use crate::error::Result;
use ndarray::{ArrayD, Axis, IxDyn};

/// `sum(self)`, `sum(self, dim, keepdim=False)`: k terms in any order.
pub(super) fn sum(given: &Arguments) -> Result<Answer> {
    reduced(given, |_, sum, size, _| (sum, size))
}

/// `mean(self)`, `mean(self, dim, keepdim=False)`: the sum, divided or multiplied with a rounded reciprocal, before or
/// after.
pub(super) fn mean(given: &Arguments) -> Result<Answer> {
    reduced(given, |steps, sum, size, count| (divided(steps, sum, count), size / count))
}

/// A sum divided by `by`: in either of both ways, once at the end or for each term.
pub(super) fn divided(steps: Steps, sum: Ball, by: f64) -> Ball {
    let quotient = steps.div(sum, Ball::exact(by));
    let is_power_of_two = by.to_bits().trailing_zeros() >= 52;
    if is_power_of_two { quotient } else { quotient.off_by(steps.0.operations.stored * quotient.size()) }
}

/// `of(sum, its terms' sizes, k)` of the k elements that are summed for each element of the result.
fn reduced(given: &Arguments, of: fn(Steps, Ball, f64, f64) -> (Ball, f64)) -> Result<Answer> {
    let x = given.array(0, "self")?;
    let rank = x.ndim();
    let is_whole = !given.overload.contains(".dim");
    let axes = if is_whole { (0..rank).collect() } else { given.axes(1, "dim", rank)? };
    let keeps = !is_whole && given.flag(2, "keepdim", Some(false))?;
    let shape: Vec<usize> = x
        .shape()
        .iter()
        .enumerate()
        .filter_map(|(axis, &extent)| match axes.contains(&axis) {
            true => keeps.then_some(1),
            false => Some(extent),
        })
        .collect();
    let rounding = given.rounding(0);
    Ok(Answer::of(over_axes(&rounding, x, &axes, &shape, of)))
}

/// `of(sum, its terms' sizes, k)` over `axes`, in increasing order, of x; in `shape`.
pub(super) fn over_axes(
    rounding: &Rounding,
    x: &ArrayD<f64>,
    axes: &[usize],
    shape: &[usize],
    of: impl Fn(Steps, Ball, f64, f64) -> (Ball, f64),
) -> Expected {
    let kept = (0..x.ndim()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let count: usize = axes.iter().map(|&axis| x.len_of(Axis(axis))).product();
    let elements: Vec<f64> = x.view().permuted_axes(order).iter().copied().collect();
    let steps = Steps(rounding);
    let results: usize = shape.iter().product();
    let balls = (0..results).map(|at| {
        let mut sum = Sum::default();
        elements[at * count..][..count].iter().for_each(|&x| sum.add(Ball::exact(x)));
        of(steps, sum.settle(rounding), sum.size(), count as f64)
    });
    if rounding.is_integer {
        let sums: Vec<f64> = balls.map(|(ball, _)| ball.centre.hi()).collect();
        return Expected::exactly(ArrayD::from_shape_vec(IxDyn(shape), sums).unwrap_or_default());
    }
    Expected::settled(rounding, shape, balls)
}
