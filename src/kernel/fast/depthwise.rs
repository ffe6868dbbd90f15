//! Depthwise convolution: every channel by itself, so nothing but rows times numbers.

use super::PerTap;
use super::layout::Rows;
use super::sources::Sources;
use crate::kernel::vector::{Hardware, Vector, Work, run};
use crate::kernel::{buffer, share};
use crate::scalar::Scalar;

/// Sums that a long dot product runs through side by side, to hide the latency of additions.
const CHAINS: usize = 4;

/// Units of work wanted of a weight gradient, so that a few threads come out even, and the least channels of each.
const UNITS: usize = 16;
const CHANNELS: usize = 4;

/// Fills `y` `[pixels, c, n]`: each row the sum over its sources of `w[c, tap]` times the source's row, plus `bias[c]`.
pub(super) fn product<'x, H: Hardware>(
    sources: &Sources,
    x: &'x Rows<'x, H>,
    w: &[H],
    bias: Option<&[H]>,
    y: &mut [H],
) {
    let taps = w.len() / x.channels;
    let unit = |found: &mut PerTap<(usize, &'x [H])>, pixel: usize, y: &mut [H]| {
        found.clear();
        found.extend(sources.of(pixel).map(|(tap, source)| (tap, x.pixel(source))));
        run(Pixel { sources: found, n: x.n, w, taps, bias, y });
    };
    let work = y.len() * taps;
    share::chunks_with(y, x.channels * x.n, work, PerTap::new, unit);
}

/// One destination pixel.
struct Pixel<'a, H: Hardware> {
    /// Taps with their source pixels, `[c, n]` each.
    sources: &'a [(usize, &'a [H])],
    n: usize,
    /// `[c, taps]`.
    w: &'a [H],
    taps: usize,
    bias: Option<&'a [H]>,
    /// `[c, n]`.
    y: &'a mut [H],
}

impl<H: Hardware> Work for Pixel<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const WIDE: usize>(self) {
        let (n, sources) = (self.n, self.sources);
        let rows = self.y.chunks_exact_mut(n).zip(self.w.chunks_exact(self.taps)).enumerate();
        for (c, (y, w)) in rows {
            let bias = self.bias.map(|bias| bias[c]);
            let row = |pixel: &[H]| pixel[c * n..][..n].as_ptr();
            let mut lane = 0;
            while lane < n {
                let count = V::LANES.min(n - lane);
                // SAFETY: V by the caller; `count` lanes from `lane` on lie within each row of n.
                unsafe {
                    let mut sum = V::splat(H::ZERO);
                    let to = y.as_mut_ptr().add(lane);
                    let is_whole = count == V::LANES;
                    if is_whole {
                        for &(tap, pixel) in sources {
                            sum = V::splat(w[tap]).mul_add(V::load(row(pixel).add(lane)), sum);
                        }
                    } else {
                        for &(tap, pixel) in sources {
                            sum = V::splat(w[tap]).mul_add(V::load_first(row(pixel).add(lane), count), sum);
                        }
                    }
                    // Last: beside a large bias each product would be rounded to the bias's last place.
                    if let Some(bias) = bias {
                        sum = V::splat(bias).add(sum);
                    }
                    if is_whole { sum.store(to) } else { sum.store_first(to, count) }
                }
                lane += count;
            }
        }
    }
}

/// `dw[c, tap]`: the dot product of the channel's outputs dy with the inputs that the tap reads. `sources` are those of
/// outputs.
pub(super) fn weight_gradient<H: Hardware>(sources: &Sources, x: &Rows<H>, dy: &Rows<H>, taps: usize) -> Vec<H> {
    let mut dw = buffer::stale(x.channels * taps);
    let channels = x.channels.div_ceil(UNITS).max(CHANNELS);
    share::chunks(&mut dw, channels * taps, dy.elements.len() * taps, |index, dw| {
        run(Channels { sources, x, dy, taps, first: index * channels, dw });
    });
    dw
}

/// The weight gradients of some channels.
struct Channels<'a, H: Hardware> {
    sources: &'a Sources,
    x: &'a Rows<'a, H>,
    dy: &'a Rows<'a, H>,
    taps: usize,
    first: usize,
    /// `[channels, taps]`.
    dw: &'a mut [H],
}

impl<H: Hardware> Work for Channels<'_, H> {
    type Element = H;

    #[inline(always)]
    unsafe fn run<V: Vector<Element = H>, const WIDE: usize>(self) {
        let n = self.x.n;
        let mut sums = PerTap::new();
        for (channel, dw) in (self.first..).zip(self.dw.chunks_exact_mut(self.taps)) {
            let from = channel * n;
            // SAFETY: V by the caller.
            unsafe {
                sums.clear();
                sums.resize(self.taps, V::splat(H::ZERO));
                for pixel in 0..self.sources.pixels() {
                    let dy = &self.dy.pixel(pixel)[from..][..n];
                    for (tap, source) in self.sources.of(pixel) {
                        sums[tap] = sums[tap].add(dot(dy, &self.x.pixel(source)[from..][..n]));
                    }
                }
                for (dw, sum) in dw.iter_mut().zip(&sums) {
                    *dw = sum.sum();
                }
            }
        }
    }
}

/// The dot product of two rows of one length, by lanes.
///
/// # Safety
/// As [`Vector`].
#[inline(always)]
#[expect(clippy::needless_range_loop)]
pub(super) unsafe fn dot<V: Vector>(a: &[V::Element], b: &[V::Element]) -> V {
    let (n, b) = (a.len(), &b[..a.len()]);
    let (a, b) = (a.as_ptr(), b.as_ptr());
    // SAFETY: every load ends at or before n.
    unsafe {
        let mut chains = [V::splat(V::Element::ZERO); CHAINS];
        let mut i = 0;
        while i + CHAINS * V::LANES <= n {
            for j in 0..CHAINS {
                let at = i + j * V::LANES;
                chains[j] = V::load(a.add(at)).mul_add(V::load(b.add(at)), chains[j]);
            }
            i += CHAINS * V::LANES;
        }
        while i + V::LANES <= n {
            chains[0] = V::load(a.add(i)).mul_add(V::load(b.add(i)), chains[0]);
            i += V::LANES;
        }
        if i < n {
            chains[1] = V::load_first(a.add(i), n - i).mul_add(V::load_first(b.add(i), n - i), chains[1]);
        }
        chains[0].add(chains[1]).add(chains[2].add(chains[3]))
    }
}
