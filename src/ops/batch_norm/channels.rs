//! The values of each channel, in either order of memory, and sums over them.

use crate::kernel::buffer::Buffer;
use crate::kernel::{Kernel, Loop, vectorised_loop};
use crate::ops::flat;
use crate::ops::order::{Order, Strided};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use std::borrow::Cow;

/// Elements of a block of channels whose sums run side by side: these stay in the first-level cache.
const BLOCK: usize = 512;

/// x `[n,c,h,w]` or `[n,c]` as `[outer][channel][inner]`: row-major, outer counts images and inner pixels;
/// batch-innermost, outer counts pixels and inner images.
pub(super) struct Channels<'a, S: Scalar> {
    elements: Cow<'a, [S]>,
    order: Order,
    shape: Vec<usize>,
    outer: usize,
    inner: usize,
}

impl<'a, S: Scalar> Channels<'a, S> {
    /// `x` in its own order.
    pub fn of(kernel: Kernel, x: &ArrayViewD<'a, S>) -> Self {
        Self::in_order(kernel, x, Order::of_batch(kernel, x))
    }

    /// `x` in the order of another array.
    pub fn in_order_of(kernel: Kernel, x: &ArrayViewD<'a, S>, other: &Self) -> Self {
        Self::in_order(kernel, x, other.order.clone())
    }

    fn in_order(kernel: Kernel, x: &ArrayViewD<'a, S>, order: Order) -> Self {
        let (images, pixels) = (x.shape()[0], x.shape()[2..].iter().product());
        let (outer, inner) = if order.is_row_major() { (images, pixels) } else { (pixels, images) };
        Self { elements: Strided::of(x, &order).all(kernel), order, shape: x.shape().to_vec(), outer, inner }
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
        y: &Self,
        parameters: &[P],
        f: impl Fn(P, S::Wide, S::Wide) -> S::Wide + Sync,
    ) -> ArrayD<S> {
        flat::from_rows(kernel, &self.order, &self.shape, self.count() * self.inner, |outer, block| {
            vectorised_loop(Block { x: self, y, outer, block, parameters, f: &f });
        })
    }

    /// For each channel the two sums of `terms(parameters[channel], x, y)` over its pairs of values.
    ///
    /// [`Kernel::Literal`] adds the terms one by one, in increasing order of image, row and column. [`Kernel::Fast`]
    /// adds up those of every image by themselves, and then the images: whatever the order of memory, these are
    /// the same sums.
    pub fn sums<P: Copy + Sync>(
        &self,
        kernel: Kernel,
        y: &Self,
        parameters: &[P],
        terms: impl Fn(P, S::Wide, S::Wide) -> [S::Wide; 2] + Sync,
    ) -> Vec<[S::Wide; 2]> {
        let block = (BLOCK / self.inner.max(1)).max(1);
        let blocks = flat::collect(kernel, self.count().div_ceil(block), |i| {
            let channels = i * block..self.count().min((i + 1) * block);
            match (kernel, self.order.is_row_major()) {
                (Kernel::Literal, _) => {
                    channels.map(|c| self.in_one(y, c, |x, y| terms(parameters[c], x, y))).collect()
                }
                (Kernel::Fast, true) => {
                    channels.map(|c| self.by_row(y, c, |x, y| terms(parameters[c], x, y))).collect()
                }
                (Kernel::Fast, false) => vectorised_loop(ByLane {
                    x: self,
                    y,
                    first: channels.start,
                    parameters: &parameters[channels],
                    terms: &terms,
                }),
            }
        });
        blocks.into_iter().flatten().collect()
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

    /// The sums over one channel whose rows are images, row by row.
    #[inline(always)]
    fn by_row(&self, y: &Self, channel: usize, terms: impl Fn(S::Wide, S::Wide) -> [S::Wide; 2]) -> [S::Wide; 2] {
        let mut sums = [S::Wide::ZERO; 2];
        for outer in 0..self.outer {
            let mut of_image = [S::Wide::ZERO; 2];
            for (x, y) in self.row(outer, channel).iter().zip(y.row(outer, channel)) {
                add(&mut of_image, terms(x.widen(), y.widen()));
            }
            add(&mut sums, of_image);
        }
        sums
    }
}

/// [`Channels::zip`] for one place of the outermost axis.
struct Block<'a, S: Scalar, P, F> {
    x: &'a Channels<'a, S>,
    y: &'a Channels<'a, S>,
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
            for ((z, x), y) in row.iter_mut().zip(x.row(outer, channel)).zip(y.row(outer, channel)) {
                *z = S::narrow(f(of_channel, x.widen(), y.widen()));
            }
        }
    }
}

/// The sums over the channels from `first` on, whose rows hold a value of every image: images side by side.
struct ByLane<'a, S: Scalar, P, F> {
    x: &'a Channels<'a, S>,
    y: &'a Channels<'a, S>,
    first: usize,
    parameters: &'a [P],
    terms: &'a F,
}

impl<S: Scalar, P: Copy, F: Fn(P, S::Wide, S::Wide) -> [S::Wide; 2]> Loop for ByLane<'_, S, P, F> {
    type Output = Vec<[S::Wide; 2]>;

    #[inline(always)]
    fn run(self) -> Vec<[S::Wide; 2]> {
        let Self { x, y, first, parameters, terms } = self;
        let mut of_images = [(); 2].map(|()| Buffer::<S::Wide>::zeros(parameters.len() * x.inner));
        let [a, b] = &mut of_images;
        for outer in 0..x.outer {
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
        let over_images = |i: usize| {
            let mut sums = [S::Wide::ZERO; 2];
            (i * x.inner..(i + 1) * x.inner).for_each(|at| add(&mut sums, [a[at], b[at]]));
            sums
        };
        (0..parameters.len()).map(over_images).collect()
    }
}

#[inline(always)]
fn add<W: Scalar>(sums: &mut [W; 2], terms: [W; 2]) {
    sums[0] += terms[0];
    sums[1] += terms[1];
}
