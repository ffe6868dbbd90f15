//! Writing traces (format `gdstar-trace/1`): what a run did, epoch by epoch, in the paper's own quantities.
//!
//! A trace can be larger than memory, and a safetensors header comes before its tensors but is known only after
//! them. So tensors go to `FILE.data` and their descriptions, one JSON line each, to `FILE.index` as the run goes;
//! at the end both become FILE. A resumed run cuts the two back to where its checkpoint was.

use super::{BatchEvent, EpochEvent, Observer};
use crate::error::{Error, Result};
use crate::paper::gradient_norm::L1NormSum;
use crate::paper::reading::{MaskedGradient, MomentumOnPrune};
use crate::scalar::Scalar;
use crate::sparsify::{Segment, WeightSet};
use crate::tensor_file::{Element, Tensor, write_atomically};
use crate::train::{Config, Run, State};
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How much of a trace is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceExtent {
    /// Of tensor data.
    pub bytes: u64,
    pub tensors: usize,
}

/// Writes one trace file.
pub struct TraceWriter<S: Scalar> {
    path: PathBuf,
    data: BufWriter<File>,
    index: BufWriter<File>,
    extent: TraceExtent,
    /// [`TraceWriter::extent`] at the end of the last epoch, for the checkpoint.
    written: Rc<Cell<TraceExtent>>,
    header: Map<String, Value>,
    /// Whether every batch's gradients are recorded.
    gradients: bool,
    masked_gradient: MaskedGradient,
    weights: WeightSet,
    names: Vec<String>,
    alive: Vec<bool>,
    s_abs: L1NormSum<S>,
}

impl<S: Scalar + Element> TraceWriter<S> {
    /// Starts the trace of a run in `state`, or, given how far it was at the checkpoint, continues it.
    ///
    /// # Errors
    /// [`Error::Domain`] if the format has no word for a choice of the reading; [`Error::Io`], [`Error::File`].
    pub fn open(
        path: &Path,
        run: &Run,
        state: &State<S>,
        resumed: Option<TraceExtent>,
        gradients: bool,
    ) -> Result<Self> {
        let names: Vec<String> = state.parameters.iter().map(|p| p.name.clone()).collect();
        let weights = state.sparsifier.weights().clone();
        let params: Vec<&str> = weights.segments().iter().map(|s| names[s.parameter].as_str()).collect();
        let header = header(run.config, S::NAME, &params)?;
        let extent = resumed.unwrap_or_default();
        let (data, index) = (part(path, "data"), part(path, "index"));
        let alive = state.sparsifier.save().map_or_else(|| vec![true; weights.len()], |saved| saved.alive);
        let mut writer = Self {
            path: path.to_path_buf(),
            data: BufWriter::new(cut(&data, |_| Ok(extent.bytes))?),
            index: BufWriter::new(cut(&index, |file| line_end(file, extent.tensors))?),
            extent,
            written: Rc::new(Cell::new(extent)),
            header,
            gradients,
            masked_gradient: run.config.reading.masked_gradient,
            weights,
            names,
            alive,
            s_abs: L1NormSum::new(),
        };
        if extent.tensors == 0 {
            for parameter in state.parameters.iter().filter(|p| p.role.is_trained()) {
                writer.put(format!("init/{}", parameter.name), &Tensor::from_array(&parameter.value.view()))?;
            }
        }
        Ok(writer)
    }

    /// How much is safely written, shared with the checkpoint's writer.
    pub fn written(&self) -> Rc<Cell<TraceExtent>> {
        Rc::clone(&self.written)
    }

    fn put(&mut self, name: String, tensor: &Tensor) -> Result<()> {
        let end = self.extent.bytes + tensor.bytes.len() as u64;
        let line = json!({
            "name": name,
            "dtype": format!("{:?}", tensor.dtype),
            "shape": tensor.shape,
            "data_offsets": [self.extent.bytes, end],
        });
        self.data.write_all(&tensor.bytes).map_err(Error::io(part(&self.path, "data"), "write"))?;
        writeln!(self.index, "{line}").map_err(Error::io(part(&self.path, "index"), "write"))?;
        self.extent = TraceExtent { bytes: end, tensors: self.extent.tensors + 1 };
        Ok(())
    }

    /// One tensor per parameter of W, from an array over W.
    fn put_flat<T: Element>(&mut self, epoch: usize, quantity: &str, shapes: &[Vec<usize>], flat: &[T]) -> Result<()> {
        for (segment, shape) in self.weights.segments().to_vec().iter().zip(shapes) {
            let name = format!("epoch/{epoch}/{quantity}/{}", self.names[segment.parameter]);
            self.put(name, &Tensor::from_slice(shape, &flat[segment.range.clone()]))?;
        }
        Ok(())
    }

