//! Batch normalisation, forward and backward, of `[n, c]`, `[n, c, l]` or `[n, c, h, w]`; m values a channel.
//!
//! # The statistics
//!
//! With mu = mean x, v = mean (x - mu)^2, E the error of a port's mean, `E <= gamma_(m+8)(u) mean|x|` for a sum in any
//! order, its quotient, and Welford's updates (each of which rounds x - mu, its share and the mean, of which k times the
//! running mean is at most sum|x|), a port's variance is off by
//!
//! - two-pass: `gamma_(m+8) v + E^2` and what that carries of it (a wrong mean adds its error squared);
//! - Welford, updates or merged blocks: `gamma_(m+8) v + 4 L E s + 4 L^2 E^2`, s = sqrt(v), `L^2 = 1 + log2 m`: each merge
//!   of blocks a and b adds `d^2 a b / (a + b)`, d the means' difference with an error of 2 E where E is now with max|x| for
//!   mean|x|; all such terms sum to at most m v, and their weights to at most (m/2) log2 m for any tree of merges, so
//!   Cauchy and Schwarz give the bound (Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983, find
//!   the same order, m u kappa with kappa = |x|_2 / (sqrt(m) s));
//! - one-pass: `gamma_(m+8) mean x^2 + 2 |mu| E + E^2`: what is lost where the mean is large against s.
//!
//! A record that does not declare which is held to two-pass; what is inside Welford's or one-pass alone is told.
//!
//! # The rest
//!
//! Balls from there on: 1 / sqrt(v + eps); y as `(x - mu) r w + b` or as `x (w r) + (b - mu w r)`, whose errors are of
//! the size of |x w r| + |mu w r| + |b|; running statistics as `(1 - a) old + a new` or `old + a (new - old)`, the
//! factor rounded; dx as `w r ((dy - mean dy) - (x - mu) r^2 mean(dy (x - mu)))` or linear in x and dy.

use super::super::BatchNormForm;
use super::super::Changed;
use super::super::ball::{Ball, Steps};
use super::super::expected::{Answer, Claim, Expected};
use super::super::rounding::Rounding;
use super::arguments::Arguments;
use super::normalised::Channels;
use super::slips::Slip;
use crate::error::Result;
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::ArrayD;

/// Mean and variance of one channel as a port may hold them, and 1 / sqrt(variance + eps).
#[derive(Debug, Clone, Copy)]
pub(super) struct Statistics {
    pub mean: Ball,
    pub variance: Ball,
    pub reciprocal: Ball,
    /// mean |x|: what the mean's rounding is measured by.
    pub size: f64,
}

/// The numbers of a batch norm that are no arrays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub training: bool,
    pub momentum: f64,
    pub eps: f64,
}

/// The arrays of a batch norm besides x, each `[c]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters<'a> {
    pub weight: Option<&'a ArrayD<f64>>,
    pub bias: Option<&'a ArrayD<f64>>,
    pub mean: Option<&'a ArrayD<f64>>,
    pub variance: Option<&'a ArrayD<f64>>,
}

/// What is left undeclared where a variance is only inside a wider form's bound.
const UNDECLARED: &str = "`batch_norm`: the variance as `welford` or `one-pass`";

/// The forms that ports may have used: first as declared, or the narrowest and then the widest.
pub(super) fn forms(declared: Option<BatchNormForm>) -> [BatchNormForm; 2] {
    match declared {
        Some(form) => [form, form],
        None => [BatchNormForm::TwoPass, BatchNormForm::OnePass],
    }
}

/// The unit roundoff of statistics that are stored in a coarser type (BF16, F16) than they are formed in, else 0.
fn coarse(rounding: &Rounding) -> f64 {
    if rounding.out > rounding.operations.stored { rounding.out } else { 0.0 }
}

