//! Softmax and its logarithm along one axis, and their gradients.
//!
//! A row of C logits within T of each other, the largest of size B, with exp and ln within `exp_ulps`: what any
//! formulation of `x_j - ln sum e^x` and of its exponential may be off by is derived in `step/cross_entropy.rs`, absolute
//! for the logarithm and relative for the probability. The gradients are `dy - e^y sum dy` and `p (dy - sum dy p)`, of the
//! results as they were recorded.

use super::super::ball::{Ball, Steps, Sum};
use super::super::expected::{Answer, Expected};
use super::super::rounding::Rounding;
use super::arguments::Arguments;
use super::slips::Slip;
use crate::error::Result;
use crate::oracle::step::cross_entropy::Errors;
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::{ArrayD, Axis};

/// `of` of every row along `axis` of arrays of one shape; each row gives as many balls as it has elements.
fn along<const N: usize>(
    given: &Arguments,
    rounding: &Rounding,
    arrays: [&ArrayD<f64>; N],
    of: impl Fn([Vec<f64>; N]) -> Vec<(Ball, f64)>,
) -> Result<Expected> {
    let first = arrays[0];
    if let Some(other) = arrays.iter().find(|array| array.shape() != first.shape()) {
        return Err(given.refused(
            "output",
            format!("shape {:?}", first.shape()),
            format!("shape {:?}", other.shape()),
        ));
    }
    let position = if N == 1 { 1 } else { 2 };
    if first.ndim() == 0 {
        return Ok(Expected::settled(rounding, &[], of(arrays.map(|array| array.iter().copied().collect()))));
    }
    let axis = match (given.axis(position, "dim", None, first.ndim())?, first.ndim()) {
        (axis, 2) if given.has(Slip::OtherAxis) => 1 - axis,
        (axis, _) => axis,
    };
    let rows = |array: &ArrayD<f64>| -> Vec<Vec<f64>> {
        array.lanes(Axis(axis)).into_iter().map(|lane| lane.to_vec()).collect()
    };
    let rows = arrays.map(rows);
    let mut results = vec![(Ball::default(), 0.0); first.len()];
    // Lanes run over the other axes in row-major order; element i of a lane is `stride` behind the one before.
    let stride: usize = first.shape()[axis + 1..].iter().product();
    let extent = first.len_of(Axis(axis));
    for lane in 0..first.len().checked_div(extent).unwrap_or(0) {
        let start = lane / stride * stride * extent + lane % stride;
        let row = rows.each_ref().map(|rows| rows[lane].clone());
        for (i, result) in of(row).into_iter().enumerate() {
            results[start + i * stride] = result;
        }
    }
    Ok(Expected::settled(rounding, first.shape(), results))
}

/// A row's logarithms of probabilities to 31 digits, and what ports' may be off by.
fn logarithms(rounding: &Rounding, row: &[f64]) -> (Vec<DoubleDouble>, Errors) {
    let highest = row.iter().fold(f64::NEG_INFINITY, |m, &x| m.max(x));
    let lowest = row.iter().fold(f64::INFINITY, |m, &x| m.min(x));
    let shifted: Vec<DoubleDouble> = row.iter().map(|&x| DoubleDouble::from_sum(x, -highest)).collect();
    let sum = shifted.iter().map(|t| t.exp()).fold(DoubleDouble::ZERO, |a, b| a + b);
    let logarithm = sum.ln();
    let errors = Errors::of(&rounding.operations, row.len() as f64, highest - lowest, lowest.abs().max(highest.abs()));
    (shifted.into_iter().map(|t| t - logarithm).collect(), errors)
}

/// `_log_softmax(self, dim, half_to_float)`.
pub(super) fn log_softmax(given: &Arguments) -> Result<Answer> {
    if given.has(Slip::LogarithmLeftOut) {
        return softmax(given);
    }
    let rounding = given.rounding(0);
    Ok(Answer::of(along(given, &rounding, [given.array(0, "self")?], |[row]| {
        let (logarithms, errors) = logarithms(&rounding, &row);
        let ball = |y: DoubleDouble| (Ball { centre: y, any: 0.0, likely: 0.0 }.off_by(errors.loss), y.abs().to_f64());
        logarithms.into_iter().map(ball).collect()
    })?))
}

/// `_softmax(self, dim, half_to_float)`.
pub(super) fn softmax(given: &Arguments) -> Result<Answer> {
    let rounding = given.rounding(0);
    Ok(Answer::of(along(given, &rounding, [given.array(0, "self")?], |[row]| {
        let (logarithms, errors) = logarithms(&rounding, &row);
        let relative = libm::expm1(errors.probability);
        let ball = |y: DoubleDouble| {
            let p = y.exp();
            let error = relative * p.to_f64() + 8.0 * rounding.operations.underflow;
            (Ball { centre: p, any: 0.0, likely: 0.0 }.off_by(error), p.to_f64())
        };
        logarithms.into_iter().map(ball).collect()
    })?))
}

/// `_log_softmax_backward_data(grad_output, output, dim, input_dtype)`: dy - e^y sum dy.
pub(super) fn log_softmax_backward(given: &Arguments) -> Result<Answer> {
    let rounding = given.rounding(0);
    let operands = [given.array(0, "grad_output")?, given.array(1, "output")?];
    Ok(Answer::of(along(given, &rounding, operands, |[dy, y]| {
        let steps = Steps(&rounding);
        let mut sum = Sum::default();
        match given.has(Slip::SumLeftOut) {
            // as if the row of dy summed to what the label of a loss gives, -1
            true => sum.add(Ball::exact(-1.0)),
            false => dy.iter().for_each(|&dy| sum.add(Ball::exact(dy))),
        }
        let (total, size) = (sum.settle(&rounding), sum.size());
        let entry = |(&dy, &y): (&f64, &f64)| {
            let p = steps.exp(Ball::exact(y));
            (steps.sub(Ball::exact(dy), steps.mul(p, total)), dy.abs() + p.size() * size)
        };
        dy.iter().zip(&y).map(entry).collect()
    })?))
}

/// `_softmax_backward_data(grad_output, output, dim, input_dtype)`: p (dy - sum dy p), or p dy - p sum dy p.
pub(super) fn softmax_backward(given: &Arguments) -> Result<Answer> {
    let rounding = given.rounding(0);
    let operands = [given.array(0, "grad_output")?, given.array(1, "output")?];
    Ok(Answer::of(along(given, &rounding, operands, |[dy, p]| {
        let steps = Steps(&rounding);
        let products: Vec<Ball> =
            dy.iter().zip(&p).map(|(&dy, &p)| steps.mul(Ball::exact(dy), Ball::exact(p))).collect();
        let mut sum = Sum::default();
        if !given.has(Slip::SumLeftOut) {
            products.iter().for_each(|&product| sum.add(product));
        }
        let (total, size) = (sum.settle(&rounding), sum.size());
        let entry = |((&dy, &p), &product): ((&f64, &f64), &Ball)| {
            let of_difference = steps.mul(Ball::exact(p), steps.sub(Ball::exact(dy), total));
            let of_products = steps.sub(product, steps.mul(Ball::exact(p), total));
            (of_difference.or(of_products), p.abs() * (dy.abs() + size))
        };
        dy.iter().zip(&p).zip(&products).map(entry).collect()
    })?))
}
