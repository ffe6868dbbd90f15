//! What Eq. 9 may make of a living weight, given rounding and what is known of its operands.

use crate::oracle::arithmetic::is_representable;
use crate::oracle::interval::{Decision, Interval};
use crate::oracle::seen::Seen;
use crate::paper::decay::decay_factor;
use crate::paper::reading::Threshold;
use crate::scalar::DoubleDouble;
use crate::trace::Arithmetic;

/// What a living weight may have become: the numbers it may be if it is kept, and whether it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fate {
    pub(crate) kept_as: Interval,
    pub(crate) kept: Decision,
}

impl Fate {
    /// Whether some choice of decisions gives this value.
    pub(crate) fn allows(self, value: f64) -> bool {
        (self.kept != Decision::No && self.kept_as.contains(value)) || (self.kept != Decision::Yes && value == 0.0)
    }

    /// All of it, for a report.
    pub(crate) fn hull(self) -> Interval {
        match self.kept {
            Decision::Yes => self.kept_as,
            Decision::No => Interval::exact(0.0),
            Decision::Either => self.kept_as.hull(Interval::exact(0.0)),
        }
    }
}

/// Eq. 9 of one epoch: what every factor of `w* lambda^t` may be.
pub(crate) struct Factor {
    factor: DoubleDouble,
    relative: f64,
    lambda: f64,
    t: u64,
    /// No power of lambda up to t rounds.
    exact: bool,
    eps: Interval,
}

impl Factor {
    /// `None` where t is not one that Eq. 9 has, or no bound holds.
    pub(crate) fn new(seen: &Seen) -> Option<Self> {
        let t = u64::try_from(seen.known.t?).ok()?;
        let (lambda, arithmetic) = (seen.trace.header.hyper.lambda, seen.arithmetic);
        let power = |t: u64| decay_factor::<DoubleDouble>(lambda, usize::try_from(t).unwrap_or(usize::MAX)).ok();
        // More than 53 squarings of an inexact number are not exact: 64 steps settle it.
        let exact = t <= 64 && (1..=t).all(|t| power(t).is_some_and(|power| is_representable(power, &arithmetic)));
        Some(Self {
            factor: power(t)?,
            relative: arithmetic.decayed(lambda, t)?,
            lambda,
            t,
            exact,
            eps: arithmetic.threshold(seen.trace.header.hyper.eps),
        })
    }

    /// A selected weight's fate.
    fn of(&self, w_star: f64, storage: f64, arithmetic: &Arithmetic) -> Fate {
        // lambda^0 = 1 rounds nothing, and neither does a product with 1.
        if self.t == 0 || self.lambda == 1.0 {
            let kept_as = Interval::exact(w_star).widened(storage);
            return Fate { kept_as, kept: kept_as.magnitude().less_than(self.eps).opposite() };
        }
        let absolute = arithmetic.decayed_underflow(self.lambda, self.t, w_star);
        let product = DoubleDouble::from(w_star) * self.factor;
        let kept_as = Interval::around(product, self.relative + storage, absolute);
        let exact = self.exact && storage == 0.0 && is_representable(product, arithmetic);
        let decided_on = if exact { Interval::exact(product.hi()) } else { kept_as };
        Fate { kept_as, kept: decided_on.magnitude().less_than(self.eps).opposite() }
    }
}

/// One parameter's operands of Eq. 9.
pub(crate) struct OfParameter<'a> {
    arithmetic: &'a Arithmetic,
    decay: Option<&'a Factor>,
    selected: Option<&'a [Decision]>,
    w_star: Option<&'a [f64]>,
    pub(crate) before: Option<&'a [f64]>,
    /// The storage errors of `w_star` and `before`.
    storage: (f64, f64),
    threshold: Threshold,
    eps: Interval,
}

/// What a living weight may have become, if it was selected and if it was not; one of them where that is known.
pub(crate) type Fates = [Option<Fate>; 2];

impl<'a> OfParameter<'a> {
    pub(crate) fn new(seen: &'a Seen<'a>, decay: Option<&'a Factor>, p: usize) -> Self {
        let parameter = &seen.trace.prunable()[p];
        let (w_star, before) = (&seen.known.w_star, &seen.recorded.weights_before);
        Self {
            arithmetic: &seen.arithmetic,
            decay,
            selected: seen.known.selected.of(p, parameter),
            w_star: w_star.of(p, parameter),
            before: before.of(p, parameter),
            storage: (w_star.storage, before.storage),
            threshold: seen.reading().threshold,
            eps: seen.arithmetic.threshold(seen.trace.header.hyper.eps),
        }
    }

    /// `None` where an operand is not known.
    pub(crate) fn fates(&self, j: usize) -> Option<Fates> {
        let moved = || Some(self.decay?.of(self.w_star?[j], self.storage.0, self.arithmetic));
        Some(match self.selected?[j] {
            Decision::Yes => [Some(moved()?), None],
            Decision::No => [None, Some(self.stayed(j)?)],
            Decision::Either => [Some(moved()?), Some(self.stayed(j)?)],
        })
    }

    /// What becomes of a weight that is not selected.
    fn stayed(&self, j: usize) -> Option<Fate> {
        let kept_as = Interval::exact(self.before?[j]).widened(self.storage.1);
        let kept = match self.threshold {
            Threshold::Selected => Decision::Yes,
            Threshold::All => kept_as.magnitude().less_than(self.eps).opposite(),
        };
        Some(Fate { kept_as, kept })
    }
}