impl Statistics {
    /// Of a channel's values, formed in one way.
    pub fn of(steps: Steps, x: &[f64], eps: f64, form: BatchNormForm, slip: Option<Slip>) -> Self {
        let m = x.len() as f64;
        let divisor = DoubleDouble::from(m);
        let mean = x.iter().map(|&x| DoubleDouble::from(x)).fold(DoubleDouble::ZERO, |a, b| a + b) / divisor;
        let squares = x.iter().map(|&x| (DoubleDouble::from(x) - mean) * (DoubleDouble::from(x) - mean));
        let exact = squares.fold(DoubleDouble::ZERO, |a, b| a + b) / divisor;
        let size = x.iter().map(|x| x.abs()).sum::<f64>() / m;
        let largest = x.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        let of_squares = x.iter().map(|x| x * x).sum::<f64>() / m;
        let rounding = steps.0;
        let errors = |gamma: f64| {
            let (v, mu) = (exact.to_f64(), mean.abs().to_f64());
            let e = gamma * size + coarse(rounding) * mu;
            let two_pass = gamma * (v + e * e) + e * e;
            let one_pass = gamma * of_squares + 2.0 * mu * e + e * e;
            let blocks = 2.0 * (1.0 + libm::log2(m)).sqrt() * gamma * largest;
            let welford = gamma * v + 2.0 * blocks * v.sqrt() + blocks * blocks;
            let of_variance = match form {
                BatchNormForm::TwoPass => two_pass,
                BatchNormForm::OnePass => one_pass.max(two_pass).max(welford),
                BatchNormForm::Welford => welford.max(two_pass),
            };
            (e, of_variance)
        };
        let (any, likely) = (errors(rounding.any_order(m + 8.0)), errors(rounding.likely(m + 8.0)));
        let ball = |centre, any, likely| {
            // The statistics are stored where sums are finer than results.
            let ball = Ball { centre, any, likely };
            ball.off_by(
                rounding.operations.storing.min(rounding.operations.stored) * ball.size()
                    + 2.0 * rounding.operations.underflow,
            )
        };
        // The sum of squares may be stored in the statistics' type before it is divided.
        let variance = ball(exact, any.1, likely.1);
        let variance = variance.off_by(coarse(rounding) * variance.size());
        let normalising = match slip {
            Some(Slip::UnbiasedVariance) if m > 1.0 => {
                let unbiased = exact * divisor / DoubleDouble::from(m - 1.0);
                ball(unbiased, 2.0 * any.1, 2.0 * likely.1)
            }
            _ => variance,
        };
        Self { variance, size, ..Self::with(steps, ball(mean, any.0, likely.0), normalising, eps, slip) }
    }

    /// As they are used once they are stored, in a type that is coarser than formulas are formed in.
    fn stored(self, rounding: &Rounding) -> Self {
        let stored = |ball: Ball| ball.off_by(coarse(rounding) * ball.size());
        Self { mean: stored(self.mean), reciprocal: stored(self.reciprocal), ..self }
    }

    /// Of a mean and a variance that are given.
    pub fn with(steps: Steps, mean: Ball, variance: Ball, eps: f64, slip: Option<Slip>) -> Self {
        let eps = if slip == Some(Slip::EpsLeftOut) { 0.0 } else { eps };
        let reciprocal = if slip == Some(Slip::EpsOutside) {
            let root = DoubleDouble::ONE / (variance.centre.sqrt() + DoubleDouble::from(eps));
            Ball { centre: root, ..steps.reciprocal_root(variance) }
        } else {
            steps.reciprocal_root(steps.add(variance, Ball::exact(eps)))
        };
        Self { mean, variance, reciprocal, size: mean.size() }
    }
}

