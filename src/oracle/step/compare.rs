//! A port's recorded loss and gradients against their enclosure.

use super::{Enclosure, GradientBounds, NotChecked, Task, enclose};
use crate::error::Error;
use crate::nn::{Parameter, Parameters};
use crate::oracle::arithmetic::Arithmetic;
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// What a trace holds of one batch.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Which samples, as positions in the training split.
    pub indices: &'a [i64],
    pub loss: Option<f64>,
    /// By parameter name.
    pub gradients: &'a BTreeMap<String, ArrayD<f64>>,
    /// By parameter name: false where the recorded gradient may have been masked, that is, may be 0.
    pub alive: &'a BTreeMap<String, ArrayD<bool>>,
}

/// A recorded number outside its enclosure.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// The end of the tensor's name: `loss` or `grad/<parameter>`.
    pub tensor: String,
    /// One entry an axis.
    pub index: Vec<usize>,
    pub got: f64,
    pub low: f64,
    pub high: f64,
}

/// What checking one batch found.
#[derive(Debug)]
pub struct Outcome {
    /// The loss first, then gradients in the network's order, row-major.
    pub mismatches: Vec<Mismatch>,
    /// How many numbers were compared.
    pub compared: usize,
    /// [`Enclosure::ambiguous`] and [`Enclosure::decisions`].
    pub ambiguous: usize,
    pub decisions: usize,
}

impl Task {
    /// Checks one batch, of which `weight` gives the parameters at its start by name.
    ///
    /// # Errors
    /// The reason why nothing can be said.
    pub fn check(
        &self,
        weight: impl Fn(&str) -> Option<ArrayD<f64>>,
        recorded: &Recorded,
        arithmetic: &Arithmetic,
    ) -> Result<Outcome, NotChecked> {
        let parameters = self.network.specs().into_iter().map(|spec| match weight(&spec.name) {
            Some(value) => Ok(Parameter { name: spec.name, role: spec.role, value }),
            None => Err(NotChecked::Missing { name: spec.name }),
        });
        let parameters = Parameters::new(parameters.collect::<Result<_, _>>()?);
        let (x, labels) = self.batch(recorded.indices, arithmetic)?;
        enclose(&self.network, &parameters, x, &labels, arithmetic)?.compare(recorded)
    }
}

impl Enclosure {
    /// The recorded numbers that lie outside; `NaN` does. Gradients of names that the network lacks are left out.
    ///
    /// # Errors
    /// [`NotChecked::Fit`] if a recorded array has another shape than the parameter.
    pub fn compare(&self, recorded: &Recorded) -> Result<Outcome, NotChecked> {
        let mut outcome =
            Outcome { mismatches: Vec::new(), compared: 0, ambiguous: self.ambiguous, decisions: self.decisions };
        if let Some(loss) = recorded.loss {
            outcome.see("loss", &[], loss, self.loss);
        }
        for bounds in &self.gradients {
            if let Some(gradient) = recorded.gradients.get(&bounds.name) {
                bounds.compare(gradient, recorded.alive.get(&bounds.name), &mut outcome)?;
            }
        }
        Ok(outcome)
    }
}

impl GradientBounds {
    fn compare(
        &self,
        gradient: &ArrayD<f64>,
        alive: Option<&ArrayD<bool>>,
        outcome: &mut Outcome,
    ) -> Result<(), NotChecked> {
        let tensor = format!("grad/{}", self.name);
        for shape in [Some(gradient.shape()), alive.map(ArrayD::shape)].into_iter().flatten() {
            if shape != self.low.shape() {
                let expected = format!("shape {:?}", self.low.shape());
                return Err(Error::shape("step", tensor, expected, format!("shape {shape:?}")).into());
            }
        }
        for ((index, &got), (&low, &high)) in gradient.indexed_iter().zip(self.low.iter().zip(&self.high)) {
            let masked = got == 0.0 && alive.is_some_and(|alive| !alive[&index]);
            if !masked {
                outcome.see(&tensor, ndarray::Dimension::slice(&index), got, (low, high));
            }
        }
        Ok(())
    }
}

impl Outcome {
    fn see(&mut self, tensor: &str, index: &[usize], got: f64, (low, high): (f64, f64)) {
        self.compared += 1;
        if !(low <= got && got <= high) {
            self.mismatches.push(Mismatch { tensor: tensor.to_string(), index: index.to_vec(), got, low, high });
        }
    }
}
