//! What a trace by steps has of a step: operands, what the method tells, and what the step leaves.

use super::StepEvent;
use super::trace_file::TraceFile;
use crate::error::Result;
use crate::method::record::{MASK, MASK_BEFORE, OF_A_RUN};
use crate::method::{Entry, Story};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::tensor_file::{Element, Tensor};
use crate::weights::Weights;

/// What is done before training: what a trace has once, and the one step of a method that acts then.
pub(super) fn put_beginning<S: Scalar + Element>(
    to: &mut TraceFile,
    method: &Entry,
    event: &StepEvent<S>,
) -> Result<()> {
    let shapes = shapes(event.before);
    for quantity in OF_A_RUN {
        if let (Some(tensor), Some(told)) = (quantity.tensor, event.story.get(quantity)) {
            to.put_told(tensor, told, &shapes)?;
        }
    }
    if !method.acts_once() {
        return Ok(());
    }
    put_parameters(to, "step/0/weights_before", &event.before.parameters, event.before, Which::OfW)?;
    put_story(to, method, "step/0/", event.story, &shapes)?;
    put_parameters(to, "step/0/weights_after", &event.after.parameters, event.after, Which::OfW)
}

/// A step of the optimizer.
pub(super) fn put_step<S: Scalar + Element>(to: &mut TraceFile, method: &Entry, event: &StepEvent<S>) -> Result<()> {
    let (t, shapes) = (event.t, shapes(event.before));
    let name = |tensor: &str| format!("step/{t}/{tensor}");
    put_weights(to, event, "weights_before", event.before)?;
    put_mask(to, event.story, &name("mask_before"), event.before, &shapes)?;
    put_momentum(to, &name("momentum_before"), event.before)?;
    for (parameter, gradient) in event.before.parameters.iter().zip(event.gradients) {
        if let Some(gradient) = gradient {
            to.put(format!("step/{t}/grad/{}", parameter.name), &Tensor::from_array(&gradient.view()))?;
        }
    }
    if let Some(rate) = event.learning_rate {
        to.put(name("lr"), &Tensor::scalar(rate))?;
    }
    if method.labels.contains(&"when") {
        to.put(name("updated"), &Tensor::scalar(u8::from(event.is_update)))?;
    }
    // Where the network computes with others than are trained, nothing has moved by then.
    if event.trained.is_none() {
        put_parameters(to, &name("between"), event.between, event.before, Which::All)?;
    }
    put_story(to, method, &name(""), event.story, &shapes)?;
    if event.story.get(&MASK).is_none() {
        put_mask(to, event.story, &name("mask"), event.after, &shapes)?;
    }
    put_weights(to, event, "weights_after", event.after)?;
    put_momentum(to, &name("momentum"), event.after)
}

/// What the method tells under names of the format's, behind `prefix`.
pub(super) fn put_story<S: Scalar + Element>(
    to: &mut TraceFile,
    method: &Entry,
    prefix: &str,
    story: &Story<S>,
    shapes: &[Vec<usize>],
) -> Result<()> {
    for quantity in method.quantities {
        let of_the_run = OF_A_RUN.iter().any(|known| std::ptr::eq(*known, *quantity));
        if let (Some(tensor), Some(told), false) = (quantity.tensor, story.get(quantity), of_the_run) {
            to.put_told(&format!("{prefix}{tensor}"), told, shapes)?;
        }
    }
    Ok(())
}

/// The weights' mask, unless the method tells another.
fn put_mask<S: Scalar + Element>(
    to: &mut TraceFile,
    story: &Story<S>,
    name: &str,
    weights: &Weights<S>,
    shapes: &[Vec<usize>],
) -> Result<()> {
    match (story.get(&MASK_BEFORE), weights.mask()) {
        (None, Some([])) => to.put_flags(name, shapes, &vec![true; weights.len()]),
        (None, Some(mask)) => to.put_flags(name, shapes, mask),
        _ => Ok(()),
    }
}

/// Which parameters are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// All that are trained.
    All,
    OfW,
    /// Those that are trained and not of W.
    Others,
}

/// The weights that are trained.
fn put_weights<S: Scalar + Element>(
    to: &mut TraceFile,
    event: &StepEvent<S>,
    tensor: &str,
    weights: &Weights<S>,
) -> Result<()> {
    let name = format!("step/{}/{tensor}", event.t);
    match event.trained.and_then(|slot| weights.slot(slot)) {
        None => put_parameters(to, &name, &weights.parameters, weights, Which::All),
        Some(slot) => {
            put_parameters(to, &name, &weights.parameters, weights, Which::Others)?;
            to.put_flat(&name, &shapes(weights), &slot.values)
        }
    }
}

fn put_parameters<S: Scalar + Element>(
    to: &mut TraceFile,
    name: &str,
    parameters: &Parameters<S>,
    weights: &Weights<S>,
    which: Which,
) -> Result<()> {
    for (i, parameter) in parameters.iter().enumerate().filter(|(_, parameter)| parameter.role.is_trained()) {
        let of_w = weights.set().segments().iter().any(|segment| segment.parameter == i);
        if which == Which::All || of_w == (which == Which::OfW) {
            to.put(format!("{name}/{}", parameter.name), &Tensor::from_array(&parameter.value.view()))?;
        }
    }
    Ok(())
}

fn put_momentum<S: Scalar + Element>(to: &mut TraceFile, name: &str, weights: &Weights<S>) -> Result<()> {
    for (parameter, momentum) in weights.parameters.iter().zip(&weights.momentum) {
        if parameter.role.is_trained() {
            to.put(format!("{name}/{}", parameter.name), &Tensor::from_array(&momentum.view()))?;
        }
    }
    Ok(())
}

fn shapes<S: Scalar>(weights: &Weights<S>) -> Vec<Vec<usize>> {
    weights.shapes().into_iter().map(<[usize]>::to_vec).collect()
}
