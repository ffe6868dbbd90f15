//! [`Flow`]: the calls of a step as what each took and gave.

use super::super::{Arg, Call, Carried, Changed, Phase, Reference, Step};
use super::content::{Content, Contents, Fill, Known};
use super::joins;
use super::pairs::{self, Pair};
use crate::error::Result;
use std::collections::{HashMap, HashSet};

/// One tensor at one place of a call.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// `args[0]`, `results[1]`, `writes["3"]`, `in/x`, ..
    pub(super) place: String,
    pub(super) tensor: String,
    pub(super) known: Known,
    /// Of a gradient that is known to be one operand's of the forward call, that operand's content.
    pub(super) gradient_of: Option<Content>,
}

/// One call forward or backward; an op case with upstream gradients is one of each.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) call: &'a Call<Reference>,
    pub(super) is_backward: bool,
    /// Of a backward call, the node whose derivative it is part of.
    pub(super) of: Option<usize>,
    pub(super) operands: Vec<Place>,
    pub(super) results: Vec<Place>,
    /// How its operands are its forward call's, where that is known of the op.
    pub(super) pair: Option<&'static Pair>,
}

/// A step's nodes, in the order in which they were carried out, and who makes and who uses what.
pub(super) struct Flow<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// The nodes that have a content among their results, each once.
    pub(super) makers: HashMap<Content, Vec<usize>>,
    /// The forward nodes that take a content and make something else of it, with the operand's position.
    pub(super) users: HashMap<Content, Vec<(usize, usize)>>,
    /// The contents that any node makes something else of.
    used: HashSet<Content>,
    /// Of each node, the backward ones that are its derivative.
    pub(super) derivatives: Vec<Vec<usize>>,
    /// What enters the step from outside: content to what it is called.
    pub(super) outside: HashMap<Content, Vec<String>>,
}

impl<'a> Flow<'a> {
    pub(super) fn of(step: &'a Step, contents: &mut Contents) -> Result<Self> {
        let mut nodes = Vec::with_capacity(step.calls.len());
        // Nodes of the op cases' own derivatives: a backward pass goes through them in reverse.
        let mut reversed = Vec::new();
        let mut forward_nodes = HashMap::with_capacity(step.calls.len());
        let mut has_derivatives = false;
        for call in &step.calls {
            has_derivatives |= call.of.is_some();
            let is_backward = match call.phase {
                Some(phase) => phase == Phase::Backward,
                None => has_derivatives,
            };
            forward_nodes.insert(call.name.as_str(), nodes.len());
            let (operands, results) = forward_places(call, contents)?;
            nodes.push(Node { call, is_backward, of: None, operands, results, pair: None });
            reversed.extend(own_derivative(call, nodes.len() - 1, &nodes, contents)?);
        }
        nodes.extend(reversed.into_iter().rev());
        let named: Vec<_> = nodes.iter().map(|node| node.of.or_else(|| of_call(node.call, &forward_nodes))).collect();
        for (at, of) in named.into_iter().enumerate() {
            nodes[at].of = of;
            if let Some(of) = of.filter(|_| matches!(nodes[at].call.carried, Carried::Aten(_))) {
                let pair = pairs::find(&nodes[at].call.op, &nodes[of].call.op);
                nodes[at].pair = pair;
                assign_gradients(&mut nodes, at, of, pair);
                assign_parts(&mut nodes, at, of);
            }
        }
        let mut flow = Self {
            makers: HashMap::new(),
            users: HashMap::new(),
            used: HashSet::new(),
            derivatives: vec![Vec::new(); nodes.len()],
            nodes,
            outside: HashMap::new(),
        };
        flow.index();
        flow.enter(step, contents)?;
        Ok(flow)
    }

    fn index(&mut self) {
        for (at, node) in self.nodes.iter().enumerate() {
            for result in &node.results {
                let makers = self.makers.entry(result.known.content).or_default();
                if makers.last() != Some(&at) {
                    makers.push(at);
                }
            }
            if let Some(of) = node.of {
                self.derivatives[of].push(at);
            }
        }
        for (at, node) in self.nodes.iter().enumerate() {
            let hands_on = self.hands_on(at);
            if !hands_on {
                self.used.extend(node.operands.iter().map(|operand| operand.known.content));
            }
            let uses = |position: usize| !node.is_backward && (!hands_on || node.adds_nothing(position));
            for (position, operand) in node.operands.iter().enumerate().filter(|&(position, _)| uses(position)) {
                self.users.entry(operand.known.content).or_default().push((at, position));
            }
        }
    }

