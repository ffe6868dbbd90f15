//! The weight gradient, where weights live.

use super::{Found, Places};
use crate::kernel::Pattern;
use crate::kernel::buffer::{self, Buffer};
use crate::kernel::fast::layout::Rows;
use crate::kernel::fast::sources::Sources;
use crate::kernel::share;
use crate::kernel::vector::{Hardware, Vector, Work, prefetch, run};
use std::ops::Range;

/// Vectors of a row of the output's gradient that stay in registers while all rows of inputs are multiplied with them.
const WIDE: usize = 8;

/// Living weights whose sums, one vector each, stay in a second-level cache.
const SUMS: usize = 1 << 11;

/// Units of work wanted, so that a few threads come out even.
const UNITS: usize = 8;

/// Dot products of the rows that each living weight joins: `[nnz]`.
///
/// Outputs are cut into shares whose sums stay in cache, pixels into slabs with partial sums of their own, added in order.
pub(super) fn weight_gradient<H: Hardware>(
    sources: &Sources,
    x: &Rows<H>,
    dy: &Rows<H>,
    pattern: &Pattern,
    groups: usize,
) -> Vec<H> {
    let (nnz, starts) = (pattern.nnz(), pattern.starts());
    let shares = shares(starts, if sources.pixels() == 1 { nnz.div_ceil(UNITS) } else { SUMS });
    let slab = sources.pixels().div_ceil(UNITS.div_ceil(shares.len() - 1));
    let slabs = sources.pixels().div_ceil(slab);
    let mut partials = buffer::stale(slabs * nnz);
    let of_slab = |i: usize, shares: &[usize], dw: &mut [H]| {
        let pixels = i * slab..sources.pixels().min((i + 1) * slab);
        Sampled { sources, x, dy, pattern, groups, pixels }.share_out(shares, dw);
    };
    let work = sources.pixels() * nnz * x.n;
    let all = [0, starts.len() - 1];
    let shares = if share::is_worth(work) { &shares[..] } else { &all };
    share::chunks(&mut partials, nnz, work, |i, dw| of_slab(i, shares, dw));
    let (sum, others) = partials.split_at_mut(nnz);
    for partial in others.chunks_exact(nnz) {
        sum.iter_mut().zip(partial).for_each(|(sum, &x)| *sum += x);
    }
    partials.truncate(nnz);
    partials
}

/// Where shares of consecutive outputs begin, and the last one's end: each has about so many entries (one output's at the
/// least).
fn shares(starts: &[usize], entries: usize) -> Buffer<usize> {
    let mut shares = Buffer::with_room(starts.len());
    shares.push(0);
    let mut first = 0;
    for output in 1..starts.len() {
        if starts[output] - starts[first] >= entries || output + 1 == starts.len() {
            shares.push(output);
            first = output;
        }
    }
    shares
}

/// The gradient of living weights over some pixels.
struct Sampled<'a, H: Hardware> {
    sources: &'a Sources,
    x: &'a Rows<'a, H>,
    dy: &'a Rows<'a, H>,
    pattern: &'a Pattern,
    groups: usize,
    pixels: Range<usize>,
}

impl<H: Hardware> Sampled<'_, H> {
    /// Fills `dw`, the gradient of the outputs of these shares, one share beside another.
    fn share_out(&self, shares: &[usize], dw: &mut [H]) {
        let (first, middle, end) = (shares[0], shares.len() / 2, shares[shares.len() - 1]);
        if shares.len() == 2 {
            return run(Unit { sampled: self, outputs: first..end, dw });
        }
        let starts = self.pattern.starts();
        let (left, right) = dw.split_at_mut(starts[shares[middle]] - starts[first]);
        let work = (left.len() + right.len()) * self.pixels.len() * self.x.n;
        share::both(work, || self.share_out(&shares[..=middle], left), || self.share_out(&shares[middle..], right));
    }
}

/// The gradient of some outputs' weights.
struct Unit<'a, H: Hardware> {
    sampled: &'a Sampled<'a, H>,
    outputs: Range<usize>,
    dw: &'a mut [H],
}

impl<H: Hardware> Work for Unit<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const _WIDE: usize>(self) {
        let Self { sampled, outputs, dw } = self;
        let mut places = Places::new(sampled.sources, sampled.x);
        // SAFETY: V by the caller; sums in chunks of a vector each.
        unsafe {
            if sampled.pixels.len() == 1 {
                dw.fill(H::ZERO);
                sampled.add_pixels::<V, false>(&mut places, outputs, dw);
                return;
            }
            let mut sums = Buffer::<H>::zeros(dw.len() * V::LANES);
            sampled.add_pixels::<V, true>(&mut places, outputs, &mut sums);
            for (dw, sum) in dw.iter_mut().zip(sums.chunks_exact(V::LANES)) {
                *dw = V::load(sum.as_ptr()).sum();
            }
        }
    }
}

