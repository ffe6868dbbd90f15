//! [`Balls`]: arrays of intervals as centre and radius; and sums of their products in any order.

use super::Refusal;
use super::rounding::{MOST_TERMS, OWN_ROUNDOFF, OWN_UNDERFLOW, Rounding, gamma, up};
use crate::error::{Error, Result};
use crate::oracle::interval::Interval;
use ndarray::{ArrayD, Axis, IxDyn, Zip};

/// An array of intervals `[centre - radius, centre + radius]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Balls {
    pub(super) centre: ArrayD<f64>,
    pub(super) radius: ArrayD<f64>,
}

impl Balls {
    /// Numbers that are known exactly.
    pub fn exact(centre: ArrayD<f64>) -> Self {
        let radius = ArrayD::zeros(centre.raw_dim());
        Self { centre, radius }
    }

    /// Numbers within `radius` of `centre`. A radius that is negative or `NaN` is no bound: it counts as infinite.
    ///
    /// # Errors
    /// [`Error::Shape`] if the two shapes differ.
    pub fn new(centre: ArrayD<f64>, radius: ArrayD<f64>) -> Result<Self> {
        if centre.shape() != radius.shape() {
            let expected = format!("the centre's shape {:?}", centre.shape());
            return Err(Error::shape("balls", "radius", expected, format!("shape {:?}", radius.shape())));
        }
        Ok(Self { centre, radius: radius.mapv(up) })
    }

    /// The balls around `low` and `high`, which are in order; ends that are not leave no bound.
    ///
    /// # Errors
    /// [`Error::Shape`] if the two shapes differ.
    pub fn between(low: &ArrayD<f64>, high: &ArrayD<f64>) -> Result<Self> {
        if low.shape() != high.shape() {
            let expected = format!("the low ends' shape {:?}", low.shape());
            return Err(Error::shape("balls", "high", expected, format!("shape {:?}", high.shape())));
        }
        let intervals: Vec<Interval> = low.iter().zip(high).map(|(&low, &high)| Interval { low, high }).collect();
        Ok(Self::from_intervals(low.shape(), &intervals))
    }

    /// The balls around intervals, as many as `shape` holds.
    pub(super) fn from_intervals(shape: &[usize], intervals: &[Interval]) -> Self {
        let mut balls = Self::exact(ArrayD::zeros(shape));
        let both = balls.centre.iter_mut().zip(&mut balls.radius).zip(intervals);
        both.for_each(|((centre, radius), &interval)| (*centre, *radius) = around(interval));
        balls
    }

    pub fn shape(&self) -> &[usize] {
        self.centre.shape()
    }

    /// The lowest values, rounded down.
    pub fn low(&self) -> ArrayD<f64> {
        Zip::from(&self.centre).and(&self.radius).map_collect(|&c, &r| interval(c, r).low)
    }

    /// The highest values, rounded up.
    pub fn high(&self) -> ArrayD<f64> {
        Zip::from(&self.centre).and(&self.radius).map_collect(|&c, &r| interval(c, r).high)
    }

    /// The elements as intervals, row-major.
    pub(super) fn intervals(&self) -> impl Iterator<Item = Interval> + '_ {
        self.centre.iter().zip(&self.radius).map(|(&c, &r)| interval(c, r))
    }

    /// The balls around `f(interval)` of every element.
    pub(super) fn map_intervals(&self, mut f: impl FnMut(Interval) -> Interval) -> Self {
        let mut mapped = self.clone();
        Zip::from(&mut mapped.centre).and(&mut mapped.radius).for_each(|c, r| {
            let before = interval(*c, *r);
            let after = f(before);
            if after != before {
                (*c, *r) = around(after); // else the ball is already the tightest
            }
        });
        mapped
    }

    /// The same elements in another shape of as many.
    pub(super) fn reshaped(self, shape: &[usize]) -> Result<Self> {
        let reshape = |x: ArrayD<f64>| {
            let found = format!("shape {:?}", x.shape());
            let flat = x.as_standard_layout().into_owned().into_shape_with_order(IxDyn(shape));
            flat.map_err(|_| Error::shape("flatten", "x", format!("as many elements as {shape:?}"), found))
        };
        Ok(Self { centre: reshape(self.centre)?, radius: reshape(self.radius)? })
    }

    /// The largest absolute values, not rounded.
    fn size(&self) -> ArrayD<f64> {
        Zip::from(&self.centre).and(&self.radius).map_collect(|&c, &r| c.abs() + r)
    }

    /// 1 where a value other than 0 is possible.
    fn support(&self) -> ArrayD<f64> {
        Zip::from(&self.centre).and(&self.radius).map_collect(|&c, &r| if c == 0.0 && r == 0.0 { 0.0 } else { 1.0 })
    }

    fn is_exact(&self) -> bool {
        self.radius.iter().all(|&r| r == 0.0)
    }

    /// What these values may be read as: off by `relative`, and flushed to 0 where `rounding` may.
    pub(super) fn read(mut self, rounding: &Rounding, relative: f64) -> Self {
        Zip::from(&self.centre).and(&mut self.radius).for_each(|c, r| {
            let change = rounding.read(relative, c.abs() + *r, c.abs() - *r);
            *r = if change == 0.0 { *r } else { up(*r + change) };
        });
        self
    }

    /// These balls, if every one is bounded.
    pub(super) fn bounded(self, quantity: impl Fn() -> String) -> std::result::Result<Self, Refusal> {
        let is_bounded = self.centre.iter().chain(&self.radius).all(|x| x.is_finite());
        if is_bounded { Ok(self) } else { Err(Refusal::Unbounded { quantity: quantity() }) }
    }
}

