//! [`Interval`]: the numbers that a correct port may have computed.

use crate::scalar::{DoubleDouble, Scalar};

/// All numbers from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Every number.
    pub const ALL: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// One number.
    pub const fn exact(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// The numbers within `relative |centre| + absolute` of `centre`, the ends rounded outwards.
    ///
    /// The radius takes two rounded operations and each end one, every one of them within 2^-53 of what it rounds; the
    /// radius is raised by 2^-50 of itself and the ends move out by a neighbour of `f64`, which is more than all that
    /// and than the error of a centre that [`DoubleDouble`] arithmetic computed (below 2^-70 here).
    pub fn around(centre: DoubleDouble, relative: f64, absolute: f64) -> Self {
        let radius = (centre.abs().to_f64() * relative + absolute) * (1.0 + 1.0 / (1_u64 << 50) as f64);
        if radius == 0.0 && centre.lo() == 0.0 {
            return Self::exact(centre.hi());
        }
        let radius = DoubleDouble::from(radius);
        Self { low: (centre - radius).hi().next_down(), high: (centre + radius).hi().next_up() }
    }

    /// False for NaN.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Whether only one number is left.
    pub fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// The smallest interval around both.
    pub fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// Every number of this interval, off by at most the fraction `relative` of itself.
    pub fn widened(self, relative: f64) -> Self {
        if relative == 0.0 {
            return self;
        }
        let around = |end: f64| {
            if end.is_finite() { Self::around(DoubleDouble::from(end), relative, 0.0) } else { Self::exact(end) }
        };
        Self { low: around(self.low).low, high: around(self.high).high }
    }

    /// The numbers between 0 and the largest magnitude included: what absolute values may be.
    pub fn magnitude(self) -> Self {
        let high = self.low.abs().max(self.high.abs());
        let low = if self.contains(0.0) { 0.0 } else { self.low.abs().min(self.high.abs()) };
        Self { low, high }
    }

    /// The opposite numbers.
    pub(crate) fn negated(self) -> Self {
        Self { low: -self.high, high: -self.low }
    }

    /// `self < other`: what every choice of numbers says, or [`Decision::Either`] where the choices differ.
    pub fn less_than(self, other: Self) -> Decision {
        if self.high < other.low {
            Decision::Yes
        } else if self.low >= other.high {
            Decision::No
        } else {
            Decision::Either
        }
    }
}

/// What a comparison of two rounded numbers can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decision {
    Yes,
    No,
    /// Rounding may have turned it either way.
    #[default]
    Either,
}

impl Decision {
    /// The decision that was taken.
    pub fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    /// The flags, 1 for yes and 0 for no, that it may have been recorded as.
    pub fn flags(self) -> Interval {
        match self {
            Self::Yes => Interval::exact(1.0),
            Self::No => Interval::exact(0.0),
            Self::Either => Interval { low: 0.0, high: 1.0 },
        }
    }

    /// Whether it may have been taken so.
    pub fn allows(self, holds: bool) -> bool {
        self == Self::Either || self == Self::of(holds)
    }

    /// The opposite.
    pub fn opposite(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Either => Self::Either,
        }
    }
}
