//! The dense baseline: no weight is ever touched.

use super::{Entry, Setup, Sparsifier};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::weights::Weights;

pub static ENTRY: Entry = Entry {
    name: "dense",
    summary: "No pruning: the baseline",
    source: "Table 2",
    heeds: &[],
    options: &[],
    labels: &[],
    quantities: &[],
    is_traced: false,
    records_steps: false,
    tells_itself: false,
    layers: |_| Ok(Vec::new()),
    of_run: |_| Ok(Vec::new()),
    rewinds_at_first: false,
    check: |_, _| Ok(()),
};

/// Does nothing.
struct Dense;

pub(super) fn start<S: Scalar>(_: &Setup, _: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
    Ok(Box::new(Dense))
}

impl<S: Scalar> Sparsifier<S> for Dense {}
