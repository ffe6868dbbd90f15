//! [`StateDictMismatch`]: how a file's tensors differ from those that a network expects.

use super::quoted;
use std::fmt;

/// A tensor of a file that has an expected name but another shape or no suitable dtype.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    pub name: String,
    pub expected: String,
    pub found: String,
}

/// A tensor that is in a file under another name than the one expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misnamed {
    pub expected: String,
    pub found: String,
}

/// Everything that keeps a file from being a network's `state_dict`; each tensor is in one list, under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDictMismatch {
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

impl StateDictMismatch {
    /// Whether there is nothing to complain of.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty() && self.misnamed.is_empty()
    }
}

/// What was expected, and what was found: `missing `a`, `b`; unexpected `c`; misshapen ..; misnamed ..`, of each list the
/// first few and how many more there are.
impl fmt::Display for StateDictMismatch {
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
pub(crate) fn code(name: &str) -> String {
    let name = quoted(name);
    match name.char_indices().nth(LONGEST_NAME) {
        None => format!("`{name}`"),
        Some((end, _)) => format!("`{}..`", &name[..end]),
    }
}

/// The first of a list, and how many more there are.
pub(crate) fn first(list: &[String]) -> String {
    let named = list[..list.len().min(MOST_NAMED)].join(", ");
    match list.len().saturating_sub(MOST_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
