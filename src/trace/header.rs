//! The header of a trace: what the producer says about itself, its arithmetic, hyper-parameters and reading.

mod read;

pub(super) use read::{Common, object};

use super::{Arithmetic, FORMAT, Kept, Optimizer, TracedMethod};
use crate::choice::Choice;
use crate::error::Result;
use crate::paper::Hyperparameters;
use crate::paper::reading::{LastBatch, Reading};
use crate::tensor_file::TensorFile;
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// The optimizer's hyper-parameters; a trace that leaves one out has its optimizer steps unchecked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdHyperparameters {
    pub lr: f64,
    pub momentum: f64,
    pub weight_decay: f64,
}

/// When *fixed rewind* captures W_k*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewindsAt {
    /// At the end of this epoch, in the producer's own counting.
    Epoch(usize),
    /// After so many optimizer steps.
    Step(usize),
}

/// The header, every value checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// Whose rules the trace follows.
    pub method: TracedMethod,
    pub producer: String,
    pub arithmetic: Arithmetic,
    /// Whether `arithmetic` declares `u_in`, `u_out`: what makes storage narrower than the dtype legitimate.
    pub declares_rounding: bool,
    pub hyper: Hyperparameters,
    /// How likely the rewind point is to move in an epoch; of `random-rewind` alone.
    pub rewind_probability: f64,
    /// When the rewind point moves; of `fixed-rewind` alone.
    pub rewinds_at: Option<RewindsAt>,
    pub sgd: Option<SgdHyperparameters>,
    pub batch_size: Option<usize>,
    pub optimizer: Optimizer,
    /// Of a sample's target, the share that is spread evenly over all classes.
    pub label_smoothing: f64,
    pub reading: Reading,
    /// Whether the reading names `last_batch`, rather than leaving it to the default.
    pub declares_last_batch: bool,
    pub model: Option<String>,
    pub dataset: Option<String>,
    /// The parameters of W in flattening order.
    pub params: Vec<String>,
    /// Parameters left out of W on purpose, whatever the reading has.
    pub not_prunable: Vec<String>,
    /// Whether a replay computed it.
    pub replayed: bool,
    /// What is kept of parameters' tensors.
    pub kept: Kept,
    /// Keys that the format does not have.
    pub unknown: Vec<String>,
}

/// Of the loss.
const LABEL_SMOOTHING: &str = "label_smoothing";

/// When W_k* is captured.
const REWIND_EPOCH: &str = "rewind_epoch";
const REWIND_STEP: &str = "rewind_step";

impl Header {
    pub(super) fn read(file: &TensorFile) -> Result<Self> {
        let mut header = object(file)?;
        let method = header.choice()?;
        let common = header.common(true)?;
        let label_smoothing = header.label_smoothing()?;
        let kept = Kept::take(&mut header)?;
        let mut unknown = Vec::new();
        let Some(mut hyper) = header.object("hyper")? else {
            return Err(header.bad("hyper", "an object of hyper-parameters", &Value::Null));
        };
        let rewind_probability = hyper.rewind_probability(method)?;
        let rewinds_at = hyper.rewinds_at(method)?;
        let (hyper, sgd, batch_size) = hyper.hyperparameters(&mut unknown)?;
        let (reading, declares_last_batch) = match header.object("reading")? {
            Some(object) => object.reading()?,
            None => (Reading::default(), false),
        };
        unknown.extend(header.entries.keys().cloned());
        let Common {
            producer,
            arithmetic,
            declares_rounding,
            optimizer,
            model,
            dataset,
            params,
            not_prunable,
            replayed,
        } = common;
        Ok(Self {
            method,
            producer,
            arithmetic,
            declares_rounding,
            hyper,
            rewind_probability,
            rewinds_at,
            sgd,
            batch_size,
            optimizer,
            label_smoothing,
            reading,
            declares_last_batch,
            model,
            dataset,
            params,
            not_prunable,
            replayed,
            kept,
            unknown,
        })
    }
}

impl Header {
    /// The first and the last epoch, in the producer's own counting.
    pub fn epochs(&self) -> RangeInclusive<usize> {
        let first = self.reading.epoch_origin.first();
        first..=first.saturating_add(self.hyper.epochs - 1)
    }

    /// A parameter's weight decay; `None` without the optimizer's hyper-parameters.
    pub(crate) fn weight_decay(&self, parameter: &str) -> Option<f64> {
        let decays = !self.optimizer.no_decay.contains(parameter);
        self.sgd.map(|sgd| if decays { sgd.weight_decay } else { 0.0 })
    }

    /// The header as a trace writes it that computes in its dtype's own arithmetic, and clips no gradients.
    pub fn to_json(&self) -> Value {
        let (hyper, reading) = (&self.hyper, &self.reading);
        let mut hyper = json!({
            "epochs": hyper.epochs, "alpha_0": hyper.alpha_0, "alpha_K": hyper.alpha_end, "lambda": hyper.lambda,
            "eps": hyper.eps, "chunks": hyper.chunks,
        });
        if let Some(sgd) = self.sgd {
            hyper["lr"] = json!(sgd.lr);
            hyper["momentum"] = json!(sgd.momentum);
            hyper["weight_decay"] = json!(sgd.weight_decay);
        }
        if self.method == TracedMethod::RandomRewind {
            hyper["rewind_probability"] = json!(self.rewind_probability);
        }
        match self.rewinds_at {
            Some(RewindsAt::Epoch(k)) => hyper[REWIND_EPOCH] = json!(k),
            Some(RewindsAt::Step(step)) => hyper[REWIND_STEP] = json!(step),
            None => {}
        }
        if let Some(batch_size) = self.batch_size {
            hyper["batch_size"] = json!(batch_size);
        }
        let mut reading = json!({
            "epoch_origin": reading.epoch_origin.first(),
            "quantile": reading.quantile, "chunking": reading.chunking,
            "masked_gradient": reading.masked_gradient, "prunable": reading.prunable,
            "rewind_copy": reading.rewind_copy, "decay_step": reading.decay_step, "threshold": reading.threshold,
            "momentum_on_prune": reading.momentum_on_prune, "gradient": reading.gradient,
            "rewind_update": reading.rewind_update, "learning_rate": reading.learning_rate,
        });
        // A key of later date: without it a trace keeps the bytes that it had before there was one.
        if self.reading.last_batch != LastBatch::default() {
            reading[LastBatch::KEY] = json!(self.reading.last_batch);
        }
        let mut header = json!({
            "format": FORMAT,
            "producer": self.producer,
            "dtype": self.arithmetic.dtype,
            "hyper": hyper,
            "reading": reading,
            "model": self.model, "dataset": self.dataset, "params": self.params,
        });
        if self.method != TracedMethod::default() {
            header[TracedMethod::KEY] = json!(self.method);
        }
        if !self.not_prunable.is_empty() {
            header["not_prunable"] = json!(self.not_prunable);
        }
        if self.replayed {
            header["replayed"] = json!(true);
        }
        self.optimizer.put(&mut header);
        self.kept.put(&mut header);
        if self.label_smoothing > 0.0 {
            header[LABEL_SMOOTHING] = json!(self.label_smoothing);
        }
        header
    }
}
