//! [`order_statistics`]: the values of a rank and the next, by sorting; or by sampling (Floyd and Rivest, "Expected time
//! bounds for selection", CACM 18, 1975), in one parallel pass over the values and a few over ever fewer of them.
//!
//! A sample brackets the wanted rank between two pivots, close together. One pass counts the values below, at, between
//! and above them and gathers those between, a few hundredths of all; there the search goes on. Counts decide where,
//! so a sample that misses the rank costs a longer round and never a wrong answer, and since counts are integers and
//! units do not depend on threads, neither does anything here.

use super::elementwise::UNIT;
use super::{Kernel, OnHost, flat, or_on_device, share, vectorised};
use crate::scalar::Scalar;
use std::borrow::Cow;
use std::cmp::Ordering;

/// After so many rounds `std` takes over, whose worst case is linear too. Good pivots leave a few hundredths to the next
/// round, so only an input made against the sample comes here with many values left.
const ROUNDS: usize = 8;
/// Flags of one byte that are read at once.
const WORD: usize = size_of::<u64>();

/// The value of this rank (counted from 0, below `values.len()`) in [`Scalar::total_order`], and that of the next rank where
/// it is wanted and there is one. In a total order both are determined to the last bit.
///
/// # Errors
/// The place of the first value that is not finite.
pub fn order_statistics<S: Scalar>(
    kernel: Kernel,
    values: &[S],
    rank: usize,
    next: bool,
) -> Result<(S, Option<S>), usize> {
    or_on_device!(kernel, order_statistics(values, rank, next));
    match kernel.on_host() {
        OnHost::Literal => {
            all_finite(values)?;
            let mut sorted = values.to_vec();
            sorted.sort_by(S::total_order);
            Ok((sorted[rank], sorted.get(rank + 1).copied().filter(|_| next)))
        }
        OnHost::Fast => {
            let (value, seen) = select(values, rank)?;
            let following = || seen.or_else(|| least_above(values, value));
            Ok((value, if next { following() } else { None }))
        }
    }
}

/// Whether all values are finite.
///
/// # Errors
/// The place of the first that is not.
pub(crate) fn all_finite<S: Scalar>(values: &[S]) -> Result<(), usize> {
    values.iter().position(|value| !value.is_finite()).map_or(Ok(()), Err)
}

/// The value of this rank, and the next one if the search came across it.
///
/// # Errors
/// As [`order_statistics`].
fn select<S: Scalar>(values: &[S], rank: usize) -> Result<(S, Option<S>), usize> {
    let (mut among, mut rank) = (Cow::Borrowed(values), rank);
    for _ in 0..ROUNDS {
        if among.len() <= UNIT {
            break;
        }
        let pivots = Pivots::of_sample(&among, rank);
        let split = Split::of(&among, pivots);
        if !split.finite {
            all_finite(values)?;
        }
        let Split { below, at_low, between, at_high, .. } = split;
        let up_to_low = below + at_low;
        let up_to_between = up_to_low + between.len();
        let up_to_high = up_to_between + at_high;
        if rank < below {
            among = Cow::Owned(gather(&among, |x| precedes(x, pivots.low)));
        } else if rank < up_to_low {
            return Ok((pivots.low, (rank + 1 < up_to_low).then_some(pivots.low)));
        } else if rank < up_to_between {
            (among, rank) = (Cow::Owned(between), rank - up_to_low);
        } else if rank < up_to_high {
            return Ok((pivots.high, (rank + 1 < up_to_high).then_some(pivots.high)));
        } else {
            (among, rank) = (Cow::Owned(gather(&among, |x| precedes(pivots.high, x))), rank - up_to_high);
        }
    }
    all_finite(&among)?;
    let mut rest = among.into_owned();
    let (_, &mut value, above) = rest.select_nth_unstable_by(rank, S::total_order);
    Ok((value, above.iter().copied().min_by(S::total_order)))
}

/// The least value above `value`; `None` if there is none.
fn least_above<S: Scalar>(values: &[S], value: S) -> Option<S> {
    let least = |unit: &[S]| unit.iter().copied().filter(|&x| precedes(value, x)).min_by(S::total_order);
    by_unit(values, least).into_iter().flatten().min_by(S::total_order)
}

#[inline(always)]
fn precedes<S: Scalar>(a: S, b: S) -> bool {
    a.total_order(&b) == Ordering::Less
}

/// Two values, `low` not after `high`, that should have the wanted rank between them.
#[derive(Clone, Copy)]
struct Pivots<S> {
    low: S,
    high: S,
}

