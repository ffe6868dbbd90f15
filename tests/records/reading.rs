//! What is no record is refused in one line that names the case and the key; what is one keeps every bit.

use gdstar::oracle::record::{Carried, Record, unit_roundoff};
use gdstar::tensor_file::{self, Tensor, TensorFile};
use safetensors::Dtype;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// A record of this header over three tensors.
fn read(header: &Value) -> gdstar::Result<Record> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("record.safetensors");
    let tensors = [
        ("x".to_string(), Tensor::from_slice(&[2, 3], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0])),
        ("y".to_string(), Tensor::from_slice(&[2, 3], &[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0])),
        ("many".to_string(), Tensor::from_slice(&[1], &[i64::MAX])),
    ];
    let metadata = HashMap::from([("gdstar-ops".to_string(), header.to_string())]);
    tensor_file::write(&path, metadata, &tensors).expect("written");
    let bytes = std::fs::read(&path).expect("it was written");
    Record::new(TensorFile::parse(Path::new("record"), bytes)?)
}

/// A record of one aten call, with these keys.
fn one(call: Value) -> Value {
    json!({"format": "gdstar-ops/1", "cases": [call]})
}

#[test]
fn what_is_no_record_is_refused_by_case_and_key() {
    let relu = |extra: Value| {
        let mut call = json!({"name": "r", "op": "aten.relu.default", "args": [{"tensor": "x"}],
            "results": [{"tensor": "y"}]});
        for (key, value) in extra.as_object().expect("an object") {
            call[key] = value.clone();
        }
        one(call)
    };
    let refused = [
        (json!({"format": "gdstar-ops/2", "cases": []}), "format"),
        (json!({"format": "gdstar-ops/1"}), "cases"),
        (json!({"format": "gdstar-ops/1", "cases": {}}), "cases"),
        (relu(json!({"name": null})), "name"),
        (relu(json!({"op": null})), "op"),
        (relu(json!({"op": "relu_sixth"})), "aten.<name>.<overload>"),
        (relu(json!({"args": {}})), "args"),
        (relu(json!({"args": [{"tensor": "z"}]})), "args[0]"),
        (relu(json!({"args": [{"tensor": "x", "shape": [7]}]})), "as many elements"),
        (relu(json!({"args": [{"tensor": "x", "shape": [u64::MAX, 4]}]})), "as many elements"),
        (relu(json!({"args": [{"tensor": "x", "shape": [-1, 2]}]})), "shape"),
        (relu(json!({"args": [{"tensor": "x", "strides": [1, 2]}]})), "shape optional"),
        (relu(json!({"results": [3]})), "results[0]"),
        (relu(json!({"writes": {"1": {"tensor": "y"}}})), "position or the name of an argument"),
        (relu(json!({"of": "s"})), "case `r`: of"),
        (relu(json!({"of": "r"})), "another case"),
        (relu(json!({"phase": "sideways"})), "forward | backward"),
        (relu(json!({"arithmetic": {"u_acc": 1}})), "u_acc"),
        (relu(json!({"arithmetic": {"algorithm": "strassen"}})), "winograd"),
        (relu(json!({"arithmetic": {"u_sum": 0.5}})), "one of u_in"),
        (one(json!({"name": "c", "op": "relu", "inputs": ["x"], "outputs": ["y"]})), "`c/in/x`"),
        (one(json!({"name": "c", "op": "relu", "inputs": [1], "outputs": ["y"]})), "a list of names"),
        (one(json!({"name": "c", "op": "relu", "inputs": ["x"], "outputs": ["y"], "diff": ["z"]})), "diff"),
    ];
    for (header, place) in refused {
        let error = read(&header).map(|_| ()).expect_err(place);
        let message = error.to_string();
        assert!(message.contains(place), "{message}, of {header}");
        assert_eq!((error.exit_code(), message.lines().count()), (2, 1), "{message}");
    }
    let twice = json!({"name": "r", "op": "aten.relu.default"});
    let twice = json!({"format": "gdstar-ops/1", "cases": [twice, twice]});
    assert!(read(&twice).map(|_| ()).expect_err("twice").to_string().contains("r twice"));
    let foreign = json!({"format": "gdstar-ops/1", "cases": [], "grads": {"w": {"tensor": "x"}}});
    assert!(read(&foreign).map(|_| ()).expect_err("foreign").to_string().contains("names that `params` has"));
}

#[test]
fn a_call_keeps_shapes_order_and_numbers() {
    let header = json!({"format": "gdstar-ops/1", "arithmetic": {"tf32": true}, "cases": [
        {"name": "cat", "op": "aten.cat.default", "module": "net.0", "phase": "forward",
         "args": [[{"tensor": "x", "shape": [3, 2]}, {"tensor": "y", "shape": [3, 2]}], 1],
         "results": [null], "arithmetic": {"u_acc": "0x1p-53"}}]});
    let record = read(&header).expect("a record");
    let call = &record.steps[0].calls[0];
    assert_eq!((call.declared.tf32, call.declared.u_acc), (true, Some(2.0_f64.powi(-53))));
    let Carried::Aten(loaded) = call.load(record.file()).expect("numbers").carried else { panic!("an aten call") };
    let operands = loaded.operands();
    assert_eq!((operands.len(), operands[0].array.shape()), (2, &[3, 2][..]));
    assert_eq!(operands[1].array[[2, 1]], 6.0);
    assert_eq!((loaded.args[1].integer(), loaded.results.len()), (Some(1), 1));
}

