//! [`Mismatch`]: how a file's tensors differ from those that a network expects.

use crate::error::quoted;
use safetensors::tensor::Dtype;
use std::fmt;

/// A tensor of a file that has an expected name but another shape or no suitable dtype.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    pub name: String,
    pub expected: String,
    pub found: String,
}

impl Misshapen {
    pub(super) fn new(name: &str, expected: String, (dtype, shape): (Dtype, &[usize])) -> Self {
        Self { name: name.to_string(), expected, found: quoted(format!("{dtype:?} of shape {shape:?}")) }
    }
}

/// A tensor that is in a file under another name than the one expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misnamed {
    pub expected: String,
    pub found: String,
}

/// Everything that keeps a file from being a network's `state_dict`; each tensor is in one list, under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The network's name.
    pub network: &'static str,
    /// What all names of the network have before them in the file, and not in these lists.
    pub prefix: String,
    /// Expected, and not in the file; in `state_dict` order.
    pub missing: Vec<String>,
    /// In the file, and not expected; sorted.
    pub unexpected: Vec<String>,
    pub misshapen: Vec<Misshapen>,
    /// Pairs of a missing and an unexpected tensor of the same shape whose names are near each other; the nearest first.
    pub misnamed: Vec<Misnamed>,
}

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

impl Mismatch {
    /// Tells the misnamed from the missing and the unexpected.
    ///
    /// Two names can be one tensor's if the shape is the same and the first or the last of their dotted components is:
    /// `linear.weight` and `fc.weight`, `bn1.weight` and `bn1.gamma`, and with a prefix `module.conv1.bias` and
    /// `conv1.bias`. Of all such pairs, the nearest are joined first.
    pub(super) fn new(
        (network, prefix): (&'static str, &str),
        missing: Vec<Named>,
        unexpected: Vec<Named>,
        misshapen: Vec<Misshapen>,
    ) -> Self {
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
        Self {
            network,
            prefix: prefix.to_string(),
            missing: kept(&missing, &is_missing),
            unexpected: kept(&unexpected, &is_unexpected),
            misshapen,
            misnamed,
        }
    }

    /// Whether there is nothing to complain of.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty() && self.misnamed.is_empty()
    }
}

/// One line of a screen line or two: what was expected, and what was found: `missing `a`, `b`; unexpected `c`; misshapen ..; misnamed ..`, of each list the
/// first few and how many more there are.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &String| code(name);
        let shapes = |m: &Misshapen| format!("{} ({}, expected {})", code(&m.name), m.found, m.expected);
        let names = |m: &Misnamed| format!("{} where {} was expected", code(&m.found), code(&m.expected));
        let lists = [
            ("missing", self.missing.iter().map(name).collect::<Vec<_>>()),
            ("unexpected", self.unexpected.iter().map(name).collect()),
            ("misshapen", self.misshapen.iter().map(shapes).collect()),
            ("misnamed", self.misnamed.iter().map(names).collect()),
        ];
        let told = lists.iter().filter(|(_, list)| !list.is_empty());
        let told: Vec<String> = told.map(|(problem, list)| format!("{problem} {}", first(list))).collect();
        write!(f, "tensors: expected the state_dict of {}", self.network)?;
        if !self.prefix.is_empty() {
            write!(f, " below {}", code(&self.prefix))?;
        }
        write!(f, ", found {}", told.join("; "))
    }
}

/// The most of a list that a message names.
const MOST_NAMED: usize = 3;
/// The most of a name that a message repeats, in characters.
const LONGEST_NAME: usize = 80;

/// A name as a message shows it.
pub(super) fn code(name: &str) -> String {
    let name = quoted(name);
    match name.char_indices().nth(LONGEST_NAME) {
        None => format!("`{name}`"),
        Some((end, _)) => format!("`{}..`", &name[..end]),
    }
}

/// The first of a list, and how many more there are.
pub(super) fn first(list: &[String]) -> String {
    let named = list[..list.len().min(MOST_NAMED)].join(", ");
    match list.len().saturating_sub(MOST_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
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
