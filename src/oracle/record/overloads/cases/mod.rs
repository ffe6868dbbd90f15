//! Op cases of our own ops, on the same pages: each as the aten calls that it comes to.

mod gradients;
mod outputs;

use super::super::expected::{Answer, Claim, Expected, NOT_RECORDED};
use super::super::rounding::Rounding;
use super::super::{Arg, AtenCall, Declared, OpCall, Value};
use super::arguments::Arguments;
use super::slips::Slip;
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::ops::{self, AnyOp, Attributes};
use ndarray::{ArrayD, ArrayViewD, IxDyn};
use safetensors::Dtype;
use std::collections::BTreeMap;

/// A page, and the overload that it is asked for.
type Page = (fn(&Arguments) -> Result<Answer>, &'static str);

/// One op case with its op and its operands in the op's order.
struct Case<'a> {
    call: &'a OpCall<Value>,
    declared: &'a Declared,
    slip: Option<Slip>,
    op: AnyOp,
    inputs: Vec<&'a Value>,
    /// One for each output; `None` stands for zeros.
    upstream: Vec<Option<&'a Value>>,
}

/// What is known of a case's outputs and gradients, in the order in which it asks for them.
pub(in crate::oracle::record) struct CaseAnswer {
    pub outputs: Vec<Claim>,
    pub gradients: Vec<Claim>,
}

/// What a correct port may hold for what the case asks for and holds; `None` for an op that is not known.
///
/// # Errors
/// As [`judge`](crate::oracle::record::judge).
pub(in crate::oracle::record) fn answer_case(
    name: &str,
    call: &OpCall<Value>,
    declared: &Declared,
    slip: Option<Slip>,
) -> Result<Option<CaseAnswer>> {
    let Some(entry) = ops::find(name) else { return Ok(None) };
    let case = Case::of(entry, call, declared, slip)?;
    let not_asked = |results: &[(String, Option<Value>)]| results.iter().all(|(_, value)| value.is_none());
    let nothing = |count: usize| vec![Claim::NotJudged(NOT_RECORDED.to_string()); count];
    let outputs = match not_asked(&call.outputs) {
        true => nothing(call.outputs.len()),
        false => {
            let claims = case.outputs()?;
            call.outputs
                .iter()
                .zip(&claims)
                .map(|((_, value), claim)| fitted(claim, value.as_ref()))
                .collect::<Result<_>>()?
        }
    };
    if not_asked(&call.gradients) {
        return Ok(Some(CaseAnswer { outputs, gradients: nothing(call.gradients.len()) }));
    }
    let claims = case.gradients()?;
    let gradient = |(name, _): &(String, Option<Value>)| {
        let claim = case.position(name).and_then(|i| claims.get(i).cloned());
        claim.unwrap_or_else(|| Claim::NotJudged(format!("no gradient of `{name}` is known")))
    };
    Ok(Some(CaseAnswer { outputs, gradients: call.gradients.iter().map(gradient).collect() }))
}

/// A single number may be recorded as `[]` or `[1]`.
fn fitted(claim: &Claim, value: Option<&Value>) -> Result<Claim> {
    match (claim, value) {
        (Claim::Values(expected), Some(value)) if expected.shape().is_empty() && value.array.shape() == [1] => {
            Ok(Claim::Values(expected.clone().reshaped(&[1])?))
        }
        _ => Ok(claim.clone()),
    }
}

impl<'a> Case<'a> {
    fn of(entry: &ops::Entry, call: &'a OpCall<Value>, declared: &'a Declared, slip: Option<Slip>) -> Result<Self> {
        let mut attributes = Attributes { values: call.attributes.clone(), integers: BTreeMap::new() };
        let mut inputs = Vec::new();
        for (name, value) in &call.inputs {
            match name.as_str() {
                "labels" | "mask" => {
                    attributes.integers.insert(name.clone(), value.array.mapv(|x| x as i64));
                }
                _ => inputs.push(value),
            }
        }
        let op = (entry.from_attributes)(&mut attributes)?;
        let shapes: Vec<&[usize]> = inputs.iter().map(|value| value.array.shape()).collect();
        let outputs = op.out_shapes(&shapes)?;
        let names = entry.outputs.of(outputs.len());
        let of_name = |name: &String| call.upstream.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        let positions: Vec<String> = call.outputs.iter().map(|(name, _)| name.clone()).collect();
        let upstream = names.iter().enumerate().map(|(i, name)| of_name(positions.get(i).unwrap_or(name)));
        Ok(Self { call, declared, slip, op, inputs, upstream: upstream.collect() })
    }

