//! Whether W can be cut into C chunks (Eq. 6).

use crate::error::{Error, Result};
use crate::method::Setup;
use crate::paper::structured::Structure;

/// Whether there are as many weights, or groups of them, as chunks.
///
/// # Errors
/// [`Error::Domain`] where there are fewer.
pub fn check_chunks(setup: &Setup, shapes: &[&[usize]]) -> Result<()> {
    let count = |shape: &&[usize]| match setup.structure {
        Some((structure, _)) => structure.count(shape),
        None => shape.iter().product(),
    };
    let (chunks, members) = (setup.hyper.chunks, shapes.iter().map(count).sum::<usize>());
    let what = match setup.structure {
        // The pattern says how many weights go, and no quantile is taken.
        Some((Structure::Pattern { .. }, _)) => return Ok(()),
        Some((structure, _)) => format!("groups ({structure})"),
        None => "weights".to_string(),
    };
    if chunks <= members {
        return Ok(());
    }
    Err(Error::domain("--chunks", format!("at most N = {members}, the {what} of the network"), chunks))
}
