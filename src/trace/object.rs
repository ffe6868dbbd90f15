//! [`Object`]: a JSON object of a header, whose keys are taken out one by one, each error naming its place.

use super::number;
use crate::choice::Choice;
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;

/// An object of the header, and what to call it in messages.
pub(crate) struct Object<'a> {
    pub(crate) path: &'a Path,
    pub(crate) name: String,
    pub(crate) entries: Map<String, Value>,
}

impl Object<'_> {
    pub(crate) fn bad(&self, key: &str, expected: impl Into<String>, found: &Value) -> Error {
        let found = if found.is_null() { "nothing".to_string() } else { found.to_string() };
        Error::file(self.path, format!("{}: {key}", self.name), expected, found)
    }

    pub(crate) fn required(&mut self, key: &str) -> Result<Value> {
        self.entries.remove(key).ok_or_else(|| self.bad(key, "a value", &Value::Null))
    }

    pub(crate) fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.entries.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.bad(key, "text", &other)),
        }
    }

    pub(crate) fn object(&mut self, key: &str) -> Result<Option<Self>> {
        match self.entries.remove(key) {
            None => Ok(None),
            Some(Value::Object(entries)) => {
                Ok(Some(Self { path: self.path, name: format!("{}: {key}", self.name), entries }))
            }
            Some(other) => Err(self.bad(key, "an object", &other)),
        }
    }

    /// A number with `expected` properties, if the key is there.
    pub(crate) fn number(&mut self, key: &str, expected: &str, holds: impl Fn(f64) -> bool) -> Result<Option<f64>> {
        let Some(value) = self.entries.remove(key) else { return Ok(None) };
        match number::parse(&value) {
            Some(x) if holds(x) => Ok(Some(x)),
            _ => Err(self.bad(key, expected, &value)),
        }
    }

    pub(crate) fn required_number(&mut self, key: &str, expected: &str, holds: impl Fn(f64) -> bool) -> Result<f64> {
        match self.number(key, expected, holds)? {
            Some(x) => Ok(x),
            None => Err(self.bad(key, expected, &Value::Null)),
        }
    }

    pub(crate) fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        match self.entries.remove(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.bad(key, "true or false", &other)),
        }
    }

    /// No key may be left over.
    pub(crate) fn nothing_else(&self, keys: &str) -> Result<()> {
        match self.entries.iter().next() {
            None => Ok(()),
            Some((key, value)) => Err(self.bad(key, format!("one of {keys}"), value)),
        }
    }

    /// The key's choice, or the default.
    pub(crate) fn choice<T: Choice + Default>(&mut self) -> Result<T> {
        let Some(value) = self.entries.remove(T::KEY) else { return Ok(T::default()) };
        let name = match &value {
            Value::String(name) if !name.starts_with("0x") => name.clone(),
            number => number::parse(number).map(|x| x.to_string()).unwrap_or_default(),
        };
        name.parse().map_err(|_| self.bad(T::KEY, T::NAMES.join(" | "), &value))
    }
}
