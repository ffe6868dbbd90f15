//! The step level of the oracle: every correct port is inside the enclosure, a wrong one is not, and the enclosure is
//! as narrow as published.

mod port;
mod port_layers;
mod port_loss;
mod refusals;
mod soundness;
mod teeth;
mod width;

use gdstar::nn::{Network, Parameters};
use gdstar::oracle::arithmetic::Arithmetic;
use gdstar::oracle::step::{Balls, Enclosure, Recorded, Task, enclose};
use gdstar::train::Precision;
use ndarray::ArrayD;
use port::{Port, Truth};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// A network, weights and a batch, exact in `f32`.
pub struct Case {
    pub network: Network,
    pub parameters: Parameters<f64>,
    pub x: ArrayD<f64>,
    pub labels: Vec<usize>,
}

impl Case {
    /// LeNet300 on the digits at these positions, at initial weights drawn from `seed`.
    pub fn lenet300(seed: u64, indices: &[i64]) -> Self {
        let task = Task::find(Some("lenet300"), Some("digits")).unwrap();
        let (x, labels) = task.batch(indices, &Arithmetic::of(Precision::F32)).unwrap();
        let x = (x.low() + x.high()) / 2.0;
        let parameters = task.network.initialise::<f32>(&mut ChaCha8Rng::seed_from_u64(seed));
        Self { network: task.network, parameters: widened(&parameters), x: x.mapv(|x| f64::from(x as f32)), labels }
    }

    pub fn enclose(&self, arithmetic: &Arithmetic) -> Enclosure {
        let x = Balls::exact(self.x.clone());
        enclose(&self.network, &self.parameters, x, &self.labels, arithmetic).unwrap()
    }

    /// What `port` records of this batch.
    pub fn run(&self, port: &Port) -> Truth {
        port.run(self)
    }
}

/// The same parameters in `f64`.
pub fn widened(parameters: &Parameters<f32>) -> Parameters<f64> {
    let widen = |p: &gdstar::nn::Parameter<f32>| gdstar::nn::Parameter {
        name: p.name.clone(),
        role: p.role,
        value: p.value.mapv(f64::from),
    };
    Parameters::new(parameters.iter().map(widen).collect())
}

/// The numbers outside, and how many were compared.
pub fn outside(enclosure: &Enclosure, step: &Truth) -> (usize, usize) {
    let recorded =
        Recorded { indices: &[], loss: Some(step.loss), gradients: &step.gradients, alive: &BTreeMap::new() };
    let outcome = enclosure.compare(&recorded).unwrap();
    (outcome.mismatches.len(), outcome.compared)
}

/// `Ok` if all is inside.
pub fn inside(enclosure: &Enclosure, step: &Truth, who: &str) -> Result<(), String> {
    let recorded =
        Recorded { indices: &[], loss: Some(step.loss), gradients: &step.gradients, alive: &BTreeMap::new() };
    let outcome = enclosure.compare(&recorded).map_err(|e| e.to_string())?;
    match outcome.mismatches.first() {
        None => Ok(()),
        Some(first) => Err(format!("{who}: {} of {} outside: {first:?}", outcome.mismatches.len(), outcome.compared)),
    }
}
