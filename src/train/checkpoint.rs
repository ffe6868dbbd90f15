//! Checkpoints: a run's whole state between two epochs, as one safetensors file.
//!
//! Parameters and running statistics are a `state_dict` ([`crate::nn::state_dict`]); the rest stands beside them:
//! `momentum/<p>`, and of a sparsifying method `mask/<p>` (1 alive) and `rewind/<p>` (W_k*).

mod seal;

use super::{Config, Run, State};
use crate::checksum::Checksum;
use crate::data::Encoding;
use crate::error::{Error, Result};
use crate::nn::Parameters;
use crate::nn::state_dict::{self, CHECKPOINT_KEY as KEY, read_finite};
use crate::scalar::Scalar;
use crate::sparsify::{SparsifierState, WeightSet};
use crate::tensor_file::{self, Element, StreamExtent, Tensor, TensorFile};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

const FORMAT: &str = "gdstar-checkpoint/1";

/// What a checkpoint says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub format: String,
    /// Of this header, but for the checksum itself, and of all tensors; the first checkpoints have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Checksum>,
    pub epochs: usize,
    pub steps: usize,
    /// The run that wrote it.
    pub config: Config,
    /// SHA-256 of the data set it was trained on.
    pub data: String,
    /// The network's input `[c, h, w]` and number of classes; the first checkpoints do not say, their data does.
    #[serde(default)]
    pub shape: Option<([usize; 3], usize)>,
    /// What the network's inputs and labels mean; not every checkpoint says so.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// Alg. 4's m and k*, where the method has them; m is `null` before the first epoch (+inf).
    pub rewind_point: Option<(Option<f64>, usize)>,
    /// How much of the trace was written by then.
    pub trace: Option<StreamExtent>,
}

impl Checkpoint {
    /// Writes the state; the file that was there before stays until the new one is complete on disk.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write<S: Scalar + Element>(
        path: &Path,
        run: &Run,
        state: &State<S>,
        trace: Option<StreamExtent>,
    ) -> Result<()> {
        let mut tensors = state_dict::tensors(&state.parameters, state.steps);
        for (parameter, buffer) in state.parameters.iter().zip(&state.optimizer.buffers) {
            if parameter.role.is_trained() {
                tensors.push((format!("momentum/{}", parameter.name), Tensor::from_array(&buffer.view())));
            }
        }
        let saved = state.sparsifier.save();
        if let Some(saved) = &saved {
            for segment in state.sparsifier.weights().segments() {
                let parameter = &state.parameters[segment.parameter];
                let shape = parameter.value.shape();
                let alive: Vec<u8> = saved.alive[segment.range.clone()].iter().map(|&alive| alive.into()).collect();
                tensors.push((format!("mask/{}", parameter.name), Tensor::from_slice(shape, &alive)));
                if let Some(rewind) = &saved.rewind {
                    let rewind = Tensor::from_slice(shape, &rewind[segment.range.clone()]);
                    tensors.push((format!("rewind/{}", parameter.name), rewind));
                }
            }
        }
        let header = Self {
            format: FORMAT.to_string(),
            sha256: Some(Checksum::BLANK),
            epochs: state.epochs,
            steps: state.steps,
            config: run.config.without_outputs(),
            data: run.fingerprint().to_string(),
            shape: Some((run.network.input, run.network.classes)),
            encoding: Some(run.dataset.encoding()),
            rewind_point: saved.map(|s| (Some(s.minimum.to_f64()).filter(|m| m.is_finite()), s.k_star)),
            trace,
        };
        let header = serde_json::to_string(&header).map_err(|e| Error::file(path, "header", "JSON", e))?;
        let header = seal::sealed(&header, &mut tensors)?;
        tensor_file::write(path, HashMap::from([(KEY.to_string(), header)]), &tensors)
    }

    /// Reads a checkpoint of this very run.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] naming what is missing, malformed, or of another run.
    pub fn read<S: Scalar + Element>(path: &Path, run: &Run) -> Result<(Self, State<S>)> {
        Self::restore(&TensorFile::open(path)?, run)
    }

    /// What `file` says of itself, once its checksum, if it has one, is found to be that of what it holds.
    ///
    /// # Errors
    /// Those of [`Checkpoint::claim`]; [`Error::File`] if it is damaged; [`Error::Io`].
    pub fn header(file: &TensorFile) -> Result<Self> {
        let header = Self::claim(file)?;
        if let (Some(checksum), Some(text)) = (header.sha256, file.metadata(KEY)) {
            seal::check(file, text, checksum)?;
        }
        Ok(header)
    }

    /// What `file` says of itself, without a look at its tensors.
    ///
    /// # Errors
    /// [`Error::File`] if it is no checkpoint, or one of another version.
    pub fn claim(file: &TensorFile) -> Result<Self> {
        /// What every version says.
        #[derive(Deserialize)]
        struct Version {
            format: String,
        }
        let path = file.path();
        let text =
            file.metadata(KEY).ok_or_else(|| Error::file(path, "metadata", format!("the key `{KEY}`"), "none"))?;
        let bad = |e: serde_json::Error| Error::file(path, format!("metadata `{KEY}`"), "a header", e);
        let Version { format } = serde_json::from_str(text).map_err(bad)?;
        if format != FORMAT {
            return Err(Error::file(path, "format", FORMAT, format));
        }
        let header: Self = serde_json::from_str(text).map_err(bad)?;
        if let Some(encoding) = &header.encoding {
            let channels = header.shape.map_or(encoding.normalisation.mean.len(), |([channels, ..], _)| channels);
            encoding.check(path, &format!("metadata `{KEY}`"), channels)?;
        }
        Ok(header)
    }

    /// The state that `file` holds of this very run.
    ///
    /// # Errors
    /// [`Error::File`] naming what is missing, malformed, or of another run.
    pub fn restore<S: Scalar + Element>(file: &TensorFile, run: &Run) -> Result<(Self, State<S>)> {
        let path = file.path();
        let header = Self::header(file)?;
        header.check(path, run)?;
        let mut state = run.start::<S>()?;
        state.epochs = header.epochs;
        state.steps = header.steps;
        state.parameters = state_dict::read(file, &run.network)?;
        for (parameter, buffer) in state.parameters.iter().zip(&mut state.optimizer.buffers) {
            if parameter.role.is_trained() {
                let name = format!("momentum/{}", parameter.name);
                *buffer = read_finite(file, &name, Some(parameter.value.shape()))?;
            }
        }
        let saved = match header.rewind_point {
            Some((minimum, k_star)) => Some(read_method_state(file, &state, minimum, k_star)?),
            None => None,
        };
        state.sparsifier.restore(saved).map_err(|e| Error::file(path, "method state", "one of this run", e))?;
        Ok((header, state))
    }

    fn check(&self, path: &Path, run: &Run) -> Result<()> {
        let bad = |place: &str, expected: String, found: String| Err(Error::file(path, place, expected, found));
        let differences = self.config.differences(run.config)?;
        if !differences.is_empty() {
            let told = differences.iter().map(|d| format!("{} = {}", d.key, d.values().join(", there ")));
            let expected = "that of config.toml beside it (or of another run; config.toml may have been edited)";
            return bad("configuration", expected.to_string(), told.collect::<Vec<_>>().join("; "));
        }
        if self.data != run.fingerprint() {
            let name = run.dataset.name;
            let expected = format!("{name} as it was when the run began ({})", self.data);
            return bad("data", expected, run.fingerprint().to_string());
        }
        if let Some(encoding) = &self.encoding {
            run.dataset.check_classes(&encoding.classes, self.config.data_dir.as_deref().unwrap_or(path))?;
        }
        if self.epochs > self.config.hyper.epochs {
            return bad("epochs", format!("at most {}", self.config.hyper.epochs), self.epochs.to_string());
        }
        Ok(())
    }
}

