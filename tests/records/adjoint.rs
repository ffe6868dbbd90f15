//! The second opinion: what no page knows of is held against its forward case by inner products, in any layout.

use crate::judged::{aten, calls};
use gdstar::kernel::{Kernel, Window, conv2d, conv2d_input_gradient, conv2d_weight_gradient};
use gdstar::oracle::record::{Arg, Call, Identity, Record, Value, check_record, opinion};
use gdstar::tensor_file::{self, Tensor, TensorFile};
use ndarray::{Array4, ArrayD};
use serde_json::{Value as Json, json};
use std::path::Path;

/// The forward call before each backward one of the file, in F32 and F64.
fn pairs(backward: &str, forward: &str) -> Vec<(Call<Value>, Call<Value>)> {
    let calls = calls();
    let is_of =
        |call: &&Call<Value>, op: &str| call.op == format!("aten.{op}.default") && !call.name.starts_with("BF16");
    let number = |call: &Call<Value>| call.name.rsplit('/').next().map(str::to_string);
    let all = calls.iter().filter(|call| is_of(call, backward));
    let pair = |call: &Call<Value>| {
        let kind = |other: &Call<Value>| other.name.split('/').next().map(str::to_string);
        let of = calls.iter().find(|f| is_of(f, forward) && kind(f) == kind(call) && number(f) == number(call));
        (of.expect("a forward call").clone(), call.clone())
    };
    all.map(pair).collect()
}

/// dy y, dx and dw as they are, or each in another order.
fn permuted(call: &mut Call<Value>, results: bool, which: usize) {
    let call = aten(call);
    let value = if results { call.results[which].as_mut() } else { tensor(&mut call.args[which]) };
    let Some(value) = value else { return };
    let mut reversed: Vec<f64> = value.array.iter().copied().collect();
    reversed.reverse();
    value.array = ArrayD::from_shape_vec(value.array.raw_dim(), reversed).unwrap();
}

/// What a gradient is replaced by.
type Fault<'a> = &'a dyn Fn(&ArrayD<f64>) -> ArrayD<f64>;

fn tensor(arg: &mut Arg<Value>) -> Option<&mut Value> {
    match arg {
        Arg::Tensor(value) => Some(value),
        _ => None,
    }
}

#[test]
fn convolutions_are_adjoint_whatever_the_order_of_their_numbers() {
    let mut told = 0;
    for (mut forward, mut backward) in pairs("convolution_backward", "convolution") {
        let hold = |forward: &Call<Value>, backward: &Call<Value>| {
            let identities = opinion(forward, backward);
            assert_eq!(identities.len(), 2, "{}", backward.name);
            assert!(identities.iter().all(Identity::holds), "{}: {identities:?}", backward.name);
            identities.iter().filter(|identity| identity.tells()).count()
        };
        told += hold(&forward, &backward);
        // y with dy, and x with dx, in another order.
        permuted(&mut forward, true, 0);
        permuted(&mut backward, false, 0);
        permuted(&mut forward, false, 0);
        permuted(&mut backward, true, 0);
        hold(&forward, &backward);
    }
    assert!(told >= 16, "{told}");
}

#[test]
fn gradients_that_are_not_adjoint_are_told() {
    for (forward, backward) in pairs("convolution_backward", "convolution") {
        let before = opinion(&forward, &backward);
        for (at, identity) in before.iter().enumerate().filter(|(_, identity)| identity.tells()) {
            // Scaled by a thousandth beyond what the bound cannot tell, turned, and of another sign.
            let by = 1.001 + 2.0 * identity.radius / identity.backward.abs();
            let faults: [Fault; 3] = [&|x| x * by, &|x| -x, &|x| ArrayD::from_elem(x.raw_dim(), f64::NAN)];
            for fault in faults {
                let mut faulty = backward.clone();
                let value = aten(&mut faulty).results[identity.result].as_mut().unwrap();
                value.array = fault(&value.array);
                assert!(!opinion(&forward, &faulty)[at].holds(), "{}: {identity:?}", backward.name);
            }
        }
    }
}