    fn enter(&mut self, step: &Step, contents: &mut Contents) -> Result<()> {
        let kinds = [("parameter", &step.params), ("buffer", &step.buffers), ("batch's", &step.batch)];
        for (kind, named) in kinds {
            for (name, reference) in named {
                let content = contents.know(reference)?.content;
                self.outside.entry(content).or_default().push(format!("{kind} `{name}`"));
            }
        }
        Ok(())
    }

    /// The nodes that have a content among their results.
    pub(super) fn makers(&self, content: Content) -> &[usize] {
        self.makers.get(&content).map_or(&[], Vec::as_slice)
    }

    /// Whether a node, and its derivative too, gives nothing but what it took: a view, a copy, or an op whose every
    /// operand is such that it changes nothing.
    pub(super) fn hands_on(&self, at: usize) -> bool {
        let copies = |node: &Node| {
            let took = |result: &Place| node.operands.iter().any(|o| o.known.content == result.known.content);
            node.results.iter().all(took)
        };
        copies(&self.nodes[at]) && self.derivatives[at].iter().all(|&node| copies(&self.nodes[node]))
    }

    /// Whether a call makes something else of a content.
    pub(super) fn is_used(&self, content: Content) -> bool {
        self.used.contains(&content)
    }

    fn forward_makers(&self, content: Content) -> impl Iterator<Item = usize> + '_ {
        self.makers(content).iter().copied().filter(|&maker| !self.nodes[maker].is_backward)
    }

    /// Whether a forward call made it and no backward one.
    pub(super) fn is_made_forward(&self, content: Content) -> bool {
        let makers = self.makers(content);
        !makers.is_empty() && makers.iter().all(|&maker| !self.nodes[maker].is_backward)
    }

    /// Whether the port cut a tensor with these bits off from where it comes from, so that nobody can say which uses of
    /// them gradients flow back from.
    pub(super) fn is_detached(&self, content: Content) -> bool {
        let cuts = |op: &str| matches!(op, "aten.detach.default" | "aten.detach_.default");
        self.forward_makers(content).any(|maker| cuts(&self.nodes[maker].call.op))
    }

    /// Whether more than one tensor of the step has these bits, by chance, or one that gradients do not flow into.
    pub(super) fn is_ambiguous(&self, content: Content) -> bool {
        let took = |node: &Node| node.operands.iter().any(|operand| operand.known.content == content);
        let is_fill = |node: &Node| node.results.iter().any(|r| r.known.content == content && r.known.fill.is_some());
        let makers: Vec<usize> = self.forward_makers(content).filter(|&maker| !self.hands_on(maker)).collect();
        let origins = self.outside.get(&content).map_or(0, Vec::len) + makers.len();
        let is_shared = makers.iter().any(|&maker| took(&self.nodes[maker]) || is_fill(&self.nodes[maker]));
        origins > 1 || is_shared || self.is_detached(content)
    }

    /// What a tensor is called in messages: what it is of the step, or whose result.
    pub(super) fn called(&self, content: Content) -> Option<String> {
        if let Some(names) = self.outside.get(&content) {
            return names.first().cloned();
        }
        let &maker = self.makers(content).first()?;
        let result = self.nodes[maker].results.iter().find(|result| result.known.content == content)?;
        Some(format!("`{}` of case `{}`", result.place, self.nodes[maker].call.name))
    }
}

impl Node<'_> {
    /// Whether an operand goes into a sum as it is, so that its gradient is the result's own, even if the sum has a derivative
    /// that takes some calls for the other operand.
    pub(super) fn adds_as_it_is(&self, position: usize) -> bool {
        let operand = &self.operands[position];
        let same_size = self.results.iter().any(|result| result.known.len == operand.known.len);
        let Carried::Aten(aten) = &self.call.carried else { return false };
        let factor = |name: &str| aten.kwargs.get(name).and_then(Arg::number).unwrap_or(1.0);
        same_size
            && match (self.call.op.as_str(), operand.place.as_str()) {
                ("aten.add.Tensor" | "aten.add_.Tensor" | "aten.sub.Tensor" | "aten.sub_.Tensor", "args[0]") => true,
                ("aten.add.Tensor" | "aten.add_.Tensor", "args[1]") => factor("alpha") == 1.0,
                ("aten.add.Scalar" | "aten.add_.Scalar", _) => true,
                ("aten.addmm.default", "args[0]") => factor("beta") == 1.0,
                _ => false,
            }
    }

    /// Whether the call adds an operand to another one and gives that: it is all 0, and its gradient is the sum's all the same.
    fn adds_nothing(&self, position: usize) -> bool {
        let content = self.operands[position].known.content;
        self.adds_as_it_is(position) && self.results.iter().all(|result| result.known.content != content)
    }
}

