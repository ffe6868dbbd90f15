//! Every result of every step, computed from the operands that a trace records.

use super::desk::{Desk, Job};
use super::pages::page;
use super::rules::Rules;
use super::state::{Left, Whole};
use crate::error::Result;
use crate::scalar::Dtype;
use crate::tensor_file::{Tensor, TensorSink};
use crate::trace::{Arithmetic, Optimizer, StepHeader, StepTrace};
use std::collections::BTreeSet;

/// Operands: what a result is computed from, and passed on.
const OPERANDS: &[&str] = &[
    "init",
    "init_draw",
    "rewind",
    "weights_before",
    "mask_before",
    "momentum_before",
    "accumulated_before",
    "grad",
    "lr",
    "draw",
    "fresh",
    "hessian_gradient",
    "theta_1",
    "theta_2",
    "loss",
    "error",
    "grad_output",
    "input",
    "weight",
    "action",
    "accuracy",
];

/// Replays an open trace into `sink`; the result's header, and what could not be computed and why, a line each.
///
/// # Errors
/// [`crate::Error::File`] naming the tensor that is not finite, the header's key that is missing, or the result that
/// overflows; [`crate::Error::Io`].
pub(crate) fn replay(
    trace: &StepTrace,
    sink: &mut dyn TensorSink,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(StepHeader, Vec<String>)> {
    let page = page(trace.header.method);
    let (mut rules, _) = Rules::read(trace, &page.facts, false)?;
    rules.results_are_operands = false;
    let mut notes = BTreeSet::new();
    copy_operands(trace, sink)?;
    let nothing = Whole::default();
    let mut desk = |whole: &Whole, left: &Left, t: Option<usize>, act: &mut dyn FnMut(&mut Desk) -> Result<()>| {
        let job = Job::Replay { sink: &mut *sink, notes: &mut notes };
        act(&mut Desk { trace, rules: &rules, whole, left, t, job })
    };
    let mut whole = Whole::default();
    desk(&nothing, &Left::NOTHING, None, &mut |desk| {
        (page.fits)(desk)?;
        whole = (page.begin)(desk)?;
        Ok(())
    })?;
    let mut left = Left::NOTHING;
    desk(&whole, &Left::NOTHING, None, &mut |desk| {
        left = Left::at_start(desk);
        Ok(())
    })?;
    let total = trace.steps().count();
    for (done, t) in trace.steps().enumerate() {
        let mut after = Left::NOTHING;
        desk(&whole, &left, Some(t), &mut |desk| {
            after = (page.step)(desk)?;
            Ok(())
        })?;
        left = after;
        progress(done + 1, total);
    }
    desk(&whole, &left, None, &mut |desk| (page.end)(desk))?;
    let input = trace.header.clone();
    let nesterov = input.optimizer.nesterov;
    let header = StepHeader {
        producer: format!("gdstar {} replay of: {}", env!("CARGO_PKG_VERSION"), input.producer),
        arithmetic: Arithmetic::of(Dtype::F64),
        declares_rounding: false,
        optimizer: Optimizer { no_decay: input.optimizer.no_decay.clone(), nesterov, ..Optimizer::default() },
        unknown: Vec::new(),
        replayed: true,
        ..input
    };
    Ok((header, notes.into_iter().collect()))
}

/// Operands come back as they were given, widened to f64.
fn copy_operands(trace: &StepTrace, sink: &mut dyn TensorSink) -> Result<()> {
    let names: Vec<String> = trace.names().map(str::to_string).collect();
    for name in names.iter().filter(|name| trace.unknown().binary_search(name).is_err()) {
        let mut parts = name.split('/');
        let quantity = match parts.next() {
            Some("step") => parts.nth(1),
            whole => whole,
        };
        if !quantity.is_some_and(|quantity| OPERANDS.contains(&quantity)) {
            continue;
        }
        let shape = trace.shape(name).unwrap_or_default().to_vec();
        if quantity == Some("mask_before") {
            let flags: Vec<u8> = trace.flags(name)?.unwrap_or_default().into_iter().map(u8::from).collect();
            sink.put(name, &Tensor::from_slice(&shape, &flags))?;
        } else {
            let values = trace.floats(name)?.unwrap_or_default();
            if let Some(j) = values.iter().position(|x| !x.is_finite()) {
                return Err(trace.bad(name, "finite numbers", format!("{} at {j}", values[j])));
            }
            sink.put(name, &Tensor::from_slice(&shape, &values))?;
        }
    }
    Ok(())
}
