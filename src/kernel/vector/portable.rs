//! A vector of any number system: an array, which compilers turn into whatever the CPU has.

use super::{Hardware, Vector};

/// As many as fill the 128 bits that every 64-bit CPU has, in `f32`.
const LANES: usize = 4;

#[derive(Clone, Copy)]
pub struct Portable<H>([H; LANES]);

impl<H: Hardware> Vector for Portable<H> {
    type Element = H;
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn splat(x: H) -> Self {
        Self([x; LANES])
    }

    #[inline(always)]
    unsafe fn load(from: *const H) -> Self {
        // SAFETY: the caller vouches for LANES elements.
        Self(unsafe { from.cast::<[H; LANES]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_first(from: *const H, count: usize) -> Self {
        let mut lanes = [H::ZERO; LANES];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: the caller vouches for `count` elements.
            *lane = unsafe { *from.add(i) };
        }
        Self(lanes)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut H) {
        // SAFETY: the caller vouches for LANES elements.
        unsafe { to.cast::<[H; LANES]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut H, count: usize) {
        for (i, &lane) in self.0.iter().enumerate().take(count) {
            // SAFETY: the caller vouches for `count` elements.
            unsafe { *to.add(i) = lane }
        }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        let mut sums = term.0;
        for ((sum, &x), &factor) in sums.iter_mut().zip(&self.0).zip(&factor.0) {
            *sum += x * factor;
        }
        Self(sums)
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        let mut sums = self.0;
        for (sum, &x) in sums.iter_mut().zip(&other.0) {
            *sum += x;
        }
        Self(sums)
    }

    #[inline(always)]
    unsafe fn sum(self) -> H {
        let [a, b, c, d] = self.0;
        (a + b) + (c + d)
    }
}
