//! [`TracedParameter`]: a parameter of the traced network, and which of its entries the trace keeps.

use super::Header;
use super::layout::coordinates_of;
use crate::error::{Error, Result};
use crate::tensor_file::TensorFile;
use std::ops::Range;

/// One parameter of the traced network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracedParameter {
    pub name: String,
    pub shape: Vec<usize>,
    /// The places of the entries that the trace keeps, row-major, when all parameters are laid one after the other, those of
    /// W first.
    pub range: Range<usize>,
    /// Of a sample the coordinates that are kept, ascending.
    pub coordinates: Option<Vec<usize>>,
}

impl TracedParameter {
    /// The index of the `j`-th entry that is kept, row-major; one number an axis.
    pub fn index(&self, j: usize) -> Vec<usize> {
        unflatten(self.coordinate(j), &self.shape)
    }

    /// The coordinate of the `j`-th entry that is kept.
    pub fn coordinate(&self, j: usize) -> usize {
        self.coordinates.as_ref().map_or(j, |coordinates| coordinates[j])
    }

    /// How many entries it has, kept or not.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The coordinates of a sample of a parameter of n entries, which the trace has to list as the hash chooses them; `None` of a
/// trace of all.
pub(super) fn coordinates(file: &TensorFile, header: &Header, parameter: &str, n: usize) -> Result<Option<Vec<usize>>> {
    let Some(sample) = header.kept.sample else { return Ok(None) };
    let name = coordinates_of(parameter);
    let found = file.read::<i64>(&name, None)?.into_raw_vec_and_offset().0;
    let bad = |place: String, expected: String, found: String| Err(Error::file(file.path(), place, expected, found));
    // Nothing is computed for a header that claims far more than is there.
    let likely = sample.share_of(n).min(1.0) * n as f64;
    if likely > 2.0 * found.len() as f64 + UNLIKELY {
        let expected = format!("about {likely:.0} coordinates, a share of the {n} of `{parameter}`");
        return bad(format!("tensor `{name}`"), expected, found.len().to_string());
    }
    let expected = sample.coordinates(parameter, n);
    if let Some(i) = expected.iter().zip(&found).position(|(&right, &found)| i64::try_from(right) != Ok(found)) {
        let right = format!("{}, which the hash of `{parameter}` has next in a sample of this share", expected[i]);
        return bad(format!("tensor `{name}`, index [{i}]"), right, found[i].to_string());
    }
    match expected.len() == found.len() {
        true => Ok(Some(expected)),
        false => bad(format!("tensor `{name}`"), format!("{} coordinates", expected.len()), found.len().to_string()),
    }
}

/// How many coordinates fewer than is likely a sample may have before it is looked at: by chance it has a few.
const UNLIKELY: f64 = 1000.0;

/// The index of the `j`-th entry, row-major.
pub(crate) fn unflatten(mut j: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (i, &extent) in index.iter_mut().zip(shape).rev() {
        *i = j % extent.max(1);
        j /= extent.max(1);
    }
    index
}
