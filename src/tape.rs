//! [`Tape`]: reverse-mode differentiation as an arena of values and the operations that made them.
//!
//! Running an op forward appends its outputs and a record of how to go back. [`Tape::backward`] walks the records
//! from last to first and adds up what reaches each value: the chain rule, and nothing else.

use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::op::Op;
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, CowArray, IxDyn, Zip};
use std::ops::Range;

/// A value on a [`Tape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Var(usize);

/// The gradient of one op's inputs from the gradients of its outputs, with everything it saved.
type Backward<S> = Box<dyn Fn(&[ArrayViewD<S>], &[ArrayViewD<S>], &[bool]) -> Vec<Option<ArrayD<S>>>>;

struct Record<S: Scalar> {
    label: String,
    inputs: Vec<usize>,
    outputs: Range<usize>,
    backward: Backward<S>,
}

/// The values of one forward pass, in the order they were computed. Parameters are borrowed for `'p`.
pub struct Tape<'p, S: Scalar> {
    kernel: Kernel,
    values: Vec<CowArray<'p, S, IxDyn>>,
    /// Whether anything that wants a gradient led to this value.
    differentiable: Vec<bool>,
    records: Vec<Record<S>>,
    scope: String,
}

/// The gradients that [`Tape::backward`] found.
pub struct Gradients<S>(Vec<Option<ArrayD<S>>>);

impl<S> Gradients<S> {
    /// Takes out the gradient of `var`; `None` if the loss does not depend on it.
    pub fn take(&mut self, var: Var) -> Option<ArrayD<S>> {
        self.0.get_mut(var.0).and_then(Option::take)
    }
}

impl<'p, S: Scalar> Tape<'p, S> {
    /// An empty tape whose ops compute with `kernel`.
    pub fn new(kernel: Kernel) -> Self {
        Self { kernel, values: Vec::new(), differentiable: Vec::new(), records: Vec::new(), scope: String::new() }
    }

    /// Puts a value on the tape that no op computed. Gradients flow to it if it is a `parameter`.
    pub fn leaf(&mut self, value: impl Into<CowArray<'p, S, IxDyn>>, parameter: bool) -> Var {
        self.values.push(value.into());
        self.differentiable.push(parameter);
        Var(self.values.len() - 1)
    }

    /// Names the layer that the ops to come belong to, for messages.
    pub fn enter(&mut self, scope: &str) {
        self.scope.clear();
        self.scope.push_str(scope);
    }

    /// Runs `op` forward on `inputs` and records it; one [`Var`] per output.
    ///
    /// # Errors
    /// [`Error::Shape`] if the inputs do not fit the op.
    pub fn apply<O: Op>(&mut self, op: O, inputs: &[Var]) -> Result<Vec<Var>> {
        let inputs: Vec<usize> = inputs.iter().map(|var| var.0).collect();
        let views: Vec<ArrayViewD<S>> = inputs.iter().map(|&i| self.values[i].view()).collect();
        let shapes: Vec<&[usize]> = views.iter().map(|view| view.shape()).collect();
        op.out_shapes(&shapes)?;
        let (outputs, saved) = op.forward(self.kernel, &views);
        let differentiable = inputs.iter().any(|&i| self.differentiable[i]);
        let first = self.values.len();
        self.values.extend(outputs.into_iter().map(CowArray::from));
        self.differentiable.resize(self.values.len(), differentiable);
        let kernel = self.kernel;
        self.records.push(Record {
            label: format!("{} ({})", self.scope, O::NAME),
            inputs,
            outputs: first..self.values.len(),
            backward: Box::new(move |inputs, upstream, wanted| op.backward(kernel, inputs, &saved, upstream, wanted)),
        });
        Ok((first..self.values.len()).map(Var).collect())
    }

    /// [`Tape::apply`] for an op whose first output is the one that matters.
    ///
    /// # Errors
    /// [`Error::Shape`] if the inputs do not fit the op.
    pub fn apply_one<O: Op>(&mut self, op: O, inputs: &[Var]) -> Result<Var> {
        self.apply(op, inputs)?
            .into_iter()
            .next()
            .ok_or_else(|| Error::shape(O::NAME, "outputs", "at least one", "none"))
    }

    /// The value of `var`.
    pub fn value(&self, var: Var) -> ArrayViewD<'_, S> {
        self.values[var.0].view()
    }

    /// The first op, in order of evaluation, with an output that is not finite: `"layer (op)"`.
    pub fn first_non_finite(&self) -> Option<&str> {
        let is_bad =
            |record: &&Record<S>| self.values[record.outputs.clone()].iter().any(|v| !v.iter().all(|x| x.is_finite()));
        self.records.iter().find(is_bad).map(|record| record.label.as_str())
    }

    /// The gradients of the scalar `loss` with respect to every leaf that asked for one.
    ///
    /// Contributions to a value used more than once are added in reverse order of use.
    ///
    /// # Errors
    /// [`Error::Shape`] if `loss` does not hold exactly one number.
    pub fn backward(&self, loss: Var) -> Result<Gradients<S>> {
        let seed = &self.values[loss.0];
        if seed.len() != 1 {
            return Err(Error::shape("backward", "loss", "one number", format!("shape {:?}", seed.shape())));
        }
        let mut gradients: Vec<Option<ArrayD<S>>> = vec![None; self.values.len()];
        gradients[loss.0] = Some(ArrayD::from_elem(seed.raw_dim(), S::ONE));
        for record in self.records.iter().rev() {
            let reached = gradients[record.outputs.clone()].iter().any(Option::is_some);
            let wanted: Vec<bool> = record.inputs.iter().map(|&i| self.differentiable[i]).collect();
            if !reached || !wanted.contains(&true) {
                continue;
            }
            let upstream: Vec<ArrayD<S>> = record
                .outputs
                .clone()
                .map(|i| gradients[i].take().unwrap_or_else(|| ArrayD::from_elem(self.values[i].raw_dim(), S::ZERO)))
                .collect();
            let upstream: Vec<ArrayViewD<S>> = upstream.iter().map(|array| array.view()).collect();
            let inputs: Vec<ArrayViewD<S>> = record.inputs.iter().map(|&i| self.values[i].view()).collect();
            let contributions = (record.backward)(&inputs, &upstream, &wanted);
            for ((&i, wanted), contribution) in record.inputs.iter().zip(wanted).zip(contributions) {
                let Some(contribution) = contribution.filter(|_| wanted) else { continue };
                match &mut gradients[i] {
                    Some(sum) => Zip::from(sum).and(&contribution).for_each(|sum, &g| *sum += g),
                    empty => *empty = Some(contribution),
                }
            }
        }
        Ok(Gradients(gradients))
    }
}
