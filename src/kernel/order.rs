//! The order in which an array's elements lie in memory, and reading one array in the order of another.
//!
//! Ops work through arrays in memory order and give their results the same order: an elementwise op keeps any order,
//! an op on images knows two, row-major `[n][c][h][w]` and batch-innermost `[h][w][c][n]`. Only an operand in an
//! order of its own is gathered, chunk by chunk.

use super::flat;
use super::{List, Shape, list};
use crate::kernel::Kernel;
use crate::kernel::buffer::{self, Buffer, Element, Elements};
use ndarray::{ArrayD, ArrayViewD, Axis, Slice};

/// The axes of an array from the slowest to the fastest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order(List<usize>);

impl Order {
    /// The last axis is the fastest.
    pub fn row_major(rank: usize) -> Self {
        Self((0..rank).collect())
    }

    /// Pixels, then channels, then samples: `[h][w][c][n]` for `[n,c,h,w]`, `[c][n]` for `[n,c]`.
    pub fn batch_innermost(rank: usize) -> Self {
        Self((2..rank).chain((0..rank.min(2)).rev()).collect())
    }

    /// The order in which `x` lies; where it is not contiguous, that of its strides. An axis of one place, whose stride
    /// says nothing, is where row-major or batch-innermost have it if x lies so, else the slowest.
    pub fn of<T>(x: &ArrayViewD<T>) -> Self {
        if x.is_standard_layout() {
            return Self::row_major(x.ndim());
        }
        let batch_innermost = Self::batch_innermost(x.ndim());
        let (mut axes, mut several): (List<usize>, List<usize>) =
            batch_innermost.0.iter().copied().partition(|&axis| x.shape()[axis] == 1);
        let listed = several.clone();
        several.sort_by_key(|&axis| std::cmp::Reverse(x.strides()[axis].unsigned_abs()));
        if several == listed {
            return batch_innermost;
        }
        axes.append(&mut several);
        Self(axes)
    }

    /// The one of the two orders of a batch `[n, ..]` in which `x` lies, or nearly: batch-innermost where samples are
    /// its fastest axis, or channels are and there is one sample, else row-major. An array that lies in both counts as
    /// batch-innermost. [`Kernel::Literal`] knows row-major alone.
    pub fn of_batch<T>(kernel: Kernel, x: &ArrayViewD<T>) -> Self {
        let several = (0..x.ndim()).filter(|&axis| x.shape()[axis] > 1);
        let fastest = several.min_by_key(|&axis| (x.strides()[axis].unsigned_abs(), x.ndim() - axis));
        match (kernel, fastest) {
            (Kernel::Fast, None | Some(0)) => Self::batch_innermost(x.ndim()),
            (Kernel::Fast, Some(1)) if x.shape()[0] == 1 => Self::batch_innermost(x.ndim()),
            _ => Self::row_major(x.ndim()),
        }
    }

    /// The same one of the two orders for arrays of another rank.
    pub fn for_rank(&self, rank: usize) -> Self {
        match self.is_row_major() {
            true => Self::row_major(rank),
            false => Self::batch_innermost(rank),
        }
    }

    pub fn is_row_major(&self) -> bool {
        self.0.is_sorted()
    }

    /// The axes from the slowest to the fastest.
    pub fn axes(&self) -> &[usize] {
        &self.0
    }

    /// The order of the last axes of an array in this order, without its `leading` first ones.
    pub fn without_leading(&self, leading: usize) -> Self {
        Self(self.0.iter().filter_map(|axis| axis.checked_sub(leading)).collect())
    }

    /// The array of this shape with these elements, as many as it holds, in this order.
    pub fn array<T>(&self, shape: &[usize], elements: Vec<T>) -> ArrayD<T> {
        let extents: Shape = self.0.iter().map(|&axis| shape[axis]).collect();
        let mut places: List<usize> = list![0; shape.len()];
        self.0.iter().enumerate().for_each(|(place, &axis)| places[axis] = place);
        let memory = ArrayD::from_shape_vec(extents.as_slice(), elements).expect("as many elements as the shape holds");
        memory.permuted_axes(places.as_slice())
    }
}

/// Elements in memory, read in an order of one's own.
#[derive(Debug)]
pub struct Strided<'a, T: Element> {
    memory: Elements<'a, T>,
    /// What is read, from the slowest axis to the fastest; at least one, and no two that could be one.
    axes: List<Extent>,
}

/// One axis of elements that are read in an order of one's own: how many places it has, and how far apart they lie in
/// memory (0: one and the same).
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    pub count: usize,
    pub stride: usize,
}

impl<'a, T: Element + Sync> Strided<'a, T> {
    /// Reads `memory` along these axes, the slowest first.
    pub fn new(memory: Elements<'a, T>, axes: impl IntoIterator<Item = Extent>) -> Self {
        let mut joined: List<Extent> = List::new();
        for axis in axes.into_iter().filter(|axis| axis.count != 1) {
            match joined.last_mut() {
                Some(slower) if slower.stride == axis.stride * axis.count => {
                    *slower = Extent { count: slower.count * axis.count, stride: axis.stride };
                }
                _ => joined.push(axis),
            }
        }
        if joined.is_empty() {
            joined.push(Extent { count: 1, stride: 1 });
        }
        Self { memory, axes: joined }
    }

