//! Rules 3 to 5: a gradient is the sum of all that flowed in, the optimizer is handed it, and the loss is a result.

use super::super::{Reference, Step};
use super::content::{Content, Contents};
use super::expected::{Expectation, Use};
use super::flow::{Flow, Node, Place};
use super::sums::{Sum, Wrong};
use super::{Misplaced, Wiring};
use crate::error::Result;
use std::collections::{BTreeSet, HashSet};

/// Judges the gradients that flow into each derivative, those handed to the optimizer, and the loss.
pub(super) fn judge(flow: &Flow, step: &Step, contents: &mut Contents, wiring: &mut Wiring) -> Result<()> {
    for at in 0..flow.nodes.len() {
        upstream(flow, at, wiring);
    }
    handed_over(flow, step, contents, wiring)?;
    if let Some(loss) = &step.loss {
        let place = place("loss", loss, contents)?;
        let is_result = flow.makers(place.known.content).iter().any(|&maker| !flow.nodes[maker].is_backward);
        let begins = beginning(flow).filter(|begins| begins.known.content != place.known.content);
        let told = match begins {
            _ if !is_result => Some("is no result of a forward case".to_string()),
            Some(begins) => Some(format!(
                "is not what the backward pass begins with, whose gradient is 1: tensor `{}`",
                begins.tensor
            )),
            None => None,
        };
        wiring.misplaced.extend(told.map(|told| misplaced("wiring.loss", "loss", &place, told)));
    }
    let nameless = flow.nodes.iter().filter(|node| node.is_backward && node.of.is_none() && !node.may_add_up());
    let nameless: Vec<&str> = nameless.filter(|node| node.passes_gradients()).map(|node| &*node.call.name).collect();
    if let Some(first) = nameless.first() {
        let count = nameless.len();
        wiring.untold.push(format!("{count} backward case(s) do not say `of` which forward case, the first `{first}`"));
    }
    Ok(())
}

/// The one number that a backward pass of PyTorch's begins with: it makes a 1 like it. `None` where there are several.
fn beginning<'a>(flow: &'a Flow) -> Option<&'a Place> {
    let ones = flow.nodes.iter().filter(|node| node.call.op == "aten.ones_like.default");
    let mut like = ones.filter_map(|node| node.operands.first()).filter(|operand| operand.known.len == 1);
    let first = like.next()?;
    like.all(|other| other.known.content == first.known.content).then_some(first)
}

/// Judges what flows into the derivative of one forward node.
fn upstream(flow: &Flow, at: usize, wiring: &mut Wiring) {
    let forward = &flow.nodes[at];
    let mut judged = HashSet::new();
    for &derivative in &flow.derivatives[at] {
        let node = &flow.nodes[derivative];
        for inflow in inflows(flow, at, node) {
            if !judged.insert(inflow.known.content) {
                continue;
            }
            wiring.gradients += 1;
            let outputs = outputs_of(forward, inflow);
            let verdicts: Vec<Option<Wrong>> =
                outputs.iter().map(|output| wrong(flow, inflow, output.known.content)).collect();
            if verdicts.iter().any(Option::is_none) {
                continue;
            }
            // Of several results, the one of its size is what it was meant for.
            let meant = outputs.iter().position(|output| output.known.len == inflow.known.len).unwrap_or(0);
            if let (Some(output), Some(Some(wrong))) = (outputs.get(meant), verdicts.into_iter().nth(meant)) {
                let of = format!("the gradient of `{}` of case `{}`", output.place, forward.call.name);
                let is_saved = flow.is_made_forward(inflow.known.content);
                let or = if is_saved { ", nor an operand of that forward case" } else { "" };
                let told = format!("is not {of}{or}: {}", wrong.told(flow));
                wiring.misplaced.push(misplaced("wiring.gradient", &node.call.name, inflow, told));
            }
        }
    }
}

/// What puts numbers in another order, and has all of them.
const TURNED: &[&str] = &["aten.t.default", "aten.transpose.int", "aten.permute.default"];

/// What a call of a derivative takes from neither its forward call nor another call of the same derivative.
fn inflows<'a>(flow: &Flow, forward: usize, node: &'a Node) -> Vec<&'a Place> {
    if let Some(pair) = node.pair {
        return pair.upstream(node).filter(|place| place.tells()).into_iter().collect();
    }
    let of_forward = |content: Content| {
        let places = flow.nodes[forward].operands.iter().chain(&flow.nodes[forward].results);
        places.into_iter().any(|place| place.known.content == content)
    };
    // A port may as well take what the forward call's operand was turned from: the weight itself, where that took `w.t()`.
    let turned = |content: Content| {
        let took = |node: &Node| node.operands.iter().any(|operand| operand.known.content == content);
        let gave = |node: &Node| node.results.iter().any(|result| of_forward(result.known.content));
        flow.nodes.iter().any(|node| !node.is_backward && TURNED.contains(&&*node.call.op) && took(node) && gave(node))
    };
    let within = |content: Content| flow.makers(content).iter().any(|&maker| flow.nodes[maker].of == Some(forward));
    let is_inflow = |place: &&Place| {
        place.tells()
            && (node.is_own_derivative()
                || !of_forward(place.known.content) && !within(place.known.content) && !turned(place.known.content))
    };
    node.operands.iter().filter(is_inflow).collect()
}

