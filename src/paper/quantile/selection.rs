//! Selection by sampling (Floyd and Rivest, "Expected time bounds for selection", CACM 18, 1975): the order
//! statistics that a quantile reads, in one parallel pass over the values and a few over ever fewer of them.
//!
//! A sample brackets the wanted rank between two pivots, close together. One pass counts the values below, at, between
//! and above them and gathers those between, a few hundredths of all; there the search goes on. Counts decide where,
//! so a sample that misses the rank costs a longer round and never a wrong answer, and since counts are integers and
//! chunks do not depend on threads, neither does anything here.

use super::all_finite;
use crate::error::Result;
use crate::kernel::{share, vectorised};
use crate::paper::{CHUNK, PASS};
use crate::scalar::Scalar;
use std::borrow::Cow;
use std::cmp::Ordering;

/// After so many rounds `std` takes over, whose worst case is linear too. Good pivots leave a few hundredths to the next
/// round, so only an input made against the sample comes here with many values left.
const ROUNDS: usize = 8;
/// Flags of one byte that are read at once.
const WORD: usize = size_of::<u64>();

/// The value of this rank (counted from 0, below `values.len()`) in [`Scalar::total_order`], and the next one if the
/// search came across it.
///
/// # Errors
/// As [`all_finite`].
pub(super) fn select<S: Scalar>(values: &[S], rank: usize) -> Result<(S, Option<S>)> {
    let (mut among, mut rank) = (Cow::Borrowed(values), rank);
    for _ in 0..ROUNDS {
        if among.len() <= CHUNK {
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
pub(super) fn least_above<S: Scalar>(values: &[S], value: S) -> Option<S> {
    let least = |chunk: &[S]| chunk.iter().copied().filter(|&x| precedes(value, x)).min_by(S::total_order);
    by_chunk(values, least).into_iter().flatten().min_by(S::total_order)
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
    fn count(self, chunk: &[S]) -> (bool, [u32; 4]) {
        let (mut infinite, mut below, mut up_to_low, mut below_high, mut up_to_high) = (0u32, 0, 0, 0, 0);
        for &x in chunk {
            infinite += u32::from(!x.is_finite());
            below += u32::from(precedes(x, self.low));
            up_to_low += u32::from(!precedes(self.low, x));
            below_high += u32::from(precedes(x, self.high));
            up_to_high += u32::from(!precedes(self.high, x));
        }
        (infinite == 0, [below, up_to_low, below_high, up_to_high])
    }

    /// A flag for every value of a chunk that lies strictly between.
    #[inline(always)]
    fn flag(self, flags: &mut [u8; CHUNK], chunk: &[S]) {
        for (flag, &x) in flags.iter_mut().zip(chunk) {
            *flag = u8::from(precedes(self.low, x) & precedes(x, self.high));
        }
    }

    /// The values of a chunk that lie strictly between; their flags are read by the word.
    fn between(self, chunk: &[S]) -> Vec<S> {
        let mut flags = [0; CHUNK];
        vectorised(
            #[inline(always)]
            || self.flag(&mut flags, chunk),
        );
        let mut between = Vec::new();
        for (flags, values) in flags.as_chunks::<WORD>().0.iter().zip(chunk.chunks(WORD)) {
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
        let chunks = by_chunk(values, |chunk| Self::of_chunk(chunk, pivots));
        let mut split = Self { finite: true, below: 0, at_low: 0, between: Vec::new(), at_high: 0 };
        for chunk in chunks {
            split.finite &= chunk.finite;
            split.below += chunk.below;
            split.at_low += chunk.at_low;
            split.between.extend(chunk.between);
            split.at_high += chunk.at_high;
        }
        split
    }

    /// Counts, and only where something lies between the pivots looks for it.
    fn of_chunk(chunk: &[S], pivots: Pivots<S>) -> Self {
        let (finite, [below, up_to_low, below_high, up_to_high]) = vectorised(
            #[inline(always)]
            || pivots.count(chunk),
        );
        // Pivots that are one have nothing between them, and `below_high` is then `below`.
        let up_to_between = below_high.max(up_to_low);
        Self {
            finite,
            below: below as usize,
            at_low: (up_to_low - below) as usize,
            between: if up_to_between > up_to_low { pivots.between(chunk) } else { Vec::new() },
            at_high: (up_to_high - up_to_between) as usize,
        }
    }
}

/// The values that `belongs` admits, in order of place.
fn gather<S: Scalar>(values: &[S], belongs: impl Fn(S) -> bool + Sync) -> Vec<S> {
    let of_chunk = |chunk: &[S]| chunk.iter().copied().filter(|&x| belongs(x)).collect::<Vec<_>>();
    by_chunk(values, of_chunk).concat()
}

/// What `make` makes of each [`CHUNK`] of the values, in order.
fn by_chunk<S: Scalar, T: Send>(values: &[S], make: impl Fn(&[S]) -> T + Sync) -> Vec<T> {
    let n = values.len();
    share::map(n.div_ceil(CHUNK), PASS * n, |i| make(&values[i * CHUNK..n.min((i + 1) * CHUNK)]))
}
