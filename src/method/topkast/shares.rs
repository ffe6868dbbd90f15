//! The shares of W outside A and outside B.

use crate::error::{Error, Result};
use crate::method::Options;
use crate::method::selection::required;

/// Both, as the options say.
///
/// # Errors
/// [`Error::Domain`] where nothing is inside A, or B is less than A.
pub fn outside(options: &Options) -> Result<(f64, f64)> {
    let outside = (required(options, "forward_sparsity")?, required(options, "backward_sparsity")?);
    if outside.0 == 1.0 {
        return Err(Error::domain("--forward-sparsity", "below 1, since D = 1 - forward sparsity divides", outside.0));
    }
    if outside.1 > outside.0 {
        let expected = format!("at most {}, --forward-sparsity", outside.0);
        return Err(Error::domain("--backward-sparsity", expected, outside.1));
    }
    Ok(outside)
}
