//! Rule 1: every operand comes from somewhere.

use super::content::Content;
use super::flow::{Flow, Node, Place};
use super::{Misplaced, Wiring};
use std::collections::HashSet;

/// Looks for the origin of every operand; a tensor that many calls take from nowhere is told once.
pub(super) fn judge(flow: &Flow, wiring: &mut Wiring) {
    let mut known: HashSet<Content> = flow.outside.keys().copied().collect();
    // A backward pass over op cases goes through them in reverse: its gradients may come from any of them.
    let own = |node: &&Node| node.is_own_derivative();
    known.extend(flow.nodes.iter().filter(own).flat_map(|node| &node.results).map(|place| place.known.content));
    let mut told = HashSet::new();
    for node in &flow.nodes {
        // A constant of the program, which is made outside of all ops.
        let is_constant = node.call.op == "aten.lift_fresh.default";
        for operand in node.operands.iter().filter(|_| !is_constant) {
            wiring.operands += 1;
            let content = operand.known.content;
            if operand.known.fill.is_none() && !known.contains(&content) && told.insert(content) {
                wiring.misplaced.push(lost(flow, node, operand));
            }
        }
        known.extend(node.results.iter().map(|result| result.known.content));
    }
}

fn lost(flow: &Flow, node: &Node, operand: &Place) -> Misplaced {
    let later = flow.called(operand.known.content).map(|called| format!("is {called}, which comes later"));
    let nowhere = || "comes from nowhere: it is no parameter, buffer, or tensor of the batch, and no earlier result";
    Misplaced {
        rule: "wiring.origin",
        call: node.call.name.clone(),
        place: operand.place.clone(),
        tensor: operand.tensor.clone(),
        told: later.unwrap_or_else(|| nowhere().to_string()),
        difference: None,
        candidates: Vec::new(),
    }
}
