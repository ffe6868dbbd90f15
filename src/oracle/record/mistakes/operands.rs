//! Operands that were taken for others: each altered in turn, and the call judged again.

use super::Found;
use super::altered::{Alteration, all, cut, none};
use crate::oracle::record::{Arg, Call, Carried, Value};
use ndarray::ArrayD;

/// The most numbers of a call's operands for which all alterations of each are tried.
const MOST: usize = 1 << 22;

/// The names of operands, by the op's.
const NAMES: &[(&str, &[&str])] = &[
    ("aten.convolution_backward", &["grad_output", "input", "weight"]),
    ("aten.convolution", &["input", "weight", "bias"]),
    (
        "aten.native_batch_norm_backward",
        &["grad_out", "input", "weight", "running_mean", "running_var", "save_mean", "save_invstd"],
    ),
    ("aten.native_batch_norm", &["input", "weight", "bias", "running_mean", "running_var"]),
    ("aten._native_batch_norm", &["input", "weight", "bias", "running_mean", "running_var"]),
    ("aten.addmm", &["self", "mat1", "mat2"]),
    ("aten.linear", &["input", "weight", "bias"]),
    ("aten.mm", &["self", "mat2"]),
    ("aten.bmm", &["self", "mat2"]),
    ("aten.sigmoid_backward", &["grad_output", "output"]),
    ("aten._log_softmax_backward", &["grad_output", "output"]),
    ("aten._softmax_backward", &["grad_output", "output"]),
    ("aten.native_layer_norm_backward", &["grad_out", "input", "normalized_shape", "mean", "rstd", "weight", "bias"]),
    ("aten.native_layer_norm", &["input", "normalized_shape", "weight", "bias"]),
    ("aten.native_group_norm_backward", &["grad_out", "input", "mean", "rstd", "weight"]),
    ("aten.native_group_norm", &["input", "weight", "bias"]),
    ("aten.tanh_backward", &["grad_output", "output"]),
    ("aten.mse_loss_backward", &["grad_output", "self", "target"]),
    ("aten.smooth_l1_loss_backward", &["grad_output", "self", "target"]),
    ("aten.mse_loss", &["self", "target"]),
    ("aten.smooth_l1_loss", &["self", "target"]),
    ("aten.binary_cross_entropy_with_logits", &["self", "target", "weight", "pos_weight"]),
    ("aten.as_strided_scatter", &["self", "src"]),
    ("aten.masked_fill", &["self", "mask", "value"]),
    ("aten.nll_loss_forward", &["self", "target", "weight"]),
    ("aten.nll_loss_backward", &["grad_output", "self", "target", "weight"]),
];

/// One operand of a call: its name and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub name: String,
    slot: Slot,
}

#[derive(Debug, Clone, Copy)]
enum Slot {
    Argument(usize),
    /// Of the list at a place.
    Listed(usize, usize),
    Input(usize),
    Upstream(usize),
}

/// The operands of a call.
pub(super) fn operands(call: &Call<Value>) -> Vec<Operand> {
    match &call.carried {
        Carried::Op(case) => {
            let inputs = case.inputs.iter().enumerate().map(|(i, (name, _))| (format!("in/{name}"), Slot::Input(i)));
            let upstream = case.upstream.iter().enumerate();
            let upstream = upstream.map(|(i, (name, _))| (format!("dy/{name}"), Slot::Upstream(i)));
            inputs.chain(upstream).map(|(name, slot)| Operand { name, slot }).collect()
        }
        Carried::Aten(aten) => {
            let known = NAMES.iter().find(|(op, _)| call.op.starts_with(op)).map(|(_, names)| *names);
            let is_backward = call.op.contains("backward");
            let usual: &[&str] = if is_backward { &["grad_output", "self"] } else { &["self", "other"] };
            let name = |i: usize| known.unwrap_or(usual).get(i).map_or(format!("args[{i}]"), ToString::to_string);
            let slots = aten.args.iter().enumerate().flat_map(|(i, arg)| match arg {
                Arg::Tensor(_) => vec![Operand { name: name(i), slot: Slot::Argument(i) }],
                Arg::List(list) => {
                    let tensors = list.iter().enumerate().filter(|(_, arg)| arg.tensor().is_some());
                    tensors
                        .map(|(j, _)| Operand { name: format!("args[{i}][{j}]"), slot: Slot::Listed(i, j) })
                        .collect()
                }
                _ => Vec::new(),
            });
            slots.collect()
        }
    }
}

