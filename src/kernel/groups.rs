//! Groups of weights that stand or fall together: `ids[j]`, below the number of groups, says which one weight j belongs to.
//!
//! Each has one form: in order, `Fast` as `Literal`.

use super::{Kernel, OnHost, Term, or_on_device};
use crate::scalar::Scalar;
use std::cmp::Ordering;

/// What is made of the values of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupTotal {
    /// The largest value.
    Maximum,
    /// The sum of the values' terms.
    Sum(Term),
}

/// What the values of each of `count` groups make together, in [`Scalar::Wide`] from the first to the last, and how many
/// there are: over those that are `counted`. `values`, `ids`, `counted`: of one length.
pub fn group_totals<S: Scalar>(
    kernel: Kernel,
    total: GroupTotal,
    values: &[S],
    ids: &[usize],
    count: usize,
    counted: &[bool],
) -> Vec<(S::Wide, usize)> {
    or_on_device!(kernel, group_totals(total, values, ids, count, counted));
    match kernel.on_host() {
        OnHost::Literal | OnHost::Fast => {
            let mut totals = vec![(S::Wide::ZERO, 0); count];
            for ((&x, &id), _) in values.iter().zip(ids).zip(counted).filter(|&(_, &counted)| counted) {
                let (so_far, members) = &mut totals[id];
                *so_far = match total {
                    GroupTotal::Maximum if *members == 0 => x.widen(),
                    GroupTotal::Maximum => so_far.maximum(x.widen()),
                    GroupTotal::Sum(term) => *so_far + term.of(x),
                };
                *members += 1;
            }
            totals
        }
    }
}

/// The flag of every weight's group.
pub fn flags_of_groups(kernel: Kernel, flags: &[bool], ids: &[usize]) -> Vec<bool> {
    or_on_device!(kernel, flags_of_groups(flags, ids));
    match kernel.on_host() {
        OnHost::Literal | OnHost::Fast => ids.iter().map(|&id| flags[id]).collect(),
    }
}

/// A flag for all but `keep` weights of each of `count` groups: those that do not live, then those of least value; of equals
/// (-0 and +0 are) the earlier. `values`, `alive`, `ids`: of one length.
pub fn least_of_groups<S: Scalar>(
    kernel: Kernel,
    values: &[S],
    alive: &[bool],
    ids: &[usize],
    count: usize,
    keep: usize,
) -> Vec<bool> {
    or_on_device!(kernel, least_of_groups(values, alive, ids, count, keep));
    match kernel.on_host() {
        OnHost::Literal | OnHost::Fast => {
            let mut groups = vec![Vec::new(); count];
            for (j, &id) in ids.iter().enumerate() {
                groups[id].push(j);
            }
            let by_value = |a: usize, b: usize| values[a].partial_cmp(&values[b]).unwrap_or(Ordering::Equal);
            let mut least = vec![false; values.len()];
            for mut group in groups {
                group.sort_by(|&a, &b| alive[a].cmp(&alive[b]).then(by_value(a, b))); // stable: equals keep their order
                for &j in group.iter().take(group.len().saturating_sub(keep)) {
                    least[j] = true;
                }
            }
            least
        }
    }
}
