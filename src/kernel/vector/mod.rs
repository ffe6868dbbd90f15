//! Vectors of the CPU that the program happens to run on: [`vectorised`] for plain loops, [`Vector`] and [`Work`] for
//! loops that say what is held in registers.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::scalar::Scalar;
use portable::Portable;
use std::any::TypeId;
use std::mem::{ManuallyDrop, transmute_copy};

/// Runs `work` compiled for the CPU's widest vector instructions.
///
/// The compiler unrolls and vectorises what is inlined into `work`, and nothing else: helpers must be
/// `#[inline(always)]`, and threads that `work` starts do not inherit it. It never reorders or fuses floating-point
/// operations, so the result has the bits of `work()`.
#[inline]
pub fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    vectorised_loop(Closure(work))
}

/// A loop and what it works on.
pub trait Loop {
    type Output;

    /// Must be `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

/// A closure cannot be marked `#[inline(always)]`: a long one is called from the vectorised code, and not part of it.
struct Closure<F>(F);

impl<R, F: FnOnce() -> R> Loop for Closure<F> {
    type Output = R;

    #[inline(always)]
    fn run(self) -> R {
        (self.0)()
    }
}

/// [`vectorised`] for a loop of any length.
#[inline]
pub fn vectorised_loop<L: Loop>(work: L) -> L::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::has_avx512() {
            // SAFETY: the CPU has every feature that the function is compiled for, as was asked above.
            return unsafe { x86::with_avx512(work) };
        }
        if x86::has_avx2() {
            // SAFETY: as above.
            return unsafe { x86::with_avx2(work) };
        }
    }
    work.run()
}

/// Has memory brought into the second-level cache, where the CPU can be asked to, while the program goes on.
#[inline(always)]
pub(crate) fn prefetch<T>(memory: &[T]) {
    #[cfg(target_arch = "x86_64")]
    x86::prefetch(memory);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = memory;
}

/// One register of numbers.
///
/// # Safety
/// Every function requires a CPU with the instructions of the type, which [`run`] makes sure of. A load reads, and a
/// store writes, as many consecutive elements as it says; they must be valid for that.
pub(super) trait Vector: Copy {
    type Element: Hardware;
    /// How many numbers it holds.
    const LANES: usize;

    unsafe fn splat(x: Self::Element) -> Self;
    unsafe fn load(from: *const Self::Element) -> Self;
    /// Loads the first `count < LANES` numbers; the others are 0.
    unsafe fn load_first(from: *const Self::Element, count: usize) -> Self;
    unsafe fn store(self, to: *mut Self::Element);
    /// Stores the first `count < LANES` numbers.
    unsafe fn store_first(self, to: *mut Self::Element, count: usize);
    /// `self * factor + term`, fused where the CPU can.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;

    /// The sum of the lanes, in an order of the type's own.
    unsafe fn sum(self) -> Self::Element;

    /// Turns a square of `LANES x LANES` numbers round: row i of `to` becomes column i of `from`. `strides`: from one
    /// row to the next, of `from` and of `to`.
    #[inline(always)]
    unsafe fn turn(from: *const Self::Element, to: *mut Self::Element, strides: [usize; 2]) {
        for i in 0..Self::LANES {
            for j in 0..Self::LANES {
                // SAFETY: the caller vouches for both squares.
                unsafe { *to.add(i * strides[1] + j) = *from.add(j * strides[0] + i) }
            }
        }
    }
}

/// The number systems that CPUs have vectors of.
pub(super) trait Hardware: Scalar {
    #[cfg(target_arch = "x86_64")]
    type Avx512: Vector<Element = Self>;
    #[cfg(target_arch = "x86_64")]
    type Avx2: Vector<Element = Self>;
}

impl Hardware for f32 {
    #[cfg(target_arch = "x86_64")]
    type Avx512 = std::arch::x86_64::__m512;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = std::arch::x86_64::__m256;
}

impl Hardware for f64 {
    #[cfg(target_arch = "x86_64")]
    type Avx512 = std::arch::x86_64::__m512d;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = std::arch::x86_64::__m256d;
}

/// Work that is compiled once for every kind of vector.
pub(super) trait Work {
    type Element: Hardware;

    /// Does the work with vectors `V`, `WIDE` of which side by side make a tile that fits the registers.
    ///
    /// # Safety
    /// As [`Vector`]. Must be `#[inline(always)]`, down to every [`Vector`] it touches.
    unsafe fn run<V: Vector<Element = Self::Element>, const WIDE: usize>(self);
}

/// Runs `work` with the widest vectors of this CPU.
#[inline]
pub(super) fn run<W: Work>(work: W) {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::has_avx512() {
            // SAFETY: the CPU has what the function and the vectors are compiled for, as was asked above.
            return unsafe { x86::run_avx512(work) };
        }
        if x86::has_avx2() {
            // SAFETY: as above.
            return unsafe { x86::run_avx2(work) };
        }
    }
    // SAFETY: portable vectors are arrays and ask nothing of the CPU.
    unsafe { work.run::<Portable<W::Element>, 1>() }
}

/// How many numbers the vectors hold that [`run`] works with.
pub(super) fn lanes<H: Hardware>() -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::has_avx512() {
            return H::Avx512::LANES;
        }
        if x86::has_avx2() {
            return H::Avx2::LANES;
        }
    }
    Portable::<H>::LANES
}

/// `function(arguments)` with the function's type parameter [`Hardware`] set to the number system `S`; `None` if `S` is
/// none.
macro_rules! on_hardware {
    ($S:ty, $function:ident($($argument:ident),*)) => {{
        use $crate::kernel::vector::{is_same, same};
        if is_same::<$S, f32>() {
            // SAFETY: S is f32, so a type that mentions S is the type with f32 in its place.
            Some(unsafe { same($function::<f32>($(same($argument)),*)) })
        } else if is_same::<$S, f64>() {
            // SAFETY: S is f64, likewise.
            Some(unsafe { same($function::<f64>($(same($argument)),*)) })
        } else {
            None
        }
    }};
}
pub(super) use on_hardware;

/// Whether `A` and `B` are one type.
pub(super) fn is_same<A: 'static, B: 'static>() -> bool {
    TypeId::of::<A>() == TypeId::of::<B>()
}

/// `a` as a value of type `B`.
///
/// # Safety
/// `A` and `B` must be the same type.
pub(super) unsafe fn same<A, B>(a: A) -> B {
    assert_eq!(size_of::<A>(), size_of::<B>());
    let a = ManuallyDrop::new(a);
    // SAFETY: the caller vouches that the types are one, and `a` is not dropped, so it is moved and not copied.
    unsafe { transmute_copy(&*a) }
}
