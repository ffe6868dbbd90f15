//! [`Csr`]: compressed sparse rows.

use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor};
use ndarray::ArrayD;

/// A parameter `[o, ...]` as the sparse matrix `[o, rest]`, rest being the product of the other axes (1 if there are
/// none): row-major, what PyTorch's `flatten(1)` and NumPy's `reshape(o, -1)` make of it.
///
/// Row r has its values at `indptr[r]..indptr[r + 1]` of `values`, each in the column of the same place in `indices`,
/// columns increasing. The structure is the mask's: a living weight that is 0 is a value like any other. Indices are
/// I32, which SciPy and PyTorch take and which half the size of I64's matters more than a matrix of 2^31 columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Csr<S> {
    shape: Vec<usize>,
    indptr: Vec<i32>,
    indices: Vec<i32>,
    values: Vec<S>,
}

/// Rows and columns of the matrix of a parameter of this shape.
fn matrix(shape: &[usize]) -> (usize, usize) {
    (shape.first().copied().unwrap_or(1), shape.iter().skip(1).product())
}

impl<S: Scalar> Csr<S> {
    /// The living entries of `value`; `alive` is row-major.
    ///
    /// # Errors
    /// [`Error::Domain`] if there are more entries than an I32 can count.
    pub fn from_dense(value: &ArrayD<S>, alive: &[bool]) -> Result<Self> {
        if i32::try_from(value.len()).is_err() {
            return Err(Error::domain("CSR", "at most 2^31 - 1 entries", value.len()));
        }
        let (rows, columns) = matrix(value.shape());
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        let mut entries = value.iter().zip(alive);
        for _ in 0..rows {
            for (column, (&w, &alive)) in entries.by_ref().take(columns).enumerate() {
                if alive {
                    indices.push(column as i32);
                    values.push(w);
                }
            }
            indptr.push(values.len() as i32);
        }
        Ok(Self { shape: value.shape().to_vec(), indptr, indices, values })
    }

    /// From the arrays of a file.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the array that does not describe a matrix of this shape.
    pub fn new(shape: &[usize], indptr: Vec<i32>, indices: Vec<i32>, values: Vec<S>) -> Result<Self> {
        let (rows, columns) = matrix(shape);
        let ends = [indptr.first().copied(), indptr.last().copied()];
        if indptr.len() != rows + 1 || !indptr.is_sorted() || ends != [Some(0), i32::try_from(values.len()).ok()] {
            let expected = format!("{} offsets from 0 to {}, none less than the one before", rows + 1, values.len());
            return Err(Error::domain("indptr", expected, format!("{} from {ends:?}", indptr.len())));
        }
        if indices.len() != values.len() {
            return Err(Error::domain("indices", format!("{}, one a value", values.len()), indices.len()));
        }
        let csr = Self { shape: shape.to_vec(), indptr, indices, values };
        for (row, range) in csr.rows().enumerate() {
            let columns_of_row = &csr.indices[range];
            let within = columns_of_row.iter().all(|&c| usize::try_from(c).is_ok_and(|c| c < columns));
            if !within || !columns_of_row.is_sorted_by(|a, b| a < b) {
                let expected = format!("increasing columns below {columns} in row {row}");
                return Err(Error::domain("indices", expected, format!("{columns_of_row:?}")));
            }
        }
        Ok(csr)
    }

    /// The parameter: its living weights, and +0 everywhere else.
    pub fn to_dense(&self) -> ArrayD<S> {
        let mut dense = ArrayD::from_elem(self.shape.as_slice(), S::ZERO);
        let (_, columns) = matrix(&self.shape);
        // An array just made is row-major.
        if let Some(entries) = dense.as_slice_mut() {
            for (row, range) in self.rows().enumerate() {
                for (&column, &value) in self.indices[range.clone()].iter().zip(&self.values[range]) {
                    entries[row * columns + column as usize] = value;
                }
            }
        }
        dense
    }

    /// Where each row's values are; `indptr` is sorted and not negative.
    fn rows(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.indptr.windows(2).map(|ends| ends[0] as usize..ends[1] as usize)
    }
}

impl<S: Scalar + Element> Csr<S> {
    /// `name.indptr`, `name.indices`, `name.values`, and the parameter's own shape as `name.shape`.
    pub fn tensors(&self, name: &str) -> Vec<(String, Tensor)> {
        let shape: Vec<i64> = self.shape.iter().map(|&axis| axis as i64).collect();
        let named = |part: &str, tensor| (format!("{name}.{part}"), tensor);
        vec![
            named("indptr", Tensor::from_slice(&[self.indptr.len()], &self.indptr)),
            named("indices", Tensor::from_slice(&[self.indices.len()], &self.indices)),
            named("values", Tensor::from_slice(&[self.values.len()], &self.values)),
            named("shape", Tensor::from_slice(&[shape.len()], &shape)),
        ]
    }
}