    /// Reads `x` in this order. Borrowed, unless x has gaps or runs backwards.
    pub fn of(x: &ArrayViewD<'a, T>, order: &Order) -> Self {
        Self::along(x, order.axes().iter().copied())
    }

    /// Reads `x` along these of its axes, the slowest first.
    pub fn along(x: &ArrayViewD<'a, T>, axes: impl IntoIterator<Item = usize>) -> Self {
        let (memory, extents) = contiguous(x);
        Self::new(memory, axes.into_iter().map(|axis| extents[axis]))
    }

    /// Copies what is read from place `start` on.
    fn copy(&self, start: usize, to: &mut [T]) {
        let (inner, outer) = self.axes.split_last().expect("at least one axis");
        let (mut place, mut to) = (start, to);
        while !to.is_empty() {
            let offset = place % inner.count;
            let (run, rest) = to.split_at_mut((inner.count - offset).min(to.len()));
            let from = self.memory_of(outer, place / inner.count) + offset * inner.stride;
            match inner.stride {
                0 => run.fill(self.memory[from]),
                1 => run.copy_from_slice(&self.memory[from..][..run.len()]),
                stride => {
                    run.iter_mut().zip(self.memory[from..].iter().step_by(stride)).for_each(|(to, &x)| *to = x);
                }
            }
            (place, to) = (place + run.len(), rest);
        }
    }

    /// Where the `place`-th combination of the slower axes begins.
    fn memory_of(&self, slower: &[Extent], place: usize) -> usize {
        let along = |(place, from): (usize, usize), axis: &Extent| {
            (place / axis.count, from + place % axis.count * axis.stride)
        };
        slower.iter().rev().fold((place, 0), along).1
    }

    /// `length` elements from place `start` on: borrowed where they lie side by side, else copied to `scratch`.
    pub fn read<'b>(&'b self, start: usize, length: usize, scratch: &'b mut Buffer<T>) -> &'b [T] {
        if let Some((&Extent { count, stride: 1 }, outer)) = self.axes.split_last()
            && start % count + length <= count
        {
            return &self.memory[self.memory_of(outer, start / count) + start % count..][..length];
        }
        if scratch.len() != length {
            *scratch = Buffer::stale(length);
        }
        self.copy(start, scratch);
        scratch
    }

    /// All elements: borrowed where memory is in the order read.
    pub fn all(self, kernel: Kernel) -> Elements<'a, T> {
        match self.axes[..] {
            [Extent { count, stride: 1 }] if count == self.memory.len() => self.memory,
            _ => Elements::Copied(self.copied(kernel).into()),
        }
    }

    /// A copy of all elements.
    pub fn copied(&self, kernel: Kernel) -> Vec<T> {
        let mut elements = buffer::stale(self.axes.iter().map(|axis| axis.count).product());
        flat::fill_rows(kernel, &mut elements, flat::GRAIN, &|i, chunk| self.copy(i * flat::GRAIN, chunk));
        elements
    }
}

/// The elements of `x` without gaps, and how each axis lies in them.
pub fn contiguous<'a, T: Element>(x: &ArrayViewD<'a, T>) -> (Elements<'a, T>, List<Extent>) {
    // An axis that repeats is there once.
    let mut once = x.clone();
    for axis in (0..x.ndim()).filter(|&axis| x.strides()[axis] == 0 && x.shape()[axis] > 1) {
        once.slice_axis_inplace(Axis(axis), Slice::from(..1));
    }
    let repeats = |axis: usize| once.shape()[axis] != x.shape()[axis];
    let extents = |strides: &[isize]| -> List<Extent> {
        let extent = |(axis, &count)| Extent {
            count,
            stride: if repeats(axis) || count == 1 { 0 } else { strides[axis].unsigned_abs() },
        };
        x.shape().iter().enumerate().map(extent).collect()
    };
    let forwards = (0..x.ndim()).all(|axis| x.shape()[axis] <= 1 || x.strides()[axis] >= 0);
    match once.to_slice_memory_order() {
        Some(memory) if forwards => (Elements::Borrowed(memory), extents(x.strides())),
        _ => {
            let order = Order::of(&once);
            let mut memory = buffer::stale(once.len());
            memory.clear();
            // Row by row: an iterator over all axes at once is several times slower.
            let in_order = once.view().permuted_axes(order.axes());
            in_order.rows().into_iter().for_each(|row| match row.to_slice() {
                Some(row) => memory.extend_from_slice(row),
                None => memory.extend(row),
            });
            let gathered = order.array(once.shape(), memory);
            let extents = extents(gathered.strides());
            (Elements::Copied(gathered.into_raw_vec_and_offset().0.into()), extents)
        }
    }
}
