//! [`Sum`]: a gradient taken apart at the additions in which gradients meet.

use super::super::{Arg, Carried};
use super::content::Content;
use super::expected::{Expectation, Use};
use super::flow::{Flow, Node, Place};
use std::collections::HashSet;

/// What a gradient is the sum of.
pub(super) struct Sum<'a> {
    terms: Vec<&'a Place>,
}

/// Why a sum is not the gradient that it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A term that no use of the tensor made, by its place and tensor.
    Foreign(Content, String),
    /// A term more of a use than there are.
    Twice(Use),
    /// A use without a term.
    Lost(Use),
}

impl Node<'_> {
    /// Whether it may be where gradients meet.
    pub(super) fn may_add_up(&self) -> bool {
        let Carried::Aten(aten) = &self.call.carried else { return false };
        let plain = aten.kwargs.get("alpha").and_then(Arg::number).is_none_or(|alpha| alpha == 1.0);
        self.is_backward && plain && matches!(self.call.op.as_str(), "aten.add.Tensor" | "aten.add_.Tensor")
    }

    /// Whether it is the derivative of its own case.
    pub(super) fn is_own_derivative(&self) -> bool {
        self.is_backward && matches!(self.call.carried, Carried::Op(_))
    }

    /// Whether it makes something of something: no fill, and no copy.
    pub(super) fn passes_gradients(&self) -> bool {
        let took = |content| self.operands.iter().any(|operand| operand.known.content == content);
        !self.operands.is_empty() && self.results.iter().any(|result| result.tells() && !took(result.known.content))
    }
}

impl<'a> Sum<'a> {
    /// Takes `gradient` apart, down to terms that one of the expected uses made.
    pub(super) fn of(flow: &'a Flow, gradient: &'a Place, expectation: &Expectation) -> Self {
        let mut sum = Self { terms: Vec::new() };
        sum.add(flow, gradient, expectation, &mut HashSet::new());
        sum
    }

    fn add(&mut self, flow: &'a Flow, place: &'a Place, expectation: &Expectation, path: &mut HashSet<Content>) {
        let content = place.known.content;
        let is_term = expectation.uses.iter().any(|used| made_by(flow, content, used));
        let addition = flow.makers(content).iter().map(|&maker| &flow.nodes[maker]).find(|node| adds_up(flow, node));
        match addition {
            Some(addition) if !is_term && path.insert(content) => {
                addition.operands.iter().for_each(|operand| self.add(flow, operand, expectation, path));
                path.remove(&content);
            }
            _ => self.terms.push(place),
        }
    }

    /// Holds the terms against the uses, one to one; what is wrong, if anything.
    pub(super) fn against(&self, flow: &Flow, expectation: &Expectation) -> Option<Wrong> {
        let uses = &expectation.uses;
        let terms: Vec<&Place> = self.terms.iter().copied().filter(|term| !is_neutral(flow, term, uses)).collect();
        let may: Vec<Vec<usize>> = terms.iter().map(|term| uses_of(flow, term, uses)).collect();
        let mut taken_by: Vec<Option<usize>> = vec![None; uses.len()];
        let mut left: Vec<usize> = Vec::new();
        for term in 0..terms.len() {
            if !assign(term, &may, &mut taken_by, &mut vec![false; uses.len()]) {
                left.push(term);
            }
        }
        // What nobody made, or somebody else, says more than what then is missing.
        if let Some(&foreign) = left.iter().find(|&&term| may[term].is_empty()) {
            return Some(Wrong::Foreign(terms[foreign].known.content, terms[foreign].tensor.clone()));
        }
        if let Some(&twice) = left.first() {
            return Some(Wrong::Twice(uses[may[twice][0]]));
        }
        // Nobody can say whose contribution a tensor is whose bits others have; a gradient of zeros may be left out.
        let without = uses.iter().zip(&taken_by).filter(|(_, term)| term.is_none()).map(|(used, _)| *used);
        without.filter(|used| used.is_certain).find(|used| !gives_zeros(flow, used)).map(Wrong::Lost)
    }
}