/// The masks and rewind weights in `file`, flattened over W.
fn read_method_state<S: Scalar + Element>(
    file: &TensorFile,
    state: &State<S>,
    minimum: Option<f64>,
    k_star: usize,
) -> Result<SparsifierState<S>> {
    let weights = state.sparsifier.weights();
    let alive = read_masks(file, &state.parameters, weights)?;
    let mut rewind = Vec::new();
    for segment in weights.segments() {
        let parameter = &state.parameters[segment.parameter];
        let name = format!("rewind/{}", parameter.name);
        if file.describe(&name).is_some() {
            rewind.extend(read_finite::<S>(file, &name, Some(parameter.value.shape()))?);
        }
    }
    let rewind = Some(rewind).filter(|rewind| rewind.len() == weights.len());
    Ok(SparsifierState { alive, minimum: S::from_f64(minimum.unwrap_or(f64::INFINITY)), k_star, rewind })
}

/// Which weights are alive, flattened over W: the tensors `mask/<p>`.
///
/// # Errors
/// [`Error::File`] if one is missing, of another shape, or holds anything but 0 and 1.
pub(super) fn read_masks<S: Scalar>(
    file: &TensorFile,
    parameters: &Parameters<S>,
    weights: &WeightSet,
) -> Result<Vec<bool>> {
    let mut alive = Vec::with_capacity(weights.len());
    for segment in weights.segments() {
        let parameter = &parameters[segment.parameter];
        let name = format!("mask/{}", parameter.name);
        for &bit in &file.read::<u8>(&name, Some(parameter.value.shape()))? {
            match bit {
                0 | 1 => alive.push(bit == 1),
                _ => return Err(Error::file(file.path(), format!("tensor `{name}`"), "0 or 1", bit)),
            }
        }
    }
    Ok(alive)
}
