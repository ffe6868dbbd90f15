//! `gdstar op`: what it writes, and that every defect of its input is one line naming the file and the case.

use crate::goldens::golden;
use clap::Parser;
use gdstar::cli::op::{OpArgs, run};
use gdstar::kernel::Kernel;
use gdstar::ops::cases::CaseFile;
use gdstar::scalar::{DoubleDouble, Scalar};
use gdstar::tensor_file::{Tensor, TensorFile, write};
use ndarray::{ArrayD, array};
use safetensors::tensor::Dtype;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    op: OpArgs,
}

/// `gdstar op INPUT --out OUTPUT OPTIONS`.
fn gdstar_op(input: &Path, output: &Path, options: &[&str]) -> Result<(), String> {
    let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
    let arguments = [&["op", input, "--out", output], options].concat();
    run(&CommandLine::try_parse_from(arguments).unwrap().op).map_err(|error| {
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    })
}

/// `matmul` of [[1, 2], [3, 4]] and [[1], [10]], as a file's metadata and tensors.
fn matmul() -> (Value, Vec<(String, Tensor)>) {
    let case = json!({"name": "small", "attrs": {}, "inputs": ["a", "b"], "upstream": ["y"], "diff": ["b"],
        "outputs": ["y"], "remark": "further keys are ignored"});
    let tensor = |shape: &[usize], values: &[f32]| Tensor::from_slice(shape, values);
    let tensors = vec![
        ("small/in/a".to_string(), tensor(&[2, 2], &[1.0, 2.0, 3.0, 4.0])),
        ("small/in/b".to_string(), tensor(&[2, 1], &[1.0, 10.0])),
        ("small/dy/y".to_string(), tensor(&[2, 1], &[1.0, -1.0])),
    ];
    (json!({"format": "gdstar-ops/1", "op": "matmul", "cases": [case]}), tensors)
}

fn save(folder: &TempDir, header: &Value, tensors: &[(String, Tensor)]) -> PathBuf {
    let path = folder.path().join("in.safetensors");
    write(&path, HashMap::from([("gdstar-ops".to_string(), header.to_string())]), tensors).unwrap();
    path
}

#[test]
fn a_small_case_by_hand() {
    let folder = TempDir::new().unwrap();
    let (header, tensors) = matmul();
    let input = save(&folder, &header, &tensors);
    let output = folder.path().join("out.safetensors");
    for (precision, kernel) in [("f64", "literal"), ("dd", "literal"), ("f64", "fast")] {
        gdstar_op(&input, &output, &["--precision", precision, "--kernel", kernel]).unwrap();
        let file = TensorFile::open(&output).unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["small/grad/b", "small/out/y"]); // a's gradient is not wanted
        assert_eq!(file.read::<f64>("small/out/y", None).unwrap(), array![[21.0], [43.0]].into_dyn());
        assert_eq!(file.read::<f64>("small/grad/b", None).unwrap(), array![[-2.0], [-2.0]].into_dyn());
    }
    gdstar_op(&input, &output, &["--precision", "f32"]).unwrap();
    let y = TensorFile::open(&output).unwrap().read::<f32>("small/out/y", None).unwrap();
    assert_eq!(y, array![[21.0f32], [43.0]].into_dyn());
}

/// Results in the file are those of the library; by default in f64 with the literal kernels.
#[test]
fn precision_and_kernel_are_the_ones_asked_for() {
    fn assert_written<S: Scalar>(kernel: Kernel, options: &[&str]) {
        let (folder, input) = (TempDir::new().unwrap(), golden("ops/conv2d.safetensors"));
        let output = folder.path().join("out.safetensors");
        gdstar_op(&input, &output, options).unwrap();
        let written = CaseFile::open(&input).unwrap();
        let results = TensorFile::open(&output).unwrap();
        for case in &written.cases {
            let y = &case.evaluate::<S>(kernel).unwrap().outputs[0];
            let name = format!("{}/out/y", case.name);
            let found: ArrayD<f64> = match S::NAME {
                "f32" => results.read::<f32>(&name, None).unwrap().mapv(f64::from),
                _ => results.read(&name, None).unwrap(),
            };
            assert_eq!(found, y.mapv(Scalar::to_f64), "{name} {options:?}");
        }
    }
    assert_written::<f64>(Kernel::Literal, &[]);
    assert_written::<f32>(Kernel::Literal, &["--precision", "f32"]);
    assert_written::<f32>(Kernel::Fast, &["--precision", "f32", "--kernel", "fast"]);
    assert_written::<f64>(Kernel::Fast, &["--kernel", "fast"]);
    assert_written::<DoubleDouble>(Kernel::Literal, &["--precision", "dd"]);
}