/// The interval of a ball, rounded outwards.
fn interval(centre: f64, radius: f64) -> Interval {
    if radius == 0.0 {
        return Interval::exact(centre);
    }
    Interval { low: (centre - radius).next_down(), high: (centre + radius).next_up() }
}

/// Centre and radius of the ball around an interval.
fn around(Interval { low, high }: Interval) -> (f64, f64) {
    if low == high {
        return (low, 0.0);
    }
    let centre = low / 2.0 + high / 2.0;
    (centre, up((high - centre).max(centre - low)))
}

/// Sums `s_i` of terms, before anything is charged for their additions.
///
/// A correct port adds the terms of a sum in any order and association. Its result is a tree of additions over the
/// terms as leaves, so a term takes part in at most n - 1 of them; a term that is a product is itself rounded once, or
/// not at all where it is fused. Terms that are exactly 0 take part without rounding and do not count. So whatever the
/// order, `|s' - s| <= gamma_n(u) sum |term|` (Higham, section 4.2), to which gradual or abrupt underflow adds a
/// constant per operation. Algorithms that are not sums of these products (Winograd, FFT, Strassen) are not covered.
///
/// With operands a, b in balls `A +- r_a`, `B +- r_b`, `|a b - A B| <= |A| r_b + r_a (|B| + r_b)`: sums of products are
/// bilinear, so one bilinear map (a matrix product, a convolution, one of its adjoints), evaluated on centres, radii
/// and sizes, gives every part of the bound.
pub(super) struct Terms {
    /// The sums of the centres, computed in `f64`: off by `gamma_n(2^-53) size` for the same reason.
    centre: ArrayD<f64>,
    /// What the operands' radii pass on.
    passed_on: ArrayD<f64>,
    /// The sums of |term| at the largest.
    size: ArrayD<f64>,
    /// How many terms are not exactly 0.
    count: ArrayD<f64>,
}

impl Terms {
    /// The sums of products that `bilinear` forms of `a` and `b`.
    pub fn of_products(
        bilinear: impl Fn(&ArrayD<f64>, &ArrayD<f64>) -> Result<ArrayD<f64>>,
        a: &Balls,
        b: &Balls,
    ) -> Result<Self> {
        let (size_a, size_b) = (a.size(), b.size());
        let centre = bilinear(&a.centre, &b.centre)?;
        let mut passed_on = ArrayD::zeros(centre.raw_dim());
        if !a.is_exact() {
            passed_on += &bilinear(&a.radius, &size_b)?;
        }
        if !b.is_exact() {
            passed_on += &bilinear(&a.centre.mapv(f64::abs), &b.radius)?;
        }
        let size = bilinear(&size_a, &size_b)?;
        let count = bilinear(&a.support(), &b.support())?;
        Ok(Self { centre, passed_on, size, count })
    }

    /// The sums that `linear` forms of `a`.
    pub fn of(linear: impl Fn(&ArrayD<f64>) -> Result<ArrayD<f64>>, a: &Balls) -> Result<Self> {
        Ok(Self {
            centre: linear(&a.centre)?,
            passed_on: linear(&a.radius)?,
            size: linear(&a.size())?,
            count: linear(&a.support())?,
        })
    }

    /// One more term in every sum: `bias[o]` where the index along axis 1 is o. A port may store the sum before.
    pub fn plus(mut self, bias: &Balls, rounding: &Rounding) -> Self {
        if rounding.storing > 0.0 {
            Zip::from(&mut self.passed_on).and(&self.centre).and(&self.size).and(&self.count).for_each(
                |passed_on, c, size, &n| {
                    let sum = *passed_on + gamma(n, rounding.sum) * size;
                    *passed_on = up(*passed_on + rounding.storing * (c.abs() + sum) + rounding.underflow);
                },
            );
        }
        for (o, (&c, &r)) in bias.centre.iter().zip(&bias.radius).enumerate() {
            let along = |x: &mut ArrayD<f64>, term: f64| x.index_axis_mut(Axis(1), o).mapv_inplace(|x| x + term);
            along(&mut self.centre, c);
            along(&mut self.passed_on, r);
            along(&mut self.size, c.abs() + r);
            along(&mut self.count, if c == 0.0 && r == 0.0 { 0.0 } else { 1.0 });
        }
        self
    }

    /// What a port with this `rounding` may hold once the sums are stored.
    pub fn settle(self, rounding: &Rounding) -> Balls {
        let Self { centre, passed_on: mut radius, size, count } = self;
        Zip::from(&mut radius).and(&centre).and(&size).and(&count).for_each(|r, c, size, &n| {
            if n > MOST_TERMS {
                *r = f64::INFINITY;
            } else if n > 0.0 {
                let rounded = (gamma(n, rounding.sum) + gamma(n, OWN_ROUNDOFF)) * size;
                // A product and an addition per term, the three bilinear maps of the radius, and the store.
                let underflow = 8.0 * n * (rounding.underflow + OWN_UNDERFLOW);
                let sum = *r + rounded + underflow;
                *r = up(sum + rounding.storing * (c.abs() + sum));
            }
        });
        Balls { centre, radius }
    }
}
