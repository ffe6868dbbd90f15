//! Batch normalisation forward, of `[n, c]`, `[n, c, l]` or `[n, c, h, w]`; m values a channel.

use super::super::super::BatchNormForm;
use super::super::super::Changed;
use super::super::super::ball::{Ball, Steps};
use super::super::super::expected::{Answer, Claim, Expected};
use super::super::super::rounding::Rounding;
use super::super::arguments::Arguments;
use super::super::slips::Slip;
use super::channels::Channels;
use super::statistics::{Affine, Statistics, UNDECLARED, applied, coarse, forms};
use crate::error::Result;
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::ArrayD;

/// The numbers of a batch norm that are no arrays.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Settings {
    pub training: bool,
    pub momentum: f64,
    pub eps: f64,
}

/// The arrays of a batch norm besides x, each `[c]`.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Parameters<'a> {
    pub weight: Option<&'a ArrayD<f64>>,
    pub bias: Option<&'a ArrayD<f64>>,
    pub mean: Option<&'a ArrayD<f64>>,
    pub variance: Option<&'a ArrayD<f64>>,
}

impl Parameters<'_> {
    fn of_channel(&self, c: usize) -> Affine {
        Affine { weight: self.weight.map_or(1.0, |w| w[[c]]), bias: self.bias.map_or(0.0, |b| b[[c]]) }
    }
}

/// `native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)`, and the forms of it
/// that differ in which of these they have: y, the saved mean and 1 / sqrt(variance + eps), and, changed, the running
/// statistics.
pub(in super::super) fn forward(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "input")?;
    let (weight, bias) = (given.optional(1, "weight")?, given.optional(2, "bias")?);
    let has_statistics = given.overload != "aten._native_batch_norm_legit.no_stats";
    let fixed = match given.overload {
        "aten._native_batch_norm_legit_no_training.default" => Some(false),
        "aten._batch_norm_with_update.default" => Some(true),
        "aten._batch_norm_no_update.default" => Some(false),
        _ => None,
    };
    let (mean, variance) = match has_statistics {
        true => (given.optional(3, "running_mean")?, given.optional(4, "running_var")?),
        false => (None, None),
    };
    let after = if has_statistics { 5 } else { 3 };
    let numbers = after + usize::from(fixed.is_none());
    let settings = Settings {
        training: fixed.map_or_else(|| given.flag(after, "training", None), Ok)?,
        momentum: given.number(numbers, "momentum", Some(0.1))?,
        eps: given.number(numbers + 1, "eps", Some(1e-5))?,
    };
    let parameters = Parameters { weight, bias, mean, variance };
    let roundings = [given.rounding(0), given.rounding(1)];
    let Normalised { y, mean, reciprocal, running } =
        normalised(given, [&roundings[0], &roundings[1]], &x.array, parameters, settings)?;
    let [mean, reciprocal] =
        if settings.training { [mean, reciprocal].map(Claim::Values) } else { [Claim::Anything, Claim::Anything] };
    let mut results = vec![Claim::Values(y), mean, reciprocal];
    if given.overload.starts_with("aten._batch_norm_") {
        results.push(Claim::Anything); // memory that a backend reserves for its backward
    }
    let writes = running.into_iter().flatten().zip([3, 4]);
    let writes = writes.map(|(expected, position)| (Changed::Position(position), Claim::Values(expected)));
    Ok(Answer { results, writes: writes.collect() })
}

/// Everything that a batch norm gives.
pub(in super::super) struct Normalised {
    pub y: Expected,
    pub mean: Expected,
    pub reciprocal: Expected,
    /// The running mean and variance afterwards, in training where there are any.
    pub running: Option<[Expected; 2]>,
}

