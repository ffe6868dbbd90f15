//! [`Stepping`]: the weights while steps are taken, of which those that are sparse enough are compressed.

use super::{Segment, Weights, share_of_dead};
use crate::error::Result;
use crate::kernel::Pattern;
use crate::nn::{Compression, Parameters, Role, compress, expand};
use crate::ops::WeightGradient;
use crate::scalar::Scalar;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// In what form weights are stored while steps are taken.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The sparsity from which on a weight of this rank (2: linear, 4: convolution) is compressed.
    pub break_even: fn(rank: usize, batch_size: usize) -> f64,
    pub batch_size: usize,
    /// Which gradients of a compressed weight are computed.
    pub gradient: WeightGradient,
    /// Whether momentum is stored as the weight is; whole, if not.
    pub with_momentum: bool,
}

/// The weights while steps are taken. Dropped, also by an error, it leaves everything in its own shape.
#[derive(Debug)]
pub struct Stepping<'a, S: Scalar> {
    weights: &'a mut Weights<S>,
    form: Option<Form>,
    /// Whether the weights are in that form, under the mask as it is.
    is_stored: bool,
}

impl<S: Scalar> Weights<S> {
    /// The weights for steps to come, in this form; all whole if none is given.
    pub fn stepping(&mut self, form: Option<Form>) -> Stepping<'_, S> {
        Stepping { weights: self, form, is_stored: false }
    }

    /// Brings everything back into its own shape.
    fn expand(&mut self) {
        let parameters = &self.parameters;
        for slot in &mut self.slots {
            slot.expand(&self.set, |segment| pattern(parameters, segment));
        }
        for (parameter, momentum) in self.parameters.iter_mut().zip(&mut self.momentum) {
            if let Some(pattern) = parameter.pattern() {
                // Momentum that was left whole has the weight's own shape.
                if momentum.shape() == parameter.value.shape() {
                    expand(momentum, pattern);
                }
                parameter.expand();
            }
        }
        if let Some(mask) = self.mask.as_mut().filter(|mask| mask.is_empty()) {
            *mask = vec![true; self.set.len()];
        }
    }
}

impl<S: Scalar> Stepping<'_, S> {
    /// Brings the weights into the form of steps, if they are not in it: at the first step, and after a method has acted.
    /// `all`: whether this step's gradients are wanted of all weights. Returns whether they were not in that form.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if a weight has too many entries an output to be indexed.
    pub fn store(&mut self, all: bool) -> Result<bool> {
        let was_stored = self.is_stored;
        self.store_values()?;
        let Some(form) = self.form else { return Ok(!was_stored) };
        let gradient = if all { WeightGradient::All } else { form.gradient };
        for segment in self.weights.set.segments() {
            if let Some(compression) = &mut self.weights.parameters[segment.parameter].compression {
                compression.gradient = gradient;
            }
        }
        Ok(!was_stored)
    }

    fn store_values(&mut self) -> Result<()> {
        if self.is_stored {
            return Ok(());
        }
        let weights = &mut *self.weights;
        let mask = weights.mask.as_deref().unwrap_or_default();
        let has_dead = mask.iter().any(|&alive| !alive);
        if let Some(form) = self.form.filter(|_| has_dead) {
            for segment in weights.set.segments() {
                let (parameter, mask) = (&mut weights.parameters[segment.parameter], &mask[segment.range.clone()]);
                let break_even = (form.break_even)(parameter.value.ndim(), form.batch_size);
                if parameter.role == Role::Weight && share_of_dead(mask, mask.len()) >= break_even {
                    let pattern = Arc::new(Pattern::new(parameter.value.shape(), mask)?);
                    if form.with_momentum {
                        compress(&mut weights.momentum[segment.parameter], &pattern);
                    }
                    parameter.compress(Compression { pattern, gradient: form.gradient });
                }
            }
            for slot in &mut weights.slots {
                slot.compress(&weights.set, |segment| pattern(&weights.parameters, segment));
            }
        }
        if let Some(mask) = weights.mask.as_mut().filter(|_| !has_dead) {
            // Steps without a mask are faster.
            *mask = Vec::new();
        }
        self.is_stored = true;
        Ok(())
    }

    /// The weights with everything in its own shape, for a method to act on; what it does to masks counts from the next
    /// step on.
    pub fn whole(&mut self) -> &mut Weights<S> {
        self.weights.expand();
        self.is_stored = false;
        self.weights
    }
}

impl<S: Scalar> Deref for Stepping<'_, S> {
    type Target = Weights<S>;

    fn deref(&self) -> &Weights<S> {
        self.weights
    }
}

impl<S: Scalar> DerefMut for Stepping<'_, S> {
    fn deref_mut(&mut self) -> &mut Weights<S> {
        self.weights
    }
}

impl<S: Scalar> Drop for Stepping<'_, S> {
    fn drop(&mut self) {
        self.weights.expand();
    }
}

/// Under which pattern a parameter of W is stored.
fn pattern<S: Scalar>(parameters: &Parameters<S>, segment: &Segment) -> Option<Arc<Pattern>> {
    parameters[segment.parameter].pattern().cloned()
}
