//! What a header says, key by key, each checked.

use super::{LABEL_SMOOTHING, REWIND_EPOCH, REWIND_STEP, RewindsAt, SgdHyperparameters};
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::json;
use crate::paper::Hyperparameters;
use crate::paper::reading::{LastBatch, Reading};
use crate::paper::rewind::REWIND_PROBABILITY;
use crate::scalar::Dtype;
use crate::tensor_file::TensorFile;
use crate::trace::object::Object;
use crate::trace::{Arithmetic, FORMAT, KEY, Optimizer, TracedMethod};
use serde_json::{Value, json};
use std::collections::HashSet;

/// The header of a file, as a JSON object.
pub(in crate::trace) fn object(file: &TensorFile) -> Result<Object<'_>> {
    let (path, name) = (file.path(), format!("metadata `{KEY}`"));
    let Some(text) = file.metadata(KEY) else {
        return Err(Error::file(path, name, format!("a JSON object of {FORMAT}"), "nothing"));
    };
    match json::parse(text.as_bytes()) {
        Ok(Value::Object(entries)) => Ok(Object { path, name, entries }),
        Ok(other) => Err(Error::file(path, name, "a JSON object", other)),
        Err(message) => Err(Error::file(path, name, "a JSON object", message)),
    }
}

/// What every header says, whatever its method.
pub(in crate::trace) struct Common {
    pub(in crate::trace) producer: String,
    pub(in crate::trace) arithmetic: Arithmetic,
    pub(in crate::trace) declares_rounding: bool,
    pub(in crate::trace) optimizer: Optimizer,
    pub(in crate::trace) model: Option<String>,
    pub(in crate::trace) dataset: Option<String>,
    pub(in crate::trace) params: Vec<String>,
    pub(in crate::trace) not_prunable: Vec<String>,
    pub(in crate::trace) replayed: bool,
}

