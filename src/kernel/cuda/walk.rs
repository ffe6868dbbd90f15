//! [`Walk`]: arrays that are read along other axes than their own.

use super::{DeviceError, Result};
use crate::kernel::List;

/// Axes that a kernel walks at the most; as in `source/walk.cu`.
const AXES: usize = 8;

/// Axes, the slowest first: how many places each has, and how far apart they lie in each of three arrays.
#[derive(Debug, Default)]
pub(super) struct Walk(List<(usize, [usize; 3])>);

impl Walk {
    /// Along the axes of `shape`, where arrays have these strides.
    pub fn new(shape: &[usize], strides: [&[usize]; 3]) -> Self {
        let stride = |axis: usize| strides.map(|of| of.get(axis).copied().unwrap_or(0));
        Self::of(shape.iter().enumerate().map(|(axis, &count)| (count, stride(axis))))
    }

    /// Along these axes. Axes that are one in every array are joined.
    pub fn of(axes: impl IntoIterator<Item = (usize, [usize; 3])>) -> Self {
        let mut joined: List<(usize, [usize; 3])> = List::new();
        for (count, strides) in axes.into_iter().filter(|&(count, _)| count != 1) {
            match joined.last_mut() {
                Some((slower, of)) if (0..3).all(|array| of[array] == strides[array] * count) => {
                    (*slower, *of) = (*slower * count, strides);
                }
                _ => joined.push((count, strides)),
            }
        }
        Self(joined)
    }

    /// Along these axes, each by itself.
    pub fn unjoined(axes: impl IntoIterator<Item = (usize, [usize; 3])>) -> Self {
        Self(axes.into_iter().collect())
    }

    /// The fields of the kernels' `walk`.
    pub fn fields(&self) -> Result<[usize; 4 * AXES]> {
        let Some(unused) = AXES.checked_sub(self.0.len()) else {
            let expected = format!("at most {AXES} axes that cannot be joined");
            return Err(DeviceError::refused("an array on the GPU", expected, self.0.len().to_string()));
        };
        let mut fields = [0; 4 * AXES];
        fields[..unused].fill(1);
        for (axis, &(count, strides)) in (unused..).zip(&self.0) {
            fields[axis] = count;
            strides.iter().enumerate().for_each(|(array, &stride)| fields[(1 + array) * AXES + axis] = stride);
        }
        Ok(fields)
    }
}

/// The strides of a row-major array.
pub(super) fn row_major(shape: &[usize]) -> List<usize> {
    let mut strides: List<usize> = shape.iter().map(|_| 1).collect();
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// The strides of a row-major array of `shape` broadcast to `joined`: 0 along axes that repeat.
pub(super) fn broadcast(shape: &[usize], joined: &[usize]) -> List<usize> {
    let (leading, strides) = (joined.len() - shape.len(), row_major(shape));
    let stride = |axis: usize| match axis.checked_sub(leading) {
        Some(own) if shape[own] == joined[axis] => strides[own],
        _ => 0,
    };
    (0..joined.len()).map(stride).collect()
}
