//! Golden files: what PyTorch makes of every op in f64, `golden/ops/*.safetensors`, and the list of all golden files.
//!
//! Both sides are held against the same op in DoubleDouble arithmetic, so that the bounds are those of one rounding
//! analysis each, and nothing is chosen: with n the length of the longest sum in a case,
//!
//! - ours in f64: `gamma(OURS) * magnitude`, as formulas are evaluated in DoubleDouble and rounded once; for matmul, linear
//!   and conv2d Literal has its sum's error in that arithmetic besides, and Fast, which adds in f64, `gamma(n + OURS)`;
//! - PyTorch's in f64: `gamma(n + PYTORCH) * pytorch_magnitude`,
//!
//! about 1e-15 to 1e-13 of the result where it is well conditioned. Cases named `exact-..` are compared bit for bit.

use crate::common::bounds::{gamma, reference_sum};
use crate::condition::{error, longest_sum, magnitude, pytorch_magnitude, truth};
use gdstar::kernel::Kernel;
use gdstar::op::Evaluation;
use gdstar::ops::cases::{CaseFile, OpCase};
use gdstar::ops::{OPS, Summation};
use gdstar::oracle::golden::{OURS, PYTORCH};
use gdstar::scalar::{DoubleDouble, Scalar};
use ndarray::{ArrayD, Dimension};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// f64's smallest number: an underflowing result is off by this at each rounding.
const UNDERFLOW: f64 = f64::from_bits(1);

pub fn golden(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(folder)
}

/// The op-case file of each op in a folder of `golden/`.
pub fn case_files(folder: &str) -> impl Iterator<Item = (&'static str, CaseFile)> {
    OPS.iter().map(move |entry| {
        let path = golden(folder).join(format!("{}.safetensors", entry.name));
        (entry.name, CaseFile::open(&path).unwrap_or_else(|e| panic!("{e}")))
    })
}

/// A result of a case, with its name in the file: `out/y`, `grad/x`.
pub fn results<T: Clone>(case: &OpCase, results: &Evaluation<T>) -> Vec<(String, ArrayD<T>)> {
    let outputs = case.outputs.iter().zip(&results.outputs).map(|(name, y)| (format!("out/{name}"), y.clone()));
    let wanted = case.inputs.iter().zip(&results.gradients).zip(&case.wanted);
    let gradients = wanted.filter(|(_, wanted)| **wanted).map(|(((name, _), gradient), _)| {
        (format!("grad/{name}"), gradient.clone().unwrap_or_else(|| panic!("{}: no grad/{name}", case.name)))
    });
    outputs.chain(gradients).collect()
}

/// What a file of `golden/` says about a case, in the shapes of `like`: `group` is `expected` or `torch`.
pub fn recorded<T>(file: &CaseFile, case: &OpCase, group: &str, like: &[(String, ArrayD<T>)]) -> Vec<ArrayD<f64>> {
    like.iter()
        .map(|(name, y)| {
            let array = file.floats(&format!("{}/{group}/{name}", case.name)).unwrap_or_else(|e| panic!("{e}"));
            array.into_shape_with_order(y.shape()).unwrap_or_else(|e| panic!("{}/{name}: {e}", case.name))
        })
        .collect()
}

fn hold(who: &str, got: &ArrayD<f64>, truth: &ArrayD<DoubleDouble>, magnitude: &ArrayD<f64>, bound: f64) {
    assert_eq!((got.shape(), magnitude.shape()), (truth.shape(), truth.shape()), "{who}");
    for (((at, &got), &truth), &magnitude) in got.indexed_iter().zip(truth).zip(magnitude) {
        let (error, bound) = (error(got, truth), bound * magnitude + UNDERFLOW);
        assert!(error <= bound, "{who}{:?}: {got:e}, truth {truth}: error {error:e} above {bound:e}", at.slice());
    }
}

/// The promise: golden values made by PyTorch in f64 for every op, forward and backward.
#[test]
fn every_op_agrees_with_pytorch_in_f64() {
    for (op, file) in case_files("ops") {
        for case in &file.cases {
            let (n, u) = (longest_sum(case), f64::UNIT_ROUNDOFF);
            let [literal, fast] = match case.op.sums() {
                Summation::Accumulator => [gamma(OURS, u) + reference_sum(n), gamma(n + OURS, u)],
                _ => [gamma(OURS, u); 2],
            };
            let truth = results(case, &truth(case));
            let theirs = recorded(&file, case, "expected", &truth);
            let ours =
                [Kernel::Literal, Kernel::Fast].map(|kernel| results(case, &case.evaluate::<f64>(kernel).unwrap()));
            let (our_scale, their_scale) = (magnitude(case), pytorch_magnitude(case));
            let (our_scale, their_scale) = (results(case, &our_scale), results(case, &their_scale));
            for (i, (name, truth)) in truth.iter().enumerate() {
                let who = |who: &str| format!("{op}, case {}, {who}: {name}", case.name);
                hold(&who("PyTorch"), &theirs[i], truth, &their_scale[i].1, gamma(n + PYTORCH, u));
                for ((kernel, bound), ours) in [("Literal", literal), ("Fast", fast)].into_iter().zip(&ours) {
                    hold(&who(kernel), &ours[i].1, truth, &our_scale[i].1, bound);
                }
            }
        }
    }
}

