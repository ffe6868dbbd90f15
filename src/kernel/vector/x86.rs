//! The vectors of x86-64: AVX2 with fused multiply-add, and AVX-512.

use super::{Hardware, Loop, Vector, Work};
use std::arch::x86_64::*;
use std::is_x86_feature_detected;

/// Whether the CPU runs [`with_avx512`] and [`run_avx512`].
#[inline]
pub fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("fma")
}

/// Whether the CPU runs [`with_avx2`] and [`run_avx2`].
#[inline]
pub fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,fma")]
pub fn with_avx512<L: Loop>(work: L) -> L::Output {
    work.run()
}

#[target_feature(enable = "avx2,fma")]
pub fn with_avx2<L: Loop>(work: L) -> L::Output {
    work.run()
}

/// 32 registers: two vectors side by side leave 16 sums in registers beside their operands.
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,fma")]
pub fn run_avx512<W: Work>(work: W) {
    // SAFETY: this function runs on CPUs with AVX-512 alone.
    unsafe { work.run::<<W::Element as Hardware>::Avx512, 2>() }
}

/// 16 registers.
#[target_feature(enable = "avx2,fma")]
pub fn run_avx2<W: Work>(work: W) {
    // SAFETY: this function runs on CPUs with AVX2 and FMA alone.
    unsafe { work.run::<<W::Element as Hardware>::Avx2, 1>() }
}

/// The mask of AVX-512's first `count` lanes.
macro_rules! first_lanes {
    ($count:expr, $Mask:ty) => {
        ((1u32 << $count) - 1) as $Mask
    };
}

/// [`Vector`] from intrinsics that do what its functions say.
macro_rules! vector {
    (
        $Vector:ty, $Element:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $mul_add:ident, $add:ident,
        sum: $sum:expr,
        load_first: $load_first:expr, store_first: $store_first:expr $(, turn: $turn:ident)?
    ) => {
        impl Vector for $Vector {
            type Element = $Element;
            const LANES: usize = $lanes;

            // SAFETY of all: the caller vouches for the CPU and for the memory, as `Vector` demands.
            #[inline(always)]
            unsafe fn splat(x: $Element) -> Self {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const $Element) -> Self {
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn load_first(from: *const $Element, count: usize) -> Self {
                unsafe { $load_first(from, count) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $Element) {
                unsafe { $store(to, self) }
            }
            #[inline(always)]
            unsafe fn store_first(self, to: *mut $Element, count: usize) {
                unsafe { $store_first(to, count, self) }
            }
            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
                unsafe { $mul_add(self, factor, term) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn sum(self) -> $Element {
                unsafe { $sum(self) }
            }
            $(
                #[inline(always)]
                unsafe fn turn(from: *const $Element, to: *mut $Element, strides: [usize; 2]) {
                    unsafe { $turn(from, to, strides) }
                }
            )?
        }
    };
}

vector!(
    __m512, f32, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps, _mm512_add_ps,
    sum: |x| _mm512_reduce_add_ps(x),
    load_first: |from, count| _mm512_maskz_loadu_ps(first_lanes!(count, __mmask16), from),
    store_first: |to, count, x| _mm512_mask_storeu_ps(to, first_lanes!(count, __mmask16), x),
    turn: turn_16
);
vector!(
    __m512d, f64, 8, _mm512_set1_pd, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_fmadd_pd, _mm512_add_pd,
    sum: |x| _mm512_reduce_add_pd(x),
    load_first: |from, count| _mm512_maskz_loadu_pd(first_lanes!(count, __mmask8), from),
    store_first: |to, count, x| _mm512_mask_storeu_pd(to, first_lanes!(count, __mmask8), x),
    turn: turn_8
);
vector!(
    __m256, f32, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps, _mm256_add_ps,
    sum: |x| sum_of_8(x),
    load_first: |from, count| _mm256_maskload_ps(from, first_of_8(count)),
    store_first: |to, count, x| _mm256_maskstore_ps(to, first_of_8(count), x)
);
vector!(
    __m256d, f64, 4, _mm256_set1_pd, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_fmadd_pd, _mm256_add_pd,
    sum: |x| sum_of_4(x),
    load_first: |from, count| _mm256_maskload_pd(from, first_of_4(count)),
    store_first: |to, count, x| _mm256_maskstore_pd(to, first_of_4(count), x)
);

/// AVX2's mask of the first `count` of 8 lanes.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn first_of_8(count: usize) -> __m256i {
    // SAFETY: by the caller.
    unsafe { _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)) }
}

/// AVX2's mask of the first `count` of 4 lanes.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn first_of_4(count: usize) -> __m256i {
    // SAFETY: by the caller.
    unsafe { _mm256_cmpgt_epi64(_mm256_set1_epi64x(count as i64), _mm256_setr_epi64x(0, 1, 2, 3)) }
}

