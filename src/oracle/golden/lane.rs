//! Traces by epochs: the exact lane, in which nothing rounds, in `f32` as little as in `f64`, whatever the order; and those of
//! GDSTAR's relatives, each number of which was rounded once.
//!
//! `NAME.safetensors` holds what a port starts from, `NAME.expected.safetensors` the full trace that every correct port
//! writes of it.

use super::{Comparison, Mismatch};
use crate::error::{Error, Result};
use crate::oracle::replay::replay_trace;
use crate::oracle::{CheckOptions, Verdict, check_trace};
use crate::tensor_file::{Tensor, TensorFile};
use crate::trace::Trace;
use std::collections::BTreeMap;
use std::path::Path;

/// How the files with the full traces end.
const EXPECTED: &str = ".expected.safetensors";

/// Replays an input and compares every number with the full trace; holds a full trace to `gdstar check` with these options.
pub(super) fn verify(path: &Path, options: &CheckOptions, comparison: &mut Comparison) -> Result<String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.ends_with(EXPECTED) {
        let report = check_trace(&Trace::open(path)?, options)?;
        for finding in &report.findings {
            let expected = format!("{} to {}", finding.expected_low, finding.expected_high);
            let mismatch = || Mismatch::at(&finding.tensor, finding.index.clone(), &finding.got, &expected);
            comparison.number(false, mismatch);
        }
        if report.verdict != Verdict::Pass || report.ambiguous > 0 {
            let found = format!("{}, {} ambiguous", report.verdict, report.ambiguous);
            comparison.number(false, || Mismatch::at("verdict", Vec::new(), &found, &Verdict::Pass));
        }
        comparison.numbers += report.compared;
        let option = if options.exact { " --exact" } else { "" };
        return Ok(format!("`gdstar check{option}` passes it, nothing ambiguous"));
    }
    let mut replayed: BTreeMap<String, Tensor> = BTreeMap::new();
    replay_trace(&Trace::open(path)?, &mut replayed, &mut |_, _| ())?;
    let full = path.with_file_name(name.replace(".safetensors", EXPECTED));
    let expected = TensorFile::open(&full)?;
    if let Some(missing) = expected.names().find(|name| !replayed.contains_key(*name)) {
        return Err(Error::file(&full, format!("tensor `{missing}`"), "what a replay of the input gives", "it"));
    }
    for (name, tensor) in &replayed {
        compare(&expected, name, tensor, comparison)?;
    }
    Ok(format!("replayed; all numbers of {} follow, bit for bit", name.replace(".safetensors", EXPECTED)))
}

/// Equal as numbers: -0 equals 0, and a number is the same in every format that has it.
pub(super) fn compare(expected: &TensorFile, name: &str, tensor: &Tensor, comparison: &mut Comparison) -> Result<()> {
    let derived = tensor.numbers();
    let stored = match expected.describe(name) {
        Some((safetensors::Dtype::I64, _)) => expected.read::<i64>(name, None)?.mapv(|x| x as f64),
        Some((safetensors::Dtype::U8, _)) => expected.read::<u8>(name, None)?.mapv(f64::from),
        _ => expected.read_floats(name, None)?,
    };
    if stored.shape() != tensor.shape {
        let found = format!("shape {:?}", tensor.shape);
        return Err(Error::file(
            expected.path(),
            format!("tensor `{name}`"),
            found,
            format!("shape {:?}", stored.shape()),
        ));
    }
    for ((index, stored), derived) in stored.indexed_iter().zip(derived) {
        let mismatch = || Mismatch::at(name, ndarray::Dimension::slice(&index).to_vec(), stored, &derived);
        comparison.number(*stored == derived, mismatch);
    }
    Ok(())
}
