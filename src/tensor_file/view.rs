//! Views: tensors of a file that are other tensors' numbers, seen in another order, so that what a program only
//! rearranges is stored once.

use super::{Entry, TensorFile};
use std::ops::Range;

/// Which numbers of a stored tensor a view shows: element i is number `offset + sum of i_a strides_a`, row-major, counted
/// from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
    pub offset: usize,
}

/// A view: `entry.bytes` are from its first to its last number.
pub(super) struct View {
    pub(super) entry: Entry,
    strides: Box<[usize]>,
}

impl TensorFile {
    /// Lets `name` be a tensor of this file that shows numbers of the stored tensor `of`. It may show some of them and in any
    /// order, and as many as `of` has at most, so that no file asks for more memory than it takes itself.
    ///
    /// # Errors
    /// What was expected and what was found: a name that is new, a stored tensor, a stride an axis, and a layout within
    /// the tensor.
    pub fn add_view(&mut self, name: &str, of: &str, layout: &Layout) -> Result<(), (&'static str, String)> {
        if self.find(name).is_some() {
            return Err(("a name that no tensor of this file has", format!("`{name}`")));
        }
        let stored = self.header.entries.binary_search_by(|(other, _)| (**other).cmp(of));
        let Ok(stored) = stored.map(|at| &self.header.entries[at].1) else {
            return Err(("a stored tensor of this file", format!("`{of}`")));
        };
        let range = layout.bytes_of(stored).map_err(|expected| (expected, layout.told(of, &stored.shape)))?;
        let entry = Entry { dtype: stored.dtype, shape: layout.shape.as_slice().into(), bytes: range };
        self.views.insert(name.into(), View { entry, strides: layout.strides.as_slice().into() });
        Ok(())
    }
}

impl Layout {
    fn told(&self, of: &str, shape: &[usize]) -> String {
        let Self { shape: seen, strides, offset } = self;
        format!("shape {seen:?}, strides {strides:?} and offset {offset} in `{of}` of shape {shape:?}")
    }

    /// Where in the file the numbers from the first to the last that are shown lie.
    fn bytes_of(&self, stored: &Entry) -> Result<Range<u64>, &'static str> {
        const WITHIN: &str = "a layout within the tensor, of as many elements at most";
        if self.strides.len() != self.shape.len() || self.shape.len() > super::header::MOST_AXES {
            return Err("a stride for each axis");
        }
        let product = |shape: &[usize]| shape.iter().try_fold(1_usize, |n, &extent| n.checked_mul(extent));
        let (Some(shown), Some(all)) = (product(&self.shape), product(&stored.shape)) else { return Err(WITHIN) };
        let size = stored.dtype.bitsize() / 8;
        if shown > all || stored.dtype.bitsize() != 8 * size {
            return Err(WITHIN);
        }
        let start = |number: usize| stored.bytes.start + (number * size) as u64;
        if shown == 0 {
            return Ok(start(0)..start(0));
        }
        let axes = self.shape.iter().zip(&self.strides);
        let last = axes
            .into_iter()
            .try_fold(self.offset, |last, (&extent, &stride)| last.checked_add((extent - 1).checked_mul(stride)?));
        match last {
            // Within the tensor, whose bytes are counted in u64: nothing overflows.
            Some(last) if last < all => Ok(start(self.offset)..start(last + 1)),
            _ => Err(WITHIN),
        }
    }
}

impl View {
    /// The numbers that are shown, row-major, of the `bytes` from the first to the last of them.
    pub(super) fn gather(&self, bytes: &[u8]) -> Vec<u8> {
        let shape = &self.entry.shape;
        let size = self.entry.dtype.bitsize() / 8;
        let mut shown = Vec::with_capacity(shape.iter().product::<usize>() * size);
        if !shape.contains(&0) {
            gather(bytes, size, shape, &self.strides, 0, &mut shown);
        }
        shown
    }
}

/// Appends what the axes of `shape` show from byte `at` on.
fn gather(bytes: &[u8], size: usize, shape: &[usize], strides: &[usize], at: usize, shown: &mut Vec<u8>) {
    match (shape, strides) {
        // Numbers that follow each other are copied as one.
        ([extent], [1]) => shown.extend_from_slice(&bytes[at..at + extent * size]),
        ([extent, shape @ ..], [stride, strides @ ..]) => {
            (0..*extent).for_each(|i| gather(bytes, size, shape, strides, at + i * stride * size, shown));
        }
        _ => shown.extend_from_slice(&bytes[at..at + size]),
    }
}
