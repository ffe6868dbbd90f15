//! Rule 2: a backward call has its forward call's operands.

use super::super::{Arg, AtenCall, Carried, Reference};
use super::flow::{Flow, Node, Place};
use super::pairs::{Pair, Saved};
use super::{Misplaced, Wiring};

/// Holds what the page of a backward op says it has from its forward op against that.
pub(super) fn judge(flow: &Flow, wiring: &mut Wiring) {
    for node in &flow.nodes {
        let (Some(pair), Some(of)) = (node.pair, node.of) else { continue };
        let forward = &flow.nodes[of];
        for &(position, saved) in pair.saved {
            let Some(operand) = at(&node.operands, "args", position) else { continue };
            let belongs = candidates(forward, saved);
            let is_unused = matches!(saved, Saved::Running(_)) && is_training(forward);
            if belongs.is_empty() || is_unused {
                continue;
            }
            wiring.saved += 1;
            if !belongs.iter().any(|place| place.known.content == operand.known.content) {
                wiring.misplaced.push(other(flow, node, operand, forward, belongs[0]));
            }
        }
        let (Carried::Aten(backward), Carried::Aten(taken)) = (&node.call.carried, &forward.call.carried) else {
            continue;
        };
        for &(position, like) in pair.alike {
            let (Some(has), Some(had)) = (attribute(backward, position), attribute(taken, like)) else { continue };
            wiring.saved += 1;
            if !alike(has, had) {
                let told = format!("is {}, and {} in the forward case `{}`", text(has), text(had), forward.call.name);
                wiring.misplaced.push(Misplaced {
                    rule: "wiring.saved",
                    call: node.call.name.clone(),
                    place: format!("args[{position}]"),
                    tensor: String::new(),
                    told,
                    difference: None,
                    candidates: Vec::new(),
                });
            }
        }
    }
}

/// The place of a list and position.
pub(super) fn at<'a>(places: &'a [Place], list: &str, position: usize) -> Option<&'a Place> {
    places.iter().find(|place| place.place == format!("{list}[{position}]"))
}

/// The forward call's tensors that serve as this operand, the most usual first.
fn candidates<'a>(forward: &'a Node, saved: Saved) -> Vec<&'a Place> {
    let argument = |position| at(&forward.operands, "args", position);
    let result = |position| at(&forward.results, "results", position);
    let changed =
        |position: usize| forward.results.iter().find(|place| place.place == format!("writes[\"{position}\"]"));
    let places = match saved {
        Saved::Argument(position) | Saved::Running(position) => [argument(position), changed(position)],
        Saved::Result(position) => [result(position), None],
        Saved::Either => [result(0), argument(0)],
    };
    places.into_iter().flatten().collect()
}

/// Whether a batch norm is by the batch's own statistics.
fn is_training(forward: &Node) -> bool {
    const TRAINING: usize = 5;
    matches!(&forward.call.carried, Carried::Aten(aten) if matches!(aten.args.get(TRAINING), Some(Arg::Bool(true))))
}

fn other(flow: &Flow, node: &Node, operand: &Place, forward: &Node, belongs: &Place) -> Misplaced {
    let is =
        flow.called(operand.known.content).map(|called| format!("is {called}, not")).unwrap_or("is not".to_string());
    Misplaced {
        rule: "wiring.saved",
        call: node.call.name.clone(),
        place: operand.place.clone(),
        tensor: operand.tensor.clone(),
        told: format!(
            "{is} `{}` of the forward case `{}`, tensor `{}`",
            belongs.place, forward.call.name, belongs.tensor
        ),
        difference: None,
        candidates: vec![belongs.tensor.clone()],
    }
}

/// An argument that is no tensor, where it is given.
fn attribute(call: &AtenCall<Reference>, position: usize) -> Option<&Arg<Reference>> {
    call.args.get(position).filter(|arg| !matches!(arg, Arg::Tensor(_) | Arg::Null))
}

/// Whether two attributes say the same: one number stands for the same on every axis, and an empty stride for the default.
fn alike(a: &Arg<Reference>, b: &Arg<Reference>) -> bool {
    let elements = |arg: &Arg<Reference>| match arg {
        Arg::List(elements) => elements.iter().map(Arg::number).collect::<Option<Vec<f64>>>(),
        Arg::Bool(flag) => Some(vec![f64::from(u8::from(*flag))]),
        other => other.number().map(|x| vec![x]),
    };
    let (Some(a), Some(b)) = (elements(a), elements(b)) else { return true };
    match (a.as_slice(), b.as_slice()) {
        ([], _) | (_, []) => true,
        ([one], many) | (many, [one]) => many.iter().all(|x| x == one),
        (a, b) => a == b,
    }
}

fn text(arg: &Arg<Reference>) -> String {
    match arg {
        Arg::Bool(flag) => flag.to_string(),
        Arg::List(elements) => format!("[{}]", elements.iter().map(text).collect::<Vec<_>>().join(", ")),
        other => other.number().map_or("no number".to_string(), |x| x.to_string()),
    }
}

impl Pair {
    /// The upstream gradient of a backward call.
    pub(super) fn upstream<'a>(&self, node: &'a Node) -> Option<&'a Place> {
        at(&node.operands, "args", self.upstream)
    }
}
