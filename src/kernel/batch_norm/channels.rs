//! The values of each channel, in either order of memory, and sums over them.

use crate::kernel::buffer::{Buffer, Elements};
use crate::kernel::flat;
use crate::kernel::order::{Order, Strided};
use crate::kernel::{Argument, Kernel, Loop, OnHost, Shape, recycle_argument, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use std::ops::Range;

/// Elements of a block of channels whose sums run side by side: these stay in the first-level cache, and a block's share of
/// a pixel is long enough to be read ahead.
const BLOCK: usize = 2048;

/// Pixels of a slab, whose sums are by themselves.
const SLAB: usize = 128;

/// x `[n,c,h,w]` or `[n,c]` as `[outer][channel][inner]`: row-major, outer counts images and inner pixels;
/// batch-innermost, outer counts pixels and inner images.
pub(super) struct Channels<'a, S: Scalar> {
    elements: Elements<'a, S>,
    order: Order,
    shape: Shape,
    outer: usize,
    inner: usize,
}

impl<'a, S: Scalar> Channels<'a, S> {
    /// `x` in its own order.
    pub fn of(kernel: Kernel, x: &ArrayViewD<'a, S>) -> Self {
        Self::in_order(kernel, x, Order::of_batch(kernel, x))
    }

    /// `x` in the order of another array.
    pub fn in_order_of(kernel: Kernel, x: &ArrayViewD<'a, S>, other: &Channels<S>) -> Self {
        Self::in_order(kernel, x, other.order.clone())
    }

    fn in_order(kernel: Kernel, x: &ArrayViewD<'a, S>, order: Order) -> Self {
        let (images, pixels) = (x.shape()[0], x.shape()[2..].iter().product());
        let (outer, inner) = if order.is_row_major() { (images, pixels) } else { (pixels, images) };
        Self { elements: Strided::of(x, &order).all(kernel), order, shape: x.shape().into(), outer, inner }
    }

    /// The number of channels.
    pub fn count(&self) -> usize {
        self.shape[1]
    }

    /// The number m of values per channel.
    pub fn values(&self) -> usize {
        self.outer * self.inner
    }

    /// The first value of a channel. There must be one.
    pub fn first(&self, channel: usize) -> S {
        self.elements[channel * self.inner]
    }

    #[inline(always)]
    fn row(&self, outer: usize, channel: usize) -> &[S] {
        &self.elements[(outer * self.count() + channel) * self.inner..][..self.inner]
    }

    /// `f(parameters[channel], x, y)` for every pair of values, as an array in this order.
    pub fn zip<P: Copy + Sync>(
        &self,
        kernel: Kernel,
        y: &Channels<S>,
        parameters: &[P],
        f: impl Fn(P, S::Wide, S::Wide) -> S::Wide + Sync,
    ) -> ArrayD<S> {
        flat::from_rows(kernel, &self.order, &self.shape, self.count() * self.inner, |outer, block| {
            vectorised_loop(Block { x: self, y: Some(y), outer, block, parameters, f: &f });
        })
    }

    /// [`zip`](Self::zip) with the values of `y`, written over them if they are given for good and lie in this order.
    pub fn zip_over<P: Copy + Sync>(
        &self,
        kernel: Kernel,
        y: Argument<S>,
        parameters: &[P],
        f: impl Fn(P, S::Wide, S::Wide) -> S::Wide + Sync,
    ) -> ArrayD<S> {
        let lies_alike = y.view().permuted_axes(self.order.axes()).is_standard_layout();
        if !(y.is_owned() && lies_alike) {
            let z = self.zip(kernel, &Channels::in_order_of(kernel, &y.view(), self), parameters, f);
            recycle_argument(y);
            return z;
        }
        let mut y = y.into_owned();
        let ys = y.as_slice_memory_order_mut().unwrap_or_default();
        flat::fill_rows(kernel, ys, self.count() * self.inner, &|outer, block| {
            vectorised_loop(Block { x: self, y: None, outer, block, parameters, f: &f });
        });
        y
    }

    /// For each channel the two sums of `terms(parameters[channel], x, y)` over its pairs of values.
    ///
    /// [`Kernel::Literal`] adds the terms one by one, in increasing order of image, row and column. [`Kernel::Fast`]
    /// adds up those of a slab of [`SLAB`] pixels for every image by itself, then the images, and then the slabs: whatever
    /// the order of memory, these are the same sums.
    pub fn sums<P: Copy + Sync>(
        &self,
        kernel: Kernel,
        y: &Self,
        parameters: &[P],
        terms: impl Fn(P, S::Wide, S::Wide) -> [S::Wide; 2] + Sync,
    ) -> Buffer<[S::Wide; 2]> {
        if kernel.on_host() == OnHost::Literal {
            return (0..self.count()).map(|c| self.in_one(y, c, |x, y| terms(parameters[c], x, y))).collect();
        }
        let pixels = self.values() / self.shape[0].max(1);
        let block = (BLOCK / self.shape[0].max(1)).max(1);
        let (blocks, slabs) = (self.count().div_ceil(block), pixels.div_ceil(SLAB));
        // parts: [blocks, slabs, block]
        let mut parts = Buffer::stale(blocks * slabs * block);
        flat::fill_sums(kernel, self.elements.len(), &mut parts, block, &|i, part| {
            let (channels, pixels) = (range(i / slabs, block, self.count()), range(i % slabs, SLAB, pixels));
            if self.order.is_row_major() {
                let sums = |c: usize| self.by_row(y, c, pixels.clone(), |x, y| terms(parameters[c], x, y));
                part.iter_mut().zip(channels).for_each(|(part, c)| *part = sums(c));
            } else {
                let (first, parameters) = (channels.start, &parameters[channels]);
                vectorised_loop(ByLane { x: self, y, first, pixels, parameters, terms: &terms, sums: part });
            }
        });
        let mut sums = Buffer::zeros(self.count());
        for (i, part) in parts.chunks_exact(block).enumerate() {
            sums[i / slabs * block..].iter_mut().zip(part).for_each(|(sums, part)| add(sums, *part));
        }
        sums
    }

