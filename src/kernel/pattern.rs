//! [`Pattern`]: which entries of a weight live, so that the others need neither be stored nor multiplied.

mod turned;

use crate::error::{Error, Result};
use crate::scalar::Scalar;
use ndarray::ArrayD;
use std::borrow::Cow;
use std::sync::OnceLock;
use turned::Turned;

/// The living entries of a weight, in compressed rows: for each output o, their ascending flat positions within
/// `[c,kh,kw]`.
///
/// The weight is `[o,c,kh,kw]`, or `[out,in]`, which counts as `[out,in,1,1]`. Values under a pattern are `[nnz]`: the
/// living entries in row-major order.
///
/// ```
/// use gdstar::kernel::Pattern;
/// let pattern = Pattern::new(&[2, 3], &[true, false, true, false, false, true])?;
/// assert_eq!((pattern.row(0), pattern.row(1)), (&[0, 2][..], &[2][..]));
/// assert_eq!(pattern.gather(&[1.0, 0.0, 2.0, 0.0, 0.0, 3.0]), [1.0, 2.0, 3.0]);
/// assert_eq!(pattern.scatter(&[1.0, 2.0, 3.0]), ndarray::array![[1.0, 0.0, 2.0], [0.0, 0.0, 3.0]].into_dyn());
/// assert_eq!((pattern.nnz(), pattern.sparsity()), (3, 0.5));
/// # Ok::<(), gdstar::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Of the dense weight.
    shape: Vec<usize>,
    /// Where each output's entries start among the values, and `nnz` at the end: `[o + 1]`.
    starts: Vec<usize>,
    /// `[nnz]`.
    columns: Vec<u32>,
    /// Made for the first input gradient of the fast kernel.
    turned: OnceLock<Turned>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.shape, &self.starts, &self.columns) == (&other.shape, &other.starts, &other.columns)
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// The pattern of a weight of this shape whose entries live where `alive` (row-major) says so.
    ///
    /// # Errors
    /// [`Error::Shape`] unless the shape has two or four extents and as many entries as `alive`, fewer than 2^32.
    pub fn new(shape: &[usize], alive: &[bool]) -> Result<Self> {
        let error = |expected: String, found: String| Err(Error::shape("pattern", "weight", expected, found));
        let (&[outputs, ref filter @ ..], 2 | 4) = (shape, shape.len()) else {
            return error("shape [out, in] or [o, c, kh, kw]".to_string(), format!("shape {shape:?}"));
        };
        let filter: usize = filter.iter().product();
        if outputs * filter != alive.len() {
            return error(format!("{} entries", outputs * filter), alive.len().to_string());
        }
        if u32::try_from(alive.len()).is_err() {
            return error("fewer than 2^32 entries".to_string(), alive.len().to_string());
        }
        let nnz = alive.iter().filter(|&&alive| alive).count();
        let (mut starts, mut columns, mut next) = (Vec::with_capacity(outputs + 1), vec![0; nnz + 1], 0);
        starts.push(0);
        for o in 0..outputs {
            // Every column is written, and the next one over it unless it lives: no branch that depends on the mask.
            for (column, &alive) in (0..).zip(&alive[o * filter..(o + 1) * filter]) {
                columns[next] = column;
                next += usize::from(alive);
            }
            starts.push(next);
        }
        columns.truncate(nnz);
        // It lasts an epoch, and is counted as memory.
        columns.shrink_to_fit();
        Ok(Self { shape: shape.to_vec(), starts, columns, turned: OnceLock::new() })
    }

    /// The dense weight's shape, as it was given.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The dense weight's shape as a convolution's, `[o,c,kh,kw]`.
    pub fn filters(&self) -> [usize; 4] {
        match self.shape[..] {
            [o, c, kh, kw] => [o, c, kh, kw],
            _ => [self.shape[0], self.shape[1], 1, 1],
        }
    }

    /// The entries of one output, dead or alive: `c kh kw`.
    pub fn filter_len(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// How many entries the dense weight has.
    pub fn dense_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many entries live.
    pub fn nnz(&self) -> usize {
        self.columns.len()
    }

    /// The share of entries that do not live, 0 to 1; 0 of none.
    pub fn sparsity(&self) -> f64 {
        (self.dense_len() - self.nnz()) as f64 / self.dense_len().max(1) as f64
    }

    /// Where each output's values start, and `nnz` at the end: `[o + 1]`.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The positions within `[c,kh,kw]` of all living entries, output by output: `[nnz]`.
    pub fn columns(&self) -> &[u32] {
        &self.columns
    }

    /// The living positions of output `o` within `[c,kh,kw]`, ascending.
    pub fn row(&self, o: usize) -> &[u32] {
        &self.columns[self.starts[o]..self.starts[o + 1]]
    }

    /// The entries by input channel. (A layer has one number of groups, so that they are made once.)
    pub(super) fn turned(&self, groups: usize) -> Cow<'_, Turned> {
        let turned = self.turned.get_or_init(|| Turned::new(self, groups));
        if turned.groups == groups { Cow::Borrowed(turned) } else { Cow::Owned(Turned::new(self, groups)) }
    }

    /// Bytes of the indices, those by input channel included once they are made.
    pub fn bytes(&self) -> usize {
        let turned = self.turned.get().map_or(0, Turned::bytes);
        size_of_val(&self.starts[..]) + size_of_val(&self.columns[..]) + turned
    }

    /// The flat positions of the living entries in the dense weight, ascending.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        let filter = self.filter_len();
        let row = move |o: usize| self.row(o).iter().map(move |&column| o * filter + column as usize);
        (0..self.starts.len() - 1).flat_map(row)
    }

    /// The living entries of a dense weight (row-major, [`dense_len`](Self::dense_len) of them): `[nnz]`.
    pub fn gather<T: Copy>(&self, dense: &[T]) -> Vec<T> {
        let mut values = Vec::with_capacity(self.nnz());
        let filters = dense.chunks_exact(self.filter_len().max(1));
        for (o, filter) in filters.enumerate() {
            values.extend(self.row(o).iter().map(|&column| filter[column as usize]));
        }
        values
    }

    /// The dense weight with these living entries `[nnz]`, +0 elsewhere, of [`shape`](Self::shape).
    pub fn scatter<S: Scalar>(&self, values: &[S]) -> ArrayD<S> {
        let mut dense = vec![S::ZERO; self.dense_len()];
        self.scatter_into(values, &mut dense);
        ArrayD::from_shape_vec(self.shape.as_slice(), dense).expect("as many entries as the shape holds")
    }

    /// Overwrites the living entries of a dense weight (row-major) with `values` `[nnz]`; the others stay.
    pub fn scatter_into<T: Copy>(&self, values: &[T], dense: &mut [T]) {
        let filters = dense.chunks_exact_mut(self.filter_len().max(1));
        for (o, filter) in filters.enumerate() {
            let of_output = values.get(self.starts[o]..).unwrap_or_default();
            self.row(o).iter().zip(of_output).for_each(|(&column, &value)| filter[column as usize] = value);
        }
    }
}
