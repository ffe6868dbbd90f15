//! What the ops on a tape take: parameters, arithmetic and memory.

use super::value::Value;
use super::{Record, Tape};
use crate::op::Cost;
use crate::scalar::Scalar;

impl<S: Scalar> Tape<'_, S> {
    /// How many entries of parameters an op took.
    pub fn parameters(&self, record: &Record<S>) -> usize {
        let inputs = record.inputs.iter().map(|&i| &self.values[i]);
        inputs.filter(|value| value.leaf && value.differentiable).map(Value::elements).sum()
    }

    /// The multiply-accumulates of a training step: forward, and backward for the gradients that are wanted.
    pub fn step_multiply_accumulates(&self) -> usize {
        let wanted =
            |record: &Record<S>, i: usize| record.inputs.get(i).is_some_and(|&i| self.values[i].differentiable);
        let of_record = |record: &Record<S>| {
            let Cost { multiply_accumulates, weight_gradient, .. } = record.cost;
            let input_gradient = if wanted(record, 0) { multiply_accumulates } else { 0 };
            multiply_accumulates + input_gradient + if wanted(record, 1) { weight_gradient } else { 0 }
        };
        self.records.iter().map(of_record).sum()
    }

    /// The bytes of all values that are kept for backward, and of what ops saved beside them: the saved activations.
    /// Parameters are not counted; on a tape of shapes, values count as if they had been computed.
    pub fn kept_bytes(&self) -> usize {
        let is_kept = |value: &&Value<S>| !(value.leaf && value.differentiable) && (value.read || !value.released);
        let values: usize = self.values.iter().filter(is_kept).map(Value::elements).sum();
        let saved = |record: &Record<S>| record.inputs.iter().any(|&i| self.values[i].differentiable);
        let beside: usize = self.records.iter().filter(|r| saved(r)).map(|r| r.cost.saved_bytes).sum();
        values * size_of::<S>() + beside
    }
}