fn assert_exact<S: Scalar>(op: &str, file: &CaseFile, case: &OpCase, kernel: Kernel) {
    let ours = results(case, &case.evaluate::<S>(kernel).unwrap());
    for ((name, ours), expected) in ours.iter().zip(recorded(file, case, "expected", &ours)) {
        for ((at, &ours), expected) in ours.indexed_iter().zip(&expected) {
            // Adding 0 makes -0 a 0: PyTorch has no rule for the sign of a zero gradient.
            let (got, expected) = (Scalar::to_f64(ours) + 0.0, expected + 0.0);
            assert!(
                got.to_bits() == expected.to_bits(),
                "{op}, case {}, {} {kernel:?}: {name}{:?} is {got}, not {expected}",
                case.name,
                S::NAME,
                at.slice()
            );
        }
    }
}

/// The promise: small-integer cases where the answer is exact, compared bit for bit.
#[test]
fn exact_cases_agree_bit_for_bit() {
    for (op, file) in case_files("ops") {
        let exact: Vec<&OpCase> = file.cases.iter().filter(|case| case.name.starts_with("exact-")).collect();
        assert!(!exact.is_empty(), "{op} has no exact case");
        for case in exact {
            for kernel in [Kernel::Literal, Kernel::Fast] {
                assert_exact::<f32>(op, &file, case, kernel);
                assert_exact::<f64>(op, &file, case, kernel);
                assert_exact::<DoubleDouble>(op, &file, case, kernel);
            }
        }
    }
}

/// The comparison has teeth: a result that is off by 1e-12 of itself is noticed, and so is a NaN.
#[test]
fn a_wrong_result_is_noticed() {
    let file = CaseFile::open(&golden("ops/matmul.safetensors")).unwrap();
    let case = &file.cases[0];
    let (truth, scale) = (results(case, &truth(case)), results(case, &magnitude(case)));
    let bound = gamma(longest_sum(case) + OURS, f64::UNIT_ROUNDOFF);
    let noticed = |spoil: fn(f64) -> f64| {
        let mut spoilt = truth[0].1.mapv(Scalar::to_f64);
        spoilt[[0, 0]] = spoil(spoilt[[0, 0]]);
        let check = || hold("spoilt", &spoilt, &truth[0].1, &scale[0].1, bound);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err()
    };
    assert!(!noticed(|y| y));
    assert!(noticed(|y| y * (1.0 + 1e-12)));
    assert!(noticed(|_| f64::NAN));
}

#[derive(serde::Deserialize)]
struct Manifest {
    file: Vec<Listed>,
}

#[derive(serde::Deserialize)]
struct Listed {
    path: String,
    sha256: String,
    script: String,
}

fn files_below(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files_below(&path, found),
            false => _ = found.insert(path),
        }
    }
}

/// The promise: a MANIFEST with SHA-256; every file is listed, unchanged, and nothing else is there.
#[test]
fn manifest_lists_every_file() {
    let root = golden("");
    let text = std::fs::read_to_string(root.join("MANIFEST")).unwrap();
    let manifest: Manifest = toml::from_str(&text).unwrap();
    let mut listed = BTreeSet::new();
    for Listed { path, sha256, script } in manifest.file {
        let bytes = std::fs::read(root.join(&path)).unwrap_or_else(|e| panic!("golden/{path}: {e}"));
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(digest == sha256, "golden/{path} is not the file that was listed; run golden/make/manifest.py");
        assert!(root.join("..").join(&script).is_file(), "{script}, which made golden/{path}, is not there");
        assert!(listed.insert(root.join(&path)), "golden/{path} is listed twice");
    }
    let mut present = BTreeSet::new();
    files_below(&root, &mut present);
    present.retain(|path| *path != root.join("MANIFEST") && !path.starts_with(root.join("make")));
    assert_eq!(present, listed, "golden/MANIFEST and golden/ differ");
}
