//! Golden training steps: forward, backward and optimizer together, against PyTorch in f64.
//!
//! The bound. Two correct f64 computations of one step differ by what rounding does along the longest chain of
//! operations: at most `gamma(n)` relative to the size of each tensor, n being the sum of the reduction lengths
//! along the path. Later steps carry that difference on and amplify it. The amplification is measured, not guessed:
//! the same trajectory is run from weights that are perturbed by a known relative amount, far above rounding, and
//! its end is compared. The bound is then `steps * gamma(n) * amplification`, in the norm of each tensor.

use crate::common::bounds::gamma;
use crate::common::path::path_length;
use gdstar::kernel::Kernel;
use gdstar::method::Needs;
use gdstar::nn::models;
use gdstar::nn::{Mode, Network, Parameters};
use gdstar::paper::reading::{Decayed, Prunable};
use gdstar::scalar::Scalar;
use gdstar::tensor_file::TensorFile;
use gdstar::train::{Sgd, SgdSettings, Step};
use gdstar::weights::Weights;
use ndarray::{ArrayD, ArrayViewD};
use serde::Deserialize;
use std::path::Path;

/// The golden's own account of itself.
#[derive(Deserialize)]
struct Header {
    model: String,
    steps: usize,
    batch_size: usize,
    lr: f64,
    momentum: f64,
    weight_decay: f64,
    classes: usize,
}

/// A golden trajectory and the network it is of.
struct Golden {
    file: TensorFile,
    header: Header,
    network: Network,
    /// Shape of one input, [c,h,w].
    input: [usize; 3],
}

impl Golden {
    fn open(name: &str, input: [usize; 3]) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
        let file = TensorFile::open(&path).unwrap();
        let header: Header = serde_json::from_str(file.metadata("gdstar-golden").unwrap()).unwrap();
        let network = models::find(&header.model).unwrap().network(input, header.classes).unwrap();
        Self { file, header, network, input }
    }

    fn initial(&self) -> Parameters<f64> {
        let mut parameters = self.network.initialise::<f64>(&mut rand::SeedableRng::seed_from_u64(0));
        for parameter in parameters.iter_mut() {
            let shape = parameter.value.shape().to_vec();
            parameter.value =
                self.file.read::<f32>(&format!("init/{}", parameter.name), Some(&shape)).unwrap().mapv(f64::from);
        }
        parameters
    }

    fn batch(&self, i: usize) -> (ArrayD<f64>, Vec<usize>) {
        let input = self.file.read::<f32>(&format!("batch/{i}/input"), None).unwrap().mapv(f64::from);
        let [c, h, w] = self.input;
        let x = input.into_shape_with_order(vec![self.header.batch_size, c, h, w]).unwrap();
        let labels = self.file.read::<i64>(&format!("batch/{i}/labels"), None).unwrap();
        (x, labels.iter().map(|&label| usize::try_from(label).unwrap()).collect())
    }

    /// Trains `steps` steps from `parameters` and shows each before the optimizer takes it.
    fn run(
        &self,
        kernel: Kernel,
        steps: usize,
        parameters: Parameters<f64>,
        mut see: impl FnMut(usize, &Step<f64>, &Parameters<f64>),
    ) -> Weights<f64> {
        let Header { lr, momentum, weight_decay, batch_size, .. } = self.header;
        let settings = SgdSettings { learning_rate: lr, momentum, weight_decay, nesterov: false, batch_size };
        let (optimizer, needs) = (Sgd::new(&settings, Decayed::All), Needs::default());
        let mut weights = Weights::new(parameters, Prunable::Weights);
        for i in 0..steps {
            let ((x, labels), parameters) = (self.batch(i), &weights.parameters);
            let mut step = Step::compute(&self.network, kernel, parameters, x, labels, Mode::Training, None).unwrap();
            see(i, &step, parameters);
            step.move_buffers(&mut weights.parameters);
            optimizer.step(kernel, &mut weights, &step.gradients, lr, &needs);
        }
        weights
    }
}

fn norm(x: ArrayViewD<f64>) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// `||a - b|| / ||b||`; NaN if anything is.
fn relative_difference(a: &ArrayD<f64>, b: &ArrayD<f64>) -> f64 {
    norm((a - b).view()) / norm(b.view()).max(f64::MIN_POSITIVE)
}

/// A bound on two full steps may take at most this share of a tensor, and one on ten steps of a deep network the
/// second: far below the first digit that a wrong formula changes, and below what f32 could reach in the first case
/// (2^-24). Larger, a bound would prove nothing.
const SHARP: f64 = 1.0 / (1_u64 << 30) as f64;
const SHARP_AFTER_TEN_STEPS: f64 = 1.0 / (1_u64 << 20) as f64;

