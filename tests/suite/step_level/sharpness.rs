//! Cases in which a port with the worst rounding that its arithmetic admits comes close to the end of the enclosure: a
//! bound with a smaller constant would be wrong, and this one is at most so many times too wide.

use super::port::{Formula, Order, Port, Rounding};
use super::{Case, Truth, inside};
use gdstar::kernel::Kernel;
use gdstar::nn::{Layer, Network, Parameter, Parameters, Role};
use gdstar::oracle::step::Enclosure;
use gdstar::scalar::{DoubleDouble, Dtype};
use gdstar::trace::Arithmetic;
use ndarray::{Array2, ArrayD};

/// One linear layer from `inputs` `[n, features]`, all labels 0.
fn one_layer(inputs: &Array2<f64>, w: Array2<f64>, b: Vec<f64>) -> Case {
    let (features, classes) = (w.ncols(), w.nrows());
    let layers = [("", Layer::Flatten), ("fc", Layer::Linear { inputs: features, outputs: classes })];
    let network = Network::new("layer", [1, 1, features], classes, Layer::sequence(layers));
    let parameter = |name: &str, role, value| Parameter::new(format!("fc.{name}"), role, value);
    let parameters = Parameters::new(vec![
        parameter("weight", Role::Weight, w.into_dyn()),
        parameter("bias", Role::Bias, ArrayD::from_shape_vec(vec![classes], b).unwrap()),
    ]);
    let n = inputs.nrows();
    let x = inputs.to_owned().into_shape_with_order(vec![n, 1, 1, features]).unwrap();
    Case { network, parameters, x, labels: vec![0; n], label_smoothing: 0.0 }
}

/// How much of the way from the exact number to the end of its enclosure a port goes: (of the loss, of a gradient).
fn share(enclosure: &Enclosure, exact: &Truth, port: &Truth, name: &str, at: usize) -> (f64, f64) {
    let of = |got: f64, exact: f64, low: f64, high: f64| (got - exact) / ((high - low) / 2.0);
    let bounds = enclosure.gradients.iter().find(|bounds| bounds.name == name).unwrap();
    let entry = |x: &ArrayD<f64>| *x.iter().nth(at).unwrap();
    let gradient =
        of(entry(&port.gradients[name]), entry(&exact.gradients[name]), entry(&bounds.low), entry(&bounds.high));
    (of(port.loss, exact.loss, enclosure.loss.low, enclosure.loss.high).abs(), gradient.abs())
}

/// The share that the worst rounding in either direction, largest terms first, reaches; all of it inside.
fn worst(case: &Case, formula: Formula, name: &str, at: usize) -> (f64, f64) {
    let enclosure = case.enclose(&Arithmetic::of(Dtype::F32));
    let exact = case.own::<DoubleDouble>(Kernel::Literal);
    let biases = [0.999, -0.999].map(|bias| {
        let port = Port::new(Order::LargestFirst, Rounding::Biased(bias), false, formula).run(case);
        inside(&enclosure, &port, &format!("{formula:?}, {bias}")).unwrap();
        share(&enclosure, &exact, &port, name, at)
    });
    (biases[0].0.max(biases[1].0), biases[0].1.max(biases[1].1))
}

/// A gradient summed over a batch in which one sample outweighs all others: every addition rounds the whole sum.
#[test]
fn a_sum_over_the_batch_reaches_its_bound() {
    let n = 4096;
    let inputs = Array2::from_shape_fn((n, 1), |(i, _)| if i == 0 { 1.0 } else { 1.0 / f64::from(1 << 24) });
    // Class 1 always wins by far: p - y is -1 for class 0.
    let case = one_layer(&inputs, Array2::zeros((2, 1)), vec![0.0, 40.0]);
    let (_, gradient) = worst(&case, Formula::Shifted, "fc.weight", 0);
    println!("the sum over the batch goes {gradient:.2} of the way");
    assert!(gradient >= 0.8, "{gradient}");
}

/// The mean of equal losses: the average partial sum is half of the whole, and so is the error.
#[test]
fn the_mean_loss_reaches_half_of_its_bound() {
    let case = one_layer(&Array2::zeros((4096, 1)), Array2::zeros((2, 1)), vec![0.0, 0.0]);
    let (loss, _) = worst(&case, Formula::Shifted, "fc.bias", 0);
    println!("the mean loss goes {loss:.2} of the way");
    assert!(loss >= 0.4, "{loss}");
}

/// Ascending logits make an online softmax rescale its sum at every class.
#[test]
fn an_online_softmax_reaches_a_share_of_its_bound() {
    let ascending: Vec<f64> = (0..16).map(|j| f64::from(j) / 16.0).collect();
    let case = one_layer(&Array2::zeros((1, 1)), Array2::zeros((16, 1)), ascending);
    let (loss, gradient) = worst(&case, Formula::Online, "fc.bias", 7);
    println!("an online softmax goes {loss:.2} (loss) and {gradient:.2} (gradient) of the way");
    assert!(loss >= 0.3 && gradient >= 0.2, "{loss}, {gradient}");
}
