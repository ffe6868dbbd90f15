//! [`keep_in_groups`]: in every group of N entries of an output's gradient the M of largest key are kept.

use super::cut::Ties;
use crate::choice::choice;
use crate::scalar::Scalar;
use std::cmp::Ordering;

choice! {
    /// Which entries of `[b,c]` or `[b,c,h,w]` are a group.
    Groups, "groups":
    /// Consecutive channels at one (b, h, w): what 2:4 hardware reduces over.
    Channel = "channel",
    /// Consecutive entries in row-major order.
    Memory = "memory",
}

choice! {
    /// What becomes of a last group that has fewer than N entries.
    Remainder, "remainder":
    /// As of any other: min(M, its size) stay.
    Keep = "keep",
    /// None stays.
    Zero = "zero",
    /// All stay.
    Dense = "dense",
}

/// M of N.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfGroups {
    /// M.
    pub keep: usize,
    /// N, at least 1.
    pub group: usize,
    pub groups: Groups,
    pub remainder: Remainder,
    pub ties: Ties,
}

/// True where a key, of an array of this shape (`[b,c]` or `[b,c,h,w]`, row-major), is among the M largest of its group. A key
/// that is not a number counts as equal to any.
///
/// ```
/// use gdstar::select::cut::Ties;
/// use gdstar::select::groups::{Groups, OfGroups, Remainder, keep_in_groups};
/// let of = OfGroups { keep: 1, group: 2, groups: Groups::Channel, remainder: Remainder::Zero, ties: Ties::LowerIndex };
/// let keys = [3.0, 1.0, 9.0, 2.0, 2.0, 9.0]; // two samples of three channels
/// assert_eq!(keep_in_groups(&keys, &[2, 3], &of), [true, false, false, true, false, false]);
/// let memory = OfGroups { groups: Groups::Memory, ..of };
/// assert_eq!(keep_in_groups(&keys, &[2, 3], &memory), [true, false, true, false, false, true]);
/// ```
pub fn keep_in_groups<S: Scalar>(keys: &[S], shape: &[usize], of: &OfGroups) -> Vec<bool> {
    let mut kept = vec![false; keys.len()];
    let mut members = Vec::with_capacity(of.group);
    for_each_group(shape, of, &mut members, |members| {
        let stay = match of.remainder {
            _ if members.len() == of.group => of.keep,
            Remainder::Keep => of.keep,
            Remainder::Zero => 0,
            Remainder::Dense => members.len(),
        };
        // Stable: of equal keys the one that comes first in `members` stays first.
        if of.ties == Ties::HigherIndex {
            members.reverse();
        }
        members.sort_by(|&i, &j| keys[j].partial_cmp(&keys[i]).unwrap_or(Ordering::Equal));
        members.iter().take(stay).for_each(|&j| kept[j] = true);
    });
    kept
}

/// Calls `visit` with the flat indices of each group's entries, ascending.
fn for_each_group(shape: &[usize], of: &OfGroups, members: &mut Vec<usize>, mut visit: impl FnMut(&mut Vec<usize>)) {
    let pixels: usize = shape.iter().skip(2).product();
    // A run: entries that groups are cut from, `step` apart.
    let (runs, length, step) = match (of.groups, shape) {
        (Groups::Channel, &[samples, channels, ..]) => (samples * pixels, channels, pixels),
        _ => (1, shape.iter().product(), 1),
    };
    for run in 0..runs {
        let first = run / step * length * step + run % step;
        for start in (0..length).step_by(of.group.max(1)) {
            members.clear();
            members.extend((start..length.min(start + of.group.max(1))).map(|i| first + i * step));
            visit(members);
        }
    }
}
