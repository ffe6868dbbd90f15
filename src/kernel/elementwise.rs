//! [`elementwise`]: one pass over arrays, entry by entry, in units of a fixed size.

use super::{Kernel, Loop, OnHost, share, vectorised_loop};

/// Entries per unit: with five arrays of `f64`, 160 KiB, which a core's second-level cache holds.
pub(super) const UNIT: usize = 1 << 12;

/// What an entry costs, in operations: arrays that no cache holds are read and written.
const OPERATIONS: usize = 8;

/// Slices of one length that are cut together.
pub(super) trait Entries: Sized + Send {
    /// The first `mid` entries, and the others.
    fn split_at(self, mid: usize) -> (Self, Self);
}

impl<T: Sync> Entries for &[T] {
    fn split_at(self, mid: usize) -> (Self, Self) {
        <[T]>::split_at(self, mid)
    }
}

impl<T: Send> Entries for &mut [T] {
    fn split_at(self, mid: usize) -> (Self, Self) {
        self.split_at_mut(mid)
    }
}

impl<A: Entries, B: Entries> Entries for (A, B) {
    fn split_at(self, mid: usize) -> (Self, Self) {
        let ((a, rest_of_a), (b, rest_of_b)) = (self.0.split_at(mid), self.1.split_at(mid));
        ((a, b), (rest_of_a, rest_of_b))
    }
}

impl<A: Entries, B: Entries, C: Entries> Entries for (A, B, C) {
    fn split_at(self, mid: usize) -> (Self, Self) {
        let ((a, b), (rest_of_a, rest_of_b)) = (self.0, self.1).split_at(mid);
        let (c, rest_of_c) = self.2.split_at(mid);
        ((a, b, c), (rest_of_a, rest_of_b, rest_of_c))
    }
}

/// What is done with a unit: entries that lie side by side.
///
/// What becomes of an entry must depend on that entry alone: then the bits are the same under both kernels and for any
/// number of threads. (A trait, because a closure cannot be marked `#[inline(always)]`, as [`run`](Self::run) must be to be
/// compiled for wide vectors.)
pub(super) trait Elementwise<T>: Copy + Send + Sync {
    /// Does it, and says whether all is well.
    fn run(self, entries: T) -> bool;
}

/// Runs `work` over all `entries`, slices of `len` each, and says whether all is well everywhere. [`Kernel::Literal`] takes
/// them at once; [`Kernel::Fast`] in units of a fixed size, side by side, with the CPU's widest vectors.
pub(super) fn elementwise<T: Entries, W: Elementwise<T>>(kernel: Kernel, len: usize, entries: T, work: W) -> bool {
    match kernel.on_host() {
        OnHost::Literal => work.run(entries),
        OnHost::Fast if len <= UNIT => vectorised_loop(Unit { work, entries }),
        OnHost::Fast => {
            let middle = (len / UNIT).div_ceil(2) * UNIT;
            let (left, right) = entries.split_at(middle);
            let left = || elementwise(kernel, middle, left, work);
            let right = || elementwise(kernel, len - middle, right, work);
            let (left, right) = share::both(OPERATIONS * len, left, right);
            left & right
        }
    }
}

struct Unit<W, T> {
    work: W,
    entries: T,
}

impl<T, W: Elementwise<T>> Loop for Unit<W, T> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        self.work.run(self.entries)
    }
}
