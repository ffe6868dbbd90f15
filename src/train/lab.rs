//! [`Lab`] of a run: its training samples, and its network's gradients before training.

use super::{Run, Step};
use crate::data::{Split, epoch_order};
use crate::error::{Error, Result};
use crate::method::{Gradients, Lab};
use crate::nn::{Mode, Parameter, Parameters};
use crate::ops::Mul;
use crate::random::{Purpose, stream};
use crate::scalar::{Dual, Scalar};
use crate::tape::Tape;
use crate::weights::Weights;
use ndarray::ArrayD;

impl<S: Scalar> Lab<S> for Run<'_> {
    /// In the order of the first epoch.
    fn samples(&self) -> Vec<(usize, usize)> {
        let labels = &self.dataset.train.labels;
        epoch_order(labels.len(), self.config.seed, 0).into_iter().map(|i| (i, usize::from(labels[i]))).collect()
    }

    /// Images as they are; dropout is off, and batch norm takes the batch's statistics.
    fn gradient(&self, w: &Weights<S>, samples: &[usize]) -> Result<Vec<S>> {
        let (x, labels) = self.dataset.batch(Split::Train, samples, None);
        let (kernel, loss) = (self.config.kernel, self.loss(labels));
        let step = Step::compute(&self.network, kernel, &w.parameters, x, loss, Mode::Training, None)?;
        finite("the loss before training", step.loss)?;
        Ok(Gradients { parameters: &w.parameters, stored: &step.gradients }.over(w))
    }

    fn fresh(&self, w: &Weights<S>) -> Vec<S> {
        let mut rng = stream(self.config.seed, Purpose::FreshWeights, 0);
        w.set().gather(&self.network.drawn(&mut rng, self.config.reading.initial_weights))
    }

    /// In f64 whatever the run's precision: dual numbers over both would compile every op twice more.
    fn hessian_gradient(&self, w: &Weights<S>, samples: &[usize], temperature: f64) -> Result<Vec<S>> {
        let still = |parameter: &Parameter<S>| parameter.value.mapv(|value| Dual::constant(value.to_f64()));
        let gradient = self.gradient_of_duals(w, &w.parameters.map(still), samples, temperature)?;
        let mut directions = gradient.into_iter();
        let of_w = w.set().segments();
        let mut i = 0;
        let moving = |parameter: &Parameter<S>| {
            let is_of_w = of_w.iter().any(|segment| segment.parameter == i);
            i += 1;
            parameter.value.mapv(|value| {
                let direction = if is_of_w { directions.next().map_or(0.0, Dual::value) } else { 0.0 };
                Dual::new(value.to_f64(), direction)
            })
        };
        let along = self.gradient_of_duals(w, &w.parameters.map(moving), samples, temperature)?;
        Ok(along.into_iter().map(|gradient| S::from_f64(gradient.derivative())).collect())
    }
}

impl Run<'_> {
    /// The gradient of the mean loss of logits divided by `temperature`, flattened over W.
    fn gradient_of_duals<S: Scalar>(
        &self,
        w: &Weights<S>,
        parameters: &Parameters<Dual<f64>>,
        samples: &[usize],
        temperature: f64,
    ) -> Result<Vec<Dual<f64>>> {
        let (x, labels) = self.dataset.batch::<S>(Split::Train, samples, None);
        let x = x.mapv(|pixel| Dual::constant(pixel.to_f64()));
        let mut tape = Tape::new(self.config.kernel);
        let pass = self.network.forward(&mut tape, parameters, x, Mode::Training, None)?;
        let factor = tape.leaf(ArrayD::from_elem(vec![1], Dual::from_f64(1.0 / temperature)), false);
        let logits = tape.apply_one(Mul, &[pass.logits, factor])?;
        let loss = tape.apply_one(self.loss(labels), &[logits])?;
        finite("the loss before training", tape.value(loss).first().copied().unwrap_or_default())?;
        let mut gradients = tape.backward(loss)?;
        let stored: Vec<_> = pass.leaves.iter().map(|&leaf| gradients.take(leaf)).collect();
        let of_w = w.set().segments().iter().filter_map(|segment| stored[segment.parameter].as_ref());
        Ok(of_w.flat_map(|gradient| gradient.iter().copied().collect::<Vec<_>>()).collect())
    }
}

fn finite<S: Scalar>(quantity: &str, value: S) -> Result<()> {
    if value.is_finite() { Ok(()) } else { Err(Error::non_finite(quantity, (0, 0), value.to_f64())) }
}