    /// The sums over one channel, term by term.
    #[inline(always)]
    fn in_one(&self, y: &Self, channel: usize, terms: impl Fn(S::Wide, S::Wide) -> [S::Wide; 2]) -> [S::Wide; 2] {
        let mut sums = [S::Wide::ZERO; 2];
        for outer in 0..self.outer {
            for (x, y) in self.row(outer, channel).iter().zip(y.row(outer, channel)) {
                add(&mut sums, terms(x.widen(), y.widen()));
            }
        }
        sums
    }

    /// The sums over some pixels of one channel whose rows are images, row by row.
    #[inline(always)]
    fn by_row(
        &self,
        y: &Self,
        channel: usize,
        pixels: Range<usize>,
        terms: impl Fn(S::Wide, S::Wide) -> [S::Wide; 2],
    ) -> [S::Wide; 2] {
        let mut sums = [S::Wide::ZERO; 2];
        for outer in 0..self.outer {
            let mut of_image = [S::Wide::ZERO; 2];
            let (x, y) = (&self.row(outer, channel)[pixels.clone()], &y.row(outer, channel)[pixels.clone()]);
            for (x, y) in x.iter().zip(y) {
                add(&mut of_image, terms(x.widen(), y.widen()));
            }
            add(&mut sums, of_image);
        }
        sums
    }
}

/// The `i`-th range of so many places, the last one up to `end`.
fn range(i: usize, places: usize, end: usize) -> Range<usize> {
    i * places..end.min((i + 1) * places)
}

/// [`Channels::zip`] for one place of the outermost axis, or [`Channels::zip_over`].
struct Block<'a, S: Scalar, P, F> {
    x: &'a Channels<'a, S>,
    /// `None` where the block holds them.
    y: Option<&'a Channels<'a, S>>,
    outer: usize,
    block: &'a mut [S],
    parameters: &'a [P],
    f: &'a F,
}

impl<S: Scalar, P: Copy, F: Fn(P, S::Wide, S::Wide) -> S::Wide> Loop for Block<'_, S, P, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { x, y, outer, block, parameters, f } = self;
        for (channel, &of_channel) in parameters.iter().enumerate() {
            let row = &mut block[channel * x.inner..][..x.inner];
            let pairs = row.iter_mut().zip(x.row(outer, channel));
            match y {
                Some(y) => pairs.zip(y.row(outer, channel)).for_each(|((z, x), y)| {
                    *z = S::narrow(f(of_channel, x.widen(), y.widen()));
                }),
                None => pairs.for_each(|(y, x)| *y = S::narrow(f(of_channel, x.widen(), y.widen()))),
            }
        }
    }
}

/// The sums over some pixels of the channels from `first` on, whose rows hold a value of every image: images side by side.
struct ByLane<'a, S: Scalar, P, F> {
    x: &'a Channels<'a, S>,
    y: &'a Channels<'a, S>,
    first: usize,
    pixels: Range<usize>,
    parameters: &'a [P],
    terms: &'a F,
    /// Of each channel.
    sums: &'a mut [[S::Wide; 2]],
}

impl<S: Scalar, P: Copy, F: Fn(P, S::Wide, S::Wide) -> [S::Wide; 2]> Loop for ByLane<'_, S, P, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { x, y, first, pixels, parameters, terms, sums } = self;
        let mut of_images = [(); 2].map(|()| Buffer::<S::Wide>::zeros(parameters.len() * x.inner));
        let [a, b] = &mut of_images;
        for outer in pixels {
            for (i, &of_channel) in parameters.iter().enumerate() {
                let [a, b] = [&mut *a, &mut *b].map(|sums| &mut sums[i * x.inner..][..x.inner]);
                let pairs = x.row(outer, first + i).iter().zip(y.row(outer, first + i));
                for ((a, b), (xi, yi)) in a.iter_mut().zip(b).zip(pairs) {
                    let [of_a, of_b] = terms(of_channel, xi.widen(), yi.widen());
                    *a += of_a;
                    *b += of_b;
                }
            }
        }
        for (i, sums) in sums.iter_mut().enumerate().take(parameters.len()) {
            *sums = [S::Wide::ZERO; 2];
            (i * x.inner..(i + 1) * x.inner).for_each(|at| add(sums, [a[at], b[at]]));
        }
    }
}

#[inline(always)]
fn add<W: Scalar>(sums: &mut [W; 2], terms: [W; 2]) {
    sums[0] += terms[0];
    sums[1] += terms[1];
}
