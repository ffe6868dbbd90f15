//! Convolution and its two adjoints with a weight of which few entries live: a row times a number for each of them, and
//! nothing for the others.

mod product;
mod sampled;

use super::layout::{Rows, images};
use super::sources::Sources;
use crate::kernel::buffer::{self, Buffer, Elements};
use crate::kernel::vector::{Hardware, on_hardware, prefetch};
use crate::kernel::{Pattern, Window};
use crate::scalar::Scalar;
use ndarray::{Array1, Array4, ArrayView1, ArrayView4};
use product::{Living, product};

/// As [`sparse_conv2d`](crate::kernel::sparse_conv2d); `None` for number systems without vectors.
pub(in crate::kernel) fn sparse_conv2d<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    w: (&Pattern, &[S]),
    bias: Option<ArrayView1<S>>,
) -> Option<Array4<S>> {
    on_hardware!(S, forward(window, x, w, bias))
}

/// As [`sparse_conv2d_input_gradient`](crate::kernel::sparse_conv2d_input_gradient); `None` as above.
pub(in crate::kernel) fn sparse_conv2d_input_gradient<S: Scalar>(
    window: Window,
    dy: ArrayView4<S>,
    w: (&Pattern, &[S]),
    x_shape: [usize; 4],
) -> Option<Array4<S>> {
    on_hardware!(S, input_gradient(window, dy, w, x_shape))
}

/// As [`sparse_conv2d_weight_gradient`](crate::kernel::sparse_conv2d_weight_gradient); `None` as above.
pub(in crate::kernel) fn sparse_conv2d_weight_gradient<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    pattern: &Pattern,
) -> Option<Array1<S>> {
    on_hardware!(S, weight_gradient(window, x, dy, pattern))
}

fn forward<H: Hardware>(
    window: Window,
    x: ArrayView4<H>,
    (pattern, values): (&Pattern, &[H]),
    bias: Option<ArrayView1<H>>,
) -> Array4<H> {
    let [o, c, kh, kw] = pattern.filters();
    let shape @ [n, _, oh, ow] = window.output_shape(x.dim(), (o, c, kh, kw));
    let mut y = buffer::stale(n * o * oh * ow);
    if !y.is_empty() {
        let x = Rows::of(x);
        let bias = bias.map(Elements::of);
        let sources = Sources::of_outputs(window, [kh, kw], x.extent, [oh, ow]);
        let of_group = (o / window.groups, c * kh * kw);
        let weights = Living { starts: pattern.starts(), keys: pattern.columns(), values, of_group };
        product(&sources, &x, &weights, bias.as_deref(), &mut y);
    }
    images(shape, y)
}

fn input_gradient<H: Hardware>(
    window: Window,
    dy: ArrayView4<H>,
    (pattern, values): (&Pattern, &[H]),
    x_shape: [usize; 4],
) -> Array4<H> {
    let [_, _, kh, kw] = pattern.filters();
    let mut dx = buffer::stale(x_shape.iter().product());
    if !dx.is_empty() {
        let dy = Rows::of(dy);
        let sources = Sources::of_inputs(window, [kh, kw], [x_shape[2], x_shape[3]], dy.extent);
        let turned = pattern.turned(window.groups);
        let mut in_turn = Buffer::stale(values.len());
        in_turn.iter_mut().zip(&turned.positions).for_each(|(to, &position)| *to = values[position as usize]);
        let (starts, keys) = (&turned.starts, &turned.keys);
        product(&sources, &dy, &Living { starts, keys, values: &in_turn, of_group: (x_shape[1], 0) }, None, &mut dx);
    }
    images(x_shape, dx)
}

fn weight_gradient<H: Hardware>(window: Window, x: ArrayView4<H>, dy: ArrayView4<H>, pattern: &Pattern) -> Array1<H> {
    if dy.is_empty() || pattern.nnz() == 0 {
        return Array1::from_elem(pattern.nnz(), H::ZERO);
    }
    let (x, dy) = (Rows::of(x), Rows::of(dy));
    let [_, _, kh, kw] = pattern.filters();
    let sources = Sources::of_outputs(window, [kh, kw], x.extent, dy.extent);
    sampled::weight_gradient(&sources, &x, &dy, pattern, window.groups).into()
}