/// What a correct port may hold; `roundings` those of y and of the statistics.
pub(in super::super) fn normalised(
    given: &Arguments,
    roundings: [&Rounding; 2],
    x: &ArrayD<f64>,
    parameters: Parameters,
    settings: Settings,
) -> Result<Normalised> {
    let channels = Channels::of(given, x)?;
    let count = channels.count();
    let named = [
        ("weight", parameters.weight),
        ("bias", parameters.bias),
        ("running_mean", parameters.mean),
        ("running_var", parameters.variance),
    ];
    for (name, parameter) in named {
        channels.check(given, name, parameter)?;
    }
    if !settings.training && (parameters.mean.is_none() || parameters.variance.is_none()) {
        return Err(given.refused("running_mean", "running statistics where `training` is false", "none"));
    }
    let weight = parameters.weight.filter(|_| !given.has(Slip::WeightLeftOut));
    let parameters = Parameters { weight, ..parameters };
    let of_form = |form: BatchNormForm| {
        let statistics: Vec<Statistics> = (0..count)
            .map(|c| {
                let steps = Steps(roundings[1]);
                match (settings.training, parameters.mean, parameters.variance) {
                    (false, Some(mean), Some(variance)) => {
                        let [mean, variance] = [mean[[c]], variance[[c]]].map(Ball::exact);
                        Statistics::with(Steps(roundings[0]), mean, variance, settings.eps, given.slip)
                    }
                    _ => Statistics::of(steps, &channels.values(c), settings.eps, form, given.slip),
                }
            })
            .collect();
        let of = |statistic: &dyn Fn(&Statistics) -> (Ball, f64)| {
            Expected::settled(roundings[1], &[count], statistics.iter().map(statistic))
        };
        let of_running = |c: usize| match (given.has(Slip::StatisticsRunning), parameters.mean, parameters.variance) {
            (true, Some(mean), Some(variance)) => {
                let [mean, variance] = [mean[[c]], variance[[c]]].map(Ball::exact);
                Statistics::with(Steps(roundings[0]), mean, variance, settings.eps, None)
            }
            _ if settings.training => statistics[c].stored(roundings[1]),
            _ => statistics[c],
        };
        let normalising: Vec<Statistics> = (0..count).map(of_running).collect();
        let y = channels
            .map(roundings[0], |c, x| applied(Steps(roundings[0]), &normalising[c], parameters.of_channel(c), x));
        let running = match (settings.training, parameters.mean, parameters.variance) {
            (true, Some(mean), Some(variance)) => {
                let m = channels.values(0).len() as f64;
                let statistics: Vec<Statistics> = statistics.iter().map(|s| s.stored(roundings[1])).collect();
                Some(running(roundings[1], &statistics, [mean, variance], settings.momentum, m, given.slip))
            }
            _ => None,
        };
        let (mean, reciprocal) = (of(&|s| (s.mean, s.size)), of(&|s| (s.reciprocal, s.reciprocal.size())));
        Normalised { y, mean, reciprocal, running }
    };
    let [narrow, wide] = forms(given.declared.batch_norm);
    let narrow_results = of_form(narrow);
    if narrow == wide || !settings.training {
        return Ok(narrow_results);
    }
    let wide_results = of_form(wide);
    let either = |narrow: Expected, wide: Expected| narrow.unless_declared(wide, UNDECLARED);
    let running = narrow_results.running.zip(wide_results.running);
    Ok(Normalised {
        y: either(narrow_results.y, wide_results.y),
        mean: either(narrow_results.mean, wide_results.mean),
        reciprocal: either(narrow_results.reciprocal, wide_results.reciprocal),
        running: running.map(|([a, b], [c, d])| [either(a, c), either(b, d)]),
    })
}

/// `(1 - a) old + a new`; the new variance has the divisor m - 1.
fn running(
    rounding: &Rounding,
    statistics: &[Statistics],
    [mean, variance_before]: [&ArrayD<f64>; 2],
    momentum: f64,
    m: f64,
    slip: Option<Slip>,
) -> [Expected; 2] {
    let steps = Steps(rounding);
    let moved = |old: f64, new: Ball, new_size: f64| {
        let (keep, take) = match slip {
            Some(Slip::MomentumSwapped) => (momentum, 1.0 - momentum),
            _ => (1.0 - momentum, momentum),
        };
        let of = |share: f64, ball: Ball| Ball {
            centre: DoubleDouble::from(share) * ball.centre,
            any: share.abs() * ball.any,
            likely: share.abs() * ball.likely,
        };
        let (kept, taken) = (of(keep, Ball::exact(old)), of(take, new));
        let sum = Ball { centre: kept.centre + taken.centre, any: taken.any, likely: taken.likely };
        // Either form: the shares rounded (momentum, 1 - momentum), two products, one or two sums, the store.
        let size = kept.size() + taken.size() + take.abs() * old.abs();
        // In statistics of a coarser type, the products are rounded to it too.
        let error = (6.0 * rounding.operations.stored + coarse(rounding)) * size + 2.0 * rounding.operations.underflow;
        (sum.off_by(error), kept.size() + take.abs() * new_size)
    };
    let unbiased = |s: &Statistics| match slip == Some(Slip::RunningBiased) || m <= 1.0 {
        true => s.variance,
        false => {
            let factor = DoubleDouble::from(m) / DoubleDouble::from(m - 1.0);
            let scale = factor.to_f64();
            let v = Ball {
                centre: s.variance.centre * factor,
                any: s.variance.any * scale,
                likely: s.variance.likely * scale,
            };
            v.off_by(3.0 * steps.0.operations.stored * v.size())
        }
    };
    let old = |array: &ArrayD<f64>, c: usize| array[[c]];
    let each = |of: &dyn Fn(usize, &Statistics) -> (Ball, f64)| {
        Expected::settled(rounding, &[statistics.len()], statistics.iter().enumerate().map(|(c, s)| of(c, s)))
    };
    let of_variance = |s: &Statistics| {
        let variance = unbiased(s);
        (variance, variance.size())
    };
    [
        each(&|c, s| moved(old(mean, c), s.mean, s.size)),
        each(&|c, s| {
            let (variance, size) = of_variance(s);
            moved(old(variance_before, c), variance, size)
        }),
    ]
}
