//! Flags, one for each entry of an array: which entries lie below a threshold, and what becomes of those that do not live.

use super::buffer::Element;
use super::elementwise::{Elementwise, UNIT, elementwise};
use super::{Kernel, OnHost, flat, or_on_device, vectorised};
use crate::scalar::Scalar;

/// A flag for every value: whether it lies strictly below the threshold (Eq. 5). There is one form only: each value by
/// itself.
pub fn below<S: Scalar>(kernel: Kernel, values: &[S], threshold: S) -> Vec<bool> {
    or_on_device!(kernel, below(values, threshold));
    let mut flags = vec![false; values.len()];
    flat::fill_rows(kernel, &mut flags, UNIT, &|i, flags| {
        vectorised(
            #[inline(always)]
            || flags.iter_mut().zip(&values[i * UNIT..]).for_each(|(flag, &x)| *flag = x < threshold),
        );
    });
    flags
}

/// What does not live becomes 0, or false: slices of one length. There is one form only: each entry by itself.
pub fn hold<T: Element + Sync>(kernel: Kernel, entries: &mut [T], alive: &[bool]) {
    or_on_device!(kernel, hold(entries, alive));
    elementwise(kernel, entries.len(), (entries, alive), Hold);
}

#[derive(Clone, Copy)]
struct Hold;

impl<T: Element> Elementwise<(&mut [T], &[bool])> for Hold {
    #[inline(always)]
    fn run(self, (entries, alive): (&mut [T], &[bool])) -> bool {
        entries.iter_mut().zip(alive).for_each(|(x, &alive)| *x = if alive { *x } else { T::default() });
        true
    }
}

/// The values of those that live, in order: slices of one length.
pub fn living<S: Scalar>(kernel: Kernel, values: &[S], alive: &[bool]) -> Vec<S> {
    or_on_device!(kernel, living(values, alive));
    let of_all = values.iter().zip(alive);
    match kernel.on_host() {
        OnHost::Literal => of_all.filter(|&(_, &alive)| alive).map(|(&x, _)| x).collect(),
        OnHost::Fast => {
            // Every value is written, and the next one over it unless it stays: no branch that depends on the mask.
            let count = alive.iter().filter(|&&alive| alive).count();
            let (mut living, mut next) = (vec![S::ZERO; count + 1], 0);
            for (&x, &alive) in of_all {
                living[next] = x;
                next += usize::from(alive);
            }
            living.truncate(count);
            living
        }
    }
}
