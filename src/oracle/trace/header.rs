//! The header of a trace: what the producer says about itself, its arithmetic, hyper-parameters and reading.

use super::number;
use super::{FORMAT, KEY};
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::json;
use crate::oracle::bounds::Arithmetic;
use crate::paper::Hyperparameters;
use crate::paper::reading::{MomentumOnPrune, Reading};
use crate::tensor_file::TensorFile;
use crate::train::Precision;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::path::Path;

/// The optimizer's hyper-parameters; a trace that leaves one out has its optimizer steps unchecked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdHyperparameters {
    pub lr: f64,
    pub momentum: f64,
    pub weight_decay: f64,
}

/// The header, every value checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub producer: String,
    pub arithmetic: Arithmetic,
    /// Whether `arithmetic` declares `u_in`, `u_out`: what makes storage narrower than the dtype legitimate.
    pub declares_rounding: bool,
    pub hyper: Hyperparameters,
    pub sgd: Option<SgdHyperparameters>,
    pub reading: Reading,
    pub model: Option<String>,
    pub dataset: Option<String>,
    /// The parameters of W in flattening order.
    pub params: Vec<String>,
    /// Keys that the format does not have.
    pub unknown: Vec<String>,
}

/// An object of the header, and what to call it in messages.
struct Object<'a> {
    path: &'a Path,
    name: String,
    entries: Map<String, Value>,
}

impl Header {
    pub(super) fn read(file: &TensorFile) -> Result<Self> {
        let path = file.path();
        let place = format!("metadata `{KEY}`");
        let Some(text) = file.metadata(KEY) else {
            return Err(Error::file(path, place, format!("a JSON object of {FORMAT}"), "nothing"));
        };
        let entries = match json::parse(text.as_bytes()) {
            Ok(Value::Object(entries)) => entries,
            Ok(other) => return Err(Error::file(path, place, "a JSON object", other)),
            Err(message) => return Err(Error::file(path, place, "a JSON object", message)),
        };
        let mut header = Object { path, name: place, entries };
        header.format()?;
        let producer = header.text("producer")?.unwrap_or_default();
        let dtype = header.required("dtype")?;
        let dtype: Precision = match &dtype {
            Value::String(name) => name.parse().map_err(|_| header.bad("dtype", "\"f32\" or \"f64\"", &dtype))?,
            other => return Err(header.bad("dtype", "\"f32\" or \"f64\"", other)),
        };
        let (arithmetic, declares_rounding) = match header.object("arithmetic")? {
            Some(object) => object.arithmetic(dtype)?,
            None => (Arithmetic::of(dtype), false),
        };
        let mut unknown = Vec::new();
        let Some(hyper) = header.object("hyper")? else {
            return Err(header.bad("hyper", "an object of hyper-parameters", &Value::Null));
        };
        let (hyper, sgd) = hyper.hyperparameters(&mut unknown)?;
        let reading = match header.object("reading")? {
            Some(object) => object.reading()?,
            None => Reading::default(),
        };
        let params = header.params()?;
        let (model, dataset) = (header.text("model")?, header.text("dataset")?);
        unknown.extend(header.entries.keys().cloned());
        Ok(Self { producer, arithmetic, declares_rounding, hyper, sgd, reading, model, dataset, params, unknown })
    }
}

