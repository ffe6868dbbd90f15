//! [`Expectation`]: what flows into the gradient of a tensor.

use super::content::Content;
use super::flow::{Flow, Node};
use std::collections::HashSet;

/// Forward calls of which each puts a contribution into a tensor's gradient: once for each of the places where it took
/// the tensor, or all in one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expectation {
    pub(super) uses: Vec<Use>,
}

/// A forward call with a derivative, and the content of which it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) node: usize,
    pub(super) of: Content,
    /// Whether its contribution has to be there: not where the tensor was detached on the way, or others have its bits.
    pub(super) is_certain: bool,
}

impl Expectation {
    /// Of the tensor of this content: the forward calls that took it; in the place of one without a derivative of its
    /// own, which hands gradients on, those that took its results.
    pub(super) fn of(flow: &Flow, content: Content) -> Self {
        let mut expectation = Self::default();
        expectation.add(flow, (content, true), &mut HashSet::new());
        expectation
    }

    fn add(&mut self, flow: &Flow, (content, is_certain): (Content, bool), path: &mut HashSet<Content>) {
        if !path.insert(content) {
            return;
        }
        let is_certain = is_certain && !flow.is_ambiguous(content);
        for &(at, position) in flow.users.get(&content).into_iter().flatten() {
            let node = &flow.nodes[at];
            if takes_shape_alone(node) {
                continue;
            }
            if flow.derivatives[at].is_empty() || node.adds_as_it_is(position) {
                let mut results: Vec<Content> = node.results.iter().map(|result| result.known.content).collect();
                results.sort_unstable();
                results.dedup();
                results.into_iter().for_each(|result| self.add(flow, (result, is_certain), path));
            } else {
                self.uses.push(Use { node: at, of: content, is_certain });
            }
        }
        path.remove(&content);
    }
}

/// Whether a call makes a tensor like its operand, of whose numbers it takes none: no gradient flows through it.
fn takes_shape_alone(node: &Node) -> bool {
    let name = node.call.op.strip_prefix("aten.").and_then(|op| op.split('.').next());
    name.is_some_and(|name| name.ends_with("_like") || name.starts_with("new_"))
}