#[test]
fn pieces_are_adjoint_too() {
    let pooled = pairs("max_pool2d_with_indices_backward", "max_pool2d_with_indices");
    assert_eq!(pooled.len(), 4);
    for (mut forward, mut backward) in pooled {
        let identities = opinion(&forward, &backward);
        assert!(identities.len() == 1 && identities[0].holds(), "{}: {identities:?}", backward.name);
        permuted(&mut backward, true, 0);
        assert!(!opinion(&forward, &backward)[0].holds());
        permuted(&mut forward, false, 0);
        assert!(opinion(&forward, &backward)[0].holds());
    }
}

/// A transposed convolution has no page; that its gradients are those of its result is judged all the same.
#[test]
fn a_transposed_convolution_is_unjudged_where_it_is_adjoint_and_wrong_where_it_is_not() {
    let record = transposed(1.0);
    assert_eq!(
        (record["verdict"].as_str(), record["adjoint"]["held"].as_u64()),
        (Some("INCONCLUSIVE"), Some(2)),
        "{record}"
    );
    let record = transposed(1.01);
    assert_eq!(record["verdict"].as_str(), Some("FAIL"), "{record}");
    let finding = &record["findings"][0];
    assert_eq!(finding["equation"].as_str(), Some("adjoint.convolution_backward"), "{record}");
    assert!(finding["likely_cause"].as_str().unwrap().contains("is not <dy, y>"), "{record}");
}

/// A record of y = W^T x for the strided convolution W, made of its own adjoints, with dx times a factor.
fn transposed(factor: f64) -> Json {
    let window = Window { stride: [2, 2], padding: [1, 1], ..Window::PLAIN };
    let numbers = |shape: [usize; 4], seed: f64| {
        Array4::from_shape_fn(shape, |(n, c, y, x)| {
            let at = (n * 131 + c * 37 + y * 11 + x) as f64;
            f64::from(libm::sin(at * seed) as f32)
        })
    };
    let (x, w, dy) = (numbers([2, 3, 4, 4], 0.7), numbers([3, 2, 3, 3], 1.3), numbers([2, 2, 7, 7], 0.9));
    let y = conv2d_input_gradient(Kernel::Literal, window, x.view(), w.view(), [2, 2, 7, 7]);
    let dx = conv2d(Kernel::Literal, window, dy.view(), w.view()) * factor;
    let dw = conv2d_weight_gradient(Kernel::Literal, window, dy.view(), x.view(), [3, 2, 3, 3]);
    let tensor = |a: &Array4<f64>| Tensor::from_slice(a.shape(), &a.iter().map(|&x| x as f32).collect::<Vec<f32>>());
    let tensors: Vec<(String, Tensor)> = [("x", &x), ("w", &w), ("dy", &dy), ("y", &y), ("dx", &dx), ("dw", &dw)]
        .map(|(name, array)| (name.to_string(), tensor(array)))
        .to_vec();
    let named = |name: &str| json!({"tensor": name});
    let rest = json!([[2, 2], [1, 1], [1, 1], true, [0, 0], 1]);
    let list = |first: Vec<Json>, last: Vec<Json>| {
        first.into_iter().chain(rest.as_array().unwrap().clone()).chain(last).collect::<Vec<_>>()
    };
    let null = Json::Null;
    let mask = json!([true, true, false]);
    let header = json!({"format": "gdstar-ops/1", "producer": "by hand", "cases": [
        {"name": "up", "op": "aten.convolution.default", "args": list(vec![named("x"), named("w"), null.clone()], vec![]),
            "results": [named("y")]},
        {"name": "up.bwd", "op": "aten.convolution_backward.default", "phase": "backward", "of": "up",
            "args": list(vec![named("dy"), named("x"), named("w"), null.clone()], vec![mask]),
            "results": [named("dx"), named("dw"), null]},
    ]});
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("up.safetensors");
    tensor_file::write(&path, [("gdstar-ops".to_string(), header.to_string())].into(), &tensors).unwrap();
    let file = TensorFile::parse(Path::new("up"), std::fs::read(&path).unwrap()).unwrap();
    let record = Record::new(file).unwrap();
    check_record(&record, &|_, _| {}).unwrap().to_json()
}
