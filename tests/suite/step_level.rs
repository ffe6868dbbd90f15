//! The step level of the oracle: every correct port is inside the enclosure, a wrong one is not, and the enclosure is
//! as narrow as published.

mod mistake;
mod port;
mod port_layers;
mod port_loss;
mod recorded;
mod refusals;
mod sharpness;
mod soundness;
mod teeth;
mod width;

use gdstar::kernel::{Kernel, Targets};
use gdstar::nn::{Mode, Network, Parameter, Parameters};
use gdstar::ops::CrossEntropy;
use gdstar::oracle::step::{
    AS_COMPUTED, Balls, Comparison, Enclosure, Recorded, RecordedGradient, Refusal, Task, enclose,
};
use gdstar::scalar::{Dtype, Scalar};
use gdstar::trace::Arithmetic;
use gdstar::train::Step;
use ndarray::ArrayD;
use port::Truth;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A network, weights and a batch, exact in `f32`.
pub struct Case {
    pub network: Network,
    pub parameters: Parameters<f64>,
    pub x: ArrayD<f64>,
    pub labels: Vec<usize>,
    /// Of the loss.
    pub label_smoothing: f64,
}

impl Case {
    /// LeNet300 on the digits at these positions, at initial weights drawn from `seed`.
    pub fn lenet300(seed: u64, indices: &[i64]) -> Self {
        let task = Task::find(Some("lenet300"), Some("digits")).unwrap();
        let (x, labels) = task.batch(indices, &Arithmetic::of(Dtype::F32)).unwrap();
        let x = (x.low() + x.high()) / 2.0;
        let parameters = task.network.initialise::<f32>(&mut ChaCha8Rng::seed_from_u64(seed));
        let x = x.mapv(|x| f64::from(x as f32));
        Self { network: task.network, parameters: widened(&parameters), x, labels, label_smoothing: 0.0 }
    }

    /// The same batch after so many SGD steps on it, at learning rate 0.1.
    pub fn trained(mut self, steps: usize) -> Self {
        for _ in 0..steps {
            let gradients = self.own::<f32>(Kernel::Fast).gradients;
            for parameter in self.parameters.iter_mut() {
                let gradient = &gradients[&parameter.name];
                parameter.value.zip_mut_with(gradient, |w, g| *w = f64::from((*w - 0.1 * g) as f32));
            }
        }
        self
    }

    fn step<S: Scalar>(&self, kernel: Kernel) -> Step<S> {
        let narrowed = |p: &Parameter<f64>| Parameter::new(p.name.clone(), p.role, p.value.mapv(S::from_f64));
        let parameters = Parameters::new(self.parameters.iter().map(narrowed).collect());
        let x = self.x.mapv(S::from_f64);
        let loss = CrossEntropy { labels: self.labels.clone(), label_smoothing: self.label_smoothing };
        Step::compute(&self.network, kernel, &parameters, x, loss, Mode::Training, None).unwrap()
    }

    /// The crate's own step in another number system.
    pub fn own<S: Scalar>(&self, kernel: Kernel) -> Truth {
        let step = self.step::<S>(kernel);
        let named = self.parameters.iter().zip(step.gradients);
        let gradients = named.filter_map(|(p, g)| Some((p.name.clone(), g?.mapv(Scalar::to_f64)))).collect();
        Truth { loss: step.loss.to_f64(), gradients }
    }

    /// The largest absolute value of a logit.
    pub fn largest_logit(&self) -> f64 {
        self.step::<f64>(Kernel::Fast).logits.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()))
    }

    pub fn enclose(&self, arithmetic: &Arithmetic) -> Enclosure {
        self.try_enclose(arithmetic).unwrap()
    }

    pub fn try_enclose(&self, arithmetic: &Arithmetic) -> Result<Enclosure, Refusal> {
        let weights = self.parameters.iter().map(|p| Balls::exact(p.value.clone())).collect();
        let targets = Targets { labels: &self.labels, smoothing: self.label_smoothing };
        enclose(&self.network, weights, Balls::exact(self.x.clone()), targets, arithmetic)
    }
}

/// The same parameters in `f64`.
pub fn widened(parameters: &Parameters<f32>) -> Parameters<f64> {
    let widen = |p: &Parameter<f32>| Parameter::new(p.name.clone(), p.role, p.value.mapv(f64::from));
    Parameters::new(parameters.iter().map(widen).collect())
}

/// The comparison of what a port recorded with the enclosure.
pub fn compare(enclosure: &Enclosure, step: &Truth) -> Comparison {
    let gradients: Vec<RecordedGradient> =
        step.gradients.iter().map(|(name, value)| as_computed(name, value.clone())).collect();
    let recorded =
        Recorded { loss: Some(step.loss), loss_storage: AS_COMPUTED, label_smoothing: 0.0, gradients: &gradients };
    enclosure.compare(&recorded).unwrap()
}

/// A gradient recorded as it was computed, not masked.
pub fn as_computed(name: &str, value: ArrayD<f64>) -> RecordedGradient {
    RecordedGradient { name: name.to_string(), value, alive: None, storage: AS_COMPUTED }
}

/// The numbers outside, and how many were compared.
pub fn outside(enclosure: &Enclosure, step: &Truth) -> (usize, usize) {
    let comparison = compare(enclosure, step);
    (comparison.mismatches.len(), comparison.compared)
}

/// `Ok` if all is inside.
pub fn inside(enclosure: &Enclosure, step: &Truth, who: &str) -> Result<(), String> {
    let comparison = compare(enclosure, step);
    match comparison.mismatches.first() {
        None => Ok(()),
        Some(first) => {
            Err(format!("{who}: {} of {} outside: {first:?}", comparison.mismatches.len(), comparison.compared))
        }
    }
}