    fn put_bits(&mut self, epoch: usize, quantity: &str, shapes: &[Vec<usize>], bits: &[bool]) -> Result<()> {
        let bytes: Vec<u8> = bits.iter().map(|&bit| bit.into()).collect();
        self.put_flat(epoch, quantity, shapes, &bytes)
    }

    fn put_scalar<T: Element>(&mut self, epoch: usize, quantity: &str, value: T) -> Result<()> {
        self.put(format!("epoch/{epoch}/{quantity}"), &Tensor::scalar(value))
    }

    fn add_to_s_abs(&mut self, segment: &Segment, gradient: &ArrayD<S>) {
        let keeps_all = self.masked_gradient == MaskedGradient::Dense;
        for (&g, &alive) in gradient.iter().zip(&self.alive[segment.range.clone()]) {
            self.s_abs.add(&[if keeps_all || alive { g } else { S::ZERO }]);
        }
    }
}

impl<S: Scalar + Element> Observer<S> for TraceWriter<S> {
    fn wants_tensors(&self) -> bool {
        true
    }

    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        for segment in self.weights.segments().to_vec() {
            if let Some(Some(gradient)) = event.gradients.get(segment.parameter) {
                self.add_to_s_abs(&segment, gradient);
            }
        }
        if !self.gradients {
            return Ok(());
        }
        let batch = format!("epoch/{}/batch/{}", event.epoch, event.batch);
        let indices: Vec<i64> = event.indices.iter().map(|&i| i as i64).collect();
        self.put(format!("{batch}/indices"), &Tensor::from_slice(&[indices.len()], &indices))?;
        self.put(format!("{batch}/loss"), &Tensor::scalar(event.loss))?;
        for (parameter, gradient) in event.parameters.iter().zip(event.gradients) {
            if let Some(gradient) = gradient {
                self.put(format!("{batch}/grad/{}", parameter.name), &Tensor::from_array(&gradient.view()))?;
            }
        }
        Ok(())
    }

    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let k = event.record.epoch;
        let parameters = &event.state.parameters;
        let shapes: Vec<Vec<usize>> =
            self.weights.segments().iter().map(|s| parameters[s.parameter].value.shape().to_vec()).collect();
        for parameter in event.weights_before.into_iter().flat_map(|before| before.iter()) {
            if parameter.role.is_trained() {
                let name = format!("epoch/{k}/weights_before/{}", parameter.name);
                self.put(name, &Tensor::from_array(&parameter.value.view()))?;
            }
        }
        let s_abs = std::mem::take(&mut self.s_abs).value();
        if let (Some(details), Some(saved)) = (&event.story.details, event.state.sparsifier.save()) {
            self.put_scalar(k, "S_abs", s_abs)?;
            self.put_flat(k, "G", &shapes, &details.accumulated)?;
            self.put_scalar(k, "S_sq", details.s_sq)?;
            self.put_scalar(k, "S_F", details.s_f)?;
            self.put_scalar(k, "min_before", details.min_before)?;
            self.put_scalar(k, "tau", details.tau)?;
            let quantiles = Tensor::from_slice(&[details.chunk_quantiles.len()], &details.chunk_quantiles);
            self.put(format!("epoch/{k}/chunk_quantiles"), &quantiles)?;
            self.put_bits(k, "selected", &shapes, &details.selected)?;
            self.put_bits(k, "mask_before", &shapes, &details.alive_before)?;
            self.put_bits(k, "mask", &shapes, &saved.alive)?;
            if let Some(rewind) = &saved.rewind {
                self.put_flat(k, "rewind", &shapes, rewind)?;
            }
            self.alive = saved.alive;
        }
        for (quantity, value) in [("k_star", event.record.k_star), ("t", event.record.t)] {
            if let Some(value) = value {
                self.put_scalar(k, quantity, value as i64)?;
            }
        }
        if let Some(alpha) = event.record.alpha {
            self.put_scalar(k, "alpha", alpha)?;
        }
        for parameter in parameters.iter().filter(|p| p.role.is_trained()) {
            let name = format!("epoch/{k}/weights_after/{}", parameter.name);
            self.put(name, &Tensor::from_array(&parameter.value.view()))?;
        }
        self.data.flush().map_err(Error::io(part(&self.path, "data"), "write"))?;
        self.index.flush().map_err(Error::io(part(&self.path, "index"), "write"))?;
        self.data.get_ref().sync_data().map_err(Error::io(part(&self.path, "data"), "sync"))?;
        self.index.get_ref().sync_data().map_err(Error::io(part(&self.path, "index"), "sync"))?;
        self.written.set(self.extent);
        Ok(())
    }

    fn on_end(&mut self) -> Result<()> {
        let (data, index) = (part(&self.path, "data"), part(&self.path, "index"));
        let mut entries = Map::new();
        entries.insert("__metadata__".to_string(), Value::Object(self.header.clone()));
        let file = File::open(&index).map_err(Error::io(&index, "open"))?;
        for line in BufReader::new(file).lines() {
            let line = line.map_err(Error::io(&index, "read"))?;
            let bad = |found: String| Error::file(&index, "line", "a tensor's description", found);
            let mut entry: Map<String, Value> = serde_json::from_str(&line).map_err(|e| bad(e.to_string()))?;
            match entry.remove("name") {
                Some(Value::String(name)) => entries.insert(name, Value::Object(entry)),
                _ => return Err(bad(line)),
            };
        }
        let mut header = Value::Object(entries).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' '); // tensors start aligned
        let mut tensors = File::open(&data).map_err(Error::io(&data, "open"))?;
        write_atomically(&self.path, |out| {
            out.write_all(&(header.len() as u64).to_le_bytes())?;
            out.write_all(&header)?;
            std::io::copy(&mut tensors, out).map(|_| ())
        })?;
        for file in [data, index] {
            std::fs::remove_file(&file).map_err(Error::io(file, "remove"))?;
        }
        Ok(())
    }
}

