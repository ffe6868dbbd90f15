//! [`Sheet`]: a run's trace as an exercise's function sees it, call by call: operands out, results back in.

use super::{Calls, Exercise, Given};
use crate::error::{Error, Result};
use crate::method::{Options, declared};
use crate::tensor_file::{self, Element, Tensor, TensorFile};
use crate::trace::{KEY, Opened, TracedParameter, number_of, open};
use safetensors::Dtype as Stored;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A run's trace, and an exercise that takes from it and gives to it.
pub(super) struct Sheet<'a> {
    exercise: &'a Exercise,
    trace: Opened,
    raw: TensorFile,
    /// The trace's own, as its file has it.
    header: Json,
}

/// One call of the function.
struct Call {
    /// The epoch, the step, the level.
    event: usize,
    /// What its tensors' names begin with.
    prefix: String,
    /// The layer's name, of a call for a layer.
    layer: Option<String>,
}

impl Call {
    /// As the file that the function is given names it.
    fn key(&self) -> String {
        match &self.layer {
            Some(layer) => format!("{}/{layer}", self.event),
            None => self.event.to_string(),
        }
    }
}

impl<'a> Sheet<'a> {
    /// # Errors
    /// As [`open`].
    pub(super) fn open(exercise: &'a Exercise, path: &Path) -> Result<Self> {
        let raw = TensorFile::open(path)?;
        let header = serde_json::from_str(raw.metadata(KEY).unwrap_or_default())
            .map_err(|error| Error::file(path, KEY, "a header in JSON", error))?;
        Ok(Self { exercise, trace: open(path)?, raw, header })
    }

    fn prunable(&self) -> &[TracedParameter] {
        match &self.trace {
            Opened::Epochs(trace) => trace.prunable(),
            Opened::Steps(trace) => trace.prunable(),
        }
    }

    /// The events, each with what its tensors' names begin with.
    fn events(&self) -> Vec<(usize, String)> {
        match &self.trace {
            Opened::Epochs(trace) => trace.epochs().map(|k| (k, format!("epoch/{k}"))).collect(),
            Opened::Steps(trace) => trace.steps().map(|t| (t, format!("step/{t}"))).collect(),
        }
    }

    /// The calls: of the events, or of their layers, all of whose results the run has.
    fn calls(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        for (event, prefix) in self.events() {
            let layers = match self.exercise.calls {
                Calls::Event => vec![None],
                Calls::Layer => self.layers(&prefix).into_iter().map(Some).collect(),
            };
            let of_event = layers.into_iter().map(|layer| Call { event, prefix: prefix.clone(), layer });
            calls
                .extend(of_event.filter(|call| self.exercise.gives.iter().all(|name| !self.of(call, name).is_empty())));
        }
        calls
    }

    /// The layers of which an event has the first of the results.
    fn layers(&self, prefix: &str) -> Vec<String> {
        let of = format!("{prefix}/{}/", self.exercise.gives[0]);
        self.raw.names().filter_map(|name| name.strip_prefix(&of)).map(str::to_string).collect()
    }

    /// The tensors that hold a quantity of a call, with their shapes; none if the run has it not.
    fn of(&self, call: &Call, quantity: &str) -> Vec<String> {
        self.tensors(&format!("{}/{quantity}", call.prefix), call.layer.as_deref())
    }

    /// The tensor of this name; or those of a layer, or of all of W in its order, that begin so.
    fn tensors(&self, name: &str, layer: Option<&str>) -> Vec<String> {
        let has = |name: &String| self.raw.describe(name).is_some();
        let whole = name.to_string();
        if has(&whole) {
            return vec![whole];
        }
        let names: Vec<String> = match layer {
            Some(layer) => vec![format!("{name}/{layer}")],
            None => self.prunable().iter().map(|parameter| format!("{name}/{}", parameter.name)).collect(),
        };
        if names.iter().all(has) { names } else { Vec::new() }
    }

    /// Writes what the function is given.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] naming a quantity that the trace has not.
    pub(super) fn lay_out(&self, path: &Path) -> Result<()> {
        let calls = self.calls();
        let mut tensors = Vec::new();
        for call in &calls {
            for (name, given) in self.exercise.takes {
                tensors.push((format!("{}/{name}", call.key()), self.argument(*given, call)?));
            }
        }
        let names: Vec<&str> = self.exercise.takes.iter().map(|(name, _)| *name).collect();
        let keys: Vec<String> = calls.iter().map(Call::key).collect();
        let order = json!({"calls": keys, "takes": names}).to_string();
        tensor_file::write(path, HashMap::from([("exercise".to_string(), order)]), &tensors)
    }

    fn argument(&self, given: Given, call: &Call) -> Result<Tensor> {
        match given {
            Given::Of(name) => self.joined(&self.of(call, name), name),
            Given::Once(name) => self.joined(&self.tensors(name, call.layer.as_deref()), name),
            Given::Entry(name) => {
                let all = self.joined(&self.of(call, name), name)?.numbers();
                let is_layer = |parameter: &TracedParameter| Some(&parameter.name) == call.layer.as_ref();
                let own = self.prunable().iter().position(is_layer).and_then(|p| all.get(p).copied());
                own.map(number).ok_or_else(|| self.missing(name))
            }
            Given::History(name) => {
                let mut all = Vec::new();
                for (_, prefix) in self.events().into_iter().filter(|(event, _)| *event <= call.event) {
                    all.extend(self.joined(&self.tensors(&format!("{prefix}/{name}"), None), name)?.numbers());
                }
                Ok(Tensor::from_slice(&[all.len()], &all))
            }
            Given::Gradients => {
                let mut rows = Vec::new();
                let of_batch = |i: usize| self.tensors(&format!("{}/batch/{i}/grad", call.prefix), None);
                let batches = (0..).map(of_batch).take_while(|names| !names.is_empty());
                for names in batches {
                    rows.push(self.joined(&names, "grad")?.numbers());
                }
                Ok(Tensor::from_slice(&[rows.len(), rows.first().map_or(0, Vec::len)], &rows.concat()))
            }
            Given::Event => Ok(number(call.event as f64)),
            Given::Hyper(key) => self.hyper(key),
        }
    }

