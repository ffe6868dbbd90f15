//! Whatever stands at any place of a record's description: it is judged, or refused in one line; nothing panics.

use gdstar::oracle::record::{Record, check_record};
use gdstar::tensor_file::{Tensor, TensorFile};
use safetensors::tensor::TensorView;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// The record of a small network's step: convolution, batch norm, ReLU, padding, slices, pooling, concatenation.
fn network() -> (Value, Vec<(String, Tensor)>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/record/good-network");
    let file = TensorFile::parse(&path, std::fs::read(&path).expect("the seed")).expect("a file");
    let header = serde_json::from_str(file.metadata("gdstar-ops").expect("a record")).expect("JSON");
    let tensor = |name: &str| {
        let (dtype, shape) = file.describe(name).expect("it is there");
        (name.to_string(), Tensor { dtype, shape: shape.to_vec(), bytes: file.raw(name).expect("bytes").into_owned() })
    };
    let tensors = file.names().map(tensor).collect();
    (header, tensors)
}

/// The paths of all values in a JSON value, as JSON pointers.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_string());
    match value {
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(i, element)| pointers(element, &format!("{at}/{i}"), found));
        }
        Value::Object(entries) => entries.iter().for_each(|(key, entry)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            pointers(entry, &format!("{at}/{key}"), found);
        }),
        _ => {}
    }
}

/// Each in turn takes the place of each value of a case.
fn strangers() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(7),
        json!(1e300),
        json!(i64::MAX),
        json!("nan"),
        json!([]),
        json!([1 << 20, 1 << 20, 1 << 20]),
        json!({}),
        json!({"tensor": "nobody"}),
    ]
}

fn judged(header: &Value, tensors: &[(String, Tensor)]) -> gdstar::Result<usize> {
    let views = tensors.iter().map(|(name, tensor)| {
        let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).expect("as it was read");
        (name.as_str(), view)
    });
    let metadata = HashMap::from([("gdstar-ops".to_string(), header.to_string())]);
    let bytes = safetensors::serialize(views, Some(metadata.into_iter().collect())).expect("a file");
    let record = Record::new(TensorFile::parse(Path::new("record"), bytes)?)?;
    check_record(&record, &|_, _| {}).map(|report| report.to_string().len() + report.to_json().to_string().len())
}

/// Each case on its own, for the judge sees no more of it than that.
#[test]
fn whatever_stands_anywhere_is_judged_or_refused() {
    let (header, tensors) = network();
    let mut refused = 0;
    let mut tried = 0;
    let mut seen = Vec::new();
    for case in header["cases"].as_array().expect("a list") {
        let op = case["op"].as_str().expect("an op");
        if seen.contains(&op) {
            continue;
        }
        seen.push(op);
        let mut case = case.clone();
        case.as_object_mut().expect("an object").remove("of");
        // What it refers to, and no more: the file is written for each.
        let text = case.to_string();
        let its = |(name, _): &&(String, Tensor)| text.contains(&json!(name).to_string());
        let tensors: Vec<(String, Tensor)> = tensors.iter().filter(its).cloned().collect();
        let whole = json!({"format": "gdstar-ops/1", "cases": [case]});
        let mut places = Vec::new();
        pointers(&whole["cases"][0], "/cases/0", &mut places);
        for place in places {
            for stranger in strangers() {
                let mut changed = whole.clone();
                *changed.pointer_mut(&place).expect("it is there") = stranger;
                tried += 1;
                if let Err(error) = judged(&changed, &tensors) {
                    refused += 1;
                    let message = error.to_string();
                    assert_eq!((error.exit_code(), message.lines().count()), (2, 1), "{message}");
                    assert!(message.contains("expected ") && message.contains("found "), "{message}");
                }
            }
        }
    }
    assert!(seen.len() > 20 && refused > 0 && refused < tried, "{} ops, {refused} of {tried} refused", seen.len());
}

/// What belongs to the step, and to all cases.
#[test]
fn whatever_a_step_says_is_judged_or_refused() {
    let (header, tensors) = network();
    for key in
        ["params", "buffers", "batch", "grads", "loss", "epoch", "index", "steps", "producer", "arithmetic", "op"]
    {
        for stranger in strangers() {
            let mut changed = header.clone();
            changed[key] = stranger;
            if let Err(error) = judged(&changed, &tensors) {
                assert_eq!((error.exit_code(), error.to_string().lines().count()), (2, 1), "{error}");
            }
        }
    }
}

/// A file that ends early, at any byte of its header and at some of its data, is refused.
#[test]
fn a_file_that_is_cut_is_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/record/good-two-cases");
    let bytes = std::fs::read(&path).expect("the seed");
    for end in 0..bytes.len() {
        let refused = TensorFile::parse(&path, bytes[..end].to_vec()).and_then(Record::new).map(|_| ());
        assert_eq!(refused.expect_err("cut").exit_code(), 2);
    }
}
