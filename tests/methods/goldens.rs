//! The goldens of methods: every one that is traced by steps, and every relative of GDSTAR that differs from it in its rewind
//! point, has one under its default readings, and `gdstar golden verify` finds whatever is changed in it.

use gdstar::method::{DECLARED, Entry};
use gdstar::oracle::golden::{MANIFEST, Verified, verify};
use gdstar::tensor_file::{Tensor, TensorFile, write};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/methods")
}

/// The methods whose exact steps are stored, and under which names.
pub fn stored() -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_string()).collect()
}

/// These files, verified as a folder of goldens of their own.
fn verified(files: &[(String, PathBuf)]) -> Vec<Verified> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("methods")).unwrap();
    let mut list = String::new();
    for (name, path) in files {
        let listed = format!("methods/{name}.safetensors");
        std::fs::copy(path, folder.path().join(&listed)).unwrap();
        let sha256 = gdstar::oracle::golden::sha256(path).unwrap();
        list += &format!("[[file]]\npath = \"{listed}\"\nsha256 = \"{sha256}\"\n");
    }
    std::fs::write(folder.path().join(MANIFEST), list).unwrap();
    verify(folder.path()).unwrap()
}

/// Writes the file with one number of this tensor changed by as little as can be.
fn rewrite(file: &TensorFile, name: &str, path: &Path) {
    use safetensors::Dtype;
    let changed = |tensor: &str| -> Tensor {
        match file.describe(tensor).unwrap().0 {
            Dtype::F64 => {
                let mut values = file.read::<f64>(tensor, None).unwrap();
                if tensor == name {
                    let x = values.iter_mut().find(|x| **x != 0.0).unwrap();
                    *x = x.next_up();
                }
                Tensor::from_array(&values.view())
            }
            Dtype::I64 => {
                let by = i64::from(tensor == name);
                Tensor::from_array(&file.read::<i64>(tensor, None).unwrap().mapv(|x| x + by).view())
            }
            _ => Tensor::from_array(&file.read::<u8>(tensor, None).unwrap().view()),
        }
    };
    let tensors: Vec<(String, Tensor)> = file.names().map(|tensor| (tensor.to_string(), changed(tensor))).collect();
    let metadata = HashMap::from([("gdstar".to_string(), file.metadata("gdstar").unwrap().to_string())]);
    write(path, metadata, &tensors).unwrap();
}

fn path(name: &str) -> PathBuf {
    folder().join(format!("{name}.safetensors"))
}

#[test]
fn every_method_has_exact_steps_that_a_replay_gives() {
    let names = stored();
    let has_rules = |entry: &&&Entry| !entry.labels.is_empty() || entry.is_traced;
    for entry in DECLARED.iter().filter(has_rules).filter(|entry| entry.name != "gdstar") {
        assert!(names.contains(entry.name), "{}: no golden/methods/{0}.safetensors", entry.name);
    }
    let files: Vec<(String, PathBuf)> = names.iter().map(|name| (name.clone(), path(name))).collect();
    for file in verified(&files) {
        // Of a run the whole is a file of its own, which `check` passes; what it starts from gives it.
        let how = if file.path.contains(".expected") { "`gdstar check` passes it" } else { "bit for bit" };
        assert!(file.how.contains(how), "{}: {}", file.path, file.how);
        assert!(file.numbers > 0 && file.mismatches.is_empty(), "{}: {:?}", file.path, file.mismatches.first());
    }
}

/// The last bit of a run that a relative of GDSTAR's makes is enough, and so is one epoch of another rewind point.
#[test]
fn one_bit_of_a_run_is_found() {
    let file = TensorFile::open(&path("random-rewind.expected")).unwrap();
    for name in [
        "epoch/3/k_star",
        "epoch/4/rewind/fc.weight",
        "epoch/5/weights_before/fc.bias",
        "epoch/5/weights_after/conv.weight",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let changed = folder.path().join("changed.safetensors");
        rewrite(&file, name, &changed);
        let files = [("random-rewind", path("random-rewind")), ("random-rewind.expected", changed)];
        let verified = verified(&files.map(|(name, path)| (name.to_string(), path)));
        assert!(verified[0].mismatches.iter().any(|mismatch| mismatch.tensor == name), "{name}: {verified:?}");
    }
}

/// The last bit of any real result is enough.
#[test]
fn one_bit_is_found() {
    let file = TensorFile::open(&path("rigl")).unwrap();
    for name in ["step/2/weights_after/fc.weight", "step/3/momentum/fc.bias", "step/3/fraction", "sparsity"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rigl.safetensors");
        rewrite(&file, name, &path);
        let verified = verified(&[("rigl".to_string(), path)]);
        assert!(verified[0].mismatches.iter().any(|mismatch| mismatch.tensor == name), "{name}: {verified:?}");
    }
}