/// Whether gradients meet in this node: it adds up, and its terms are not both of the derivative that it is part of.
fn adds_up(flow: &Flow, node: &Node) -> bool {
    let of =
        |content: Content, forward| flow.makers(content).iter().any(|&maker| flow.nodes[maker].of == Some(forward));
    let is_within = |forward| node.operands.iter().all(|operand| of(operand.known.content, forward));
    node.may_add_up() && node.operands.len() == 2 && !node.of.is_some_and(is_within)
}

/// Whether a use's derivative made a content.
fn made_by(flow: &Flow, content: Content, used: &Use) -> bool {
    flow.makers(content).iter().any(|&maker| {
        let node = &flow.nodes[maker];
        let fits = |result: &Place| {
            result.known.content == content && result.gradient_of.is_none_or(|operand| operand == used.of)
        };
        node.of == Some(used.node) && node.results.iter().any(fits)
    })
}

/// The uses that may have made a term: all of them, where the call that made it does not say whose derivative it is.
fn uses_of(flow: &Flow, term: &Place, uses: &[Use]) -> Vec<usize> {
    let content = term.known.content;
    let nameless = flow.makers(content).iter().any(|&maker| {
        let node = &flow.nodes[maker];
        node.is_backward && node.of.is_none() && !node.may_add_up() && node.passes_gradients()
    });
    (0..uses.len()).filter(|&at| nameless || made_by(flow, content, &uses[at])).collect()
}

/// Whether a term needs no use: 0, or the 1 and what else enters from outside where nothing used the tensor.
fn is_neutral(flow: &Flow, term: &Place, uses: &[Use]) -> bool {
    let made = uses.iter().any(|used| made_by(flow, term.known.content, used));
    let enters = term.known.fill.is_some() || flow.outside.contains_key(&term.known.content);
    !made && (term.is_zeros() || uses.is_empty() && enters)
}

/// Whether a use's derivative may have made zeros for the tensor: its results for it are such, or, where nobody can say which of
/// them is for which operand, one of the tensor's size is.
fn gives_zeros(flow: &Flow, used: &Use) -> bool {
    let results = || flow.derivatives[used.node].iter().flat_map(|&node| &flow.nodes[node].results);
    let operands = &flow.nodes[used.node].operands;
    let len = operands.iter().find(|operand| operand.known.content == used.of).map(|operand| operand.known.len);
    let mut own = results().filter(|result| result.gradient_of.is_none_or(|operand| operand == used.of));
    let is_told = results().any(|result| result.gradient_of == Some(used.of));
    let may_be = |result: &Place| result.gradient_of.is_none() && Some(result.known.len) == len && result.is_zeros();
    own.all(Place::is_zeros) || !is_told && results().any(may_be)
}

/// Finds a use for a term, moving others where they have a choice.
fn assign(term: usize, may: &[Vec<usize>], taken_by: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for &used in &may[term] {
        if std::mem::replace(&mut tried[used], true) {
            continue;
        }
        let free = match taken_by[used] {
            None => true,
            Some(other) => assign(other, may, taken_by, tried),
        };
        if free {
            taken_by[used] = Some(term);
            return true;
        }
    }
    false
}

impl Wrong {
    /// What is wrong, in words.
    pub(super) fn told(&self, flow: &Flow) -> String {
        let case = |used: &Use| flow.nodes[used.node].call.name.as_str();
        match self {
            Self::Foreign(content, tensor) => match flow.called(*content) {
                Some(called) => format!("{called} is in it, which is no contribution of a case that used the tensor"),
                None => format!("tensor `{tensor}` is in it, which comes from nowhere"),
            },
            Self::Twice(used) => format!("the contribution of case `{}` is in it twice", case(used)),
            Self::Lost(used) => format!("the contribution of case `{}` is not in it", case(used)),
        }
    }
}