    /// Where an input stands among those that are arrays of the op.
    fn position(&self, name: &str) -> Option<usize> {
        let arrays = self.call.inputs.iter().filter(|(name, _)| !matches!(name.as_str(), "labels" | "mask"));
        arrays.map(|(name, _)| name).position(|other| other == name)
    }

    /// The case's operands as the arguments of an aten call, whose results are of these types.
    fn asked(&self, args: Vec<Arg<Value>>, results: Vec<Option<Value>>) -> AtenCall<Value> {
        AtenCall { args, kwargs: BTreeMap::new(), results, writes: BTreeMap::new() }
    }

    /// What an overload's page says of these arguments; `results` those that were recorded.
    fn by(&self, (page, overload): Page, args: Vec<Arg<Value>>, results: Vec<Option<Value>>) -> Result<Vec<Claim>> {
        let call = self.asked(args, results);
        Ok(page(&Arguments { overload, call: &call, declared: self.declared, slip: self.slip })?.results)
    }

    fn recorded_outputs(&self) -> Vec<Option<Value>> {
        self.call.outputs.iter().map(|(_, value)| value.clone()).collect()
    }

    /// The recorded gradients, one for each input.
    fn recorded_gradients(&self) -> Vec<Option<Value>> {
        let of = |i: usize| {
            let found = self.call.gradients.iter().find(|(name, _)| self.position(name) == Some(i));
            found.and_then(|(_, value)| value.clone())
        };
        (0..self.inputs.len()).map(of).collect()
    }

    fn input(&self, i: usize) -> Arg<Value> {
        self.inputs.get(i).map_or(Arg::Null, |value| Arg::Tensor((*value).clone()))
    }

    /// The upstream gradient of output i, zeros where none flows.
    fn upstream(&self, i: usize) -> Result<Value> {
        if let Some(Some(dy)) = self.upstream.get(i) {
            return Ok((*dy).clone());
        }
        let shapes: Vec<&[usize]> = self.inputs.iter().map(|value| value.array.shape()).collect();
        let shape = self.op.out_shapes(&shapes)?.get(i).map(|shape| shape.to_vec()).unwrap_or_default();
        Ok(Value { tensor: String::new(), dtype: self.dtype(), array: ArrayD::zeros(IxDyn(&shape)) })
    }

    fn dtype(&self) -> Dtype {
        self.inputs.first().map_or(Dtype::F32, |value| value.dtype)
    }

    /// What each operation behind a result may be off by.
    fn rounding(&self, result: Option<&Value>) -> Rounding {
        Rounding::of(self.declared, result.map_or(self.dtype(), |value| value.dtype))
    }

    /// A context for errors of pages that take arrays.
    fn named<'c>(&'c self, call: &'c AtenCall<Value>) -> Arguments<'c> {
        Arguments { overload: self.op.name(), call, declared: self.declared, slip: self.slip }
    }

    fn array(&self, i: usize) -> Result<ArrayD<f64>> {
        let missing = || Error::shape(self.op.name(), format!("input {i}"), "an array", "none");
        self.inputs.get(i).map(|value| value.array.clone()).ok_or_else(missing)
    }

    /// Outputs and gradients of an op that only moves numbers or chooses among them, which f64 holds exactly.
    fn moved(&self, of: impl Fn((Vec<ArrayD<f64>>, Vec<ArrayD<f64>>)) -> Vec<ArrayD<f64>>) -> Result<Vec<Claim>> {
        let inputs: Vec<ArrayViewD<f64>> = self.inputs.iter().map(|value| value.array.view()).collect();
        let upstream: Vec<_> = self.upstream.iter().map(|dy| dy.map(|value| value.array.view())).collect();
        let evaluation = self.op.evaluate(Kernel::Literal, &inputs, &upstream, &vec![true; inputs.len()])?;
        let arrays = of((evaluation.outputs, evaluation.gradients.into_iter().flatten().collect()));
        Ok(arrays.into_iter().map(|array| Claim::Values(Expected::exactly(array))).collect())
    }
}

fn integers(pair: [usize; 2]) -> Arg<Value> {
    Arg::List(pair.iter().map(|&i| Arg::Integer(i as i64)).collect())
}

/// The arguments of a convolution behind its arrays.
fn window_arguments(window: crate::kernel::Window) -> [Arg<Value>; 6] {
    let groups = Arg::Integer(window.groups as i64);
    let [stride, padding, dilation] = [window.stride, window.padding, window.dilation].map(integers);
    [stride, padding, dilation, Arg::Bool(false), integers([0, 0]), groups]
}
