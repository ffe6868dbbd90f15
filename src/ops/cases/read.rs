//! Reading op-case files: everything about a case is checked here, before any arithmetic.

use super::{FORMAT, KEY, OpCase};
use crate::error::{Error, Result};
use crate::json;
use crate::ops::{Attributes, Entry};
use crate::tensor_file::TensorFile;
use ndarray::ArrayD;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// What the metadata says; further keys are ignored.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) op: String,
    pub(super) cases: Vec<CaseHeader>,
}

#[derive(Deserialize)]
pub(super) struct CaseHeader {
    pub(super) name: String,
    #[serde(default)]
    attrs: Map<String, Value>,
    inputs: Vec<String>,
    #[serde(default)]
    upstream: Vec<String>,
    #[serde(default)]
    diff: Vec<String>,
    outputs: Vec<String>,
}

/// The description of the cases: as written, and typed.
pub(super) fn header(file: &TensorFile) -> Result<(Value, Header)> {
    let place = format!("metadata `{KEY}`");
    let Some(text) = file.metadata(KEY) else {
        return Err(Error::file(file.path(), place, "to be present", "nothing"));
    };
    let bad = |e: String| Error::file(file.path(), place.clone(), format!("a JSON object of {FORMAT}"), e);
    let value = json::parse(text.as_bytes()).map_err(bad)?;
    match value.get("format") {
        Some(Value::String(format)) if format == FORMAT => {}
        other => {
            let found = other.map_or("nothing".to_string(), Value::to_string);
            return Err(Error::file(file.path(), format!("{place}: format"), format!("{FORMAT:?}"), found));
        }
    }
    let header = Header::deserialize(&value).map_err(|e| bad(e.to_string()))?;
    Ok((value, header))
}

/// One case, checked against the op.
pub(super) fn case(file: &TensorFile, entry: &Entry, case: CaseHeader) -> Result<OpCase> {
    check_names("outputs", &case.outputs, &entry.outputs.of(case.outputs.len()))?;
    let mut attributes = Attributes { values: case.attrs, integers: BTreeMap::new() };
    let mut inputs = Vec::new();
    for name in &case.inputs {
        let tensor = format!("{}/in/{name}", case.name);
        match name.as_str() {
            "labels" => _ = attributes.integers.insert(name.clone(), file.read_integers(&tensor, None)?),
            "mask" => _ = attributes.integers.insert(name.clone(), mask(file, &tensor)?),
            _ => inputs.push((name.clone(), file.read_floats(&tensor, None)?)),
        }
    }
    let names: Vec<String> = inputs.iter().map(|(name, _)| name.clone()).collect();
    check_names("inputs", &names, &entry.inputs.of(names.len()))?;

    let op = (entry.from_attributes)(&mut attributes)?;
    let unknown = attributes.values.keys().map(|key| ("attributes", key));
    if let Some((place, key)) = unknown.chain(attributes.integers.keys().map(|key| ("inputs", key))).next() {
        return Err(Error::domain(place, format!("those of {}", entry.name), format!("`{key}`")));
    }
    let shapes: Vec<&[usize]> = inputs.iter().map(|(_, array)| array.shape()).collect();
    let mut out_shapes = op.out_shapes(&shapes)?;
    if case.outputs.len() > out_shapes.len() {
        return Err(Error::domain("outputs", format!("at most {}", out_shapes.len()), case.outputs.len()));
    }

    let mut upstream = vec![None; out_shapes.len()];
    for (i, name) in positions("upstream", &case.upstream, &case.outputs)? {
        let tensor = format!("{}/dy/{name}", case.name);
        let dy = file.read_floats(&tensor, None)?;
        let shape = &mut out_shapes[i];
        let both_are_one_number = [&*shape, dy.shape()].iter().all(|s| s.is_empty() || **s == [1]);
        upstream[i] = match dy.shape() == shape.as_slice() {
            true => Some(dy),
            false if both_are_one_number => {
                let in_file = std::mem::replace(shape, dy.shape().into());
                Some(ArrayD::from_elem(in_file.as_slice(), dy.sum()))
            }
            false => {
                let (expected, found) = (format!("shape {shape:?}"), format!("shape {:?}", dy.shape()));
                return Err(Error::domain(format!("tensor `{tensor}`"), expected, found));
            }
        };
    }
    let mut wanted = vec![false; inputs.len()];
    for (i, _) in positions("diff", &case.diff, &names)? {
        wanted[i] = true;
    }
    Ok(OpCase { name: case.name, op, inputs, outputs: case.outputs, upstream, wanted, out_shapes })
}

/// The inputs that are made of integers.
pub(super) const INTEGERS: [&str; 2] = ["labels", "mask"];

/// Whether an input of this name is made of integers.
pub(crate) fn is_integer(name: &str) -> bool {
    INTEGERS.contains(&name)
}

fn mask(file: &TensorFile, name: &str) -> Result<ArrayD<i64>> {
    let mask = file.read_integers(name, None)?;
    match mask.iter().enumerate().find(|(_, m)| !matches!(m, 0 | 1)) {
        None => Ok(mask),
        Some((at, found)) => Err(Error::file(file.path(), format!("tensor `{name}`, element {at}"), "0 or 1", found)),
    }
}

/// Position decides which tensor is which, so names are free; but a known name in another's place is a mistake that
/// would go unnoticed where the shapes happen to fit.
pub(crate) fn check_names(list: &str, given: &[String], known: &[String]) -> Result<()> {
    if let Some(twice) = first_duplicate(given.iter().map(String::as_str)) {
        return Err(Error::domain(list, "different names", format!("`{twice}` twice")));
    }
    match given.iter().enumerate().find(|&(i, name)| known.get(i) != Some(name) && known.contains(name)) {
        None => Ok(()),
        Some(_) => Err(Error::domain(list, format!("the order {}", known.join(", ")), given.join(", "))),
    }
}

/// Where each of `names` stands in `among`.
pub(crate) fn positions<'a>(list: &str, names: &'a [String], among: &[String]) -> Result<Vec<(usize, &'a String)>> {
    let place = |name| among.iter().position(|other| other == name).map(|i| (i, name));
    names
        .iter()
        .map(|name| {
            let expected = || format!("some of {}", among.join(", "));
            place(name).ok_or_else(|| Error::domain(list, expected(), format!("`{name}`")))
        })
        .collect()
}

/// The first name that occurs for the second time.
pub(super) fn first_duplicate<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}