    /// One tensor as it is, a single number without a shape; several one after the other.
    fn joined(&self, names: &[String], quantity: &str) -> Result<Tensor> {
        let mut parts = names.iter().map(|name| self.read(name)).collect::<Result<Vec<Tensor>>>()?;
        let Some(first) = parts.first() else { return Err(self.missing(quantity)) };
        if parts.len() > 1 {
            let length = parts.iter().map(entries).sum();
            let bytes = parts.iter().flat_map(|part| part.bytes.iter().copied()).collect();
            return Ok(Tensor { dtype: first.dtype, shape: vec![length], bytes });
        }
        let only = parts.remove(0);
        let shape = if only.shape == [1] { Vec::new() } else { only.shape };
        Ok(Tensor { shape, ..only })
    }

    /// Flags as they are, numbers in f64.
    fn read(&self, name: &str) -> Result<Tensor> {
        Ok(match self.raw.describe(name).map(|(dtype, _)| dtype) {
            Some(Stored::U8) => Tensor::from_array(&self.raw.read::<u8>(name, None)?.view()),
            Some(Stored::I64) => Tensor::from_array(&self.raw.read_integers(name, None)?.mapv(|x| x as f64).view()),
            _ => Tensor::from_array(&self.raw.read_floats(name, None)?.view()),
        })
    }

    fn missing(&self, name: &str) -> Error {
        Error::file(self.raw.path(), "the run's trace", format!("`{name}`"), "none")
    }

    /// As the header has it, else the method's default.
    fn hyper(&self, key: &str) -> Result<Tensor> {
        let declared = || {
            let entry = declared(self.header["method"].as_str().unwrap_or("gdstar"))?;
            Options::of(entry).real(key)
        };
        match &self.header["hyper"][key] {
            Json::Array(all) => {
                let all: Vec<f64> = all.iter().filter_map(number_of).collect();
                Ok(Tensor::from_slice(&[all.len()], &all))
            }
            value => number_of(value).or_else(declared).map(number).ok_or_else(|| self.missing(key)),
        }
    }

    /// Writes the run's trace with what the function returned in the place of the run's own results.
    ///
    /// # Errors
    /// [`Error::File`] naming the student's file and the returned value of another number or length; [`Error::Io`].
    pub(super) fn put_back(&self, (file, returned): (&Path, &Path), path: &Path) -> Result<()> {
        let results = TensorFile::open(returned)?;
        let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
        for name in self.raw.names() {
            if let Some((dtype, shape)) = self.raw.describe(name) {
                let tensor = Tensor { dtype, shape: shape.to_vec(), bytes: self.raw.raw(name)?.into_owned() };
                tensors.insert(name.to_string(), tensor);
            }
        }
        for call in self.calls() {
            for (i, quantity) in self.exercise.gives.iter().enumerate() {
                let key = format!("{}/{i}", call.key());
                if results.describe(&key).is_none() {
                    let expected = format!("{} values", self.exercise.gives.len());
                    return Err(Error::file(file, "what the function returns", expected, i));
                }
                let values: Vec<f64> = results.read_floats(&key, None)?.into_iter().collect();
                let names = self.of(&call, quantity);
                let length = names.iter().filter_map(|name| tensors.get(name)).map(entries).sum::<usize>();
                if values.len() != length {
                    let place = format!("what the function returns, value {}", i + 1);
                    return Err(Error::file(file, place, format!("{length} numbers"), values.len()));
                }
                let mut rest = values.as_slice();
                for name in names {
                    let Some(tensor) = tensors.get_mut(&name) else { continue };
                    let (own, others) = rest.split_at(entries(tensor));
                    *tensor = as_stored(tensor, own);
                    rest = others;
                }
            }
        }
        let header = self.raw.metadata(KEY).unwrap_or_default().to_string();
        tensor_file::write(path, HashMap::from([(KEY.to_string(), header)]), &tensors.into_iter().collect::<Vec<_>>())
    }
}

fn number(x: f64) -> Tensor {
    Tensor::from_slice(&[], &[x])
}

fn entries(tensor: &Tensor) -> usize {
    tensor.shape.iter().product()
}

/// These numbers in a tensor's shape and type; a count that is no whole number stays wrong as one.
fn as_stored(tensor: &Tensor, values: &[f64]) -> Tensor {
    fn of<T: Element>(tensor: &Tensor, values: &[f64], as_stored: impl Fn(f64) -> T) -> Tensor {
        Tensor::from_slice(&tensor.shape, &values.iter().map(|&x| as_stored(x)).collect::<Vec<T>>())
    }
    match tensor.dtype {
        Stored::U8 => of(tensor, values, |x| u8::from(x != 0.0)),
        Stored::I64 => of(tensor, values, |x| x as i64),
        _ => of(tensor, values, |x| x),
    }
}
