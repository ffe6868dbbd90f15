//! No correct port is outside: orders, fused or not, formulas, precisions, and arithmetic as bad as its model admits.

use super::port::{Formula, Order, Port, Rounding};
use super::{Case, inside, widened};
use gdstar::kernel::{Kernel, Window};
use gdstar::nn::{Init, Layer, Network};
use gdstar::scalar::{DoubleDouble, Dtype};
use gdstar::trace::Arithmetic;
use ndarray::ArrayD;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const ORDERS: [Order; 6] =
    [Order::Forward, Order::Reverse, Order::Pairwise, Order::Blocked(7), Order::Shuffled, Order::LargestFirst];
const FORMULAS: [Formula; 7] = [
    Formula::Shifted,
    Formula::ShiftAddedBack,
    Formula::Unshifted,
    Formula::Online,
    Formula::Quotient,
    Formula::Power,
    Formula::ScaledLast,
];

/// Every way of computing the step in an arithmetic is inside its enclosure.
fn check(case: &Case, ports: impl IntoIterator<Item = Port>) -> Result<(), String> {
    let f32_bounds = case.enclose(&Arithmetic::of(Dtype::F32));
    for kernel in [Kernel::Literal, Kernel::Fast] {
        inside(&f32_bounds, &case.own::<f32>(kernel), &format!("{kernel}, f32"))?;
        inside(&f32_bounds, &case.own::<f64>(kernel), &format!("{kernel}, f64, as f32"))?;
    }
    let f64_bounds = case.enclose(&Arithmetic::of(Dtype::F64));
    for kernel in [Kernel::Literal, Kernel::Fast] {
        inside(&f64_bounds, &case.own::<f64>(kernel), &format!("{kernel}, f64"))?;
    }
    inside(&f64_bounds, &case.own::<DoubleDouble>(Kernel::Literal), "DoubleDouble")?;
    let plain = Arithmetic::of(Dtype::F32);
    let coarse = case.enclose(&Arithmetic { u_out: 1.0 / 256.0, ..plain });
    let coarse_inputs = case.enclose(&Arithmetic { u_in: 1.0 / 256.0, ..plain });
    let flushed = case.enclose(&Arithmetic { ftz: true, ..plain });
    // Beyond, e^x and p leave f32's range: ports that neither shift nor stay with logarithms are wrong there.
    let tame = case.largest_logit() < 30.0;
    for mut port in ports {
        if !tame && matches!(port.formula, Formula::Unshifted | Formula::Quotient) {
            port.formula = Formula::Shifted;
        }
        let bounds = match port.rounding {
            Rounding::F64 => &f64_bounds,
            Rounding::Bfloat16 => &coarse,
            Rounding::Bfloat16Inputs => &coarse_inputs,
            Rounding::FlushedF32 => &flushed,
            _ => &f32_bounds,
        };
        let who = format!("{:?}, {:?}, fused {}, {:?}", port.order, port.rounding, port.fused, port.formula);
        inside(bounds, &port.run(case), &who)?;
    }
    Ok(())
}

const ROUNDINGS: [Rounding; 8] = [
    Rounding::F32,
    Rounding::F64,
    Rounding::Biased(0.999),
    Rounding::Biased(-0.999),
    Rounding::Noisy,
    Rounding::Bfloat16,
    Rounding::Bfloat16Inputs,
    Rounding::FlushedF32,
];

/// Every order with every rounding once, formulas and fusing in turn.
fn ports() -> impl Iterator<Item = Port> {
    let pairs = ROUNDINGS.into_iter().flat_map(|rounding| ORDERS.map(|order| (rounding, order)));
    pairs.enumerate().map(|(i, (rounding, order))| Port::new(order, rounding, i % 2 == 1, FORMULAS[i % FORMULAS.len()]))
}

#[test]
fn lenet300_is_inside_in_every_order() {
    let case = Case::lenet300(1, &(0..12).map(|i| i * 97).collect::<Vec<i64>>());
    check(&case, ports()).unwrap();
    // Gradients cancel more the better the network is trained.
    check(&case.trained(40), ORDERS.map(|order| Port::new(order, Rounding::F32, false, Formula::Power))).unwrap();
}

/// Smoothed labels, in every order, rounding and formula; where the network is trained p and y cancel.
#[test]
fn smoothed_labels_are_inside() {
    let of = |label_smoothing| Case { label_smoothing, ..Case::lenet300(8, &[0, 31, 62, 93, 124, 155, 186, 217]) };
    check(&of(0.1), ports()).unwrap();
    check(&of(1.0), ports().step_by(5)).unwrap();
    let case = of(0.1).trained(60);
    check(&case, FORMULAS.map(|formula| Port::new(Order::Shuffled, Rounding::F32, false, formula))).unwrap();
}

/// Weights times 4 make logits 64 times as large, times 8 512 times: the softmax saturates, tiny probabilities and
/// losses appear.
#[test]
fn saturated_lenet300_is_inside() {
    for factor in [4.0, 8.0] {
        let mut case = Case::lenet300(2, &[1, 5, 9, 13]);
        case.parameters.iter_mut().for_each(|p| p.value.mapv_inplace(|w| w * factor));
        check(&case, FORMULAS.map(|formula| Port::new(Order::Shuffled, Rounding::F32, false, formula))).unwrap();
    }
}