/// The bound that the module's documentation derives, and that it is sharp enough to prove something.
fn rounding_bound(golden: &Golden, sharp: f64) -> f64 {
    let steps = golden.header.steps;
    let end = golden.run(Kernel::Fast, steps, golden.initial(), |_, _, _| {}).parameters;
    let bound = steps as f64
        * gamma(path_length(&golden.network, golden.header.batch_size), f64::UNIT_ROUNDOFF)
        * amplification(golden, &end);
    assert!(bound <= sharp, "a bound of {bound:e} would hide a wrong formula");
    bound
}

/// How much larger a relative perturbation of the initial weights is in the worst tensor at the end.
fn amplification(golden: &Golden, end: &Parameters<f64>) -> f64 {
    // Far above rounding (2^-53), far below anything nonlinear but for rare kinks.
    let delta = (-30f64).exp2();
    let mut perturbed = golden.initial();
    for parameter in perturbed.iter_mut() {
        for (i, w) in parameter.value.iter_mut().enumerate() {
            *w *= 1.0 + if i.is_multiple_of(2) { delta } else { -delta };
        }
    }
    let perturbed = golden.run(Kernel::Fast, golden.header.steps, perturbed, |_, _, _| {}).parameters;
    let ratios = perturbed.iter().zip(end.iter()).map(|(a, b)| relative_difference(&a.value, &b.value) / delta);
    ratios.fold(1.0, f64::max)
}

/// Fast takes all steps; Literal, whose plain loops take long over a deep network, the first `literal_steps`.
fn check_trajectory(name: &str, input: [usize; 3], literal_steps: usize) {
    let golden = Golden::open(name, input);
    let all = golden.header.steps;
    let bound = rounding_bound(&golden, SHARP_AFTER_TEN_STEPS);
    for (kernel, steps) in [(Kernel::Fast, all), (Kernel::Literal, literal_steps)] {
        let mut worst = (0.0, String::new());
        let mut compare = |what: String, ours: &ArrayD<f64>, theirs: &ArrayD<f64>| {
            let difference = relative_difference(ours, theirs);
            assert!(difference <= bound, "{name}, {kernel}, {what}: relative difference {difference:e} > {bound:e}");
            if difference >= worst.0 {
                worst = (difference, what);
            }
        };
        let end = golden.run(kernel, steps, golden.initial(), |i, step, parameters| {
            let loss = golden.file.read::<f64>(&format!("step/{i}/loss"), Some(&[1])).unwrap();
            compare(format!("loss of step {i}"), &ArrayD::from_elem(vec![1], step.loss), &loss);
            for (parameter, gradient) in parameters.iter().zip(&step.gradients) {
                let Some(gradient) = gradient else { continue };
                let size =
                    golden.file.read::<f64>(&format!("step/{i}/grad_norm/{}", parameter.name), Some(&[1])).unwrap();
                let ours = ArrayD::from_elem(vec![1], norm(gradient.view()));
                compare(format!("gradient norm of {} in step {i}", parameter.name), &ours, &size);
            }
        });
        for parameter in end.parameters.iter().filter(|_| steps == all) {
            let theirs =
                golden.file.read::<f64>(&format!("final/{}", parameter.name), Some(parameter.value.shape())).unwrap();
            compare(format!("final {}", parameter.name), &parameter.value, &theirs);
        }
        println!("{name}, {kernel}: worst {:.1e} ({}), bound {bound:.1e}", worst.0, worst.1);
    }
}

#[test]
fn ten_steps_of_lenet300_agree_with_pytorch() {
    check_trajectory("trajectory/lenet300.safetensors", [1, 8, 8], 10);
}

#[test]
fn ten_steps_of_resnet20_agree_with_pytorch() {
    check_trajectory("trajectory/resnet20.safetensors", [3, 32, 32], 2);
}

/// Two full steps, every tensor: logits, loss, gradients, and the momentum the optimizer keeps.
#[test]
fn full_training_steps_agree_with_pytorch() {
    let golden = Golden::open("step/lenet300.safetensors", [1, 8, 8]);
    let bound = rounding_bound(&golden, SHARP);
    let read = |name: String, shape: &[usize]| golden.file.read::<f64>(&name, Some(shape)).unwrap();
    for kernel in [Kernel::Fast, Kernel::Literal] {
        let compare = |what: String, ours: &ArrayD<f64>| {
            let difference = relative_difference(ours, &read(what.clone(), ours.shape()));
            assert!(difference <= bound, "{kernel}, {what}: relative difference {difference:e} > {bound:e}");
        };
        let end = golden.run(kernel, golden.header.steps, golden.initial(), |i, step, parameters| {
            compare(format!("step/{i}/loss"), &ArrayD::from_elem(vec![1], step.loss));
            compare(format!("step/{i}/logits"), &step.logits);
            for (parameter, gradient) in parameters.iter().zip(&step.gradients) {
                compare(format!("step/{i}/grad/{}", parameter.name), gradient.as_ref().unwrap());
            }
        });
        for (parameter, buffer) in end.parameters.iter().zip(&end.momentum) {
            compare(format!("final/{}", parameter.name), &parameter.value);
            compare(format!("momentum/{}", parameter.name), buffer);
        }
    }
}
