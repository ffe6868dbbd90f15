//! Which of a file's tensors are a network's under another name or in another shape.

use crate::error::{Misnamed, Misshapen, StateDictMismatch, quoted};
use safetensors::tensor::Dtype;

/// A tensor's name and shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub name: &'a str,
    pub shape: &'a [usize],
}

/// The most pairs of a missing and an unexpected tensor of one shape that are compared, so that memory does not grow
/// with the product of the two lists. No network here has 2048 parameters of one shape, so that a file with all its
/// names wrong is below it.
const MOST_PAIRS: usize = 1 << 22;

/// A tensor in another shape than expected, or of no suitable dtype.
pub(super) fn found_as(name: &str, expected: String, (dtype, shape): (Dtype, &[usize])) -> Misshapen {
    Misshapen { name: name.to_string(), expected, found: quoted(format!("{dtype:?} of shape {shape:?}")) }
}

/// Tells the misnamed from the missing and the unexpected.
///
/// Two names can be one tensor's if the shape is the same and the first or the last of their dotted components is:
/// `linear.weight` and `fc.weight`, `bn1.weight` and `bn1.gamma`, and with a prefix `module.conv1.bias` and
/// `conv1.bias`. Of all such pairs, the nearest are joined first.
pub(super) fn told_apart(
    (network, prefix): (&'static str, &str),
    missing: Vec<Named>,
    unexpected: Vec<Named>,
    misshapen: Vec<Misshapen>,
) -> StateDictMismatch {
    let pairs =
        missing.iter().enumerate().flat_map(|(i, a)| unexpected.iter().enumerate().map(move |(j, b)| (a, i, b, j)));
    let similar = pairs.filter(|(a, _, b, _)| a.shape == b.shape && share_a_component(a.name, b.name));
    let mut pairs: Vec<_> = similar.map(|(a, i, b, j)| (replaced(a.name, b.name), i, j)).take(MOST_PAIRS).collect();
    pairs.sort_unstable();
    let (mut is_missing, mut is_unexpected) = (vec![true; missing.len()], vec![true; unexpected.len()]);
    let mut misnamed = Vec::new();
    for (_, i, j) in pairs {
        if is_missing[i] && is_unexpected[j] {
            (is_missing[i], is_unexpected[j]) = (false, false);
            let [expected, found] = [missing[i].name, unexpected[j].name].map(str::to_string);
            misnamed.push(Misnamed { expected, found });
        }
    }
    StateDictMismatch {
        network,
        prefix: prefix.to_string(),
        missing: kept(&missing, &is_missing),
        unexpected: kept(&unexpected, &is_unexpected),
        misshapen,
        misnamed,
    }
}

/// The names that are still marked.
fn kept(list: &[Named], marked: &[bool]) -> Vec<String> {
    list.iter().zip(marked).filter(|(_, marked)| **marked).map(|(tensor, _)| tensor.name.to_string()).collect()
}

/// Whether the first or the last dotted component is the same.
fn share_a_component(a: &str, b: &str) -> bool {
    a.split('.').next() == b.split('.').next() || a.rsplit('.').next() == b.rsplit('.').next()
}

/// How many bytes of the two names are in the stretch that makes one the other: all but their common beginning and end.
fn replaced(a: &str, b: &str) -> usize {
    let shorter = a.len().min(b.len());
    let same = |pairs: &mut dyn Iterator<Item = (u8, u8)>| pairs.take_while(|(x, y)| x == y).count();
    let beginning = same(&mut a.bytes().zip(b.bytes()));
    let end = same(&mut a.bytes().rev().zip(b.bytes().rev())).min(shorter - beginning);
    a.len() + b.len() - 2 * (beginning + end)
}