/// Most weights eliminated, as after some epochs: whole sums are exactly 0.
#[test]
fn sparse_lenet300_is_inside() {
    let mut case = Case::lenet300(4, &(0..8).collect::<Vec<i64>>());
    for parameter in case.parameters.iter_mut() {
        parameter.value.iter_mut().enumerate().filter(|(i, _)| i % 16 != 0).for_each(|(_, w)| *w = 0.0);
    }
    check(&case, ORDERS.map(|order| Port::new(order, Rounding::Noisy, true, Formula::Shifted))).unwrap();
}

/// The samples of a batch in another order: sums over the batch change, nothing else.
#[test]
fn a_shuffled_batch_is_inside() {
    let indices: Vec<i64> = (0..64).map(|i| i * 11).collect();
    let mut turned = indices.clone();
    turned.reverse();
    turned.swap(3, 40);
    let enclosure = Case::lenet300(5, &indices).enclose(&Arithmetic::of(Dtype::F32));
    for kernel in [Kernel::Literal, Kernel::Fast] {
        inside(&enclosure, &Case::lenet300(5, &turned).own::<f32>(kernel), "shuffled").unwrap();
    }
}

/// Weights and inputs so small that products underflow.
#[test]
fn underflow_is_inside() {
    let mut case = Case::lenet300(6, &[0, 1, 2]);
    let tiny = f64::from(f32::MIN_POSITIVE) * 64.0;
    case.parameters.iter_mut().for_each(|p| p.value.mapv_inplace(|w| f64::from((w * tiny) as f32)));
    let roundings = [Rounding::F32, Rounding::FlushedF32];
    check(&case, roundings.map(|rounding| Port::new(Order::Pairwise, rounding, false, Formula::Shifted))).unwrap();
}

/// A small network of random layers, with random weights and images exact in `f32`.
fn random_case() -> impl Strategy<Value = Case> {
    let convolutions = prop::collection::vec((1..4usize, 1..4usize, 1..3usize, 0..2usize, any::<bool>()), 0..3);
    let hidden = prop::collection::vec(1..7usize, 0..3);
    let shape = (1..3usize, 5..9usize, 5..9usize, 2..5usize, 1..6usize);
    (shape, convolutions, hidden, any::<u64>(), 0.2..3.0f64).prop_map(
        |((c, h, w, classes, n), convolutions, hidden, seed, scale)| {
            build([c, h, w], classes, n, &convolutions, &hidden, seed, scale)
        },
    )
}

fn build(
    input: [usize; 3],
    classes: usize,
    n: usize,
    convolutions: &[(usize, usize, usize, usize, bool)],
    hidden: &[usize],
    seed: u64,
    scale: f64,
) -> Case {
    let mut layers = Vec::new();
    let [mut channels, mut h, mut w] = input;
    for &(outputs, kernel, stride, padding, pools) in convolutions {
        let (kernel, padding) = (kernel.min(h).min(w), padding.min(kernel / 2));
        let window = Window { stride: [stride; 2], padding: [padding; 2], ..Window::PLAIN };
        let init = Init::Uniform { bound: 1.0 };
        layers.push(Layer::Conv2d { inputs: channels, outputs, kernel: [kernel; 2], window, bias: pools, init });
        layers.push(Layer::Relu);
        channels = outputs;
        [h, w] = [h, w].map(|extent| (extent + 2 * padding - kernel) / stride + 1);
        if pools && h >= 2 && w >= 2 {
            // A stride of 1 makes windows overlap.
            layers.push(Layer::MaxPool { kernel: 2, stride });
            [h, w] = [h, w].map(|extent| (extent - 2) / stride + 1);
        }
    }
    layers.push(Layer::Flatten);
    let mut inputs = channels * h * w;
    for &outputs in hidden {
        layers.extend([Layer::Linear { inputs, outputs }, Layer::Relu]);
        inputs = outputs;
    }
    layers.push(Layer::Linear { inputs, outputs: classes });
    let layer = Layer::sequence(layers.into_iter().enumerate().map(|(i, layer)| (i.to_string(), layer)));
    let network = Network::new("random", input, classes, layer);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let parameters = network.initialise::<f32>(&mut rng);
    let mut draw = || f64::from((rand::Rng::random_range(&mut rng, -1.0..1.0) * scale) as f32);
    let x = ArrayD::from_shape_simple_fn(vec![n, input[0], input[1], input[2]], &mut draw);
    let labels = (0..n).map(|i| (i * 7 + seed as usize % 5) % classes).collect();
    let mut parameters = widened(&parameters);
    parameters.iter_mut().for_each(|p| p.value.mapv_inplace(|w| f64::from((w * scale) as f32)));
    Case { network, parameters, x, labels, label_smoothing: 0.0 }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}, batch {:?}, labels {:?}", self.network, self.x.shape(), self.labels)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_networks_are_inside_in_every_order(case in random_case()) {
        check(&case, ports()).map_err(TestCaseError::fail)?;
    }
}
