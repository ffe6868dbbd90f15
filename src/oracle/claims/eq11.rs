//! Eq. 11: what chunks save in memory, which no trace records.

use crate::error::Result;
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::oracle::exact::dyadic::{Dyadic, Format};
use crate::paper::cost;

/// The exact result of a golden case: `100 (C - 1) / C`.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let (mut f64, mut f32, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for chunks in case.counts("C")? {
        reference.push(cost::memory_saving(chunks)?);
        let parts = Dyadic::count(100).times(&Dyadic::count(chunks as u64 - 1));
        f64.push(parts.quotient(chunks as u64, Format::F64));
        f32.push(parts.quotient(chunks as u64, Format::F32) as f32);
    }
    Ok(vec![("percent", Value::Reals(Reals { f64, f32: Some(f32), reference }))])
}
