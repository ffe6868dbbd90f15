//! Goldens of methods: traces whose results were computed in exact rationals, each rounded once. Those of methods that act on
//! steps are one file; those of GDSTAR's relatives are what a run starts from and, in a file of its own, the run.

use super::{Comparison, Mismatch, lane};
use crate::error::{Error, Result};
use crate::oracle::{CheckOptions, Verdict, check_opened, steps};
use crate::tensor_file::{Tensor, TensorFile};
use crate::trace::{self, Opened};
use std::collections::BTreeMap;
use std::path::Path;

/// Replays the operands, compares every result bit for bit, and holds the file to `gdstar check`.
pub(super) fn verify(path: &Path, comparison: &mut Comparison) -> Result<String> {
    let opened = trace::open(path)?;
    let Opened::Steps(trace) = &opened else { return lane::verify(path, &CheckOptions::default(), comparison) };
    let mut replayed: BTreeMap<String, Tensor> = BTreeMap::new();
    let (_, notes) = steps::replay(trace, &mut replayed, &mut |_, _| ())?;
    if let Some(note) = notes.into_iter().next() {
        return Err(Error::file(path, "operands", "all that a replay needs", note));
    }
    let stored = TensorFile::open(path)?;
    if let Some(extra) = stored.names().find(|name| !replayed.contains_key(*name)) {
        return Err(Error::file(path, format!("tensor `{extra}`"), "what a replay of the operands gives", "it"));
    }
    for (name, tensor) in &replayed {
        lane::compare(&stored, name, tensor, comparison)?;
    }
    let report = check_opened(&opened, &CheckOptions::default(), &mut |_, _| ())?;
    let passes = report.verdict == Verdict::Pass;
    comparison.number(passes, || Mismatch::at("verdict", Vec::new(), &report.verdict, &Verdict::Pass));
    Ok("replayed; all exact results follow, bit for bit, and `gdstar check` passes them".to_string())
}
