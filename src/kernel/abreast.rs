//! [`Abreast`]: several arrays of one shape, read in one order, a row of each at a time.
//!
//! Nothing here knows what is computed of the rows, so that it is compiled once for each number of arrays and not once for each
//! formula. What is done for every element is a loop over places, not the standard library's `map` or `zip` of arrays: those are a
//! dozen functions to each closure, some of which are inlined only where all of them lie in one of the crate's units.

use super::buffer::{Buffer, Element};
use super::order::Strided;
use crate::scalar::Scalar;
use ndarray::ArrayViewD;

/// Arrays that are read side by side.
pub(super) struct Abreast<'a, S: Element, const N: usize>([Strided<'a, S>; N]);

impl<'a, S: Scalar, const N: usize> Abreast<'a, S, N> {
    /// Reads each of these along these of its axes, the slowest first.
    pub fn along(arrays: &[ArrayViewD<'a, S>; N], axes: &[usize]) -> Self {
        Self(arrays.each_ref().map(|x| Strided::along(x, axes.iter().copied())))
    }

    /// `length` elements of each from place `start` on.
    pub fn read<'b>(&'b self, start: usize, length: usize, scratch: &'b mut Scratch<S, N>) -> [&'b [S]; N] {
        let mut rows: [&[S]; N] = [&[]; N];
        for ((row, x), scratch) in rows.iter_mut().zip(&self.0).zip(&mut scratch.0) {
            *row = x.read(start, length, scratch);
        }
        rows
    }
}

/// Room for the rows of arrays that do not lie in the order in which they are read.
pub(super) struct Scratch<S: Element, const N: usize>([Buffer<S>; N]);

impl<S: Element, const N: usize> Default for Scratch<S, N> {
    fn default() -> Self {
        Self([(); N].map(|()| Buffer::default()))
    }
}

/// `length` elements of each slice from place `start` on.
#[inline]
pub(super) fn parts<S, const N: usize>(mut slices: [&[S]; N], start: usize, length: usize) -> [&[S]; N] {
    for slice in &mut slices {
        *slice = &slice[start..][..length];
    }
    slices
}

/// What each slice holds at place `i`.
#[inline(always)]
pub(super) fn at<S: Scalar, const N: usize>(slices: &[&[S]; N], i: usize) -> [S; N] {
    let mut elements = [S::ZERO; N];
    for (j, element) in elements.iter_mut().enumerate() {
        *element = slices[j][i];
    }
    elements
}

/// [`at`], each widened.
#[inline(always)]
pub(super) fn wide_at<S: Scalar, const N: usize>(slices: &[&[S]; N], i: usize) -> [S::Wide; N] {
    let mut elements = [S::Wide::ZERO; N];
    for (j, element) in elements.iter_mut().enumerate() {
        *element = slices[j][i].widen();
    }
    elements
}
