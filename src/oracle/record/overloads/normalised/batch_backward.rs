//! The gradients of batch normalisation.

use super::super::super::BatchNormForm;
use super::super::super::ball::{Ball, Steps};
use super::super::super::expected::{Answer, Claim, Expected};
use super::super::super::rounding::Rounding;
use super::super::arguments::Arguments;
use super::super::slips::Slip;
use super::channels::Channels;
use super::statistics::Statistics;
use super::through::{ONE_PASS, Sums, input_gradient};
use crate::error::Result;
use ndarray::ArrayD;

/// `native_batch_norm_backward(grad_out, input, weight, running_mean, running_var, save_mean, save_invstd, train, eps,
/// output_mask)`: the gradients of input, weight and bias, from the saved statistics as they are given.
pub(in super::super) fn backward(given: &Arguments) -> Result<Answer> {
    let (dy, x) = (given.array(0, "grad_out")?, given.array(1, "input")?);
    let (train, eps) = (given.flag(7, "train", None)?, given.number(8, "eps", None)?);
    let mask: [bool; 3] = given.mask(9, "output_mask")?;
    let channels = Channels::of(given, x)?;
    let names = if train { [(5, "save_mean"), (6, "save_invstd")] } else { [(3, "running_mean"), (4, "running_var")] };
    let statistics = names.map(|(position, name)| given.optional(position, name).map(|array| (name, array)));
    let [mean, other] = statistics;
    let ((mean_name, mean), (other_name, other)) = (mean?, other?);
    let weight = given.optional(2, "weight")?;
    for (name, parameter) in [("weight", weight), (mean_name, mean), (other_name, other)] {
        channels.check(given, name, parameter)?;
    }
    let (Some(mean), Some(other)) = (mean, other) else {
        return Err(given.refused(mean_name, "the statistics that were used forward", "none"));
    };
    let roundings = [0, 1, 2].map(|result| given.rounding(result));
    let statistics = (0..channels.count()).map(|c| {
        let (steps, mean, other) = (Steps(&roundings[0]), Ball::exact(mean[[c]]), Ball::exact(other[[c]]));
        match train {
            true => Statistics { mean, variance: other, reciprocal: other, size: mean.size() },
            false => Statistics::with(steps, mean, other, eps, given.slip),
        }
    });
    let statistics: Vec<Statistics> = statistics.collect();
    let results = gradients(given, &roundings, (&channels, dy), weight, &statistics, train)?;
    let claims = results.into_iter().zip(mask).map(
        |(expected, wanted)| {
            if wanted { Claim::Values(expected) } else { Claim::Anything }
        },
    );
    Ok(Answer { results: claims.collect(), writes: Vec::new() })
}

/// The gradients of x, weight and bias.
pub(in super::super) fn gradients(
    given: &Arguments,
    roundings: &[Rounding; 3],
    (channels, dy): (&Channels, &ArrayD<f64>),
    weight: Option<&ArrayD<f64>>,
    statistics: &[Statistics],
    train: bool,
) -> Result<[Expected; 3]> {
    let upstream = Channels::of(given, dy)?;
    if dy.shape() != channels.shape() {
        return Err(given.refused("grad_out", format!("shape {:?}", channels.shape()), format!("{:?}", dy.shape())));
    }
    let declared = given.declared.batch_norm;
    let train = train && !given.has(Slip::StatisticsConstant);
    let of_form = |one_pass: bool| {
        let sums: Vec<Sums> = statistics
            .iter()
            .enumerate()
            .map(|(c, of)| {
                let dy = upstream.values(c).into_iter().map(Ball::exact);
                Sums::of(Steps(&roundings[1]), &channels.values(c), dy, of, one_pass)
            })
            .collect();
        let dx = channels.map_with(&upstream, &roundings[0], |c, x, dy| {
            let steps = Steps(&roundings[0]);
            let weight = Ball::exact(weight.map_or(1.0, |w| w[[c]]));
            let factor = steps.mul(statistics[c].reciprocal, weight);
            if !train {
                let dx = steps.mul(Ball::exact(dy), factor);
                return (dx, dx.size());
            }
            input_gradient((steps, given.slip), &statistics[c], &sums[c], factor, x, Ball::exact(dy))
        });
        let each = |rounding: &Rounding, of: &dyn Fn(&Sums, &Statistics) -> (Ball, f64)| {
            Expected::settled(rounding, &[sums.len()], sums.iter().zip(statistics).map(|(sums, s)| of(sums, s)))
        };
        let dw = each(&roundings[1], &|sums, s| {
            let dw = Steps(&roundings[1]).mul(sums.product, s.reciprocal);
            // x - mu may have been brought to scale before the sum: a rounding more a term.
            let size = sums.product_size * s.reciprocal.size();
            (dw.off_by(2.0 * roundings[1].operations.stored * size), size)
        });
        let db = each(&roundings[2], &|sums, _| (sums.upstream, sums.upstream_size));
        [dx, dw, db]
    };
    let narrow = of_form(declared == Some(BatchNormForm::OnePass));
    if declared.is_some() {
        return Ok(narrow);
    }
    let [a, b, c] = narrow;
    let [d, e, _] = of_form(true);
    Ok([a.unless_declared(d, ONE_PASS), b.unless_declared(e, ONE_PASS), c])
}
