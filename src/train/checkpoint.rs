//! Checkpoints: a run's whole state between two epochs, as one safetensors file.
//!
//! Parameters and running statistics are a `state_dict` ([`crate::nn::state_dict`]); the rest stands beside them:
//! `momentum/<p>`, of a method that eliminates weights `mask/<p>` (1 alive), and what else the method keeps of every weight,
//! `<name>/<p>` (GDSTAR: W_k*, `rewind/<p>`).

mod seal;

use super::{Config, Outputs, Run, Snapshot, State, Within};
use crate::checksum::Checksum;
use crate::data::Encoding;
use crate::error::{Error, Result};
use crate::method::{Field, Fields};
use crate::nn::Parameters;
use crate::nn::state_dict::{self, CHECKPOINT_KEY as KEY, read_finite};
use crate::scalar::Scalar;
use crate::tensor_file::{self, Element, StreamExtent, Tensor, TensorFile};
use crate::weights::{Lasts, Segment, WeightSet, Weights, read_flags};
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
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
    /// What is done of the epoch under way, where the state is one between two of its steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
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
    /// What the method keeps beside arrays: numbers, of which `null` is +inf, and counts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
    /// Alg. 4's m and k*, in whose place the first checkpoints had no fields.
    #[serde(default, skip_serializing)]
    rewind_point: Option<(Option<f64>, usize)>,
    /// How much of the trace was written by then.
    pub trace: Option<StreamExtent>,
    /// In which form the trace was begun; the first checkpoints do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_outputs: Option<Outputs>,
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
        Self::write_snapshot(path, run, &state.snapshot(), trace)
    }

    /// [`write`](Self::write), of a state that may be one within an epoch.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write_snapshot<S: Scalar + Element>(
        path: &Path,
        run: &Run,
        state: &Snapshot<S>,
        trace: Option<StreamExtent>,
    ) -> Result<()> {
        let Weights { parameters, momentum, .. } = state.weights;
        let mut tensors = state_dict::tensors(parameters, state.steps);
        for (parameter, buffer) in parameters.iter().zip(momentum) {
            if parameter.role.is_trained() {
                tensors.push((format!("momentum/{}", parameter.name), Tensor::from_array(&buffer.view())));
            }
        }
        let set = state.weights.set();
        let fields = state.sparsifier.save();
        let mask = state.weights.mask().map(|mask| ("mask", mask));
        let flags = fields.0.iter().filter_map(|(name, field)| match field {
            Field::Flags(flags) => Some((name.as_str(), &flags[..])),
            Field::Number(_) | Field::Count(_) => None,
        });
        for (name, flags) in mask.into_iter().chain(flags) {
            let bits: Vec<u8> = flags.iter().map(|&flag| flag.into()).collect();
            tensors.extend(by_parameter(name, set, parameters, &bits));
        }
        for slot in state.weights.slots().iter().filter(|slot| slot.lasts == Lasts::Run) {
            tensors.extend(by_parameter(slot.name, set, parameters, &slot.values));
        }
        let header = Self {
            format: FORMAT.to_string(),
            sha256: Some(Checksum::BLANK),
            epochs: state.epochs,
            steps: state.steps,
            within: Some(state.within).filter(|within| *within != Within::default()),
            config: run.config.without_outputs(),
            data: run.fingerprint().to_string(),
            shape: Some((run.network.input, run.network.classes)),
            encoding: Some(run.dataset.encoding()),
            fields: fields.0.iter().filter_map(|(name, field)| Some((name.clone(), in_header(field)?))).collect(),
            rewind_point: None,
            trace,
            trace_outputs: trace.map(|_| run.config.outputs.form_of_trace()),
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
        let mut header: Self = serde_json::from_str(text).map_err(bad)?;
        let method = header.config.method.entry();
        header.config.options.complete(method);
        if let Some((minimum, k_star)) = header.rewind_point.take() {
            header.fields.insert("minimum".to_string(), minimum.into());
            header.fields.insert("k_star".to_string(), k_star.into());
        }
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
        state.within = header.within.unwrap_or_default();
        state.weights.parameters = state_dict::read(file, &run.network)?;
        for (parameter, buffer) in state.weights.parameters.iter().zip(&mut state.weights.momentum) {
            if parameter.role.is_trained() {
                let name = format!("momentum/{}", parameter.name);
                *buffer = read_finite(file, &name, Some(parameter.value.shape()))?;
            }
        }
        let weights = &mut state.weights;
        if weights.mask().is_some() {
            let mask = read_flags(file, "mask", &weights.parameters, weights.set())?;
            weights.mask_mut().copy_from_slice(&mask);
        }
        let slots: Vec<&str> =
            weights.slots().iter().filter(|slot| slot.lasts == Lasts::Run).map(|slot| slot.name).collect();
        for name in slots {
            let values = read_slot(file, name, weights)?;
            weights.slot_mut(name).into_iter().for_each(|slot| slot.values.clone_from(&values));
        }
        let fields = header.read_fields(file, &state)?;
        check_names(file, &state.weights, &fields)?;
        state.sparsifier.restore(&fields).map_err(|e| Error::file(path, "method state", "one of this run", e))?;
        Ok((header, state))
    }

    /// The method's fields, as those that a new run of it has tell what they are.
    fn read_fields<S: Scalar>(&self, file: &TensorFile, state: &State<S>) -> Result<Fields<S>> {
        let mut fields = Fields::default();
        for (name, field) in state.sparsifier.save().0 {
            let bad = |expected: &str, found: &Value| {
                Error::file(file.path(), format!("metadata `{KEY}`, `{name}`"), expected, found)
            };
            let value = self.fields.get(&name).unwrap_or(&Value::Null);
            let read = match (field, value) {
                (Field::Flags(_), _) => {
                    Field::Flags(read_flags(file, &name, &state.weights.parameters, state.weights.set())?)
                }
                (Field::Count(_), _) => {
                    let count = value.as_u64().and_then(|n| usize::try_from(n).ok());
                    Field::Count(count.ok_or_else(|| bad("a count", value))?)
                }
                (Field::Number(_), Value::Null) => Field::Number(S::from_f64(f64::INFINITY)),
                (Field::Number(_), _) => {
                    Field::Number(S::from_f64(value.as_f64().ok_or_else(|| bad("a number or null", value))?))
                }
            };
            fields = fields.with(&name, read);
        }
        Ok(fields)
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

/// Whether a checkpoint holds of each parameter nothing that its method does not keep.
fn check_names<S: Scalar>(file: &TensorFile, weights: &Weights<S>, fields: &Fields<S>) -> Result<()> {
    let slots = weights.slots().iter().filter(|slot| slot.lasts == Lasts::Run).map(|slot| slot.name);
    let flags = fields.0.iter().filter(|(_, field)| matches!(field, Field::Flags(_))).map(|(name, _)| name.as_str());
    let mut kept: Vec<&str> = slots.chain(flags).chain(["momentum"]).collect();
    kept.extend(weights.mask().map(|_| "mask"));
    let is_kept = |name: &&str| name.split_once('/').is_none_or(|(what, _)| kept.contains(&what));
    match file.names().find(|name| !is_kept(name)) {
        None => Ok(()),
        Some(name) => {
            let expected = format!("what the run keeps of every weight: {}", kept.join(", "));
            Err(Error::file(file.path(), format!("tensor `{name}`"), expected, "another tensor"))
        }
    }
}

/// A field as the header has it; `None` for one that is a tensor.
fn in_header<S: Scalar>(field: &Field<S>) -> Option<Value> {
    match field {
        Field::Number(x) => Some(Some(x.to_f64()).filter(|x| x.is_finite()).into()),
        Field::Count(n) => Some((*n).into()),
        Field::Flags(_) => None,
    }
}

/// An array over W as one tensor a parameter, `<name>/<p>`.
fn by_parameter<S: Scalar, T: Element>(
    name: &str,
    set: &WeightSet,
    parameters: &Parameters<S>,
    flat: &[T],
) -> Vec<(String, Tensor)> {
    let tensor = |segment: &Segment| {
        let parameter = &parameters[segment.parameter];
        let tensor = Tensor::from_slice(parameter.value.shape(), &flat[segment.range.clone()]);
        (format!("{name}/{}", parameter.name), tensor)
    };
    set.segments().iter().map(tensor).collect()
}

/// What is kept of every weight under this name, flattened over W.
fn read_slot<S: Scalar + Element>(file: &TensorFile, name: &str, weights: &Weights<S>) -> Result<Vec<S>> {
    let mut values = Vec::new();
    for segment in weights.set().segments() {
        let parameter = &weights.parameters[segment.parameter];
        let array: ArrayD<S> = read_finite(file, &format!("{name}/{}", parameter.name), Some(parameter.value.shape()))?;
        values.extend(array);
    }
    Ok(values)
}
