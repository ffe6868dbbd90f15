//! The golden files: numbers to hold a port, and this crate, against; `gdstar golden verify` verifies them all.
//!
//! | folder | holds | made by | verified |
//! |---|---|---|---|
//! | `method` | exact results of every equation, rounded once | this crate's exact arithmetic, certified by an arbitrary-precision one | re-derived, bit for bit |
//! | `exact` | traces in which nothing rounds | this crate | re-derived, bit for bit |
//! | `methods` | steps of methods, and runs of GDSTAR's relatives, each result rounded once | exact rationals in Python | replayed, bit for bit |
//! | `peers` | what other packages select on the same numbers | these packages | SHA-256; `cargo test` compares them |
//! | `ops` | ops, forward and backward | PyTorch | evaluated, within derived bounds; cases named `exact-..` bit for bit |
//! | `models` | networks, forward and backward | PyTorch | evaluated by the fast kernels, within stated tolerances |
//! | others | training steps, hard cases, number systems | PyTorch, mpmath | SHA-256; `cargo test` compares them |

pub mod condition;
mod hashed;
mod lane;
pub mod method;
pub mod networks;
mod pytorch;
mod steps;

use super::CheckOptions;
pub use super::claims::DERIVATIONS;
pub use pytorch::{OURS, PYTORCH};

use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::tensor_file::TensorFile;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The list of all golden files, in their folder.
pub const MANIFEST: &str = "MANIFEST";
/// The values of the weight generator, in the folder of the networks.
const HASHED: &str = "models/hashed.safetensors";
/// The scripts and documents of the goldens, which are no golden files.
const MAKE: &str = "make";

/// A golden file as the list has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// Below the folder of the goldens.
    pub path: String,
    pub sha256: String,
}

#[derive(Deserialize)]
struct Manifest {
    file: Vec<Listed>,
}

/// A stored number that is not what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The tensor, or what else of the file.
    pub tensor: String,
    pub index: Vec<usize>,
    /// What is stored.
    pub got: String,
    pub expected: String,
}

impl Mismatch {
    fn at(tensor: &str, index: Vec<usize>, got: &impl ToString, expected: &impl ToString) -> Self {
        Self { tensor: tensor.to_string(), index, got: got.to_string(), expected: expected.to_string() }
    }

    fn of_file(what: &str, got: impl ToString, expected: impl ToString) -> Self {
        Self::at(what, Vec::new(), &got, &expected)
    }
}

/// What was compared within a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comparison {
    numbers: usize,
    tensors: BTreeSet<String>,
    mismatches: Vec<Mismatch>,
}

impl Comparison {
    /// A tensor is compared, number by number, if it has any.
    fn tensor(&mut self, name: &str) {
        self.tensors.insert(name.to_string());
    }

    fn number(&mut self, same: bool, mismatch: impl FnOnce() -> Mismatch) {
        self.numbers += 1;
        if !same {
            self.mismatches.push(mismatch());
        }
    }

    /// How many tensors were compared.
    fn tensor_count(&self) -> usize {
        self.tensors.len()
    }
}

/// A golden file, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub path: String,
    /// What was done besides the SHA-256.
    pub how: String,
    /// Numbers compared.
    pub numbers: usize,
    pub mismatches: Vec<Mismatch>,
}

/// Verifies every file of the list in `folder`, and that there is no other.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] if the list cannot be read; whatever is wrong with a listed file is a mismatch.
pub fn verify(folder: &Path) -> Result<Vec<Verified>> {
    let path = folder.join(MANIFEST);
    let text = input::read_text(&path, Kind::List)?;
    let manifest: Manifest =
        toml::from_str(&text).map_err(|e| Error::file(&path, "list", "[[file]] tables with path and sha256", e))?;
    let mut present = BTreeSet::new();
    files_below(folder, &mut present)?;
    present.retain(|file| *file != path && !file.starts_with(folder.join(MAKE)));
    let mut verified = Vec::new();
    for listed in manifest.file {
        present.remove(&folder.join(&listed.path));
        verified.push(verify_file(folder, listed));
    }
    for extra in present {
        let path = extra.strip_prefix(folder).unwrap_or(&extra).display().to_string();
        let mismatches = vec![Mismatch::of_file("file", "not listed", "a line in MANIFEST")];
        verified.push(Verified { path, how: String::new(), numbers: 0, mismatches });
    }
    Ok(verified)
}

fn files_below(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder, "list"))?;
    for entry in entries {
        let path = entry.map_err(Error::io(folder, "list"))?.path();
        if path.is_dir() {
            files_below(&path, found)?;
        } else {
            found.insert(path);
        }
    }
    Ok(())
}

/// The SHA-256 of a file, in hexadecimal digits.
///
/// # Errors
/// [`Error::Io`].
pub fn sha256(path: &Path) -> Result<String> {
    let mut file = input::open(path, Kind::Tensors)?.0;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(Error::io(path, "read"))? {
            0 => return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn verify_file(folder: &Path, listed: Listed) -> Verified {
    let mut comparison = Comparison::default();
    let mut verified = Verified { path: listed.path.clone(), how: String::new(), numbers: 0, mismatches: Vec::new() };
    let path = folder.join(&listed.path);
    match sha256(&path) {
        Ok(found) if found == listed.sha256 => {}
        Ok(found) => verified.mismatches.push(Mismatch::of_file("SHA-256", found, &listed.sha256)),
        Err(error) => {
            verified.mismatches.push(Mismatch::of_file("file", error, "to be readable"));
            return verified;
        }
    }
    match derive(folder, &listed.path, &mut comparison) {
        Ok(how) => verified.how = how,
        Err(error) => verified.mismatches.push(Mismatch::of_file("content", error, "to be derivable")),
    }
    verified.numbers = comparison.numbers;
    verified.mismatches.extend(comparison.mismatches);
    verified
}

/// Derives what can be derived of a file, and says what that was.
fn derive(folder: &Path, listed: &str, comparison: &mut Comparison) -> Result<String> {
    let path = folder.join(listed);
    match listed.split('/').next() {
        Some("method") => method::verify(&TensorFile::open(&path)?, comparison),
        Some("exact") => lane::verify(&path, &CheckOptions { exact: true, ..CheckOptions::default() }, comparison),
        Some("methods") => steps::verify(&path, comparison),
        Some("models") if listed == HASHED => hashed::verify(&path, comparison),
        Some("models") => networks::verify(&path, comparison),
        Some("ops") => pytorch::verify(&path, comparison),
        Some("step" | "trajectory") => {
            Ok("SHA-256 only; `cargo test --test suite trajectories::` takes the steps".into())
        }
        Some("peers") => Ok("SHA-256 only; `cargo test --test methods peers::` selects the same".into()),
        Some("accuracy") => Ok("SHA-256 only; `cargo test --test suite accuracy::` measures it".into()),
        _ => Ok("SHA-256 only; `cargo test` compares it".into()),
    }
}
