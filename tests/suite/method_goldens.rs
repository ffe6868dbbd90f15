//! Method goldens: exact results of stored inputs, rounded once, and certified by another implementation's rationals.
//!
//! `cargo test --test suite method_goldens::make -- --ignored` writes `golden/method/` and `golden/exact/` again.

mod certify;
mod inputs;
mod make;
mod rational;

pub use certify::{quantile, sizes};
pub use rational::{count, is_within, rational, sum, zero};

use crate::goldens::golden;
use gdstar::oracle::golden::{DERIVATIONS, Verified, method, verify};
use gdstar::tensor_file::TensorFile;
use std::path::Path;
use std::sync::LazyLock;

/// What a porter downloads.
const LARGEST_KIT: u64 = 20_000_000;

/// What `gdstar golden verify` finds, once for all tests: it runs every network.
pub fn verified() -> &'static [Verified] {
    static FILES: LazyLock<Vec<Verified>> = LazyLock::new(|| verify(&golden("")).unwrap());
    &FILES
}

/// The promise: every golden file verifies, those of the method and of the exact lane to the last bit.
#[test]
fn all_golden_files_verify() {
    let files = verified();
    for file in files {
        assert!(file.mismatches.is_empty(), "{}: {:?}", file.path, file.mismatches[0]);
    }
    for (folder, at_least) in [("method/", DERIVATIONS.len()), ("exact/", 2)] {
        let derived = files.iter().filter(|file| file.path.starts_with(folder) && file.numbers > 0).count();
        assert!(derived >= at_least, "{folder}: {derived} files derived");
    }
}

/// The promise: the kit a porter downloads is at most 20 MB.
#[test]
fn the_kit_is_small() {
    let size: u64 = verified().iter().map(|file| std::fs::metadata(golden(&file.path)).unwrap().len()).sum();
    assert!(size <= LARGEST_KIT, "golden/ has {size} bytes");
}

/// The committed inputs are those that the seeds give, and the committed results what is derived of them today.
#[test]
fn the_files_are_what_the_maker_makes() {
    for (equation, cases) in inputs::all() {
        let file = TensorFile::open(&golden(&format!("method/{equation}.safetensors"))).unwrap();
        let (named, stored) = method::read(&file).unwrap();
        assert_eq!(named, equation);
        assert_eq!(stored, cases, "{equation}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy_folder(&path, &target) } else { _ = std::fs::copy(&path, &target).unwrap() }
    }
}

/// A single flipped bit is found, and its place said: the hash, the tensor and the index.
#[test]
fn a_flipped_bit_is_found() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&golden("method"), &folder.path().join("method"));
    let manifest = std::fs::read_to_string(golden("MANIFEST")).unwrap();
    let (head, tables) = manifest.split_once("\n[[file]]\n").unwrap();
    let of_method = tables.split("\n[[file]]\n").filter(|table| table.starts_with("path = \"method/"));
    let tables: Vec<&str> = of_method.collect();
    let list = format!("{head}\n[[file]]\n{}", tables.join("\n[[file]]\n"));
    std::fs::write(folder.path().join("MANIFEST"), list).unwrap();
    assert!(verify(folder.path()).unwrap().iter().all(|file| file.mismatches.is_empty()));

    let path = folder.path().join("method/eq3.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let (name, place) = place_of_first_result(&bytes);
    bytes[place] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    std::fs::write(folder.path().join("method/stray.safetensors"), b"").unwrap();
    let files = verify(folder.path()).unwrap();
    let wrong: Vec<_> = files.iter().filter(|file| !file.mismatches.is_empty()).collect();
    assert_eq!(wrong.len(), 2);
    assert_eq!(wrong[0].path, "method/eq3.safetensors");
    assert_eq!(wrong[0].mismatches[0].tensor, "SHA-256");
    assert_eq!((wrong[0].mismatches[1].tensor.as_str(), &wrong[0].mismatches[1].index[..]), (name.as_str(), &[0][..]));
    assert_eq!(
        (wrong[1].path.as_str(), wrong[1].mismatches[0].got.as_str()),
        ("method/stray.safetensors", "not listed")
    );
}

/// The name of a result in a file, and where its first byte, the last bits of its first number, is.
fn place_of_first_result(bytes: &[u8]) -> (String, usize) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let (name, entry) = header.as_object().unwrap().iter().find(|(name, _)| name.contains("/expected/")).unwrap();
    (name.clone(), 8 + length + entry["data_offsets"][0].as_u64().unwrap() as usize)
}
