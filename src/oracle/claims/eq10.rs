//! Eq. 10: what chunks save in computation, which no trace records.

use crate::error::{Error, Result};
use crate::oracle::exact::case::{Case, Reals, Results, Value};
use crate::oracle::exact::dyadic::{Dyadic, Format};
use crate::paper::cost;
use crate::scalar::{DoubleDouble, Scalar};

/// The exact result of a golden case.
///
/// Logarithms are no exact numbers: in DoubleDouble, whose error must leave no doubt about the rounding.
///
/// Both logarithms are within [`DoubleDouble::LN_ERROR`], the quotients of counts, the ratio, the difference and the
/// product within 16 units of 2^-106 each: all below 256 such units of 100, the largest intermediate value.
pub(crate) fn derive(case: &Case) -> Result<Results> {
    let (mut f64, mut f32, mut reference) = (Vec::new(), Vec::new(), Vec::new());
    for (n, chunks) in case.counts("N")?.into_iter().zip(case.counts("C")?) {
        let percent = cost::computation_saving::<DoubleDouble>(n, chunks)?;
        let radius = DoubleDouble::from(256.0 * 100.0 * DoubleDouble::LN_ERROR / 64.0);
        let at = |x: DoubleDouble, format| -> Result<f64> {
            Ok(Dyadic::new(x.hi())?.plus(&Dyadic::new(x.lo())?).rounded(format))
        };
        let settled = |format| -> Result<f64> {
            let (low, nearest, high) =
                (at(percent - radius, format)?, at(percent, format)?, at(percent + radius, format)?);
            // Where N is a power of C, or C = 1, the result is a ratio of small integers: on no rounding's edge if it
            // is a number of the format itself.
            if (low <= nearest && nearest <= high && low == high) || percent.to_f64() == nearest && percent.lo() == 0.0
            {
                return Ok(nearest);
            }
            Err(Error::domain("Eq. 10", "a result whose rounding is beyond doubt", percent))
        };
        f64.push(settled(Format::F64)?);
        f32.push(settled(Format::F32)? as f32);
        reference.push(cost::computation_saving(n, chunks)?);
    }
    Ok(vec![("percent", Value::Reals(Reals { f64, f32: Some(f32), reference }))])
}