impl<H: Hardware> Sampled<'_, H> {
    /// Adds the products at all pixels to each weight's sum: a vector of them with `BY_LANES`, else a number.
    ///
    /// # Safety
    /// As [`Vector`].
    #[inline(always)]
    unsafe fn add_pixels<V: Vector<Element = H>, const BY_LANES: bool>(
        &self,
        places: &mut Places<H>,
        outputs: Range<usize>,
        sums: &mut [H],
    ) {
        let n = self.dy.n;
        let outputs_of_group = self.pattern.filters()[0] / self.groups;
        let size = if BY_LANES { V::LANES } else { 1 };
        for pixel in self.pixels.clone() {
            places.find(pixel);
            if pixel + 1 < self.pixels.end {
                prefetch(self.dy.pixel(pixel + 1));
            }
            let mut rest = &mut sums[..];
            for output in outputs.clone() {
                let keys = self.pattern.row(output);
                let (sums, after) = rest.split_at_mut(keys.len() * size);
                rest = after;
                let x = places.from(output / outputs_of_group * self.pattern.filter_len());
                let rows = Joined { dy: &self.dy.pixel(pixel)[output * n..][..n], x, keys };
                let mut lane = 0;
                while lane < n {
                    let left = n - lane;
                    // SAFETY: V by the caller; the lanes of each stretch lie within a row.
                    unsafe {
                        if left >= WIDE * V::LANES {
                            rows.add::<V, WIDE, false, BY_LANES>(lane, V::LANES, sums);
                            lane += WIDE * V::LANES;
                        } else if left >= V::LANES {
                            rows.add::<V, 1, false, BY_LANES>(lane, V::LANES, sums);
                            lane += V::LANES;
                        } else {
                            rows.add::<V, 1, true, BY_LANES>(lane, left, sums);
                            lane = n;
                        }
                    }
                }
            }
        }
    }
}

/// A row of an output's gradient, and those of the inputs that its living weights join it with.
struct Joined<'a, H: Hardware> {
    dy: &'a [H],
    x: Found<'a, H>,
    keys: &'a [u32],
}

impl<H: Hardware> Joined<'_, H> {
    /// Adds to each weight's sum the products of `SIDE` vectors of both rows from `lane` on. `count`: the lanes of a
    /// vector that lie in the rows (all but in a `PARTIAL` stretch).
    ///
    /// # Safety
    /// As [`Vector`]; `lane + (SIDE - 1) * V::LANES + count` is at most the length of a row.
    #[inline(always)]
    #[expect(clippy::needless_range_loop)]
    unsafe fn add<V: Vector<Element = H>, const SIDE: usize, const PARTIAL: bool, const BY_LANES: bool>(
        &self,
        lane: usize,
        count: usize,
        sums: &mut [H],
    ) {
        let Self { dy, x, keys } = *self;
        // SAFETY: the rows of x are as long as dy, in which the lanes lie by the caller; a vector of sums is a slice of
        // one.
        unsafe {
            let from = dy.as_ptr().add(lane);
            // By index: they stay in registers only if the compiler sees at once that it can unroll.
            let mut dy = [V::splat(H::ZERO); SIDE];
            for j in 0..SIDE {
                dy[j] = if PARTIAL { V::load_first(from, count) } else { V::load(from.add(j * V::LANES)) };
            }
            for i in 0..keys.len() {
                let Some(x) = x.row(keys[i]) else { continue };
                let x = x.as_ptr().add(lane);
                // Two chains, so that additions wait for each other half as long.
                let (mut even, mut odd) = (V::splat(H::ZERO), V::splat(H::ZERO));
                for j in 0..SIDE {
                    let x = if PARTIAL { V::load_first(x, count) } else { V::load(x.add(j * V::LANES)) };
                    if j % 2 == 0 {
                        even = dy[j].mul_add(x, even);
                    } else {
                        odd = dy[j].mul_add(x, odd);
                    }
                }
                let products = even.add(odd);
                if BY_LANES {
                    let sum = sums[i * V::LANES..][..V::LANES].as_mut_ptr();
                    V::load(sum).add(products).store(sum);
                } else {
                    sums[i] += products.sum();
                }
            }
        }
    }
}
