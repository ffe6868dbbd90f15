//! [`Counts`]: what a count may come to, formed in a port's arithmetic.

use super::near::Near;
use crate::oracle::interval::{Decision, Interval};
use crate::scalar::Dtype;
use crate::select::count::{Count, Minimum};

/// All counts from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) low: usize,
    pub(crate) high: usize,
}

impl Counts {
    pub(crate) fn exact(k: usize) -> Self {
        Self { low: k, high: k }
    }

    /// Any number of `n`.
    pub(crate) fn any(n: usize) -> Self {
        Self { low: 0, high: n }
    }

    pub(crate) fn plus(self, more: usize) -> Self {
        Self { low: self.low + more, high: self.high + more }
    }

    pub(crate) fn fewer(self, fewer: usize) -> Self {
        Self { low: self.low.saturating_sub(fewer), high: self.high.saturating_sub(fewer) }
    }

    /// Everything between both.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// Those that decisions allow.
    pub(crate) fn within(self, decisions: &[Decision]) -> Self {
        let count = |decision: Decision| decisions.iter().filter(|&&other| other == decision).count();
        let (yes, either) = (count(Decision::Yes), count(Decision::Either));
        Self { low: self.low.max(yes), high: self.high.min(yes + either) }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        Self { low: self.low + other.low, high: self.high + other.high }
    }

    pub(crate) fn at_most(self, n: usize) -> Self {
        Self { low: self.low.min(n), high: self.high.min(n) }
    }

    /// What is left of `n`.
    pub(crate) fn of(self, n: usize) -> Self {
        Self { low: n.saturating_sub(self.high), high: n.saturating_sub(self.low) }
    }

    pub(crate) fn value(self) -> Option<usize> {
        (self.low == self.high).then_some(self.low)
    }

    pub(crate) fn interval(self) -> Interval {
        Interval { low: self.low as f64, high: self.high as f64 }
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::exact(0), Self::add)
    }
}

/// How many are kept of `n` where the share `s` goes: in exact reals, in f64, or in the port's dtype, from `s` or from `s`
/// rounded to the dtype, as `n s`, `n (1 - s)` or `n - n s`; each is right.
pub(crate) fn kept(n: usize, s: Near, count: Count, minimum: Minimum, dtype: Dtype) -> Counts {
    let mut all: Option<Counts> = None;
    let Interval { low, high } = s.interval();
    for s in [low, s.rounded(), high] {
        for s in [s, in_dtype(s, dtype)] {
            let (removed, left) = products(n as f64, s, dtype);
            let ways = match count {
                // Halves go to the even number of what is rounded.
                Count::KeepRound => left.map(|y| y.round_ties_even()).to_vec(),
                Count::RemoveRound => removed.map(|x| n as f64 - x.round_ties_even()).to_vec(),
                Count::RemoveFloor => [removed.map(|x| n as f64 - x.floor()), left.map(f64::ceil)].concat(),
                Count::RemoveCeil => [removed.map(|x| n as f64 - x.ceil()), left.map(f64::floor)].concat(),
            };
            for k in ways {
                let k = Counts::exact(k.clamp(0.0, n as f64) as usize);
                all = Some(all.map_or(k, |all| all.or(k)));
            }
        }
    }
    let all = all.unwrap_or(Counts::any(n));
    Counts { low: minimum.of(all.low, n), high: minimum.of(all.high, n) }
}

/// The count in f64, as its rule is written.
pub(crate) fn literal(n: usize, s: f64, count: Count, minimum: Minimum) -> Counts {
    Counts::exact(minimum.of(count.kept(n, s), n))
}

fn in_dtype(x: f64, dtype: Dtype) -> f64 {
    match dtype {
        Dtype::F32 => f64::from(x as f32),
        Dtype::F64 => x,
    }
}

/// What goes of n, and what stays, in every form.
fn products(n: f64, s: f64, dtype: Dtype) -> ([f64; 5], [f64; 5]) {
    let (n32, s32) = (n as f32, s as f32);
    let narrow = dtype == Dtype::F32;
    let or = |narrowly: f32, widely: f64| if narrow { f64::from(narrowly) } else { widely };
    let (removed, left) = (n * s, n * (1.0 - s));
    let removed32 = or(n32 * s32, removed);
    let left32 = or(n32 * (1.0 - s32), left);
    // Of a product whose rounding crosses a whole number, the exact one lies beyond: its neighbour stands for it.
    let exact = libm::fma(n, s, -removed);
    let exactly = match exact {
        e if e > 0.0 => removed.next_up(),
        e if e < 0.0 => removed.next_down(),
        _ => removed,
    };
    let exactly_left = match exact {
        e if e > 0.0 && (n - removed) + removed == n => (n - removed).next_down(),
        e if e < 0.0 && (n - removed) + removed == n => (n - removed).next_up(),
        _ => n - removed,
    };
    (
        [removed, n - left, removed32, or(n32 - n32 * (1.0 - s32), n - left), exactly],
        [left, n - removed, left32, or(n32 - n32 * s32, n - removed), exactly_left],
    )
}
