//! Writing traces (format `gdstar-trace/1`): what a run did, epoch by epoch, in the paper's own quantities.
//!
//! A trace can be larger than memory: it is a [`TensorStream`], which a resumed run cuts back to where its checkpoint
//! was.

use super::{BatchEvent, EpochEvent, Observer};
use crate::error::{Error, Result};
use crate::paper::gradient_norm::L1NormSum;
use crate::paper::reading::{Decayed, MaskedGradient};
use crate::scalar::{Dtype, Scalar};
use crate::sparsify::{Method, Segment, WeightSet};
use crate::tensor_file::{Element, StreamExtent, Tensor, TensorSink, TensorStream};
use crate::trace::{Arithmetic, Header, KEY, Optimizer, SgdHyperparameters};
use crate::train::{Config, Run, State};
use ndarray::ArrayViewD;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::rc::Rc;

/// Writes one trace file.
pub struct TraceWriter<S: Scalar> {
    stream: TensorStream,
    /// The stream's extent at the end of the last epoch, for the checkpoint.
    written: Rc<Cell<StreamExtent>>,
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
    /// Records a run in `state`, from its beginning or from where `stream` was when that state was saved.
    ///
    /// # Errors
    /// [`Error::Domain`] if the format has no word for the method or a choice of the reading; [`Error::Io`].
    pub fn new(stream: TensorStream, run: &Run, state: &State<S>) -> Result<Self> {
        let names: Vec<String> = state.parameters.iter().map(|p| p.name.clone()).collect();
        let weights = state.sparsifier.weights().clone();
        let params = weights.segments().iter().map(|s| names[s.parameter].clone()).collect();
        let header = header(run.config, S::NAME.parse()?, params)?;
        let extent = stream.extent();
        let alive = state.sparsifier.save().map_or_else(|| vec![true; weights.len()], |saved| saved.alive);
        let mut writer = Self {
            stream,
            written: Rc::new(Cell::new(extent)),
            header,
            gradients: run.config.outputs.trace_gradients,
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
    pub fn written(&self) -> Rc<Cell<StreamExtent>> {
        Rc::clone(&self.written)
    }

    fn put(&mut self, name: String, tensor: &Tensor) -> Result<()> {
        self.stream.put(&name, tensor)
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

    fn add_to_s_abs(&mut self, segment: &Segment, gradient: ArrayViewD<S>) {
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

    /// The format takes the gradients of eliminated weights raw or masked; raw ones say more, and are the same under
    /// either [`Execution`](crate::train::Execution).
    fn wants_gradients(&self) -> bool {
        self.gradients
    }

    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        for segment in self.weights.segments().to_vec() {
            if let Some(gradient) = event.gradient(segment.parameter) {
                self.add_to_s_abs(&segment, gradient.view());
            }
        }
        if !self.gradients {
            return Ok(());
        }
        let batch = format!("epoch/{}/batch/{}", event.epoch, event.batch);
        let indices: Vec<i64> = event.indices.iter().map(|&i| i as i64).collect();
        self.put(format!("{batch}/indices"), &Tensor::from_slice(&[indices.len()], &indices))?;
        self.put(format!("{batch}/loss"), &Tensor::scalar(event.loss))?;
        for (i, parameter) in event.parameters.iter().enumerate() {
            if let Some(gradient) = event.gradient(i) {
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
        self.written.set(self.stream.sync()?);
        Ok(())
    }

    fn on_end(&mut self) -> Result<()> {
        self.stream.finish(&self.header)
    }
}

/// Whether the format has words for all that a run of this configuration does.
///
/// # Errors
/// [`Error::Domain`] naming the option for which it has none.
pub fn check_traceable(config: &Config) -> Result<()> {
    if config.method != Method::Gdstar {
        let expected = format!("{}, the one method whose rules a trace is checked by", Method::Gdstar);
        return Err(Error::domain("--trace with --method", expected, config.method));
    }
    let reading = &config.reading;
    if reading.decayed != Decayed::All {
        let expected = "all, which the format takes for granted";
        return Err(Error::domain("--trace with --decayed", expected, reading.decayed));
    }
    if let Some(structure) = config.structure {
        return Err(Error::domain("--trace with --structure", "none, since the format has no groups", structure));
    }
    Ok(())
}

/// The `__metadata__` of the trace: the format's header under `gdstar`, the configuration under `gdstar-config`.
fn header(config: &Config, dtype: Dtype, params: Vec<String>) -> Result<Map<String, Value>> {
    check_traceable(config)?;
    let (hyper, sgd, reading) = (&config.hyper, &config.optimizer, &config.reading);
    let header = Header {
        producer: concat!("gdstar ", env!("CARGO_PKG_VERSION")).to_string(),
        arithmetic: Arithmetic::of(dtype),
        declares_rounding: false,
        hyper: *hyper,
        sgd: Some(SgdHyperparameters { lr: sgd.learning_rate, momentum: sgd.momentum, weight_decay: sgd.weight_decay }),
        batch_size: Some(sgd.batch_size),
        optimizer: Optimizer::default(),
        reading: *reading,
        declares_last_batch: false,
        model: Some(config.model.clone()),
        dataset: Some(config.data.to_string()),
        params,
        not_prunable: Vec::new(),
        unknown: Vec::new(),
    };
    let config =
        serde_json::to_string(&config.without_outputs()).map_err(|e| Error::domain("configuration", "JSON", e))?;
    Ok(Map::from_iter([
        (KEY.to_string(), Value::String(header.to_json().to_string())),
        ("gdstar-config".to_string(), Value::String(config)),
    ]))
}
