//! Moves: copies between arrays, boxes of them, and orders. No number is changed.

use super::launch::Launch;
use super::walk::{Walk, row_major};
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::kernel::{List, Shape};
use crate::scalar::Scalar;

/// Places in an array: where the first lies, and how far apart the next ones along each axis are.
#[derive(Debug, Clone)]
pub struct Places {
    pub start: usize,
    pub strides: List<usize>,
}

impl Places {
    /// All places of a row-major array.
    pub fn all(shape: &[usize]) -> Self {
        Self { start: 0, strides: row_major(shape) }
    }

    /// The places from `starts` on, every `steps`-th, of a row-major array of this shape.
    pub fn within(shape: &[usize], starts: &[usize], steps: &[usize]) -> Self {
        let strides = row_major(shape);
        let start = starts.iter().zip(&strides).map(|(start, stride)| start * stride).sum();
        Self { start, strides: strides.iter().zip(steps).map(|(stride, step)| stride * step).collect() }
    }

    /// The place after the last of `counts`; 0 where there is none.
    fn end(&self, counts: &[usize]) -> usize {
        let furthest = |(&count, &stride): (&usize, &usize)| count.checked_sub(1).map(|last| last * stride);
        let last = counts.iter().zip(&self.strides).map(furthest).sum::<Option<usize>>();
        last.map_or(0, |last| self.start + last + 1)
    }
}

/// `to <- from`: as many along each axis as `counts` says, at these places of both.
pub fn assign<S: Scalar>(
    device: &Device,
    counts: &[usize],
    (to, into): (&mut DeviceTensor<S>, &Places),
    (from, at): (&DeviceTensor<S>, &Places),
) -> Result<()> {
    for (len, end) in [(to.len(), into.end(counts)), (from.len(), at.end(counts))] {
        if end > len {
            return Err(DeviceError::refused("assign", format!("places below {len}"), format!("place {}", end - 1)));
        }
    }
    let (walk, count) = (Walk::new(counts, [&into.strides, &at.strides, &[]]), counts.iter().product());
    let launch = Launch::<S>::new(device, "assign").indices(&walk.fields()?).index(count);
    launch.write(to).index(into.start).read(from).index(at.start).over(count)
}

/// An array whose elements are all `value`.
pub fn filled<S: Scalar>(device: &Device, shape: &[usize], value: S) -> Result<DeviceTensor<S>> {
    let mut tensor = DeviceTensor::stale(device, shape)?;
    let count = tensor.len();
    Launch::<S>::new(device, "fill").index(count).write(&mut tensor).real(value).over(count)?;
    Ok(tensor)
}

/// [`split`](crate::kernel::split).
pub fn split<S: Scalar>(
    device: &Device,
    x: &DeviceTensor<S>,
    axis: usize,
    sizes: &[usize],
) -> Result<List<DeviceTensor<S>>> {
    let mut start = 0;
    let piece = |&size: &usize| {
        let mut shape = Shape::from(x.shape());
        shape[axis] = size;
        let (mut starts, steps): (Shape, Shape) = shape.iter().map(|_| (0, 1)).unzip();
        starts[axis] = start;
        start += size;
        taken(device, x, &shape, &starts, &steps)
    };
    sizes.iter().map(piece).collect()
}

/// [`concat`](crate::kernel::concat).
pub fn concat<S: Scalar>(
    device: &Device,
    pieces: &[&DeviceTensor<S>],
    axis: usize,
    shape: &[usize],
) -> Result<DeviceTensor<S>> {
    let mut y = DeviceTensor::stale(device, shape)?;
    let (mut starts, steps): (Shape, Shape) = shape.iter().map(|_| (0, 1)).unzip();
    for piece in pieces {
        let into = Places::within(shape, &starts, &steps);
        assign(device, piece.shape(), (&mut y, &into), (piece, &Places::all(piece.shape())))?;
        starts[axis] += piece.shape()[axis];
    }
    Ok(y)
}

/// [`spread`](crate::kernel::spread): x at the places from `starts` on, every `steps`-th, of an array of `shape` that holds
/// `value` elsewhere.
pub fn spread<S: Scalar>(
    device: &Device,
    x: &DeviceTensor<S>,
    shape: &[usize],
    value: S,
    starts: &[usize],
    steps: &[usize],
) -> Result<DeviceTensor<S>> {
    let mut y = filled(device, shape, value)?;
    let into = Places::within(shape, starts, steps);
    assign(device, x.shape(), (&mut y, &into), (x, &Places::all(x.shape())))?;
    Ok(y)
}

/// [`taken`](crate::kernel::taken): an array of `shape`, what x holds at the places from `starts` on, every `steps`-th.
pub fn taken<S: Scalar>(
    device: &Device,
    x: &DeviceTensor<S>,
    shape: &[usize],
    starts: &[usize],
    steps: &[usize],
) -> Result<DeviceTensor<S>> {
    let mut y = DeviceTensor::stale(device, shape)?;
    let at = Places::within(x.shape(), starts, steps);
    assign(device, shape, (&mut y, &Places::all(shape)), (x, &at))?;
    Ok(y)
}

/// x `[n,c,..]` with its channels, as `[groups][c/groups]`, read as `[c/groups][groups]`.
pub fn channel_shuffle<S: Scalar>(device: &Device, x: &DeviceTensor<S>, groups: usize) -> Result<DeviceTensor<S>> {
    let mut y = DeviceTensor::stale(device, x.shape())?;
    let (n, c) = (x.shape()[0], x.shape()[1]);
    let (pixels, members) = (x.shape()[2..].iter().product::<usize>(), c / groups.max(1));
    let counts = [n, members, groups, pixels];
    let at = Places { start: 0, strides: [c * pixels, pixels, members * pixels, 1].into_iter().collect() };
    assign(device, &counts, (&mut y, &Places::all(&counts)), (x, &at))?;
    Ok(y)
}
