//! The trace of a run: begun with it, and gone on with when it is resumed.

use super::BegunTrace;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor_file::{Element, StreamExtent, TensorStream};
use crate::train::{Config, Outputs, Run, RunFolder, State, TraceSize, TraceWriter};
use std::path::PathBuf;

/// The trace of a new run, where there is to be one. Without a folder nobody could go on with it: an interrupted
/// process then leaves nothing of it.
///
/// # Errors
/// As [`TensorStream::begin`] and [`TraceWriter::new`].
pub(super) fn begin<S: Scalar + Element>(
    run: &Run,
    folder: Option<&RunFolder>,
    state: &State<S>,
) -> Result<Option<TraceWriter<S>>> {
    let Some(path) = path(folder, run.config) else { return Ok(None) };
    let stream = match folder {
        Some(_) => TensorStream::begin(&path, TraceSize::of(run, state)?.header)?,
        None => TensorStream::temporary(&path)?,
    };
    TraceWriter::new(stream, run, state).map(Some)
}

/// The trace of a resumed run, as far as it was at the checkpoint (`extent`), or unfinished after the last epoch.
///
/// # Errors
/// [`Error::Domain`] if the options ask for another trace than the run has, or do not say where it is; those of
/// [`TensorStream::resume`] and [`TraceWriter::new`].
pub(super) fn resume<S: Scalar + Element>(
    run: &Run,
    (folder, stored): (&RunFolder, &Config),
    state: &State<S>,
    extent: Option<StreamExtent>,
    begun: BegunTrace,
) -> Result<Option<TraceWriter<S>>> {
    let (before, now) = (path(Some(folder), stored), path(Some(folder), run.config));
    let is_finished = state.epochs == run.config.hyper.epochs;
    let Some(path) = now else {
        if begun == BegunTrace::Discarded {
            before.iter().try_for_each(|path| TensorStream::discard(path))?;
        } else if extent.is_some() && !is_finished {
            let expected = "the file of the trace that the run has begun (or --no-trace, to go on without)";
            return Err(Error::domain("--trace", expected, "nothing"));
        }
        return Ok(None);
    };
    if is_finished {
        let is_unfinished = TensorStream::is_unfinished(&path)?;
        if begun == BegunTrace::Wanted && !is_unfinished && !path.exists() {
            return Err(Error::domain("--trace", "the run's own trace", format!("none at {}", path.display())));
        }
        if !is_unfinished {
            return Ok(None);
        }
    }
    if state.epochs > 0 && extent.is_none() {
        let found = format!("a run of which {} epochs passed without one", state.epochs);
        return Err(Error::domain("--trace", "a run traced from its beginning", found));
    }
    // The checkpoint knows; the configuration may have been edited, and alone says it before the first checkpoint.
    let begun_as = folder.trace_outputs()?.or_else(|| before.is_some().then(|| stored.outputs.clone()));
    begun_as.map_or(Ok(()), |begun_as| check_same_form(&begun_as, &run.config.outputs))?;
    let has_moved = before.as_ref().is_some_and(|before| *before != path);
    let stream = match extent {
        Some(extent) => TensorStream::resume(&path, extent).map_err(|error| match &before {
            Some(before) if has_moved => Error::domain(
                "--trace",
                format!("the file of the trace that the run has begun, {}", before.display()),
                format!("one that cannot continue it ({error})"),
            ),
            _ => error,
        })?,
        // Stopped before the first checkpoint: what there is of the trace is this run's, and begun again.
        None => {
            before.iter().try_for_each(|path| TensorStream::discard(path))?;
            TensorStream::begin(&path, TraceSize::of(run, state)?.header)?
        }
    };
    TraceWriter::new(stream, run, state).map(Some)
}

/// Checks that a trace goes on in the form in which it was begun.
fn check_same_form(begun: &Outputs, asked: &Outputs) -> Result<()> {
    let differing = form(begun).into_iter().zip(form(asked)).find(|(begun, asked)| begun != asked);
    differing.map_or(Ok(()), |((option, begun), (_, asked))| {
        let expected = format!("{begun}, as the trace was begun (config.toml may have been edited)");
        Err(Error::domain(option, expected, asked))
    })
}

/// What all epochs of a trace have in common, and the options that say it.
fn form(outputs: &Outputs) -> [(&'static str, String); 4] {
    let epochs = outputs.trace_gradient_epochs.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let gradients = match (outputs.trace_gradients, epochs.is_empty()) {
        (false, _) => "none".to_string(),
        (true, true) => "all".to_string(),
        (true, false) => epochs,
    };
    [
        ("--trace-gradients", gradients),
        ("--trace-sample", outputs.trace_sample.map_or("none".to_string(), |share| share.to_string())),
        ("--trace-masks", outputs.trace_masks.to_string()),
        ("--trace-steps", outputs.trace_steps.to_string()),
    ]
}

/// Where a run's trace is, if it has one.
fn path(folder: Option<&RunFolder>, config: &Config) -> Option<PathBuf> {
    let trace = config.outputs.trace.as_ref()?;
    Some(folder.map_or_else(|| trace.clone(), |folder| folder.path().join(trace)))
}