impl Place {
    /// Whether it is a gradient, an activation or a parameter, and not a fill, an index or a mask.
    pub(super) fn tells(&self) -> bool {
        self.known.is_float && self.known.fill.is_none()
    }

    pub(super) fn is_zeros(&self) -> bool {
        self.known.fill == Some(Fill::Zeros)
    }
}

fn of_call(call: &Call<Reference>, nodes: &HashMap<&str, usize>) -> Option<usize> {
    nodes.get(call.of.as_deref()?).copied()
}

/// What a call read, and what it gave; of an op case forward.
fn forward_places(call: &Call<Reference>, contents: &mut Contents) -> Result<(Vec<Place>, Vec<Place>)> {
    let mut at = |place: String, reference: &Reference| place_of(place, reference, contents);
    let (mut operands, mut results) = (Vec::new(), Vec::new());
    match &call.carried {
        Carried::Aten(aten) => {
            let positions = aten.args.iter().enumerate().map(|(i, arg)| (format!("args[{i}]"), arg));
            let named = aten.kwargs.iter().map(|(name, arg)| (format!("kwargs[{name:?}]"), arg));
            for (place, arg) in positions.chain(named) {
                let within = matches!(arg, Arg::List(_));
                for (i, reference) in arg.tensors().into_iter().enumerate() {
                    let place = if within { format!("{place}[{i}]") } else { place.clone() };
                    operands.push(at(place, reference)?);
                }
            }
            for (i, reference) in aten.results.iter().enumerate() {
                results.extend(reference.as_ref().map(|r| at(format!("results[{i}]"), r)).transpose()?);
            }
            for (changed, reference) in &aten.writes {
                let place = match changed {
                    Changed::Position(i) => format!("writes[\"{i}\"]"),
                    Changed::Keyword(name) => format!("writes[{name:?}]"),
                };
                results.push(at(place, reference)?);
            }
        }
        Carried::Op(op) => {
            for (name, reference) in &op.inputs {
                operands.push(at(format!("in/{name}"), reference)?);
            }
            for (name, reference) in &op.outputs {
                results.extend(reference.as_ref().map(|r| at(format!("out/{name}"), r)).transpose()?);
            }
        }
    }
    Ok((operands, results))
}

/// The backward node of an op case that has upstream gradients.
fn own_derivative<'a>(
    call: &'a Call<Reference>,
    of: usize,
    nodes: &[Node],
    contents: &mut Contents,
) -> Result<Option<Node<'a>>> {
    let Carried::Op(op) = &call.carried else { return Ok(None) };
    if op.upstream.is_empty() {
        return Ok(None);
    }
    let (mut operands, mut results) = (Vec::new(), Vec::new());
    for (name, reference) in &op.upstream {
        operands.push(place_of(format!("dy/{name}"), reference, contents)?);
    }
    for (name, reference) in &op.gradients {
        let Some(reference) = reference else { continue };
        let input = nodes[of].operands.iter().find(|input| input.place == format!("in/{name}"));
        let gradient_of = input.map(|input| input.known.content);
        results.push(Place { gradient_of, ..place_of(format!("grad/{name}"), reference, contents)? });
    }
    Ok(Some(Node { call, is_backward: true, of: Some(of), operands, results, pair: None }))
}

fn place_of(place: String, reference: &Reference, contents: &mut Contents) -> Result<Place> {
    Ok(Place { place, tensor: reference.tensor.clone(), known: contents.know(reference)?, gradient_of: None })
}

/// Says of each result of the backward node which operand's gradient it is, where the op's page says so.
fn assign_gradients(nodes: &mut [Node], at: usize, of: usize, pair: Option<&Pair>) {
    let Some(pair) = pair else { return };
    for (result, operand) in pair.gradients {
        let operand = nodes[of].operands.iter().find(|place| place.place == format!("args[{operand}]"));
        let gradient_of = operand.map(|operand| operand.known.content);
        let results = &mut nodes[at].results;
        if let Some(result) = results.iter_mut().find(|place| place.place == format!("results[{result}]")) {
            result.gradient_of = gradient_of;
        }
    }
}

/// The same where the forward node joined its operands and the backward one cuts the gradient up again.
fn assign_parts(nodes: &mut [Node], at: usize, of: usize) {
    let joined: Vec<Content> = nodes[of].operands.iter().map(|operand| operand.known.content).collect();
    for (i, part) in joins::parts(nodes[of].call, nodes[at].call).into_iter().enumerate() {
        let place = format!("results[{i}]");
        let result = nodes[at].results.iter_mut().find(|result| result.place == place);
        if let (Some(result), Some(part)) = (result, part) {
            result.gradient_of = joined.get(part).copied();
        }
    }
}
