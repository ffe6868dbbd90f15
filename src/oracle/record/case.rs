//! Reading one case of a record: an aten call, or an op case.

use super::declared::{Algorithm, BatchNormForm};
use super::{Arg, AtenCall, Call, Carried, Changed, Declared, OpCall, Phase, Reference};
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::ops::{self, Entry, OPS, cases};
use crate::tensor_file::TensorFile;
use crate::trace::Object;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What the file says for all cases that do not say it themselves.
pub(super) struct Defaults {
    pub(super) op: Option<String>,
    pub(super) declared: Declared,
}

/// What was expected, and what was found.
type Refusal = (&'static str, String);
/// What stands at a place that is not yet known.
pub(super) type Placeless<T> = std::result::Result<T, Refusal>;

/// One case. One whose op has a dot in its name is an aten call.
pub(super) fn read(file: &TensorFile, mut object: Object, defaults: &Defaults) -> Result<Call<Reference>> {
    let name = required_text(&mut object, "name")?;
    object.name = format!("{} `{name}`", object.name);
    let op = match object.text("op")?.or_else(|| defaults.op.clone()) {
        Some(op) => op,
        None => return Err(object.bad("op", "the op's name, here or for the whole file", &Json::Null)),
    };
    let declared = match object.object("arithmetic")? {
        Some(arithmetic) => self::declared(arithmetic, defaults.declared)?,
        None => defaults.declared,
    };
    let (module, of) = (object.text("module")?, object.text("of")?);
    let phase = chosen::<Phase>(&mut object)?;
    let carried = match (op.contains('.'), ops::find(&op)) {
        (true, _) => Carried::Aten(aten_call(file, &mut object)?),
        (false, Some(entry)) => Carried::Op(op_call(file, &mut object, &name, entry)?),
        (false, None) => {
            let known: Vec<&str> = OPS.iter().map(|entry| entry.name).collect();
            let expected = format!("aten.<name>.<overload>, or one of {}", known.join(", "));
            return Err(object.bad("op", expected, &Json::String(op)));
        }
    };
    Ok(Call { name, op, module, phase, of, declared, carried })
}

fn required_text(object: &mut Object, key: &str) -> Result<String> {
    object.text(key)?.ok_or_else(|| object.bad(key, "text", &Json::Null))
}

/// A choice that may be left out, and has no default then.
fn chosen<T: Choice>(object: &mut Object) -> Result<Option<T>> {
    let Some(name) = object.text(T::KEY)? else { return Ok(None) };
    name.parse().map(Some).map_err(|_| object.bad(T::KEY, T::NAMES.join(" | "), &Json::String(name)))
}

/// What an `arithmetic` declares; `defaults` where it says nothing.
pub(super) fn declared(mut object: Object, defaults: Declared) -> Result<Declared> {
    let mut roundoff = |key| object.number(key, "a unit roundoff in [0, 1)", |u| (0.0..1.0).contains(&u));
    let (u_in, u_acc, u_out) = (roundoff("u_in")?, roundoff("u_acc")?, roundoff("u_out")?);
    let exp_ulps = object.number("exp_ulps", "a finite number >= 0", |x| x >= 0.0 && x.is_finite())?;
    let declared = Declared {
        u_in: u_in.or(defaults.u_in),
        u_acc: u_acc.or(defaults.u_acc),
        u_out: u_out.or(defaults.u_out),
        fma: object.flag("fma")?.or(defaults.fma),
        ftz: object.flag("ftz")?.unwrap_or(defaults.ftz),
        tf32: object.flag("tf32")?.unwrap_or(defaults.tf32),
        algorithm: chosen::<Algorithm>(&mut object)?.unwrap_or(defaults.algorithm),
        batch_norm: chosen::<BatchNormForm>(&mut object)?.or(defaults.batch_norm),
        exp_ulps: exp_ulps.unwrap_or(defaults.exp_ulps),
    };
    object.nothing_else("u_in, u_acc, u_out, fma, ftz, tf32, algorithm, batch_norm, exp_ulps")?;
    Ok(declared)
}

/// The tensor that `{"tensor": NAME, "shape": [..]}` means.
pub(super) fn reference(file: &TensorFile, value: &Json) -> Placeless<Reference> {
    const EXPECTED: &str = "{\"tensor\": NAME, \"shape\": [..]}, the shape optional";
    let refused = |expected: &'static str| (expected, value.to_string());
    let entries = value.as_object().ok_or_else(|| refused(EXPECTED))?;
    if entries.keys().any(|key| key != "tensor" && key != "shape") {
        return Err(refused(EXPECTED));
    }
    let tensor = entries.get("tensor").and_then(Json::as_str).ok_or_else(|| refused(EXPECTED))?;
    let Some((dtype, stored)) = file.describe(tensor) else {
        return Err(("a tensor of this file", format!("`{tensor}`")));
    };
    let shape = match entries.get("shape") {
        None | Some(Json::Null) => stored.to_vec(),
        Some(shape) => extents(shape).ok_or_else(|| refused(EXPECTED))?,
    };
    let product = |shape: &[usize]| shape.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent));
    if product(&shape) != product(stored) {
        return Err(("a shape of as many elements as the tensor has", format!("{shape:?} for {stored:?}")));
    }
    Ok(Reference { tensor: tensor.to_string(), dtype, shape })
}

/// A list of whole numbers.
pub(super) fn extents(list: &Json) -> Option<Vec<usize>> {
    let extent = |extent: &Json| extent.as_u64().and_then(|extent| usize::try_from(extent).ok());
    list.as_array()?.iter().map(extent).collect()
}

