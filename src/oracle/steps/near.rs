//! [`Near`]: a number of a port as far as a trace tells it, and [`Reals`]: one for each entry of a parameter.

use crate::oracle::interval::Interval;
use crate::scalar::{DoubleDouble, Scalar};
use std::rc::Rc;

/// What a port's number is at most `radius` away from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Near {
    pub(crate) centre: DoubleDouble,
    pub(crate) radius: f64,
}

impl Near {
    pub(crate) const ZERO: Self = Self { centre: DoubleDouble::ZERO, radius: 0.0 };
    /// Any number that a trace may record.
    pub(crate) const ANY: Self = Self { centre: DoubleDouble::ZERO, radius: f64::MAX / 4.0 };

    /// This number.
    pub(crate) fn exact(x: f64) -> Self {
        Self { centre: x.into(), radius: 0.0 }
    }

    /// The size that no number within exceeds.
    pub(crate) fn size(self) -> f64 {
        self.centre.abs().to_f64() + self.radius
    }

    pub(crate) fn abs(self) -> Self {
        Self { centre: self.centre.abs(), ..self }
    }

    pub(crate) fn negated(self) -> Self {
        Self { centre: -self.centre, ..self }
    }

    /// `self + other`.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { centre: self.centre + other.centre, radius: self.radius + other.radius }
    }

    /// `self - other`.
    pub(crate) fn minus(self, other: Self) -> Self {
        Self { centre: self.centre - other.centre, radius: self.radius + other.radius }
    }

    /// `self * other`.
    pub(crate) fn times(self, other: Self) -> Self {
        let (a, b) = (self.centre.abs().to_f64(), other.centre.abs().to_f64());
        let radius = a * other.radius + b * self.radius + self.radius * other.radius;
        Self { centre: self.centre * other.centre, radius }
    }

    /// `c * self`.
    pub(crate) fn scaled(self, c: f64) -> Self {
        Self { centre: self.centre * DoubleDouble::from(c), radius: self.radius * c.abs() }
    }

    /// As far again from the centre as `error`.
    pub(crate) fn give(self, error: f64) -> Self {
        Self { radius: self.radius + error, ..self }
    }

    /// A quotient of two roundings, by a number that is not within its radius of 0.
    pub(crate) fn over(self, other: Self, u: f64) -> Self {
        let centre = self.centre / other.centre;
        let (size, least) =
            (centre.abs().to_f64(), (other.centre.abs().to_f64() - other.radius).max(f64::MIN_POSITIVE));
        Self { centre, radius: self.radius / least + size * (other.radius / least + 2.0 * u) }
    }

    /// A root of one rounding, of a number that is not negative.
    pub(crate) fn root(self, u: f64) -> Self {
        let centre = self.centre.maximum(DoubleDouble::ZERO).sqrt();
        let size = centre.to_f64();
        // As far as its argument is off, by the slope at its lower end, or by the root of all of that near 0.
        let off = (self.radius / size.max(f64::MIN_POSITIVE)).min(self.radius.sqrt());
        Self { centre, radius: off + u * size }
    }

    /// All numbers that it may be.
    pub(crate) fn interval(self) -> Interval {
        Interval::around(self.centre, 0.0, self.radius)
    }

    /// The number nearest to the centre.
    pub(crate) fn rounded(self) -> f64 {
        self.centre.to_f64()
    }

    /// The number, where there is but one.
    pub(crate) fn value(self) -> Option<f64> {
        (self.radius == 0.0 && self.centre.lo() == 0.0).then(|| self.centre.hi())
    }
}

impl From<Interval> for Near {
    fn from(interval: Interval) -> Self {
        if interval.is_exact() {
            return Self::exact(interval.low);
        }
        let centre = 0.5 * (interval.low + interval.high);
        // Half the width, and what the middle was rounded by.
        let radius = (interval.high - centre).max(centre - interval.low).next_up();
        Self { centre: centre.into(), radius }
    }
}

/// One number an entry of a parameter.
#[derive(Debug, Clone)]
pub(crate) enum Reals {
    /// As a trace records them, and how far, relatively and absolutely, its storage is from what the port went on with.
    Recorded {
        values: Rc<Vec<f64>>,
        relative: f64,
        absolute: f64,
    },
    Derived(Rc<Vec<Near>>),
}

impl Reals {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Recorded { values, .. } => values.len(),
            Self::Derived(values) => values.len(),
        }
    }

    pub(crate) fn at(&self, j: usize) -> Near {
        match self {
            Self::Recorded { values, relative, absolute } => {
                let x = values[j];
                Near { centre: x.into(), radius: if *relative > 0.0 { relative * x.abs() + absolute } else { 0.0 } }
            }
            Self::Derived(values) => values[j],
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Near> + '_ {
        (0..self.len()).map(|j| self.at(j))
    }

    /// Whether a trace records it.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self, Self::Recorded { .. })
    }

    /// The same number `n` times.
    pub(crate) fn all(x: f64, n: usize) -> Self {
        Self::Derived(Rc::new(vec![Near::exact(x); n]))
    }
}

impl FromIterator<Near> for Reals {
    fn from_iter<I: IntoIterator<Item = Near>>(numbers: I) -> Self {
        Self::Derived(Rc::new(numbers.into_iter().collect()))
    }
}

/// One flag an entry.
pub(crate) type Flags = Rc<Vec<bool>>;

/// What follows from a trace, or what it lacks for that.
pub(crate) type Known<T> = std::result::Result<T, String>;

/// Of every parameter, or of those of W, what its entries are as far as that is known.
pub(crate) type Arrays = Vec<Known<Reals>>;
pub(crate) type Masks = Vec<Known<Flags>>;