/// A single number may be of shape [] or [1], and comes back in the shape of its upstream gradient.
#[test]
fn loss_takes_the_shape_of_its_upstream_gradient() {
    for shape in [&[][..], &[1][..]] {
        let folder = TempDir::new().unwrap();
        let case = json!({"name": "c", "attrs": {}, "inputs": ["x", "labels"], "upstream": ["loss"], "diff": ["x"],
            "outputs": ["loss"]});
        let header = json!({"format": "gdstar-ops/1", "op": "cross_entropy", "cases": [case]});
        let tensors = [
            ("c/in/x".to_string(), Tensor::from_slice(&[1, 2], &[1000.0, 0.0])),
            ("c/in/labels".to_string(), Tensor::from_slice(&[1], &[1i64])),
            ("c/dy/loss".to_string(), Tensor::from_slice(shape, &[3.0])),
        ];
        let output = folder.path().join("out.safetensors");
        gdstar_op(&save(&folder, &header, &tensors), &output, &[]).unwrap();
        let results = TensorFile::open(&output).unwrap();
        assert_eq!(results.read::<f64>("c/out/loss", Some(shape)).unwrap().sum(), 1000.0);
        assert_eq!(results.read::<f64>("c/grad/x", None).unwrap(), array![[3.0, -3.0]].into_dyn());
    }
}

