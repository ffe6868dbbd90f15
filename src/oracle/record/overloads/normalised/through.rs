//! What flows back through mean and variance: two sums, and what they take from each gradient.

use super::super::super::ball::{Ball, Steps, Sum};
use super::super::slips::Slip;
use super::statistics::Statistics;

/// What is left undeclared where a gradient is only inside the bound of the wider form.
pub(super) const ONE_PASS: &str = "`batch_norm`: `one-pass`, sums of dy x for those of dy (x - mean)";

/// The two sums over a channel or a row that its gradients are made of.
pub(super) struct Sums {
    /// sum dy.
    pub upstream: Ball,
    pub upstream_size: f64,
    /// sum dy (x - mu).
    pub product: Ball,
    pub product_size: f64,
    pub m: f64,
}

impl Sums {
    pub fn of(steps: Steps, x: &[f64], dy: impl Iterator<Item = Ball>, of: &Statistics, one_pass: bool) -> Self {
        let mut upstream = Sum::default();
        let mut product = Sum::default();
        let mut size_of_products = 0.0;
        for (&x, dy) in x.iter().zip(dy) {
            let x = Ball::exact(x);
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

/// dx of one value, whose upstream gradient is dy where what is behind the normalisation is taken into it; `factor` is
/// what dx is all of: 1 / sigma, with the weight where dy has it not.
pub(super) fn input_gradient(
    (steps, slip): (Steps, Option<Slip>),
    of: &Statistics,
    sums: &Sums,
    factor: Ball,
    x: f64,
    dy: Ball,
) -> (Ball, f64) {
    let unless = |left_out: Slip, term: Ball| if slip == Some(left_out) { Ball::exact(0.0) } else { term };
    let m = Ball::exact(sums.m);
    let mean = unless(Slip::MeanTermLeftOut, steps.div(sums.upstream, m));
    let centred = steps.sub(Ball::exact(x), of.mean);
    let square = steps.mul(of.reciprocal, of.reciprocal);
    let slope = steps.mul(square, steps.div(sums.product, m));
    let projected = unless(Slip::VarianceTermLeftOut, steps.mul(centred, slope));
    let dx = steps.mul(steps.sub(steps.sub(dy, mean), projected), factor);
    // As x A + dy B + C with the factors gathered first: roundings of the size of what is then added.
    let size = factor.size() * (dy.size() + mean.size() + (x.abs() + of.mean.size()) * slope.size());
    let magnitude = factor.size()
        * (dy.size() + sums.upstream_size / sums.m + centred.size() * square.size() * sums.product_size / sums.m);
    (dx.off_by(5.0 * steps.0.operations.stored * size), magnitude.max(size))
}