impl<S: Scalar> Pivots<S> {
    /// From about `n^(2/3)` of the `n` values, one from each of as many equal stretches.
    ///
    /// In a sample of s the rank of a value that has the fraction p below it varies with the standard deviation
    /// `sqrt(s p (1 - p))`. The pivots lie three of them and one rank to either side, which misses about once in 400.
    fn of_sample(values: &[S], rank: usize) -> Self {
        let n = values.len();
        let size = 1 << (2 * n.ilog2() / 3);
        let stretch = n / size;
        // Places within the stretches follow the golden ratio, so no period of the values meets a period of theirs.
        let place = |i: usize| (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize % stretch;
        let mut sample: Vec<S> = (0..size).map(|i| values[i * stretch + place(i)]).collect();
        let p = rank as f64 / n as f64;
        let (expected, deviation) = (p * size as f64, (size as f64 * p * (1.0 - p)).sqrt());
        let margin = 3.0 * deviation + 1.0;
        let low = (expected - margin).max(0.0) as usize;
        let high = ((expected + margin) as usize).min(size - 1);
        let (_, &mut low_pivot, above) = sample.select_nth_unstable_by(low, S::total_order);
        let high_pivot = match high - low {
            0 => low_pivot,
            further => *above.select_nth_unstable_by(further - 1, S::total_order).1,
        };
        Self { low: low_pivot, high: high_pivot }
    }

    /// Whether all values are finite, and how many lie below and up to each pivot.
    #[inline(always)]
    fn count(self, unit: &[S]) -> (bool, [u32; 4]) {
        let (mut infinite, mut below, mut up_to_low, mut below_high, mut up_to_high) = (0u32, 0, 0, 0, 0);
        for &x in unit {
            infinite += u32::from(!x.is_finite());
            below += u32::from(precedes(x, self.low));
            up_to_low += u32::from(!precedes(self.low, x));
            below_high += u32::from(precedes(x, self.high));
            up_to_high += u32::from(!precedes(self.high, x));
        }
        (infinite == 0, [below, up_to_low, below_high, up_to_high])
    }

    /// A flag for every value of a unit that lies strictly between.
    #[inline(always)]
    fn flag(self, flags: &mut [u8; UNIT], unit: &[S]) {
        for (flag, &x) in flags.iter_mut().zip(unit) {
            *flag = u8::from(precedes(self.low, x) & precedes(x, self.high));
        }
    }

    /// The values of a unit that lie strictly between; their flags are read by the word.
    fn between(self, unit: &[S]) -> Vec<S> {
        let mut flags = [0; UNIT];
        vectorised(
            #[inline(always)]
            || self.flag(&mut flags, unit),
        );
        let mut between = Vec::new();
        for (flags, values) in flags.as_chunks::<WORD>().0.iter().zip(unit.chunks(WORD)) {
            let mut word = u64::from_le_bytes(*flags);
            while word != 0 {
                between.push(values[word.trailing_zeros() as usize / 8]);
                word &= word - 1;
            }
        }
        between
    }
}

/// Where the values lie, seen from two pivots; what is not counted lies above.
struct Split<S> {
    finite: bool,
    below: usize,
    at_low: usize,
    /// Strictly between the pivots, in order of place.
    between: Vec<S>,
    /// None if the pivots are one.
    at_high: usize,
}

impl<S: Scalar> Split<S> {
    fn of(values: &[S], pivots: Pivots<S>) -> Self {
        let units = by_unit(values, |unit| Self::of_unit(unit, pivots));
        let mut split = Self { finite: true, below: 0, at_low: 0, between: Vec::new(), at_high: 0 };
        for unit in units {
            split.finite &= unit.finite;
            split.below += unit.below;
            split.at_low += unit.at_low;
            split.between.extend(unit.between);
            split.at_high += unit.at_high;
        }
        split
    }

    /// Counts, and only where something lies between the pivots looks for it.
    fn of_unit(unit: &[S], pivots: Pivots<S>) -> Self {
        let (finite, [below, up_to_low, below_high, up_to_high]) = vectorised(
            #[inline(always)]
            || pivots.count(unit),
        );
        // Pivots that are one have nothing between them, and `below_high` is then `below`.
        let up_to_between = below_high.max(up_to_low);
        Self {
            finite,
            below: below as usize,
            at_low: (up_to_low - below) as usize,
            between: if up_to_between > up_to_low { pivots.between(unit) } else { Vec::new() },
            at_high: (up_to_high - up_to_between) as usize,
        }
    }
}

/// The values that `belongs` admits, in order of place.
fn gather<S: Scalar>(values: &[S], belongs: impl Fn(S) -> bool + Sync) -> Vec<S> {
    let of_unit = |unit: &[S]| unit.iter().copied().filter(|&x| belongs(x)).collect::<Vec<_>>();
    by_unit(values, of_unit).concat()
}

/// What `make` makes of each [`UNIT`] of the values, in order.
fn by_unit<S: Scalar, T: Send>(values: &[S], make: impl Fn(&[S]) -> T + Sync) -> Vec<T> {
    let n = values.len();
    share::map(n.div_ceil(UNIT), flat::operations(Kernel::Fast, n), |i| make(&values[i * UNIT..n.min((i + 1) * UNIT)]))
}