type Defect = (&'static str, fn(&mut Value, &mut Vec<(String, Tensor)>), &'static [&'static str]);

fn case(header: &mut Value) -> &mut Value {
    &mut header["cases"][0]
}

/// What can be wrong with a well-formed safetensors file: the defect, and what the message must name.
const DEFECTS: &[Defect] = &[
    ("format", |h, _| h["format"] = json!("gdstar-ops/2"), &["format", "gdstar-ops/2"]),
    ("no format", |h, _| h["format"] = Value::Null, &["format", "gdstar-ops/1"]),
    ("no cases", |h, _| h["cases"] = json!(3), &["gdstar-ops"]),
    ("not an object", |h, _| *h = json!([1]), &["gdstar-ops"]),
    ("unknown op", |h, _| h["op"] = json!("matmull"), &["one of", "matmul", "`matmull`"]),
    ("no inputs", |h, _| _ = case(h).as_object_mut().unwrap().remove("inputs"), &["inputs"]),
    ("attribute", |h, _| case(h)["attrs"] = json!({"stride": [1, 1]}), &["case `small`", "attributes", "`stride`"]),
    ("one name for two cases", |h, _| h["cases"] = json!([case(h).clone(), case(h).clone()]), &["`small` twice"]),
    ("missing input", |_, t| _ = t.remove(0), &["case `small`", "small/in/a"]),
    ("missing upstream gradient", |_, t| _ = t.remove(2), &["case `small`", "small/dy/y"]),
    (
        "integers",
        |_, t| t[0].1 = Tensor::from_slice(&[2, 2], &[1i64; 4]),
        &["case `small`", "small/in/a", "F32", "I64"],
    ),
    ("inner size", |_, t| t[0].1 = Tensor::from_slice(&[1, 3], &[1f32; 3]), &["case `small`", "matmul", "3"]),
    ("rank", |_, t| t[0].1 = Tensor::from_slice(&[4], &[1f32; 4]), &["case `small`", "matmul", "[4]"]),
    (
        "upstream shape",
        |_, t| t[2].1 = Tensor::from_slice(&[1, 2], &[1f32; 2]),
        &["case `small`", "small/dy/y", "[1, 2]"],
    ),
    ("unknown diff", |h, _| case(h)["diff"] = json!(["c"]), &["case `small`", "diff", "`c`"]),
    ("unknown upstream", |h, _| case(h)["upstream"] = json!(["z"]), &["case `small`", "upstream", "`z`"]),
    ("too many outputs", |h, _| case(h)["outputs"] = json!(["y", "z"]), &["case `small`", "outputs"]),
    ("inputs in the wrong order", |h, _| case(h)["inputs"] = json!(["b", "a"]), &["case `small`", "order a, b"]),
    ("an input twice", |h, _| case(h)["inputs"] = json!(["a", "a"]), &["case `small`", "`a` twice"]),
    ("too few inputs", |h, _| case(h)["inputs"] = json!(["a"]), &["case `small`", "inputs"]),
];

#[test]
fn every_defect_is_named_with_its_case() {
    for (defect, spoil, named) in DEFECTS {
        let folder = TempDir::new().unwrap();
        let (mut header, mut tensors) = matmul();
        spoil(&mut header, &mut tensors);
        let input = save(&folder, &header, &tensors);
        let output = folder.path().join("out.safetensors");
        let message = gdstar_op(&input, &output, &[]).expect_err(defect);
        assert!(message.starts_with(input.to_str().unwrap()), "{defect}: {message}");
        assert!(!message.contains('\n'), "{defect}: {message}");
        for name in *named {
            assert!(message.contains(name), "{defect}: `{message}` does not name `{name}`");
        }
        assert!(!output.exists(), "{defect}: something was written");
    }
}

/// Labels and masks: out of range, of the wrong type, or given to an op that has none.
#[test]
fn integer_inputs_are_checked() {
    let try_op = |op: &str, attrs: Value, name: &str, integers: Tensor| {
        let folder = TempDir::new().unwrap();
        let case = json!({"name": "c", "attrs": attrs, "inputs": ["x", name], "outputs": ["y"]});
        let header = json!({"format": "gdstar-ops/1", "op": op, "cases": [case]});
        let tensors =
            [("c/in/x".to_string(), Tensor::from_slice(&[2, 3], &[0f32; 6])), (format!("c/in/{name}"), integers)];
        gdstar_op(&save(&folder, &header, &tensors), &folder.path().join("out.safetensors"), &[])
    };
    let labels = |labels: [i64; 2]| try_op("cross_entropy", json!({}), "labels", Tensor::from_slice(&[2], &labels));
    let mask = |mask: [u8; 6]| try_op("dropout", json!({"p": 0.5}), "mask", Tensor::from_slice(&[2, 3], &mask));
    let message = |result: Result<(), String>| {
        let message = result.expect_err("a defect");
        assert!(message.contains("case `c`"), "{message}");
        message
    };
    labels([0, 2]).unwrap();
    mask([0, 1, 1, 0, 0, 1]).unwrap();
    try_op("cross_entropy", json!({}), "labels", Tensor::from_slice(&[2], &[0i32, 2])).unwrap();
    try_op("cross_entropy", json!({}), "labels", Tensor::from_slice(&[2], &[0u8, 2])).unwrap();
    let truth = Tensor { dtype: Dtype::BOOL, shape: vec![2, 3], bytes: vec![0, 1, 1, 0, 0, 1] };
    try_op("dropout", json!({"p": 0.5}), "mask", truth).unwrap();
    assert!(message(labels([0, 3])).contains('3'));
    assert!(message(labels([-1, 0])).contains("-1"));
    assert!(message(mask([0, 1, 0, 2, 0, 0])).contains("element 3: expected 0 or 1, found 2"));
    let floats = Tensor::from_slice(&[2], &[0f32, 1.0]);
    assert!(message(try_op("cross_entropy", json!({}), "labels", floats)).contains("I64"));
    let unasked = Tensor::from_slice(&[2], &[0i64, 1]);
    assert!(message(try_op("relu", json!({}), "labels", unasked)).contains("`labels`"));
}

/// An attribute is never a reason to allocate: sizes no machine has are an error.
#[test]
fn huge_attributes_are_errors() {
    let folder = TempDir::new().unwrap();
    for size in [1u64 << 40, u64::MAX] {
        let attrs = json!({"pads": [[size, 0], [0, size]], "value": 0.0});
        let case = json!({"name": "huge", "attrs": attrs, "inputs": ["x"], "outputs": ["y"]});
        let header = json!({"format": "gdstar-ops/1", "op": "pad", "cases": [case]});
        let input = save(&folder, &header, &[("huge/in/x".to_string(), Tensor::from_slice(&[1, 1], &[0f32]))]);
        let message = gdstar_op(&input, &folder.path().join("out.safetensors"), &[]).expect_err("too large");
        assert!(message.contains("case `huge`"), "{message}");
    }
}

/// A file cut anywhere, or with any one byte of its header changed, is an error or is read, but never a panic.
#[test]
fn damaged_files_are_errors() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("damaged.safetensors");
    let whole = std::fs::read(golden("ops/flatten.safetensors")).unwrap();
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        CaseFile::open(&path)
    };
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for length in (0..whole.len()).step_by(61) {
        let message = open(&whole[..length]).err().expect("a part of a file is not a file").to_string();
        assert!(message.starts_with(path.to_str().unwrap()), "{message}");
    }
    for at in 0..header {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 7);
        _ = open(&bytes);
    }
    let mut claims = whole.clone();
    claims[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(open(&claims).is_err());
    claims.extend([0; 16]);
    assert!(open(&claims).is_err());
    open(&whole).unwrap();
}

/// The input is never overwritten, and a missing file is named.
#[test]
fn paths_are_checked() {
    let folder = TempDir::new().unwrap();
    let (header, tensors) = matmul();
    let input = save(&folder, &header, &tensors);
    let before = std::fs::read(&input).unwrap();
    assert!(gdstar_op(&input, &folder.path().join(".").join("in.safetensors"), &[]).unwrap_err().contains("--out"));
    assert_eq!(std::fs::read(&input).unwrap(), before);
    let missing = folder.path().join("missing.safetensors");
    assert!(gdstar_op(&missing, &folder.path().join("out"), &[]).unwrap_err().contains("missing.safetensors"));
    let nowhere = folder.path().join("no-such-folder").join("out");
    assert!(gdstar_op(&input, &nowhere, &[]).unwrap_err().contains("no-such-folder"));
}
