//! A small training step, written out by hand in whole numbers, which no order of its sums rounds; and what may happen to
//! it.
//!
//! h = x w1, r = relu(h), s = h + r, y = s w2, loss = sum(y): two ops use h, so its gradient is a sum.

use gdstar::oracle::record::{Record, RecordReport, check_record};
use gdstar::tensor_file::{self, Tensor, TensorFile};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A record in the making.
#[derive(Clone)]
pub struct Written {
    pub header: Value,
    pub tensors: BTreeMap<String, Tensor>,
    /// Further strings of the metadata.
    pub metadata: HashMap<String, String>,
}

type Matrix = Vec<Vec<f32>>;

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let entry = |row: &Vec<f32>, j: usize| row.iter().zip(b).map(|(x, row)| x * row[j]).sum();
    a.iter().map(|row| (0..b[0].len()).map(|j| entry(row, j)).collect()).collect()
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

fn both(a: &Matrix, b: &Matrix, with: impl Fn(f32, f32) -> f32) -> Matrix {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(x, y)| with(*x, *y)).collect()).collect()
}

fn tensor(a: &Matrix) -> Tensor {
    Tensor::from_slice(&[a.len(), a[0].len()], &a.concat())
}

/// A reference to a tensor.
pub fn named(tensor: &str) -> Value {
    json!({"tensor": tensor})
}

/// An aten call with one result.
pub fn call(name: &str, op: &str, phase: &str, of: Option<&str>, args: Value, result: &str) -> Value {
    let mut call = json!({"name": name, "op": op, "phase": phase, "args": args, "results": [named(result)]});
    if let Some(of) = of {
        call["of"] = json!(of);
    }
    call
}

/// The step as a correct port takes it.
pub fn step() -> Written {
    let x = vec![vec![1.0, 2.0, -3.0], vec![-2.0, 5.0, 1.0]];
    let w1 = vec![vec![2.0, -1.0, 3.0], vec![1.0, 4.0, -2.0], vec![-3.0, 2.0, 1.0]];
    let w2 = vec![vec![3.0, -2.0], vec![-1.0, 5.0], vec![2.0, 7.0]];
    let h = product(&x, &w1);
    let r = both(&h, &h, |h, _| h.max(0.0));
    let s = both(&h, &r, |h, r| h + r);
    let y = product(&s, &w2);
    let dy = vec![vec![1.0; 2]; 2];
    let (w2t, st, xt) = (transposed(&w2), transposed(&s), transposed(&x));
    let ds = product(&dy, &w2t);
    let dw2 = product(&st, &dy);
    let dr = both(&ds, &r, |d, r| if r > 0.0 { d } else { 0.0 });
    let dh = both(&ds, &dr, |a, b| a + b);
    let dw1 = product(&xt, &dh);
    let loss = vec![vec![y.concat().iter().sum::<f32>()]];
    let stale = both(&r, &r, |r, _| if r > 0.0 { r + 1.0 } else { 0.0 });
    let all = [
        ("x", &x),
        ("w1", &w1),
        ("w2", &w2),
        ("h", &h),
        ("r", &r),
        ("s", &s),
        ("y", &y),
        ("w2t", &w2t),
        ("st", &st),
        ("xt", &xt),
        ("ds", &ds),
        ("dw2", &dw2),
        ("dr", &dr),
        ("dh", &dh),
        ("dw1", &dw1),
        ("dy", &dy),
        ("loss", &loss),
        ("stale", &stale),
    ];
    let mut tensors: BTreeMap<String, Tensor> = all.iter().map(|(name, a)| (name.to_string(), tensor(a))).collect();
    tensors.insert("seed".to_string(), Tensor::scalar(1.0_f32));
    let mm = "aten.mm.default";
    let (forward, backward) = ("forward", "backward");
    let cases = json!([
        call("mm1", mm, forward, None, json!([named("x"), named("w1")]), "h"),
        call("relu", "aten.relu.default", forward, None, json!([named("h")]), "r"),
        call("branch", "aten.add.Tensor", forward, None, json!([named("h"), named("r")]), "s"),
        call("mm2", mm, forward, None, json!([named("s"), named("w2")]), "y"),
        json!({"name": "sum", "op": "aten.sum.default", "phase": forward, "args": [named("y")],
            "results": [{"tensor": "loss", "shape": []}]}),
        json!({"name": "sum.expand", "op": "aten.expand.default", "phase": backward, "of": "sum",
            "args": [{"tensor": "seed", "shape": []}, [2, 2]], "results": [named("dy")]}),
        call("mm2.st", "aten.t.default", backward, Some("mm2"), json!([named("s")]), "st"),
        call("mm2.dw", mm, backward, Some("mm2"), json!([named("st"), named("dy")]), "dw2"),
        call("mm2.wt", "aten.t.default", backward, Some("mm2"), json!([named("w2")]), "w2t"),
        call("mm2.dx", mm, backward, Some("mm2"), json!([named("dy"), named("w2t")]), "ds"),
        call(
            "relu.bwd",
            "aten.threshold_backward.default",
            backward,
            Some("relu"),
            json!([named("ds"), named("r"), 0]),
            "dr"
        ),
        call("meet", "aten.add.Tensor", backward, None, json!([named("ds"), named("dr")]), "dh"),
        call("mm1.xt", "aten.t.default", backward, Some("mm1"), json!([named("x")]), "xt"),
        call("mm1.dw", mm, backward, Some("mm1"), json!([named("xt"), named("dh")]), "dw1"),
    ]);
    let header = json!({
        "format": "gdstar-ops/1", "producer": "by hand", "cases": cases,
        "params": {"w1": named("w1"), "w2": named("w2")}, "batch": {"input": named("x")},
        "grads": {"w1": named("dw1"), "w2": named("dw2")}, "loss": {"tensor": "loss", "shape": []},
    });
    Written { header, tensors, metadata: HashMap::new() }
}

impl Written {
    /// The case of this name.
    pub fn case(&mut self, name: &str) -> &mut Value {
        let cases = self.header["cases"].as_array_mut().expect("a list");
        cases.iter_mut().find(|case| case["name"] == name).expect("a case of this name")
    }

    /// Makes a tensor out of another, number by number.
    pub fn derive(&mut self, name: &str, from: &str, with: impl Fn(f32) -> f32) {
        let from = &self.tensors[from];
        let numbers: Vec<f32> = from.numbers().iter().map(|&x| with(x as f32)).collect();
        let made = Tensor::from_slice(&from.shape, &numbers);
        self.tensors.insert(name.to_string(), made);
    }

    /// The file.
    pub fn file(&self) -> TensorFile {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("step.safetensors");
        let mut metadata = self.metadata.clone();
        metadata.insert("gdstar-ops".to_string(), self.header.to_string());
        let tensors: Vec<(String, Tensor)> = self.tensors.clone().into_iter().collect();
        tensor_file::write(&path, metadata, &tensors).expect("written");
        TensorFile::parse(Path::new("step"), std::fs::read(&path).expect("it was written")).expect("a file")
    }

    /// What the judge says of it.
    pub fn judged(&self) -> RecordReport {
        check_record(&Record::new(self.file()).expect("a record"), &|_, _| {}).expect("judged")
    }
}