/// The results of a forward node that this may be the gradient of.
fn outputs_of<'a>(forward: &'a Node, inflow: &Place) -> Vec<&'a Place> {
    let named = inflow.place.strip_prefix("dy/").map(|name| format!("out/{name}"));
    let of = |place: &&Place| place.known.is_float && named.as_ref().is_none_or(|named| *named == place.place);
    forward.results.iter().filter(of).collect()
}

/// What is wrong with a tensor as the gradient of another; `None`: nothing.
fn wrong(flow: &Flow, gradient: &Place, of: Content) -> Option<Wrong> {
    let expectation = Expectation::of(flow, of);
    Sum::of(flow, gradient, &expectation).against(flow, &expectation)
}

/// Rule 4.
fn handed_over(flow: &Flow, step: &Step, contents: &mut Contents, wiring: &mut Wiring) -> Result<()> {
    let backward = flow.nodes.iter().any(|node| node.of.is_some());
    if step.grads.is_empty() {
        if backward {
            wiring.untold.push("`grads` has no parameter: what the optimizer is handed is not recorded".to_string());
        }
        return Ok(());
    }
    let mut handed = BTreeSet::new();
    for (name, reference) in &step.grads {
        let Some(parameter) = step.params.get(name) else { continue };
        let gradient = place("grads", reference, contents)?;
        handed.insert(gradient.known.content);
        if !backward {
            continue;
        }
        wiring.gradients += 1;
        let of = contents.know(parameter)?.content;
        // Zeros may come from anywhere; as a gradient they do only where the backward pass made them, or no others.
        let is_made = || derived(flow, of).any(|place| place.known.content == gradient.known.content);
        let others = || derived(flow, of).find(|place| place.tells() && place.known.len == gradient.known.len);
        let other = if gradient.is_zeros() && !is_made() { others() } else { None };
        let instead = other.map(|other| format!("it is all 0, and tensor `{}` was made", other.tensor));
        if let Some(why) = instead.or_else(|| wrong(flow, &gradient, of).map(|wrong| wrong.told(flow))) {
            let told = format!("is not the gradient of the parameter `{name}`: {why}");
            wiring.misplaced.push(Misplaced {
                place: name.clone(),
                candidates: contributions(flow, of, gradient.known.len),
                ..misplaced("wiring.optimizer", "grads", &gradient, told)
            });
        }
    }
    for (name, reference) in step.params.iter().filter(|(name, _)| !step.grads.contains_key(*name)) {
        let parameter = place("params", reference, contents)?;
        if flow.is_ambiguous(parameter.known.content) {
            continue;
        }
        let made = contributions(flow, parameter.known.content, parameter.known.len);
        if let Some(tensor) = made.first() {
            let told = format!("has a gradient, tensor `{tensor}`, that the optimizer is not handed");
            let misplaced = misplaced("wiring.optimizer", "grads", &parameter, told);
            wiring.misplaced.push(Misplaced { place: name.clone(), ..misplaced });
        }
    }
    Ok(())
}

/// The tensors of this length that flow into the gradient of a tensor.
fn contributions(flow: &Flow, of: Content, len: usize) -> Vec<String> {
    let uses = Expectation::of(flow, of).uses.into_iter();
    let made = uses.flat_map(|used| {
        // What makes a tensor of one other alone has its gradient alone.
        let is_alone = flow.nodes[used.node].operands.len() == 1;
        let fits = move |place: &&Place| match place.gradient_of {
            Some(content) => content == of,
            None => {
                let is_last = is_alone || !flow.is_used(place.known.content);
                place.tells() && place.known.len == len && is_last
            }
        };
        results_of_derivative(flow, used).filter(fits)
    });
    made.map(|place| place.tensor.clone()).collect()
}

fn results_of_derivative<'a>(flow: &'a Flow, used: Use) -> impl Iterator<Item = &'a Place> {
    flow.derivatives[used.node].iter().flat_map(|&node| &flow.nodes[node].results)
}

/// All that the derivatives of a tensor's uses made.
fn derived<'a>(flow: &'a Flow, of: Content) -> impl Iterator<Item = &'a Place> {
    let uses = Expectation::of(flow, of).uses.into_iter();
    uses.flat_map(|used| results_of_derivative(flow, used))
}

fn place(of: &str, reference: &Reference, contents: &mut Contents) -> Result<Place> {
    let known = contents.know(reference)?;
    Ok(Place { place: of.to_string(), tensor: reference.tensor.clone(), known, gradient_of: None })
}

fn misplaced(rule: &'static str, call: &str, place: &Place, told: String) -> Misplaced {
    Misplaced {
        rule,
        call: call.to_string(),
        place: place.place.clone(),
        tensor: place.tensor.clone(),
        told,
        difference: None,
        candidates: Vec::new(),
    }
}