impl Object<'_> {
    /// The keys of every header; `has_w`: of a method that has a W, which is not empty.
    pub(in crate::trace) fn common(&mut self, has_w: bool) -> Result<Common> {
        self.format()?;
        let producer = self.text("producer")?.unwrap_or_default();
        let (arithmetic, declares_rounding) = self.computed_in()?;
        let optimizer =
            Optimizer::take(&mut self.entries).map_err(|(key, expected, found)| self.bad(key, expected, &found))?;
        let params = self.params(has_w)?;
        let not_prunable = self.not_prunable(&params)?;
        let (model, dataset) = (self.text("model")?, self.text("dataset")?);
        let replayed = self.flag("replayed")?.unwrap_or(false);
        Ok(Common {
            producer,
            arithmetic,
            declares_rounding,
            optimizer,
            model,
            dataset,
            params,
            not_prunable,
            replayed,
        })
    }

    fn format(&mut self) -> Result<()> {
        let format = self.required("format")?;
        if format == FORMAT { Ok(()) } else { Err(self.bad("format", format!("{FORMAT:?}"), &format)) }
    }

    /// `dtype` and `arithmetic`; whether that declares `u_in` or `u_out`.
    fn computed_in(&mut self) -> Result<(Arithmetic, bool)> {
        let dtype = self.required("dtype")?;
        let dtype: Dtype = match &dtype {
            Value::String(name) => name.parse().map_err(|_| self.bad("dtype", "\"f32\" or \"f64\"", &dtype))?,
            other => return Err(self.bad("dtype", "\"f32\" or \"f64\"", other)),
        };
        match self.object("arithmetic")? {
            Some(object) => object.arithmetic(dtype),
            None => Ok((Arithmetic::of(dtype), false)),
        }
    }

    fn arithmetic(mut self, dtype: Dtype) -> Result<(Arithmetic, bool)> {
        let mut arithmetic = Arithmetic::of(dtype);
        let mut roundoff = |key| self.number(key, "a unit roundoff in [0, 1)", |u| (0.0..1.0).contains(&u));
        let (u_in, u_acc, u_out) = (roundoff("u_in")?, roundoff("u_acc")?, roundoff("u_out")?);
        arithmetic.u_in = u_in.unwrap_or(arithmetic.u_in);
        arithmetic.u_acc = u_acc.unwrap_or(arithmetic.u_acc);
        arithmetic.u_out = u_out.unwrap_or(arithmetic.u_out);
        self.flag("fma")?; // every bound holds with and without
        arithmetic.ftz = self.flag("ftz")?.unwrap_or(false);
        self.nothing_else("u_in, u_acc, u_out, fma, ftz")?;
        Ok((arithmetic, u_in.is_some() || u_out.is_some()))
    }

    pub(super) fn label_smoothing(&mut self) -> Result<f64> {
        let found = self.number(LABEL_SMOOTHING, "a number in [0, 1]", |share| (0.0..=1.0).contains(&share))?;
        Ok(found.unwrap_or(0.0))
    }

    /// A key of `random-rewind`, which no other method has.
    pub(super) fn rewind_probability(&mut self, method: TracedMethod) -> Result<f64> {
        let found = match method {
            TracedMethod::RandomRewind => {
                self.number("rewind_probability", "a number in [0, 1]", |p| (0.0..=1.0).contains(&p))?
            }
            _ => None,
        };
        Ok(found.unwrap_or(REWIND_PROBABILITY))
    }

    /// Keys of `fixed-rewind`, which no other method has: one of the two.
    pub(super) fn rewinds_at(&mut self, method: TracedMethod) -> Result<Option<RewindsAt>> {
        if method != TracedMethod::FixedRewind {
            return Ok(None);
        }
        let expected = "a whole number";
        let is_count = |x: f64| x >= 0.0 && x <= (1_u64 << 53) as f64 && x.fract() == 0.0;
        let epoch = self.number(REWIND_EPOCH, expected, is_count)?;
        let step = self.number(REWIND_STEP, expected, is_count)?;
        match (epoch, step) {
            (Some(k), None) => Ok(Some(RewindsAt::Epoch(k as usize))),
            (None, Some(step)) => Ok(Some(RewindsAt::Step(step as usize))),
            (None, None) => Err(self.bad(REWIND_EPOCH, format!("an epoch, or `{REWIND_STEP}`"), &Value::Null)),
            (Some(_), Some(step)) => {
                Err(self.bad(REWIND_STEP, format!("nothing beside `{REWIND_EPOCH}`"), &json!(step)))
            }
        }
    }

    pub(super) fn hyperparameters(
        mut self,
        unknown: &mut Vec<String>,
    ) -> Result<(Hyperparameters, Option<SgdHyperparameters>, Option<usize>)> {
        let is_count = |x: f64| x >= 1.0 && x <= (1_u64 << 53) as f64 && x.fract() == 0.0;
        let is_rate = |x: f64| (0.0..=1.0).contains(&x);
        let is_size = |x: f64| x >= 0.0 && x.is_finite();
        let (count, rate, size) = ("a whole number from 1 to 2^53", "a number in [0, 1]", "a finite number >= 0");
        let hyper = Hyperparameters {
            epochs: self.required_number("epochs", count, is_count)? as usize,
            alpha_0: self.required_number("alpha_0", rate, is_rate)?,
            alpha_end: self.required_number("alpha_K", rate, is_rate)?,
            lambda: self.required_number("lambda", "a number in (0, 1]", |x| x > 0.0 && x <= 1.0)?,
            eps: self.required_number("eps", size, is_size)?,
            chunks: self.required_number("chunks", count, is_count)? as usize,
        };
        let lr = self.number("lr", size, is_size)?;
        let momentum = self.number("momentum", size, is_size)?;
        let weight_decay = self.number("weight_decay", size, is_size)?;
        let batch_size = self.number("batch_size", count, is_count)?.map(|size| size as usize);
        unknown.extend(self.entries.keys().map(|key| format!("hyper.{key}")));
        let sgd = match (lr, momentum, weight_decay) {
            (Some(lr), Some(momentum), Some(weight_decay)) => Some(SgdHyperparameters { lr, momentum, weight_decay }),
            _ => None,
        };
        Ok((hyper, sgd, batch_size))
    }

    /// The choices that concern a trace, all but when accuracy is measured; and whether `last_batch` is among them.
    pub(super) fn reading(mut self) -> Result<(Reading, bool)> {
        let declares_last_batch = self.entries.contains_key(LastBatch::KEY);
        let reading = Reading {
            epoch_origin: self.choice()?,
            quantile: self.choice()?,
            chunking: self.choice()?,
            masked_gradient: self.choice()?,
            prunable: self.choice()?,
            rewind_copy: self.choice()?,
            decay_step: self.choice()?,
            threshold: self.choice()?,
            momentum_on_prune: self.choice()?,
            gradient: self.choice()?,
            rewind_update: self.choice()?,
            learning_rate: self.choice()?,
            last_batch: self.choice()?,
            ..Reading::default()
        };
        self.nothing_else("the format's open points")?;
        Ok((reading, declares_last_batch))
    }

    fn params(&mut self, has_w: bool) -> Result<Vec<String>> {
        let (expected, value) = match has_w {
            true => ("a list of the prunable parameters' names, at least one, each once", self.required("params")?),
            false => ("a list of names, each once", self.entries.remove("params").unwrap_or_else(|| json!([]))),
        };
        let found = names(&value).filter(|names| !has_w || !names.is_empty());
        found.ok_or_else(|| self.bad("params", expected, &value))
    }

    fn not_prunable(&mut self, params: &[String]) -> Result<Vec<String>> {
        let key = "not_prunable";
        let expected = "a list of names of parameters that are not in `params`, each once";
        let Some(value) = self.entries.remove(key) else { return Ok(Vec::new()) };
        let left_out = names(&value).filter(|names| names.iter().all(|name| !params.contains(name)));
        left_out.ok_or_else(|| self.bad(key, expected, &value))
    }
}

/// A list of names, each once.
fn names(value: &Value) -> Option<Vec<String>> {
    let names: Option<Vec<String>> = value.as_array()?.iter().map(|name| name.as_str().map(str::to_string)).collect();
    let mut seen = HashSet::new();
    names.filter(|names| names.iter().all(|name| seen.insert(name.clone())))
}
