//! A selection whose keys are known within bounds: what it must keep, what it must not, and how many.

use super::counts::Counts;
use crate::oracle::interval::{Decision, Interval};
use crate::select::cut::{Cut, Ties};
use std::cmp::Ordering;

/// What a correct port's selection may be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selected {
    /// Of each candidate, whether it is kept.
    pub(crate) decisions: Vec<Decision>,
    /// How many are.
    pub(crate) number: Counts,
}

/// What keeps `k` of candidates with these keys, in the order of their flat indices.
///
/// One candidate *may* precede another if its largest key is above the other's smallest, and *must* if its smallest is above
/// the other's largest; at equality as the tie rule says. So exactly k keep all that fewer than k others may precede, and
/// none that at least k others must.
pub(crate) fn select(keys: &[Interval], k: Counts, cut: Cut, ties: Ties) -> Selected {
    let n = keys.len();
    let highs = ranked(keys.iter().map(|key| key.high), ties);
    let lows = ranked(keys.iter().map(|key| key.low), ties);
    let (decisions, number): (Vec<Decision>, Counts) = match cut {
        Cut::Exact => {
            let decide = |(j, key): (usize, &Interval)| {
                // How many others may precede: of those, j itself is none.
                let own = usize::from(ties == Ties::Any || key.high > key.low);
                let may = preceding(&highs, key.low, j, ties, ties == Ties::Any) - own;
                let must = preceding(&lows, key.high, j, ties, false);
                match (may < k.low, must >= k.high) {
                    (true, _) => Decision::Yes,
                    (false, true) => Decision::No,
                    (false, false) => Decision::Either,
                }
            };
            let number = Counts { low: k.low.min(n), high: k.high.min(n) };
            (keys.iter().enumerate().map(decide).collect(), number)
        }
        Cut::AboveKth | Cut::FromKth => (threshold(keys, &highs, &lows, k, cut == Cut::AboveKth), Counts::any(n)),
        Cut::AboveNext | Cut::FromNext => {
            (threshold(keys, &highs, &lows, k.plus(1), cut == Cut::AboveNext), Counts::any(n))
        }
    };
    Selected { decisions, number }
}

/// Keys with their indices, those that precede first.
fn ranked(keys: impl Iterator<Item = f64>, ties: Ties) -> Vec<(f64, usize)> {
    let mut all: Vec<(f64, usize)> = keys.enumerate().map(|(j, key)| (key, j)).collect();
    all.sort_unstable_by(|a, b| order(*a, *b, ties));
    all
}

fn order(a: (f64, usize), b: (f64, usize), ties: Ties) -> Ordering {
    let by_key = b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal);
    by_key.then_with(|| match ties {
        Ties::HigherIndex => b.1.cmp(&a.1),
        Ties::LowerIndex | Ties::Any => a.1.cmp(&b.1),
    })
}

/// How many of `ranked` precede the key of candidate `j`; `with_equals`: every equal one among them.
fn preceding(ranked: &[(f64, usize)], key: f64, j: usize, ties: Ties, with_equals: bool) -> usize {
    ranked.partition_point(|&other| match (with_equals, ties) {
        (true, _) => other.0 >= key,
        (false, Ties::Any) => other.0 > key,
        (false, _) => order(other, (key, j), ties) == Ordering::Less,
    })
}

/// Those above x_(k), or from x_(k) on.
fn threshold(
    keys: &[Interval],
    highs: &[(f64, usize)],
    lows: &[(f64, usize)],
    k: Counts,
    strictly: bool,
) -> Vec<Decision> {
    let x = |ranked: &[(f64, usize)], i: usize| match i.checked_sub(1) {
        None => f64::INFINITY,
        Some(i) => ranked.get(i).map_or(f64::NEG_INFINITY, |&(key, _)| key),
    };
    let border = Interval { low: x(lows, k.high), high: x(highs, k.low) };
    let decide = |key: &Interval| {
        let (yes, no) = match strictly {
            true => (key.low > border.high, key.high <= border.low),
            false => (key.low >= border.high, key.high < border.low),
        };
        match (yes, no) {
            (true, _) => Decision::Yes,
            (false, true) => Decision::No,
            (false, false) => Decision::Either,
        }
    };
    keys.iter().map(decide).collect()
}