/// Where the sources of one destination pixel after another lie: a thread's, whatever pixels it takes.
///
/// The *key* of a source row is `channel * taps + tap`: the columns of a [`Pattern`] are keys within a group, seen from
/// the outputs.
struct Places<'a, H: Hardware> {
    sources: &'a Sources,
    x: &'a Rows<'a, H>,
    /// The tap and source pixel of each term of the pixel's sum.
    found: Buffer<(usize, usize)>,
    /// By key, where the row began for the pixel for which they were last looked up. Empty where there is one tap: then
    /// rows lie in the order of their keys.
    rows: Buffer<usize>,
    /// How much further it begins for this pixel: the next pixel's sources are mostly the next ones.
    shift: usize,
}

/// The place of what is padding.
const OUTSIDE: usize = usize::MAX;

impl<'a, H: Hardware> Places<'a, H> {
    /// Of no pixel yet.
    fn new(sources: &'a Sources, x: &'a Rows<H>) -> Self {
        let mut rows = Buffer::stale(if sources.taps() == 1 { 0 } else { x.channels * sources.taps() });
        rows.fill(OUTSIDE);
        Self { sources, x, found: Buffer::with_room(sources.taps()), rows, shift: OUTSIDE }
    }

    /// Finds the sources of a pixel, and has those of the next one that this one does not share fetched from memory.
    #[inline(always)]
    fn find(&mut self, pixel: usize) {
        let size = self.x.channels * self.x.n;
        let further = match (self.found.first(), self.sources.of(pixel).next()) {
            (Some(&(_, before)), Some((_, now))) => now.wrapping_sub(before),
            _ => 0,
        };
        let mut before = self.found.iter();
        let is_shifted = self.sources.of(pixel).all(|(tap, source)| {
            before.next().is_some_and(|&(old_tap, old)| tap == old_tap && source == old.wrapping_add(further))
        }) && before.next().is_none();
        if is_shifted {
            self.shift = self.shift.wrapping_add(further.wrapping_mul(size));
            self.found.iter_mut().for_each(|(_, source)| *source = source.wrapping_add(further));
        } else {
            self.look_up(pixel, size);
        }
        if let Some(next) = self.found.last().map(|&(_, source)| source + 1).filter(|next| *next < self.x.pixels()) {
            prefetch(self.x.pixel(next));
        }
    }

    fn look_up(&mut self, pixel: usize, size: usize) {
        self.shift = 0;
        self.found.truncate(0);
        self.found.extend(self.sources.of(pixel));
        let taps = self.sources.taps();
        if taps == 1 {
            self.shift = self.found.first().map_or(OUTSIDE, |&(_, source)| source * size);
            return;
        }
        if self.found.len() < taps {
            self.rows.fill(OUTSIDE);
        }
        for &(tap, source) in self.found.iter() {
            let rows = self.rows[tap..].iter_mut().step_by(taps);
            rows.enumerate().for_each(|(channel, row)| *row = source * size + channel * self.x.n);
        }
    }

    /// The rows of sources whose keys are `first ..`.
    #[inline(always)]
    fn from(&self, first: usize) -> Found<'_, H> {
        let (x, n, shift) = (&*self.x.elements, self.x.n, self.shift);
        match self.sources.taps() {
            1 if shift == OUTSIDE => Found { x, rows: None, shift, n },
            1 => Found { x, rows: None, shift: shift + first * n, n },
            _ => Found { x, rows: Some(&self.rows[first..]), shift, n },
        }
    }
}

/// Source rows of one pixel by key.
#[derive(Clone, Copy)]
struct Found<'a, H> {
    x: &'a [H],
    /// Where each begins, but for the shift; `None` where they lie one after another.
    rows: Option<&'a [usize]>,
    shift: usize,
    n: usize,
}

impl<'a, H: Hardware> Found<'a, H> {
    /// `None` for padding.
    #[inline(always)]
    fn row(&self, key: u32) -> Option<&'a [H]> {
        let row = match self.rows {
            Some(rows) => rows[key as usize],
            None if self.shift == OUTSIDE => OUTSIDE,
            None => key as usize * self.n,
        };
        if row == OUTSIDE {
            return None;
        }
        Some(&self.x[row.wrapping_add(self.shift)..][..self.n])
    }
}
