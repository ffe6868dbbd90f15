//! The gradients of normalisation of layers and of groups of channels.

use super::super::super::BatchNormForm;
use super::super::super::ball::{Ball, Steps, Sum};
use super::super::super::expected::{Answer, Claim, Expected};
use super::super::super::rounding::Rounding;
use super::super::arguments::Arguments;
use super::super::slips::Slip;
use super::rows::Rows;
use super::statistics::Statistics;
use super::through::{ONE_PASS, Sums, input_gradient};
use crate::error::Result;
use ndarray::ArrayD;

/// `native_layer_norm_backward(grad_out, input, normalized_shape, mean, rstd, weight, bias, output_mask)`: the gradients
/// of input, weight and bias, from the saved statistics as they are given.
pub(in super::super) fn layers(given: &Arguments) -> Result<Answer> {
    let rows = Rows::of_layers(given, given.array(1, "input")?, 2)?;
    backward(given, &rows, 3, (5, "weight"), 7)
}

/// `native_group_norm_backward(grad_out, input, mean, rstd, weight, N, C, HxW, group, output_mask)`: the same three.
pub(in super::super) fn groups(given: &Arguments) -> Result<Answer> {
    let rows = Rows::of_groups(given, given.array(1, "input")?, 5)?;
    backward(given, &rows, 2, (4, "weight"), 9)
}

/// `saved`: the position of the mean, behind which 1 / sigma stands; `mask` that of what is wanted.
fn backward(given: &Arguments, rows: &Rows, saved: usize, weight: (usize, &str), mask: usize) -> Result<Answer> {
    let dy = given.array(0, "grad_out")?;
    let [mean, reciprocal] = [given.array(saved, "mean")?, given.array(saved + 1, "rstd")?];
    let wanted: [bool; 3] = given.mask(mask, "output_mask")?;
    let count: usize = rows.statistics.iter().product();
    let fits = |x: &ArrayD<f64>| x.len() == count;
    if dy.shape() != rows.shape() || !fits(mean) || !fits(reciprocal) {
        let expected = format!("a gradient of shape {:?}, {count} means and deviations", rows.shape());
        let found = format!("shapes {:?}, {:?} and {:?}", dy.shape(), mean.shape(), reciprocal.shape());
        return Err(given.refused("grad_out", expected, found));
    }
    let statistics = mean.iter().zip(reciprocal).map(|(&mean, &reciprocal)| {
        let [mean, reciprocal] = [mean, reciprocal].map(Ball::exact);
        Statistics { mean, variance: reciprocal, reciprocal, size: mean.size() }
    });
    let of = Gradients {
        rows,
        dy: dy.iter().copied().collect(),
        weight: rows.parameter(given, weight, 1.0)?,
        statistics: statistics.collect(),
        roundings: [0, 1, 2].map(|result| given.rounding(result)),
        slip: given.slip,
    };
    let declared = given.declared.batch_norm;
    let [dx, dw, db] = of.by(declared == Some(BatchNormForm::OnePass));
    let results = match declared {
        Some(_) => [dx, dw, db],
        None => {
            let [wide_x, wide_w, _] = of.by(true);
            [dx.unless_declared(wide_x, ONE_PASS), dw.unless_declared(wide_w, ONE_PASS), db]
        }
    };
    let claims = results.into_iter().zip(wanted);
    let claims = claims.map(|(values, wanted)| if wanted { Claim::Values(values) } else { Claim::Anything });
    Ok(Answer { results: claims.collect(), writes: Vec::new() })
}

/// What the gradients are formed of.
struct Gradients<'a> {
    rows: &'a Rows<'a>,
    dy: Vec<f64>,
    weight: Vec<f64>,
    statistics: Vec<Statistics>,
    roundings: [Rounding; 3],
    slip: Option<Slip>,
}

impl Gradients<'_> {
    /// Those of x, of the weight and of the bias, from sums of dy (x - mean), or as well of dy x.
    fn by(&self, one_pass: bool) -> [Expected; 3] {
        let steps = Steps(&self.roundings[0]);
        let upstream: Vec<Ball> = self
            .rows
            .values()
            .zip(&self.dy)
            .map(|((_, _, at), &dy)| steps.mul(Ball::exact(dy), Ball::exact(self.weight[at])))
            .collect();
        let m = upstream.len() / self.statistics.len().max(1);
        let rows = self.rows.each().zip(upstream.chunks(m.max(1))).zip(&self.statistics);
        let sums: Vec<Sums> = rows.map(|((x, dy), of)| Sums::of(steps, x, dy.iter().copied(), of, one_pass)).collect();
        let dx = self.rows.values().zip(&upstream).map(|((x, row, _), &dy)| {
            let of = &self.statistics[row];
            if self.slip == Some(Slip::StatisticsConstant) {
                let dx = steps.mul(dy, of.reciprocal);
                return (dx, dx.size());
            }
            input_gradient((steps, self.slip), of, &sums[row], of.reciprocal, x, dy)
        });
        let dx = Expected::settled(&self.roundings[0], self.rows.shape(), dx);
        let [dw, db] = self.of_parameters(one_pass);
        [dx, dw, db]
    }

    /// Sums over all rows of dy (x - mean) / sigma, and of dy. Formed as x / sigma - mean / sigma, a term is off by three
    /// roundings of |dy| (|x| + |mean|) / sigma; as a difference of two sums, by those sums' own.
    fn of_parameters(&self, one_pass: bool) -> [Expected; 2] {
        let [_, of_weight, of_bias] = &self.roundings;
        let (steps, count) = (Steps(of_weight), self.weight.len());
        let mut products = vec![(Sum::default(), 0.0, 0.0); count];
        let mut sums = vec![Sum::default(); count];
        for ((x, row, at), &dy) in self.rows.values().zip(&self.dy) {
            let of = &self.statistics[row];
            let (x, dy) = (Ball::exact(x), Ball::exact(dy));
            let size = dy.size() * (x.size() + of.mean.size()) * of.reciprocal.size();
            let term = steps.mul(dy, steps.mul(steps.sub(x, of.mean), of.reciprocal));
            let term = if term.is(0.0) { term } else { term.off_by(3.0 * of_weight.operations.stored * size) };
            let (sum, sizes, terms) = &mut products[at];
            sum.add(term);
            (*sizes, *terms) = (*sizes + size, *terms + 1.0);
            sums[at].add(dy);
        }
        let dw = products.into_iter().map(|(sum, size, terms)| {
            let (dw, own) = (sum.settle(of_weight), sum.size());
            let further =
                |per_size: f64| if one_pass { (per_size + 2.0 * of_weight.operations.stored) * size } else { 0.0 };
            let [any, likely] = [of_weight.any_order(terms + 4.0), of_weight.likely(terms + 4.0)].map(further);
            (Ball { any: dw.any + any, likely: dw.likely + likely, ..dw }, own)
        });
        let dw = Expected::settled(of_weight, &self.rows.affine, dw);
        let db = sums.into_iter().map(|sum| (sum.settle(of_bias), sum.size()));
        [dw, Expected::settled(of_bias, &self.rows.affine, db)]
    }
}