impl Operand {
    pub fn value<'a>(&self, call: &'a Call<Value>) -> Option<&'a Value> {
        match (&call.carried, self.slot) {
            (Carried::Aten(aten), Slot::Argument(i)) => aten.args.get(i)?.tensor(),
            (Carried::Aten(aten), Slot::Listed(i, j)) => aten.args.get(i)?.list()?.get(j)?.tensor(),
            (Carried::Op(case), Slot::Input(i)) => case.inputs.get(i).map(|(_, value)| value),
            (Carried::Op(case), Slot::Upstream(i)) => case.upstream.get(i).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The call with another array in the operand's place.
    fn replaced(&self, call: &Call<Value>, array: ArrayD<f64>) -> Call<Value> {
        let mut call = call.clone();
        let value = match (&mut call.carried, self.slot) {
            (Carried::Aten(aten), Slot::Argument(i)) => tensor_of(aten.args.get_mut(i)),
            (Carried::Aten(aten), Slot::Listed(i, j)) => match aten.args.get_mut(i) {
                Some(Arg::List(list)) => tensor_of(list.get_mut(j)),
                _ => None,
            },
            (Carried::Op(case), Slot::Input(i)) => case.inputs.get_mut(i).map(|(_, value)| value),
            (Carried::Op(case), Slot::Upstream(i)) => case.upstream.get_mut(i).map(|(_, value)| value),
            _ => None,
        };
        if let Some(value) = value {
            value.array = array;
        }
        call
    }
}

fn tensor_of(arg: Option<&mut Arg<Value>>) -> Option<&mut Value> {
    match arg {
        Some(Arg::Tensor(value)) => Some(value),
        _ => None,
    }
}

/// Labels that are those of the next class, or of the next sample.
pub(super) fn labels(found: &Found) -> Option<String> {
    let all = operands(found.call);
    let target = all.iter().find(|operand| operand.name == "target")?;
    let value = target.value(found.call)?;
    let scores = all.iter().find(|operand| operand.name == "self")?.value(found.call)?;
    let classes = *scores.array.shape().get(1).or(scores.array.shape().first())? as f64;
    if value.is_float() || classes < 2.0 {
        return None;
    }
    let labels = &value.array;
    let next = |by: f64| labels.mapv(|y| if (0.0..classes).contains(&y) { (y + by).rem_euclid(classes) } else { y });
    let mut ways = vec![
        (next(1.0), "labels are off by one: class y + 1 for y"),
        (next(-1.0), "labels are off by one: class y - 1 for y"),
    ];
    if labels.ndim() == 1 && labels.len() > 1 {
        let flat: Vec<f64> = labels.iter().copied().collect();
        let of_sample = |by: usize| ArrayD::from_shape_fn(labels.raw_dim(), |i| flat[(i[0] + by) % flat.len()]);
        ways.push((of_sample(1), "labels are those of the next sample"));
        ways.push((of_sample(flat.len() - 1), "labels are those of the sample before"));
    }
    let explains = |array: &ArrayD<f64>| {
        let altered = found.altered(&target.replaced(found.call, array.clone()), None);
        *array != *labels && altered.is_some_and(|altered| found.is(&altered))
    };
    ways.into_iter().find(|(array, _)| explains(array)).map(|(_, said)| said.to_string())
}

/// The operand that would explain the result, and how it would have to be.
pub(super) fn explain(found: &Found) -> Option<String> {
    let operands = operands(found.call);
    let size: usize =
        operands.iter().filter_map(|operand| operand.value(found.call)).map(|value| value.array.len()).sum();
    if size > MOST {
        return None;
    }
    let explains = |operand: &Operand, array: ArrayD<f64>| {
        let altered = found.altered(&operand.replaced(found.call, array), None);
        altered.is_some_and(|altered| found.is(&altered))
    };
    // What is left out first: it is the likeliest, and the quickest to try.
    operands.iter().find_map(|operand| {
        let value = operand.value(found.call)?;
        let said = left_out(&value.array).into_iter().chain(all(value.array.shape()));
        let mut said = said.filter(|_| value.is_float());
        let named = said.find(|alteration| explains(operand, (alteration.of)(&value.array)));
        let named = named.map(|alteration| format!("operand `{}` {}", operand.name, alteration.said));
        named.or_else(|| another(found, &operands, operand, value, &explains))
    })
}

/// The operand as a whole, or its first or last slice along an axis, taken for 0; or taken twice.
fn left_out(x: &ArrayD<f64>) -> Vec<Alteration> {
    let mut all: Vec<Alteration> = vec![
        Alteration { said: "is left out".into(), of: Box::new(none) },
        Alteration { said: "is taken twice".into(), of: Box::new(|x| x * 2.0) },
    ];
    for axis in (0..x.ndim()).filter(|&axis| x.shape()[axis] > 1) {
        let last = x.shape()[axis] - 1;
        for (at, which) in [(last, "last"), (0, "first")] {
            let said = format!("is used without its {which} index along axis {axis}");
            all.push(Alteration { said, of: Box::new(move |x| cut(x, axis, at)) });
        }
    }
    all
}

/// Another operand of as many elements in this one's place.
fn another(
    found: &Found,
    operands: &[Operand],
    operand: &Operand,
    value: &Value,
    explains: &dyn Fn(&Operand, ArrayD<f64>) -> bool,
) -> Option<String> {
    let others = operands.iter().filter(|other| other.name != operand.name);
    let said = others.filter_map(|other| Some((other, other.value(found.call)?))).find(|(_, other)| {
        let fits = other.array.shape() == value.array.shape() && other.array != value.array;
        fits && explains(operand, other.array.clone())
    });
    said.map(|(other, _)| format!("operand `{}` stands in the place of `{}`", other.name, operand.name))
}
