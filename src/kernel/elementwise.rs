//! [`elementwise`]: one pass over arrays that lie side by side, in units of a fixed size.

use super::{Kernel, vectorised};

/// Entries per unit: with five arrays of `f64`, 160 KiB, which a core's second-level cache holds.
const UNIT: usize = 1 << 12;

/// Entries below which handing a part to another thread costs more than it gains: some tens of microseconds of work.
const PARALLEL: usize = 1 << 15;

/// Slices of one length that are cut together; `()` and `None` have no entries of their own.
pub trait Entries: Sized + Send {
    /// The first `mid` entries, and the others.
    fn split_at(self, mid: usize) -> (Self, Self);
}

impl Entries for () {
    fn split_at(self, _: usize) -> (Self, Self) {
        ((), ())
    }
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

impl<T: Entries> Entries for Option<T> {
    fn split_at(self, mid: usize) -> (Self, Self) {
        self.map(|slice| slice.split_at(mid)).unzip()
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

/// Whether `unit` holds of all parts of `arrays`, slices of `len` entries each, every part of which it is called with.
///
/// What `unit` does with an entry must depend on that entry alone: then the bits are the same under both kernels and
/// for any number of threads. [`Kernel::Literal`] takes all entries at once; [`Kernel::Fast`] parts of a fixed size, side
/// by side, compiled for wide vectors (`unit` should be `#[inline(always)]`).
pub fn elementwise<T: Entries>(kernel: Kernel, len: usize, arrays: T, unit: impl Fn(T) -> bool + Copy + Sync) -> bool {
    match kernel {
        Kernel::Literal => unit(arrays),
        Kernel::Fast if len <= UNIT => vectorised(|| unit(arrays)),
        Kernel::Fast => {
            let middle = (len / UNIT).div_ceil(2) * UNIT;
            let (left, right) = arrays.split_at(middle);
            let left = || elementwise(kernel, middle, left, unit);
            let right = || elementwise(kernel, len - middle, right, unit);
            let (left, right) = if len >= PARALLEL { rayon::join(left, right) } else { (left(), right()) };
            left & right
        }
    }
}
