//! Opening the files of the step from which a run goes on.

use crate::error::{Error, Result};
use crate::nn::state_dict::CHECKPOINT_KEY;
use crate::tensor_file::TensorFile;
use crate::train::origin::Origin;
use crate::train::start::seen_from;
use crate::train::{Checkpoint, Run, Start};
use std::path::Path;

/// The files of `start`, seen from the folder of `run`.
///
/// # Errors
/// [`Error::File`] naming what is missing, malformed, or of another data set or step; [`Error::Io`].
pub(super) fn open(start: &Start, run: &Run, folder: &Path) -> Result<Origin> {
    let file = TensorFile::open(&seen_from(folder, &start.checkpoint))?;
    let header = Checkpoint::header(&file)?;
    let bad = |place: &str, expected: String, found: String| Err(Error::file(file.path(), place, expected, found));
    if header.data != run.fingerprint() {
        return bad("data", format!("this run's ({})", run.fingerprint()), header.data);
    }
    if (header.steps, header.epochs) != (start.step, start.epochs) {
        let expected = format!("{}, in epoch {}, as config.toml says", start.step, start.epochs);
        return bad("step", expected, format!("{}, in epoch {}", header.steps, header.epochs));
    }
    let mask = start.mask.as_ref().map(|mask| TensorFile::open(&seen_from(folder, mask))).transpose()?;
    Ok(Origin { checkpoint: file, mask, within: header.within.unwrap_or_default() })
}

/// Whether a file of first weights, if it is a checkpoint, is as it was written.
///
/// # Errors
/// As [`TensorFile::open`] and [`Checkpoint::header`].
pub(super) fn check_whole(path: &Path) -> Result<()> {
    let file = TensorFile::open(path)?;
    file.metadata(CHECKPOINT_KEY).map_or(Ok(()), |_| Checkpoint::header(&file).map(drop))
}