fn part(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens a part, cut back to the length that `keep` finds, ready to append.
fn cut(path: &Path, keep: impl FnOnce(&mut File) -> std::io::Result<u64>) -> Result<File> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = open.map_err(Error::io(path, "open"))?;
    let length = keep(&mut file).map_err(Error::io(path, "read"))?;
    let found = file.metadata().map_err(Error::io(path, "read"))?.len();
    if found < length {
        return Err(Error::file(path, "length", format!("at least {length} bytes, as at the checkpoint"), found));
    }
    file.set_len(length).map_err(Error::io(path, "truncate"))?;
    file.seek(std::io::SeekFrom::End(0)).map_err(Error::io(path, "seek"))?;
    Ok(file)
}

/// Where the `count`-th line ends.
fn line_end(file: &mut File, count: usize) -> std::io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut end = 0;
    for _ in 0..count {
        end += reader.skip_until(b'\n')? as u64;
    }
    Ok(end)
}

/// The `__metadata__` of the trace: the format's header under `gdstar`, the whole configuration under `gdstar-config`.
fn header(config: &Config, dtype: &str, params: &[&str]) -> Result<Map<String, Value>> {
    let (hyper, sgd, reading) = (&config.hyper, &config.optimizer, &config.reading);
    if reading.momentum_on_prune == MomentumOnPrune::ZeroSelected {
        let found = reading.momentum_on_prune.name();
        return Err(Error::domain("--trace with --momentum-on-prune", "zero | keep, which the format has", found));
    }
    if let Some(structure) = config.structure {
        return Err(Error::domain("--trace with --structure", "none, since the format has no groups", structure));
    }
    let header = json!({
        "format": "gdstar-trace/1",
        "producer": concat!("gdstar ", env!("CARGO_PKG_VERSION")),
        "dtype": dtype,
        "hyper": {
            "epochs": hyper.epochs, "alpha_0": hyper.alpha_0, "alpha_K": hyper.alpha_end, "lambda": hyper.lambda,
            "eps": hyper.eps, "chunks": hyper.chunks, "lr": sgd.learning_rate, "momentum": sgd.momentum,
            "weight_decay": sgd.weight_decay, "batch_size": sgd.batch_size,
        },
        "reading": {
            "epoch_origin": reading.epoch_origin.first(),
            "quantile": reading.quantile, "chunking": reading.chunking,
            "masked_gradient": reading.masked_gradient, "prunable": reading.prunable,
            "rewind_copy": reading.rewind_copy, "decay_step": reading.decay_step, "threshold": reading.threshold,
            "momentum_on_prune": reading.momentum_on_prune, "gradient": reading.gradient,
            "rewind_update": reading.rewind_update, "learning_rate": reading.learning_rate,
        },
        "model": config.model, "dataset": config.data, "params": params,
    });
    let config = serde_json::to_string(config).map_err(|e| Error::domain("configuration", "JSON", e))?;
    Ok(Map::from_iter([
        ("gdstar".to_string(), Value::String(header.to_string())),
        ("gdstar-config".to_string(), Value::String(config)),
    ]))
}