impl Object<'_> {
    fn bad(&self, key: &str, expected: impl Into<String>, found: &Value) -> Error {
        let found = if found.is_null() { "nothing".to_string() } else { found.to_string() };
        Error::file(self.path, format!("{}: {key}", self.name), expected, found)
    }

    fn required(&mut self, key: &str) -> Result<Value> {
        self.entries.remove(key).ok_or_else(|| self.bad(key, "a value", &Value::Null))
    }

    fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.entries.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.bad(key, "text", &other)),
        }
    }

    fn object(&mut self, key: &str) -> Result<Option<Self>> {
        match self.entries.remove(key) {
            None => Ok(None),
            Some(Value::Object(entries)) => {
                Ok(Some(Self { path: self.path, name: format!("{}: {key}", self.name), entries }))
            }
            Some(other) => Err(self.bad(key, "an object", &other)),
        }
    }

    fn format(&mut self) -> Result<()> {
        let format = self.required("format")?;
        if format == FORMAT { Ok(()) } else { Err(self.bad("format", format!("{FORMAT:?}"), &format)) }
    }

    /// A number with `expected` properties, if the key is there.
    fn number(&mut self, key: &str, expected: &str, holds: impl Fn(f64) -> bool) -> Result<Option<f64>> {
        let Some(value) = self.entries.remove(key) else { return Ok(None) };
        match number::parse(&value) {
            Some(x) if holds(x) => Ok(Some(x)),
            _ => Err(self.bad(key, expected, &value)),
        }
    }

    fn required_number(&mut self, key: &str, expected: &str, holds: impl Fn(f64) -> bool) -> Result<f64> {
        match self.number(key, expected, holds)? {
            Some(x) => Ok(x),
            None => Err(self.bad(key, expected, &Value::Null)),
        }
    }

    fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        match self.entries.remove(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.bad(key, "true or false", &other)),
        }
    }

    /// No key may be left over.
    fn nothing_else(&self, keys: &str) -> Result<()> {
        match self.entries.iter().next() {
            None => Ok(()),
            Some((key, value)) => Err(self.bad(key, format!("one of {keys}"), value)),
        }
    }

    fn arithmetic(mut self, dtype: Precision) -> Result<(Arithmetic, bool)> {
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

    fn hyperparameters(mut self, unknown: &mut Vec<String>) -> Result<(Hyperparameters, Option<SgdHyperparameters>)> {
        let is_count = |x: f64| x >= 1.0 && x <= (1_u64 << 53) as f64 && x.fract() == 0.0;
        let is_rate = |x: f64| (0.0..=1.0).contains(&x);
        let is_size = |x: f64| x >= 0.0 && x.is_finite();
        let (count, rate, size) = ("a whole number of at least 1", "a number in [0, 1]", "a finite number >= 0");
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
        self.number("batch_size", count, is_count)?;
        unknown.extend(self.entries.keys().map(|key| format!("hyper.{key}")));
        let sgd = match (lr, momentum, weight_decay) {
            (Some(lr), Some(momentum), Some(weight_decay)) => Some(SgdHyperparameters { lr, momentum, weight_decay }),
            _ => None,
        };
        Ok((hyper, sgd))
    }

    /// The key's choice, or the default.
    fn choice<T: Choice + Default>(&mut self) -> Result<T> {
        let Some(value) = self.entries.remove(T::KEY) else { return Ok(T::default()) };
        let name = match &value {
            Value::String(name) if !name.starts_with("0x") => name.clone(),
            number => number::parse(number).map(|x| x.to_string()).unwrap_or_default(),
        };
        name.parse().map_err(|_| self.bad(T::KEY, T::NAMES.join(" | "), &value))
    }

    /// The choices that concern a trace: all but when accuracy is measured and whether a short batch counts.
    fn reading(mut self) -> Result<Reading> {
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
            ..Reading::default()
        };
        if reading.momentum_on_prune == MomentumOnPrune::ZeroSelected {
            let found = Value::String(reading.momentum_on_prune.to_string());
            return Err(self.bad(MomentumOnPrune::KEY, "zero | keep", &found));
        }
        self.nothing_else("the format's open points")?;
        Ok(reading)
    }

    fn params(&mut self) -> Result<Vec<String>> {
        let expected = "a list of the prunable parameters' names, at least one, each once";
        let value = self.required("params")?;
        let names: Option<Vec<String>> = value
            .as_array()
            .and_then(|names| names.iter().map(|name| name.as_str().map(str::to_string)).collect::<Option<Vec<_>>>());
        let mut seen = HashSet::new();
        match names {
            Some(names) if !names.is_empty() && names.iter().all(|name| seen.insert(name)) => Ok(names),
            _ => Err(self.bad("params", expected, &value)),
        }
    }
}
