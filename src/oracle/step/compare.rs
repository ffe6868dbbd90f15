//! A port's recorded loss and gradients against their enclosure.

use super::{Enclosure, GradientBounds, Refusal};
use crate::error::Error;
use crate::oracle::arithmetic::Tolerance;
use crate::oracle::interval::Interval;
use crate::scalar::DoubleDouble;
use ndarray::{ArrayD, Dimension};

/// A gradient as a trace holds it.
#[derive(Debug, Clone)]
pub struct RecordedGradient {
    /// The parameter's name.
    pub name: String,
    pub value: ArrayD<f64>,
    /// False where the gradient may have been masked before it was recorded, that is, may be 0. `None`: nowhere.
    pub alive: Option<ArrayD<bool>>,
    /// How far the recorded number may be from the port's own, where it is recorded narrower.
    pub storage: Tolerance,
}

/// What a trace holds of one batch.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    pub loss: Option<f64>,
    /// As [`RecordedGradient::storage`].
    pub loss_storage: Tolerance,
    /// The loss's: the share of a target that is spread over all classes.
    pub label_smoothing: f64,
    /// Of any parameters, in any order.
    pub gradients: &'a [RecordedGradient],
}

/// Recorded as computed.
pub const AS_COMPUTED: Tolerance = Tolerance { relative: 0.0, absolute: 0.0 };

/// A recorded number outside its enclosure.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// The end of the tensor's name: `loss` or `grad/<parameter>`.
    pub tensor: String,
    /// One entry an axis; none for the loss.
    pub index: Vec<usize>,
    pub got: f64,
    pub expected: Interval,
}

/// What checking one batch found.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The loss first, then gradients in the network's order, row-major.
    pub mismatches: Vec<Mismatch>,
    /// How many numbers were compared.
    pub compared: usize,
    /// [`Enclosure::ambiguous`] and [`Enclosure::decisions`].
    pub ambiguous: usize,
    pub decisions: usize,
}

impl Enclosure {
    /// The recorded numbers that lie outside; `NaN` does. Gradients of names that the network lacks are left out.
    ///
    /// # Errors
    /// [`Refusal::Fit`] if a recorded array has another shape than the parameter.
    pub fn compare(&self, recorded: &Recorded) -> Result<Comparison, Refusal> {
        let (ambiguous, decisions) = (self.ambiguous, self.decisions);
        let mut comparison = Comparison { mismatches: Vec::new(), compared: 0, ambiguous, decisions };
        if let Some(loss) = recorded.loss {
            comparison.see("loss", &[], loss, stored(self.loss, recorded.loss_storage));
        }
        for bounds in &self.gradients {
            if let Some(gradient) = recorded.gradients.iter().find(|gradient| gradient.name == bounds.name) {
                bounds.compare(gradient, &mut comparison)?;
            }
        }
        Ok(comparison)
    }
}

impl GradientBounds {
    fn compare(&self, recorded: &RecordedGradient, comparison: &mut Comparison) -> Result<(), Refusal> {
        let tensor = format!("grad/{}", self.name);
        let alive = recorded.alive.as_ref();
        for shape in [Some(recorded.value.shape()), alive.map(ArrayD::shape)].into_iter().flatten() {
            if shape != self.low.shape() {
                let expected = format!("shape {:?}", self.low.shape());
                return Err(Error::shape("step", tensor, expected, format!("shape {shape:?}")).into());
            }
        }
        for ((index, &got), (&low, &high)) in recorded.value.indexed_iter().zip(self.low.iter().zip(&self.high)) {
            let masked = got == 0.0 && alive.is_some_and(|alive| !alive[&index]);
            if !masked {
                comparison.see(&tensor, index.slice(), got, stored(Interval { low, high }, recorded.storage));
            }
        }
        Ok(())
    }
}

impl Comparison {
    fn see(&mut self, tensor: &str, index: &[usize], got: f64, expected: Interval) {
        self.compared += 1;
        if !expected.contains(got) {
            self.mismatches.push(Mismatch { tensor: tensor.to_string(), index: index.to_vec(), got, expected });
        }
    }
}

/// What may be recorded of a number that may be any of `computed`.
fn stored(computed: Interval, storage: Tolerance) -> Interval {
    if storage == AS_COMPUTED {
        return computed;
    }
    let around = |end: f64| Interval::around(DoubleDouble::from(end), storage.relative, storage.absolute);
    around(computed.low).hull(around(computed.high))
}
