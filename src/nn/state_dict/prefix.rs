//! What a wrapper puts before every name: `module.` (DataParallel), `_orig_mod.` (torch.compile), `model.` and others.

use crate::nn::Spec;
use crate::tensor_file::TensorFile;
use std::collections::{BTreeMap, HashSet};

/// The beginning, up to a dot, that a file's names of these parameters have in common, or nothing: all parameters are
/// below it, or all of the file is, and no other beginning (the empty one too) has as many of the parameters below it.
pub(super) fn prefix<'a>(file: &'a TensorFile, specs: &[Spec]) -> &'a str {
    let expected: HashSet<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    let longest = expected.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for name in file.names() {
        let starts = [0].into_iter().chain(name.match_indices('.').map(|(dot, _)| dot + 1));
        for start in starts.filter(|&at| name.len() - at <= longest && expected.contains(&name[at..])) {
            *found.entry(&name[..start]).or_default() += 1;
        }
    }
    let most = found.values().copied().max().unwrap_or_default();
    let mut best = found.into_iter().filter(|(_, count)| *count == most).map(|(prefix, _)| prefix);
    match (best.next(), best.next()) {
        (Some(prefix), None) if most == expected.len() || file.names().all(|name| name.starts_with(prefix)) => prefix,
        _ => "",
    }
}
