//! What is not checked says why.

use super::Case;
use gdstar::oracle::step::{Refusal, Task};
use gdstar::scalar::Dtype;
use gdstar::trace::Arithmetic;

#[test]
fn the_task_is_found_or_named() {
    let unknown = |model, dataset| Task::find(model, dataset).unwrap_err().to_string();
    assert_eq!(unknown(None, Some("digits")), "the trace names no model");
    assert_eq!(unknown(Some("lenet300"), None), "the trace names no dataset");
    assert_eq!(unknown(Some("alexnet"), Some("digits")), "the model `alexnet` is not part of the reference");
    assert_eq!(unknown(Some("lenet300"), Some("mnist")), "the dataset `mnist` is not part of the reference");
    let task = Task::find(Some("lenet300"), Some("digits")).unwrap();
    for index in [-1, 1442] {
        let refusal = task.batch(&[0, index], &Arithmetic::of(Dtype::F32)).unwrap_err();
        assert!(matches!(refusal, Refusal::Index { len: 1442, .. }), "{refusal}");
    }
}

fn refusal(model: &str, batch: usize, arithmetic: Arithmetic, spoil: impl Fn(&mut Case)) -> Refusal {
    let entry = gdstar::nn::models::find(model).unwrap();
    let network = entry.network(entry.input, entry.classes).unwrap();
    let parameters = network.initialise::<f32>(&mut rand::SeedableRng::seed_from_u64(1));
    let [c, h, w] = network.input;
    let x = ndarray::ArrayD::from_elem(vec![batch, c, h, w], 0.5);
    let mut case =
        Case { parameters: super::widened(&parameters), network, x, labels: vec![0; batch], label_smoothing: 0.0 };
    spoil(&mut case);
    case.try_enclose(&arithmetic).unwrap_err()
}

#[test]
fn networks_and_numbers_without_a_bound_are_refused() {
    let f32 = Arithmetic::of(Dtype::F32);
    let of_resnet = refusal("resnet20", 2, f32, |_| {});
    assert!(matches!(of_resnet, Refusal::Layer { kind: "batch norm", .. }), "{of_resnet}");
    let costly = refusal("lenet", 2048, f32, |_| {});
    assert!(matches!(costly, Refusal::Cost { .. }), "{costly}");
    // 784 terms at u = 2^-8: n u >= 1
    let coarse = refusal("lenet300", 1, Arithmetic { u_acc: 1.0 / 256.0, ..f32 }, |_| {});
    assert!(matches!(coarse, Refusal::Unbounded { .. }), "{coarse}");
    let poisoned = refusal("lenet300", 1, f32, |case| case.parameters[0].value[[0, 0]] = f64::NAN);
    assert_eq!(poisoned.to_string(), "no bound holds for the parameter `fc1.weight` in the declared arithmetic");
    let poisoned = refusal("lenet300", 1, f32, |case| case.x[[0, 0, 3, 3]] = f64::INFINITY);
    assert!(matches!(poisoned, Refusal::Unbounded { .. }), "{poisoned}");
    for spoil in [|case: &mut Case| case.labels[0] = 10, |case: &mut Case| case.labels.push(0)] {
        let unfit = refusal("lenet300", 1, f32, spoil);
        assert!(matches!(unfit, Refusal::Fit(_)), "{unfit}");
    }
}