/// Arguments, results and what was changed.
fn aten_call(file: &TensorFile, object: &mut Object) -> Result<AtenCall<Reference>> {
    let placed =
        |object: &Object, place: String, (expected, found): Refusal| object.bad(&place, expected, &Json::String(found));
    let mut args = Vec::new();
    for (at, value) in list(object, "args")?.unwrap_or_default().into_iter().enumerate() {
        args.push(argument(file, &value).map_err(|refusal| placed(object, format!("args[{at}]"), refusal))?);
    }
    let mut kwargs = BTreeMap::new();
    if let Some(named) = object.object("kwargs")? {
        for (name, value) in &named.entries {
            let value = argument(file, value).map_err(|refusal| placed(&named, name.clone(), refusal))?;
            kwargs.insert(name.clone(), value);
        }
    }
    let mut results = Vec::new();
    let recorded = list(object, "results")?;
    for (at, value) in recorded.unwrap_or_default().into_iter().enumerate() {
        let result = if value.is_null() { Ok(None) } else { reference(file, &value).map(Some) };
        results.push(result.map_err(|refusal| placed(object, format!("results[{at}]"), refusal))?);
    }
    let mut writes = BTreeMap::new();
    if let Some(named) = object.object("writes")? {
        for (place, value) in &named.entries {
            let changed = match place.parse() {
                Ok(position) if position < args.len() => Changed::Position(position),
                _ if kwargs.contains_key(place) => Changed::Keyword(place.clone()),
                _ => return Err(named.bad(place, "the position or the name of an argument", value)),
            };
            let tensor = reference(file, value).map_err(|refusal| placed(&named, place.clone(), refusal))?;
            writes.insert(changed, tensor);
        }
    }
    Ok(AtenCall { args, kwargs, results, writes })
}

fn list(object: &mut Object, key: &str) -> Result<Option<Vec<Json>>> {
    match object.entries.remove(key) {
        None => Ok(None),
        Some(Json::Array(elements)) => Ok(Some(elements)),
        Some(other) => Err(object.bad(key, "a list", &other)),
    }
}

/// One argument.
fn argument(file: &TensorFile, value: &Json) -> Placeless<Arg<Reference>> {
    Ok(match value {
        Json::Null => Arg::Null,
        Json::Bool(flag) => Arg::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(i), _) => Arg::Integer(i),
            (None, Some(x)) => Arg::Real(x),
            (None, None) => return Err(("a number", value.to_string())),
        },
        Json::String(text) => Arg::Text(text.clone()),
        Json::Array(elements) => {
            Arg::List(elements.iter().map(|element| argument(file, element)).collect::<Placeless<_>>()?)
        }
        Json::Object(_) => Arg::Tensor(reference(file, value)?),
    })
}

/// An op case: what `gdstar op` takes, and the results that the port has.
fn op_call(file: &TensorFile, object: &mut Object, case: &str, entry: &Entry) -> Result<OpCall<Reference>> {
    let attributes = object.object("attrs")?.map(|object| object.entries).unwrap_or_default();
    let given = object.object("tensors")?;
    let mut names = |key| names(object, key);
    let (inputs, outputs) = (names("inputs")?, names("outputs")?);
    let (upstream, wanted) = (names("upstream")?, names("diff")?);
    let refused = |error: Error| cases::in_case(file.path(), case, error);
    let floats: Vec<String> = inputs.iter().filter(|name| !cases::is_integer(name)).cloned().collect();
    cases::check_names("inputs", &floats, &entry.inputs.of(floats.len())).map_err(refused)?;
    cases::check_names("outputs", &outputs, &entry.outputs.of(outputs.len())).map_err(refused)?;
    cases::positions("upstream", &upstream, &outputs).map_err(refused)?;
    cases::positions("diff", &wanted, &floats).map_err(refused)?;

    // A name that `tensors` has not means the tensor `<case>/<name>`.
    let find = |role: &str, name: &String| -> Result<Option<Reference>> {
        let key = format!("{role}/{name}");
        let tensor = format!("{case}/{key}");
        let named = given.as_ref().and_then(|given| Some((given, given.entries.get(&key)?)));
        match (named, file.describe(&tensor)) {
            (Some((given, value)), _) => match reference(file, value) {
                Ok(reference) => Ok(Some(reference)),
                Err((expected, found)) => Err(given.bad(&key, expected, &Json::String(found))),
            },
            (None, Some((dtype, shape))) => Ok(Some(Reference { tensor, dtype, shape: shape.to_vec() })),
            (None, None) => Ok(None),
        }
    };
    let operands = |role: &str, names: &[String]| -> Result<Vec<(String, Reference)>> {
        let operand = |name: &String| match find(role, name)? {
            Some(reference) => Ok((name.clone(), reference)),
            None => {
                let place = format!("case `{case}`: tensor `{case}/{role}/{name}`");
                Err(Error::file(file.path(), place, "to be present", "nothing"))
            }
        };
        names.iter().map(operand).collect()
    };
    let results = |role: &str, names: &[String]| -> Result<Vec<(String, Option<Reference>)>> {
        names.iter().map(|name| Ok((name.clone(), find(role, name)?))).collect()
    };
    Ok(OpCall {
        attributes,
        inputs: operands("in", &inputs)?,
        upstream: operands("dy", &upstream)?,
        outputs: results("out", &outputs)?,
        gradients: results("grad", &wanted)?,
    })
}

/// A list of names; none where the key is not there.
fn names(object: &mut Object, key: &str) -> Result<Vec<String>> {
    let Some(values) = list(object, key)? else { return Ok(Vec::new()) };
    let names: Option<Vec<String>> = values.iter().map(|name| name.as_str().map(str::to_string)).collect();
    names.ok_or_else(|| object.bad(key, "a list of names", &Json::Array(values)))
}