/// The lanes added by halves.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn sum_of_8(x: __m256) -> f32 {
    // SAFETY: by the caller.
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
}

/// The lanes added by halves.
///
/// # Safety
/// The CPU must have AVX2.
#[inline(always)]
unsafe fn sum_of_4(x: __m256d) -> f64 {
    // SAFETY: by the caller.
    unsafe {
        let two = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd::<1>(x));
        _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)))
    }
}

/// [`Vector::turn`] of 16 rows of 16: pairs of rows are interleaved by single numbers, then by pairs, then by quarters of
/// a vector.
///
/// # Safety
/// The CPU must have AVX-512; both squares must be valid.
#[inline(always)]
#[expect(clippy::needless_range_loop)]
unsafe fn turn_16(from: *const f32, to: *mut f32, strides: [usize; 2]) {
    // SAFETY: by the caller.
    unsafe {
        let mut rows = [_mm512_setzero_ps(); 16];
        for i in 0..16 {
            rows[i] = _mm512_loadu_ps(from.add(i * strides[0]));
        }
        let mut pairs = rows;
        for i in 0..8 {
            pairs[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
        }
        // Vector 4 i + j: column 4 q + j of rows 4 i .. 4 i + 4 in quarter q.
        let mut quads = rows;
        for i in 0..4 {
            for half in 0..2 {
                let a = _mm512_castps_pd(pairs[4 * i + half]);
                let b = _mm512_castps_pd(pairs[4 * i + half + 2]);
                quads[4 * i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
                quads[4 * i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
            }
        }
        for j in 0..4 {
            // Quarters 0 and 1, and 2 and 3, of the upper and of the lower eight rows.
            let [a, b, c, d] = [quads[j], quads[4 + j], quads[8 + j], quads[12 + j]];
            let upper = [_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b)];
            let lower = [_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xdd>(c, d)];
            for odd in 0..2 {
                let first = _mm512_shuffle_f32x4::<0x88>(upper[odd], lower[odd]);
                let second = _mm512_shuffle_f32x4::<0xdd>(upper[odd], lower[odd]);
                _mm512_storeu_ps(to.add((4 * odd + j) * strides[1]), first);
                _mm512_storeu_ps(to.add((8 + 4 * odd + j) * strides[1]), second);
            }
        }
    }
}

/// [`Vector::turn`] of 8 rows of 8: interleaved by single numbers, then by quarters of a vector.
///
/// # Safety
/// The CPU must have AVX-512; both squares must be valid.
#[inline(always)]
#[expect(clippy::needless_range_loop)]
unsafe fn turn_8(from: *const f64, to: *mut f64, strides: [usize; 2]) {
    // SAFETY: by the caller.
    unsafe {
        let mut rows = [_mm512_setzero_pd(); 8];
        for i in 0..8 {
            rows[i] = _mm512_loadu_pd(from.add(i * strides[0]));
        }
        // Vector 2 i + j: column 2 q + j of rows 2 i, 2 i + 1 in quarter q.
        let mut pairs = rows;
        for i in 0..4 {
            pairs[2 * i] = _mm512_unpacklo_pd(rows[2 * i], rows[2 * i + 1]);
            pairs[2 * i + 1] = _mm512_unpackhi_pd(rows[2 * i], rows[2 * i + 1]);
        }
        for j in 0..2 {
            let [a, b, c, d] = [pairs[j], pairs[2 + j], pairs[4 + j], pairs[6 + j]];
            let upper = [_mm512_shuffle_f64x2::<0x88>(a, b), _mm512_shuffle_f64x2::<0xdd>(a, b)];
            let lower = [_mm512_shuffle_f64x2::<0x88>(c, d), _mm512_shuffle_f64x2::<0xdd>(c, d)];
            for odd in 0..2 {
                let first = _mm512_shuffle_f64x2::<0x88>(upper[odd], lower[odd]);
                let second = _mm512_shuffle_f64x2::<0xdd>(upper[odd], lower[odd]);
                _mm512_storeu_pd(to.add((2 * odd + j) * strides[1]), first);
                _mm512_storeu_pd(to.add((4 + 2 * odd + j) * strides[1]), second);
            }
        }
    }
}

/// As [`super::prefetch`].
#[inline(always)]
pub fn prefetch<T>(memory: &[T]) {
    const LINE: usize = 64;
    let start = memory.as_ptr().cast::<i8>();
    for line in (0..size_of_val(memory)).step_by(LINE) {
        // SAFETY: a hint, of which no address can go wrong; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(line)) };
    }
}