/// A record of one `aten.detach` of view `v`, which this describes, of `x` or `many`.
fn viewed(view: Value) -> Value {
    let v = json!({"tensor": "v"});
    let call = json!({"name": "d", "op": "aten.detach.default", "args": [v], "results": [v]});
    json!({"format": "gdstar-ops/1", "views": {"v": view}, "cases": [call]})
}

#[test]
fn a_view_shows_a_stored_tensors_numbers_in_another_order() {
    let layouts: [(Value, &[f64]); 5] = [
        (json!({"tensor": "x", "shape": [3, 2], "strides": [1, 3]}), &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
        (json!({"tensor": "x", "shape": [2, 2], "strides": [3, 1], "offset": 1}), &[2.0, 3.0, 5.0, 6.0]),
        (json!({"tensor": "x", "shape": [3], "strides": [0], "offset": 5}), &[6.0, 6.0, 6.0]),
        (json!({"tensor": "x", "shape": [], "strides": [], "offset": 4}), &[5.0]),
        (json!({"tensor": "x", "shape": [0, 2], "strides": [1, 1], "offset": 9}), &[]),
    ];
    for (layout, expected) in layouts {
        let record = read(&viewed(layout.clone())).expect("a record");
        let Carried::Aten(call) = record.steps[0].calls[0].load(record.file()).expect("numbers").carried else {
            panic!()
        };
        let array = &call.operands()[0].array;
        assert_eq!(array.iter().copied().collect::<Vec<_>>(), expected, "{layout}");
        assert_eq!(Value::from(array.shape()), layout["shape"]);
    }
}

#[test]
fn a_view_of_what_is_not_there_is_refused() {
    let x = |extra: Value| {
        let mut view = json!({"tensor": "x", "shape": [2, 3], "strides": [3, 1]});
        extra.as_object().expect("an object").iter().for_each(|(key, value)| view[key] = value.clone());
        view
    };
    let refused = [
        (json!(3), "views.v"),
        (x(json!({"tensor": "nobody"})), "a stored tensor"),
        (x(json!({"tensor": "v"})), "a stored tensor"),
        (x(json!({"strides": [3]})), "a stride for each axis"),
        (x(json!({"strides": [3, -1]})), "strides"),
        (x(json!({"strides": [4, 1]})), "within the tensor"),
        (x(json!({"offset": 1})), "within the tensor"),
        (x(json!({"offset": u64::MAX})), "within the tensor"),
        (x(json!({"strides": [u64::MAX, 1]})), "within the tensor"),
        // No more numbers than are stored, however often each is shown.
        (x(json!({"shape": [7], "strides": [0]})), "as many elements at most"),
        (x(json!({"shape": [u64::MAX, 2], "strides": [0, 0]})), "within the tensor"),
        (x(json!({"order": "F"})), "the offset optional"),
    ];
    for (view, place) in refused {
        let message = read(&viewed(view.clone())).map(|_| ()).expect_err(place).to_string();
        assert!(message.contains(place) && message.lines().count() == 1, "{message}, of {view}");
    }
    let taken = json!({"format": "gdstar-ops/1", "cases": [],
        "views": {"y": {"tensor": "x", "shape": [1], "strides": [1]}}});
    assert!(read(&taken).map(|_| ()).expect_err("taken").to_string().contains("a name that no tensor"));
}

#[test]
fn an_integer_that_no_f64_holds_is_refused_when_it_is_read() {
    let header = one(json!({"name": "v", "op": "aten.view.default", "args": [{"tensor": "many"}]}));
    let record = read(&header).expect("a record");
    let error = record.steps[0].calls[0].load(record.file()).expect_err("2^63 - 1");
    assert!(error.to_string().contains("2^53"), "{error}");
}

/// Half the distance from 1 to the next number of the type.
#[test]
fn unit_roundoffs_are_those_of_rounding_to_nearest() {
    assert_eq!(unit_roundoff(Dtype::F64), Some(f64::EPSILON / 2.0));
    assert_eq!(unit_roundoff(Dtype::F32), Some(f64::from(f32::EPSILON) / 2.0));
    // 1 + 2^-10 and 1 + 2^-7 are the next ones, of 10 and 7 stored digits.
    assert_eq!(unit_roundoff(Dtype::F16), Some(2.0_f64.powi(-11)));
    assert_eq!(unit_roundoff(Dtype::BF16), Some(2.0_f64.powi(-8)));
    assert_eq!(unit_roundoff(Dtype::I64), None);
}
