//! [`SavedNetwork`]: a trained network as a file holds it: its parameters, and which of its weights are alive.

use super::{Checkpoint, RunFolder};
use crate::data::{self, ENCODING_KEY, Encoding};
use crate::error::{Error, Result};
use crate::kernel::{self, Kernel};
use crate::nn::state_dict::{self, CHECKPOINT_KEY};
use crate::nn::{Description, NETWORK_KEY, Network, Parameters, models};
use crate::paper::reading::Reading;
use crate::scalar::Scalar;
use crate::tensor_file::TensorFile;
use crate::weights::{WeightSet, read_flags};
use std::path::Path;

/// A checkpoint of this program, or a bare `state_dict`.
pub struct SavedFile {
    pub tensors: TensorFile,
    /// What a checkpoint says of itself; `None` for a bare `state_dict`.
    pub checkpoint: Option<Checkpoint>,
    /// What the network's inputs and labels mean, where the file says so.
    pub encoding: Option<Encoding>,
    /// Of an exported network that was shrunk, how wide its layers are.
    pub description: Option<Description>,
}

/// A network with the values that a file holds.
pub struct SavedNetwork<S> {
    pub network: Network,
    pub parameters: Parameters<S>,
    /// W.
    pub weights: WeightSet,
    /// False where a weight is eliminated, flat over W; such a weight is +0 in `parameters`.
    pub alive: Vec<bool>,
    /// Whether the file has masks. Without them, a weight of 0 counts as eliminated.
    pub has_masks: bool,
    /// The training batches that its running statistics have seen, where the file says.
    pub batches: usize,
    /// What the network's inputs and labels mean, where the file says so.
    pub encoding: Option<Encoding>,
}

impl SavedFile {
    /// Opens a file, or the checkpoint of a run folder.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] naming what is not there or not as it should be.
    pub fn open(path: &Path) -> Result<Self> {
        let (tensors, folder_config) = if path.is_dir() {
            let Some((folder, config)) = RunFolder::open(path)? else {
                let expected = "config.toml, as `gdstar train --out` leaves it";
                return Err(Error::file(path, "run folder", expected, "a folder without one"));
            };
            (TensorFile::open(&folder.checkpoint())?, Some(config))
        } else {
            (TensorFile::open(path)?, None)
        };
        let mut checkpoint = tensors.metadata(CHECKPOINT_KEY).map(|_| Checkpoint::header(&tensors)).transpose()?;
        // The data may have moved since the checkpoint was written; the folder says where they lie now.
        if let (Some(checkpoint), Some(config)) = (&mut checkpoint, folder_config) {
            checkpoint.config.data_dir = config.data_dir;
        }
        let encoding = match &checkpoint {
            Some(checkpoint) => checkpoint.encoding.clone(),
            None => tensors.metadata(ENCODING_KEY).map(|text| exported_encoding(&tensors, text)).transpose()?,
        };
        let description = match &checkpoint {
            Some(_) => None,
            None => tensors.metadata(NETWORK_KEY).map(|text| Description::parse(tensors.path(), text)).transpose()?,
        };
        Ok(Self { tensors, checkpoint, encoding, description })
    }

    /// The network whose parameters a checkpoint holds.
    ///
    /// # Errors
    /// [`Error::File`] if this is no checkpoint, or its network cannot be built; those of [`data::load_with`] if only the
    /// data set knows the network's shape.
    pub fn network(&self) -> Result<Network> {
        let path = self.tensors.path();
        let Some(checkpoint) = &self.checkpoint else {
            return Err(Error::file(path, "metadata", format!("the key `{CHECKPOINT_KEY}`"), "a bare state_dict"));
        };
        let config = &checkpoint.config;
        let (input, classes) = match checkpoint.shape {
            Some(shape) => shape,
            None => {
                let dataset = data::load_with(config.data, config.data_dir.as_deref(), config.load_options())?;
                (dataset.train.shape, dataset.classes.len())
            }
        };
        let network = models::find(&config.model)?.network(input, classes);
        network.map_err(|e| Error::file(path, "shape", "images and classes that the network can take", e))
    }

    /// The values that this file holds for `network`.
    ///
    /// # Errors
    /// As [`state_dict::read`]; [`Error::File`] if a mask is malformed, or a weight is not 0 that its mask eliminates.
    pub fn read<S: Scalar>(&self, network: Network) -> Result<SavedNetwork<S>> {
        let file = &self.tensors;
        let network = match &self.description {
            Some(description) => description.narrow(&network).map_err(|e| {
                let expected = format!("a {} with narrower layers", network.name);
                Error::file(file.path(), format!("metadata `{NETWORK_KEY}`"), expected, e)
            })?,
            None => network,
        };
        let mut parameters = state_dict::read::<S>(file, &network)?;
        let reading = self.checkpoint.as_ref().map_or_else(Reading::default, |c| c.config.reading);
        let dense = match &self.checkpoint {
            Some(checkpoint) => checkpoint.config.dense_layers.parameters(&network, reading.prunable)?,
            None => Vec::new(),
        };
        let weights = WeightSet::without(&parameters, reading.prunable, &dense);
        let has_masks = self.checkpoint.is_some() && file.names().any(|name| name.starts_with("mask/"));
        let alive = if has_masks {
            read_flags(file, "mask", &parameters, &weights)?
        } else {
            weights.gather(&parameters).iter().map(|w| *w != S::ZERO).collect()
        };
        let mut revived = None;
        weights.for_each_mut(&mut parameters, |segment, values| {
            let alive = &alive[segment.range.clone()];
            if let Some(i) = (0..values.len()).find(|&i| !alive[i] && values[i] != S::ZERO) {
                revived.get_or_insert((segment.parameter, i, values[i].to_f64()));
            }
            kernel::hold(Kernel::any(), values, alive);
        });
        if let Some((parameter, i, value)) = revived {
            let place = format!("tensor `{}` at entry {i}", parameters[parameter].name);
            return Err(Error::file(file.path(), place, "0, as its mask says", value));
        }
        let batches = self.checkpoint.as_ref().map_or(0, |c| c.steps);
        let encoding = self.encoding.clone();
        Ok(SavedNetwork { network, parameters, weights, alive, has_masks, batches, encoding })
    }
}

/// What the metadata of an exported `file` say.
fn exported_encoding(file: &TensorFile, text: &str) -> Result<Encoding> {
    let place = format!("metadata `{ENCODING_KEY}`");
    let encoding: Encoding =
        serde_json::from_str(text).map_err(|e| Error::file(file.path(), &place, "class names and normalisation", e))?;
    encoding.check(file.path(), &place, encoding.normalisation.mean.len())?;
    Ok(encoding)
}

impl<S> SavedNetwork<S> {
    /// The share of eliminated weights in W, 0 to 1.
    pub fn sparsity(&self) -> f64 {
        let eliminated = self.alive.iter().filter(|&&alive| !alive).count();
        eliminated as f64 / self.alive.len().max(1) as f64
    }
}
