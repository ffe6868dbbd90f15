//! Reading records: whatever can be known of a file without its numbers is checked when it is opened.

use super::{Call, Reference};
use super::{case, views};
use crate::error::{Error, Result};
use crate::json;
use crate::ops::cases::{FORMAT, KEY};
use crate::tensor_file::TensorFile;
use crate::trace::Object;
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// A file of calls, checked but for the tensors' numbers, which are read call by call.
pub struct Record {
    file: TensorFile,
    /// Who wrote it.
    pub producer: String,
    pub steps: Vec<Step>,
}

/// Calls in the order in which they were made, and what they are a step of.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The epoch and the batch of it, from 0, that a trace in the same file knows it by.
    pub epoch: Option<usize>,
    pub index: Option<usize>,
    pub calls: Vec<Call<Reference>>,
    /// Parameters, buffers and batch as they were at the start of the step, by name.
    pub params: BTreeMap<String, Reference>,
    pub buffers: BTreeMap<String, Reference>,
    pub batch: BTreeMap<String, Reference>,
    /// What the optimizer was handed, by the parameter's name.
    pub grads: BTreeMap<String, Reference>,
    pub loss: Option<Reference>,
}

impl Step {
    /// Whether it is a whole training step, in which every operand comes from somewhere, and not calls on their own.
    pub fn is_whole(&self) -> bool {
        !self.params.is_empty() && !self.batch.is_empty()
    }

    /// What to call it in messages, of `steps` steps.
    pub fn label(&self, at: usize, steps: usize) -> String {
        match (self.epoch, self.index) {
            (Some(epoch), Some(index)) => format!("epoch {epoch}, batch {index}, "),
            _ if steps > 1 => format!("step {at}, "),
            _ => String::new(),
        }
    }
}

impl Record {
    /// Opens a record.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, or as [`Record::new`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::new(TensorFile::open(path)?)
    }

    /// The record that a file holds.
    ///
    /// # Errors
    /// [`Error::File`] naming the case and the key: no JSON, an unknown format, a key of another kind, two cases of one
    /// name, a tensor that is not there, a shape of another number of elements, a view beyond its
    /// tensor, `of` a case that is not there.
    pub fn new(mut file: TensorFile) -> Result<Self> {
        let Object { name, mut entries, .. } = header(&file)?;
        views::add(&mut file, &name, entries.remove("views"))?;
        let mut object = Object { path: file.path(), name, entries };
        let format = object.required("format")?;
        if format != FORMAT {
            return Err(object.bad("format", format!("{FORMAT:?}"), &format));
        }
        let producer = object.text("producer")?.unwrap_or_default();
        let defaults = case::Defaults {
            op: object.text("op")?,
            declared: match object.object("arithmetic")? {
                Some(arithmetic) => case::declared(arithmetic, Default::default())?,
                None => Default::default(),
            },
        };
        let further = match object.entries.remove("steps") {
            None => Vec::new(),
            Some(Json::Array(steps)) => steps,
            Some(other) => return Err(object.bad("steps", "a list of objects", &other)),
        };
        let mut steps = Vec::new();
        if object.entries.contains_key("cases") || further.is_empty() {
            steps.push(step(&file, object, &defaults)?);
        }
        for (at, entries) in further.into_iter().enumerate() {
            steps.push(step(&file, object_of(&file, format!("steps[{at}]"), entries)?, &defaults)?);
        }
        Ok(Self { file, producer, steps })
    }

    /// Whether a file's metadata has the key of a record.
    pub fn is_in(file: &TensorFile) -> bool {
        file.metadata(KEY).is_some()
    }

    /// The file that the tensors are in.
    pub fn file(&self) -> &TensorFile {
        &self.file
    }

    /// The file, for what else it holds.
    pub fn into_file(self) -> TensorFile {
        self.file
    }
}