/// `native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)`, and the forms of it
/// that differ in which of these they have: y, the saved mean and 1 / sqrt(variance + eps), and, changed, the running
/// statistics.
pub(super) fn forward(given: &Arguments) -> Result<Answer> {
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
pub(super) struct Normalised {
    pub y: Expected,
    pub mean: Expected,
    pub reciprocal: Expected,
    /// The running mean and variance afterwards, in training where there are any.
    pub running: Option<[Expected; 2]>,
}

/// What a correct port may hold; `roundings` those of y and of the statistics.
pub(super) fn normalised(
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
        let y = channels.map(roundings[0], |c, x| applied(Steps(roundings[0]), &normalising[c], parameters, c, x));
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

/// y of one value, as a difference times a factor or as x times a factor and a constant.
fn applied(steps: Steps, of: &Statistics, parameters: Parameters, c: usize, x: f64) -> (Ball, f64) {
    let weight = Ball::exact(parameters.weight.map_or(1.0, |w| w[[c]]));
    let bias = Ball::exact(parameters.bias.map_or(0.0, |b| b[[c]]));
    let factor = steps.mul(of.reciprocal, weight);
    let x = Ball::exact(x);
    // The exact value and what the statistics pass on: x - mean is what counts. On top, the widest form's roundings.
    let difference = Ball { any: of.mean.any, likely: of.mean.likely, centre: x.centre - of.mean.centre };
    let value = steps.add(steps.mul(difference, factor), bias);
    let size = (x.size() + of.mean.size()) * factor.size() + bias.size();
    (value.off_by(5.0 * steps.0.operations.stored * size + 3.0 * steps.0.operations.underflow), size)
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

/// `native_batch_norm_backward(grad_out, input, weight, running_mean, running_var, save_mean, save_invstd, train, eps,
/// output_mask)`: the gradients of input, weight and bias, from the saved statistics as they are given.
pub(super) fn backward(given: &Arguments) -> Result<Answer> {
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
pub(super) fn gradients(
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
            .map(|(c, of)| Sums::of(Steps(&roundings[1]), &channels.values(c), &upstream.values(c), of, one_pass))
            .collect();
        let dx = channels.map_with(&upstream, &roundings[0], |c, x, dy| {
            let weight = weight.map_or(1.0, |w| w[[c]]);
            input_gradient(Steps(&roundings[0]), &statistics[c], &sums[c], weight, [x, dy], train)
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
    let undeclared = "`batch_norm`: `one-pass`, sums of dy x for those of dy (x - mean)";
    Ok([a.unless_declared(d, undeclared), b.unless_declared(e, undeclared), c])
}

/// The two sums over a channel that its gradients are made of.
struct Sums {
    /// sum dy.
    upstream: Ball,
    upstream_size: f64,
    /// sum dy (x - mu).
    product: Ball,
    product_size: f64,
    m: f64,
}

impl Sums {
    fn of(steps: Steps, x: &[f64], dy: &[f64], of: &Statistics, one_pass: bool) -> Self {
        let mut upstream = super::super::ball::Sum::default();
        let mut product = super::super::ball::Sum::default();
        let mut size_of_products = 0.0;
        for (&x, &dy) in x.iter().zip(dy) {
            let (x, dy) = (Ball::exact(x), Ball::exact(dy));
            upstream.add(dy);
            product.add(steps.mul(dy, steps.sub(x, of.mean)));
            size_of_products += x.size() * dy.size();
        }
        let (upstream_size, product_size) = (upstream.size(), product.size());
        let (count, rounding) = (x.len() as f64, steps.0);
        let upstream = upstream.settle(rounding);
        let product = product.settle(rounding);
        let product = if one_pass {
            let size = size_of_products + of.mean.size() * upstream_size;
            let further = |per_size: f64| (per_size + 2.0 * rounding.operations.stored) * size;
            Ball {
                any: product.any + further(rounding.any_order(count + 2.0)),
                likely: product.likely + further(rounding.likely(count + 2.0)),
                ..product
            }
        } else {
            product
        };
        Self { upstream, upstream_size, product, product_size, m: count }
    }
}

/// dx of one value.
fn input_gradient(
    steps: Steps,
    of: &Statistics,
    sums: &Sums,
    weight: f64,
    [x, dy]: [f64; 2],
    train: bool,
) -> (Ball, f64) {
    let factor = steps.mul(of.reciprocal, Ball::exact(weight));
    let dy = Ball::exact(dy);
    if !train {
        let dx = steps.mul(dy, factor);
        return (dx, dx.size());
    }
    let m = Ball::exact(sums.m);
    let mean = steps.div(sums.upstream, m);
    let centred = steps.sub(Ball::exact(x), of.mean);
    let square = steps.mul(of.reciprocal, of.reciprocal);
    let slope = steps.mul(square, steps.div(sums.product, m));
    let projected = steps.mul(centred, slope);
    let dx = steps.mul(steps.sub(steps.sub(dy, mean), projected), factor);
    // As x A + dy B + C with the factors gathered first: roundings of the size of what is then added.
    let size = factor.size() * (dy.size() + mean.size() + (x.abs() + of.mean.size()) * slope.size());
    let magnitude = factor.size()
        * (dy.size() + sums.upstream_size / sums.m + centred.size() * square.size() * sums.product_size / sums.m);
    (dx.off_by(5.0 * steps.0.operations.stored * size), magnitude.max(size))
}
