//! A batch of images as a sequence of planes, one per image and channel.

use super::flat;
use crate::kernel::Kernel;
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use std::borrow::Cow;

/// x `[n,c,h,w]` as n * c planes of h * w pixels, in row-major order; `[n,c]` counts as `[n,c,1,1]`.
pub(super) struct Planes<'a, S: Scalar> {
    elements: Cow<'a, [S]>,
    pub n: usize,
    pub c: usize,
    pub h: usize,
    pub w: usize,
}

impl<'a, S: Scalar> Planes<'a, S> {
    /// `x` must have the rank 2 or 4.
    pub fn of(x: &ArrayViewD<'a, S>) -> Self {
        let extent = |axis: usize| x.shape().get(axis).copied().unwrap_or(1);
        Self { elements: flat::flat(x), n: extent(0), c: extent(1), h: extent(2), w: extent(3) }
    }

    /// How many planes there are.
    pub fn count(&self) -> usize {
        self.n * self.c
    }

    /// How many pixels a plane has.
    pub fn pixels(&self) -> usize {
        self.h * self.w
    }

    /// Plane `i`: channel `i mod c` of image `i / c`.
    pub fn get(&self, i: usize) -> &[S] {
        &self.elements[i * self.pixels()..][..self.pixels()]
    }

    /// The planes of one channel, image by image.
    pub fn of_channel(&self, channel: usize) -> impl Iterator<Item = &[S]> {
        (0..self.n).map(move |image| self.get(image * self.c + channel))
    }
}

/// An array of `shape` `[n,c,h,w]` whose planes `add(index, plane of zeros)` sums up in [`Scalar::Wide`], each pixel
/// rounded once.
pub(super) fn summed<S: Scalar>(
    kernel: Kernel,
    shape: &[usize],
    add: impl Fn(usize, &mut [S::Wide]) + Sync,
) -> ArrayD<S> {
    let pixels = shape[2] * shape[3];
    flat::from_rows(kernel, shape, pixels, |i, plane| {
        let mut sums = vec![S::Wide::ZERO; pixels];
        add(i, &mut sums);
        for (x, &sum) in plane.iter_mut().zip(&sums) {
            *x = S::narrow(sum);
        }
    })
}