/// The metadata's object.
fn header(file: &TensorFile) -> Result<Object<'_>> {
    let (path, name) = (file.path(), format!("metadata `{KEY}`"));
    let expected = || format!("a JSON object of {FORMAT}");
    let Some(text) = file.metadata(KEY) else { return Err(Error::file(path, name, expected(), "nothing")) };
    match json::parse(text.as_bytes()) {
        Ok(Json::Object(entries)) => Ok(Object { path, name, entries }),
        Ok(other) => Err(Error::file(path, name, expected(), other)),
        Err(message) => Err(Error::file(path, name, expected(), message)),
    }
}

/// A JSON object at a place of the metadata.
fn object_of(file: &TensorFile, place: String, value: Json) -> Result<Object<'_>> {
    let (path, name) = (file.path(), format!("metadata `{KEY}`: {place}"));
    match value {
        Json::Object(entries) => Ok(Object { path, name, entries }),
        other => Err(Error::file(path, name, "an object", other)),
    }
}

/// One step: its cases, and what they are a step of.
fn step(file: &TensorFile, mut object: Object, defaults: &case::Defaults) -> Result<Step> {
    let cases = match object.required("cases")? {
        Json::Array(cases) => cases,
        other => return Err(object.bad("cases", "a list of objects", &other)),
    };
    let mut calls = Vec::with_capacity(cases.len());
    for (at, entries) in cases.into_iter().enumerate() {
        calls.push(case::read(file, object_of(file, format!("cases[{at}]"), entries)?, defaults)?);
    }
    check_names(&object, &calls)?;
    let mut whole = |key| object.number(key, "a whole number", is_count).map(|x| x.map(|x| x as usize));
    let (epoch, index) = (whole("epoch")?, whole("index")?);
    let mut tensors = |key| references(file, &mut object, key);
    let step = Step {
        epoch,
        index,
        calls,
        params: tensors("params")?,
        buffers: tensors("buffers")?,
        batch: tensors("batch")?,
        grads: tensors("grads")?,
        loss: match object.entries.remove("loss") {
            None | Some(Json::Null) => None,
            Some(value) => Some(
                case::reference(file, &value)
                    .map_err(|(expected, found)| object.bad("loss", expected, &Json::String(found)))?,
            ),
        },
    };
    match step.grads.keys().find(|name| !step.params.contains_key(*name)) {
        None => Ok(step),
        Some(name) => Err(object.bad("grads", "names that `params` has", &Json::String(name.clone()))),
    }
}

/// A whole number that is exact in f64 and that arithmetic on it cannot overflow.
fn is_count(x: f64) -> bool {
    x >= 0.0 && x <= f64::from(u32::MAX) && x.fract() == 0.0
}

/// Every name once, and `of` the name of another case.
fn check_names(object: &Object, calls: &[Call<Reference>]) -> Result<()> {
    let mut names = HashSet::with_capacity(calls.len());
    if let Some(twice) = calls.iter().find(|call| !names.insert(call.name.as_str())) {
        return Err(object.bad("cases", "different names", &Json::String(format!("{} twice", twice.name))));
    }
    let lost =
        |call: &&Call<Reference>| call.of.as_ref().is_some_and(|of| *of == call.name || !names.contains(of.as_str()));
    match calls.iter().find(lost) {
        None => Ok(()),
        Some(call) => {
            let key = format!("case `{}`: of", call.name);
            Err(object.bad(&key, "the name of another case of the step", &Json::from(call.of.clone())))
        }
    }
}

/// An object from names to references.
fn references(file: &TensorFile, object: &mut Object, key: &str) -> Result<BTreeMap<String, Reference>> {
    let Some(named) = object.object(key)? else { return Ok(BTreeMap::new()) };
    let read = |(name, value): (&String, &Json)| match case::reference(file, value) {
        Ok(reference) => Ok((name.clone(), reference)),
        Err((expected, found)) => Err(named.bad(name, expected, &Json::String(found))),
    };
    named.entries.iter().map(read).collect()
}
