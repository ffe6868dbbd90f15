//! [`Products`]: sums of products in any order, whole arrays of them.
//!
//! A correct port adds the k terms of a sum in any order and association. Its result is a tree of additions over the
//! terms as leaves; a term takes part in at most k - 1 of them and is itself rounded once, or not at all where it is
//! fused. Terms that are exactly 0 take part without rounding and do not count. So whatever the order,
//! `|s' - s| <= gamma_k(u) sum |a||b|` (Higham, section 4.2), and with independent roundings of mean 0
//! `8 sqrt(k) u sum |a||b|` but with a probability below 3e-14 k (see `rounding.rs`). On top come
//!
//! - operands that are read off by u_in (TF32's 2^-11): `(2 u_in + u_in^2) sum |a||b|`;
//! - underflow, a constant an operation; flushed operands, a constant a factor;
//! - a result that is stored in coarser numbers than the sum's: u_out of it;
//! - our own evaluation: for F64 results with DoubleDouble accumulators rounded once, `2^-53 |s|`, so that one term of
//!   16,384 that is left out stands 10^7 above the bound; for all others in f64, `gamma_k(2^-53) sum |a||b|`.
//!
//! One bilinear map (a matrix product, a convolution, one of its adjoints), evaluated on the operands, on their sizes and
//! on flags of what is not 0, gives all three: s, sum |a||b| and k.

use super::super::expected::Expected;
use super::super::rounding::{Rounding, outwards};
use crate::error::Result;
use crate::kernel::Kernel;
use crate::oracle::step::rounding::{OWN_ROUNDOFF, gamma};
use crate::scalar::{DoubleDouble, Scalar, power_of_two};
use ndarray::{ArrayD, Zip};

/// Sums of products, before anything is charged for them.
pub(super) struct Products {
    centre: ArrayD<f64>,
    /// Sums of |a||b|.
    size: ArrayD<f64>,
    /// Terms that are not exactly 0.
    count: ArrayD<f64>,
    /// What our own evaluation is off by.
    own: ArrayD<f64>,
    /// What reading the operands passes on, beyond u_in.
    flushed: f64,
    /// Roundings besides those of the sum.
    further: f64,
}

/// Our kernel for results of this rounding.
fn kernel(rounding: &Rounding) -> Kernel {
    if is_wide(rounding) { Kernel::Literal } else { Kernel::Fast }
}

/// Whether f64 sums of ours would be as coarse as the port's.
fn is_wide(rounding: &Rounding) -> bool {
    rounding.operations.sum < power_of_two(-40)
}

impl Products {
    /// The sums of products that `bilinear` forms of `a` and `b`.
    pub fn of(
        rounding: &Rounding,
        bilinear: impl Fn(Kernel, &ArrayD<f64>, &ArrayD<f64>) -> Result<ArrayD<f64>>,
        a: &ArrayD<f64>,
        b: &ArrayD<f64>,
    ) -> Result<Self> {
        let flags = |x: &ArrayD<f64>| x.mapv(|x| if x == 0.0 { 0.0 } else { 1.0 });
        let centre = bilinear(kernel(rounding), a, b)?;
        let size = bilinear(Kernel::Fast, &a.mapv(f64::abs), &b.mapv(f64::abs))?;
        let count = bilinear(Kernel::Fast, &flags(a), &flags(b))?;
        let wide = is_wide(rounding);
        let own = Zip::from(&centre).and(&size).and(&count).map_collect(|c, size, &n| match wide {
            true => OWN_ROUNDOFF * c.abs() + gamma(n, DoubleDouble::UNIT_ROUNDOFF) * size,
            false => gamma(n, OWN_ROUNDOFF) * size,
        });
        let largest = |x: &ArrayD<f64>| x.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        let flushed = if rounding.operations.flushes { largest(a) + largest(b) } else { 0.0 };
        Ok(Self { centre, size, count, own, flushed, further: 0.0 })
    }

    /// `beta addend + alpha sums`, each factor that is not 1 a rounding more; a port may store the sums before.
    pub fn plus(mut self, rounding: &Rounding, alpha: f64, beta: f64, addend: &ArrayD<f64>) -> Self {
        let storing = rounding.operations.storing;
        let further = f64::from(u8::from(alpha != 1.0) + u8::from(beta != 1.0));
        let sums = Zip::from(&mut self.centre).and(&mut self.size).and(&mut self.own);
        sums.and(&mut self.count).and(addend).for_each(|c, size, own, n, &addend| {
            let addend = if beta == 0.0 { 0.0 } else { beta * addend };
            if storing > 0.0 && addend != 0.0 {
                *own += storing * alpha.abs() * c.abs() * (1.0 + storing);
            }
            *c = alpha * *c + addend;
            *size = alpha.abs() * *size + addend.abs();
            // Ours: both products and their sum, each of a size of |c| + 2 |addend| at most.
            let operations = if addend == 0.0 && alpha == 1.0 { 0.0 } else { 3.0 };
            *own = alpha.abs() * *own + operations * OWN_ROUNDOFF * (c.abs() + 2.0 * addend.abs());
            *n += f64::from(u8::from(addend != 0.0));
        });
        self.further += further;
        self
    }

    /// What a correct port may hold, where its algorithm may be off by `otherwise` instead.
    pub fn settle(self, rounding: &Rounding, otherwise: Option<ArrayD<f64>>) -> Expected {
        let Self { centre, size, count, own, flushed, further } = self;
        let operations = &rounding.operations;
        let reading = 2.0 * operations.operand + operations.operand * operations.operand;
        let store = |c: f64, sum: f64, n: f64| {
            let stored = if operations.storing > 0.0 && n > 0.0 {
                operations.storing * (c.abs() + sum) + rounding.out_underflow
            } else {
                0.0
            };
            outwards(sum + stored)
        };
        let sum_of = |per_size: f64, size: f64, n: f64, own: f64| {
            // A product and an addition a term, and what is flushed of either factor.
            let underflow = n * operations.underflow * (2.0 + flushed);
            per_size * size * (1.0 + reading) + reading * size + own + underflow
        };
        let (mut any, mut likely) = (size.clone(), size.clone());
        Zip::from(&mut any).and(&mut likely).and(&centre).and(&count).and(&own).for_each(
            |any, likely, &c, &n, &own| {
                let (size, roundings) = (*any, if n > 0.0 { n + further } else { 0.0 });
                *any = store(c, sum_of(rounding.any_order(roundings), size, n, own), n);
                *likely = store(c, sum_of(rounding.likely(roundings), size, n, own), n).min(*any);
            },
        );
        if let Some(otherwise) = otherwise {
            Zip::from(&mut any).and(&mut likely).and(&centre).and(&count).and(&otherwise).for_each(
                |any, likely, &c, &n, &otherwise| {
                    // Transforms mix all terms, those that are 0 too.
                    let stored = store(c, otherwise, n.max(1.0));
                    (*any, *likely) = (any.max(stored), likely.max(stored));
                },
            );
        }
        Expected { truth: centre, magnitude: size, any, likely, narrow: None, unit: rounding.unit() }
    }
}
