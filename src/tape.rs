//! [`Tape`]: reverse-mode differentiation as an arena of values and the operations that made them.
//!
//! Running an op forward appends its outputs and a record of how to go back. [`Tape::backward`] walks the records
//! from last to first and adds up what reaches each value: the chain rule, and nothing else.
//!
//! Memory: a value that the caller [releases](Tape::release) is kept for backward only if some op's backward
//! [reads](Op::READS) it, and backward drops every value as soon as it has passed it. A tape of shapes
//! ([`Tape::of_shapes`]) computes nothing and tells what a pass would take.
//!
//! With `Kernel::Cuda` the values are a GPU's: a leaf is sent there once, when an op first takes it, and what ops make stays
//! there until it is asked for by [`Tape::value`], [`Tape::take`] or, at the end of backward, as a leaf's gradient.

mod cost;
#[cfg(feature = "cuda")]
mod device;
mod gradients;
#[cfg(feature = "cuda")]
mod on_device;
mod value;

pub use gradients::Gradients;

use crate::error::{Error, Result};
use crate::kernel::{self, Kernel, buffer, recycle_argument};
use crate::op::{Argument, Cost, List, Op, Reads, Shape};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, CowArray, IxDyn};
use smallbox::{SmallBox, smallbox, space::S32};
use std::ops::Range;
use value::{Value, emptied};

/// A value on a [`Tape`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Var(usize);

/// The gradient of one op's inputs from the gradients of its outputs, with everything it saved: in the record itself, unless
/// that is more than 32 machine words.
type Backward<S> = SmallBox<
    dyn Fn(&[ArrayViewD<S>], &[ArrayViewD<S>], &mut [Argument<S>], &[bool]) -> List<Option<ArrayD<S>>> + Send,
    S32,
>;

/// One op that ran.
pub struct Record<S: Scalar> {
    /// Where the name of its layer lies among [`Tape::names`].
    layer: Range<usize>,
    /// [`Op::NAME`].
    pub op: &'static str,
    pub cost: Cost,
    inputs: List<usize>,
    outputs: Range<usize>,
    /// `None` if no input wants a gradient.
    backward: Option<Backward<S>>,
    /// The same of an op that ran on a GPU.
    #[cfg(feature = "cuda")]
    backward_on_device: Option<device::Backward<S>>,
}

/// The values of one forward pass, in the order they were computed. Parameters are borrowed for `'p`.
pub struct Tape<'p, S: Scalar> {
    /// `None` on a tape of shapes.
    kernel: Option<Kernel>,
    /// Whether released values stay all the same.
    keeps_everything: bool,
    values: Vec<Value<'p, S>>,
    records: Vec<Record<S>>,
    /// The names of the layers, one behind another.
    names: String,
    /// Where that of the layer which the ops to come belong to is.
    layer: Range<usize>,
    /// A single zero.
    zero: ArrayD<S>,
}

impl<'p, S: Scalar> Tape<'p, S> {
    fn empty(kernel: Option<Kernel>, keeps_everything: bool) -> Self {
        // As long as those of the tape before.
        let (values, records, names) = (emptied(buffer::reuse()), buffer::reuse(), buffer::reuse());
        let zero = buffer::filled(&[], S::ZERO);
        Self { kernel, keeps_everything, values, records, names, layer: 0..0, zero }
    }

    /// An empty tape whose ops compute with `kernel`.
    pub fn new(kernel: Kernel) -> Self {
        Self::empty(Some(kernel), false)
    }

    /// A tape that forgets nothing, to look at every value after the pass.
    pub fn keeping_everything(kernel: Kernel) -> Self {
        Self::empty(Some(kernel), true)
    }

    /// A tape on which ops check and record shapes and compute nothing.
    pub fn of_shapes() -> Self {
        Self::empty(None, false)
    }

    /// Puts a value on the tape that no op computed. Gradients flow to it if it is a `parameter`.
    pub fn leaf(&mut self, value: impl Into<CowArray<'p, S, IxDyn>>, parameter: bool) -> Var {
        let array = value.into();
        self.push(array.shape().into(), Some(array), parameter, true)
    }

    /// Puts a shape on the tape: a leaf of a [tape of shapes](Self::of_shapes).
    pub fn leaf_shape(&mut self, shape: &[usize], parameter: bool) -> Var {
        self.push(shape.into(), None, parameter, true)
    }

    fn push(&mut self, shape: Shape, array: Option<CowArray<'p, S, IxDyn>>, differentiable: bool, leaf: bool) -> Var {
        self.values.push(Value {
            shape,
            array,
            #[cfg(feature = "cuda")]
            on_device: Default::default(),
            differentiable,
            leaf,
            read: false,
            released: false,
        });
        Var(self.values.len() - 1)
    }

    /// Names the layer that the ops to come belong to.
    pub fn enter(&mut self, layer: &str) {
        let start = self.names.len();
        self.names.push_str(layer);
        self.layer = start..self.names.len();
    }

    /// Runs `op` forward on `inputs` and records it; one [`Var`] per output.
    ///
    /// # Errors
    /// [`Error::Shape`] if the inputs do not fit the op, or one of them was [released](Self::release); of a GPU,
    /// `Error::Device`.
    pub fn apply<O: Op>(&mut self, op: O, inputs: &[Var]) -> Result<List<Var>> {
        self.record(op, inputs, false)
    }

    /// [`Tape::apply`] with a first input that nobody takes any more: it is [released](Self::release), and the first
    /// output may be written over it.
    ///
    /// # Errors
    /// As [`Tape::apply`].
    pub fn apply_over<O: Op>(&mut self, op: O, inputs: &[Var]) -> Result<List<Var>> {
        let outputs = self.record(op, inputs, true)?;
        if let [taken, ..] = *inputs {
            self.release(taken);
        }
        Ok(outputs)
    }

    fn record<O: Op>(&mut self, op: O, inputs: &[Var], first_is_free: bool) -> Result<List<Var>> {
        let inputs = self.in_use(O::NAME, inputs)?;
        let (out_shapes, cost) = {
            let shapes = self.shapes(&inputs);
            let out_shapes = op.out_shapes(&shapes)?;
            let cost = op.cost(&shapes, &out_shapes);
            (out_shapes, cost)
        };
        let differentiable = inputs.iter().any(|&i| self.values[i].differentiable);
        #[cfg(feature = "cuda")]
        let mut backward_on_device = None;
        let (outputs, backward) = match self.kernel {
            #[cfg(feature = "cuda")]
            Some(kernel) if kernel.keeps_on_device::<S>() => {
                let (outputs, backward) = self.run_on_device(&op, &inputs, differentiable).map_err(Error::Device)?;
                backward_on_device = backward;
                (outputs, None)
            }
            Some(kernel) => {
                let (arrays, saved) = self.forward(&op, kernel, &inputs, first_is_free);
                let backward = differentiable.then(|| backward_of(op, kernel, saved));
                (self.push_outputs(arrays, differentiable), backward)
            }
            None => (self.push_shapes(out_shapes, differentiable), None),
        };
        if differentiable {
            self.mark_read(O::READS, &inputs, outputs.clone());
        }
        let layer = self.layer.clone();
        self.records.push(Record {
            layer,
            op: O::NAME,
            cost,
            inputs,
            outputs: outputs.clone(),
            backward,
            #[cfg(feature = "cuda")]
            backward_on_device,
        });
        Ok(outputs.map(Var).collect())
    }

    // What of an op's record does not depend on the op is compiled once a number system, not once an op.

    /// Where an op's inputs are, none of which may have been released.
    fn in_use(&self, op: &'static str, inputs: &[Var]) -> Result<List<usize>> {
        let inputs: List<usize> = inputs.iter().map(|var| var.0).collect();
        match inputs.iter().position(|&i| self.values[i].released) {
            Some(i) => Err(Error::shape(op, format!("input {i}"), "a value in use", "one that was released")),
            None => Ok(inputs),
        }
    }

    fn shapes(&self, values: &[usize]) -> List<&[usize]> {
        values.iter().map(|&i| self.values[i].shape.as_slice()).collect()
    }

    fn push_outputs(&mut self, arrays: List<ArrayD<S>>, differentiable: bool) -> Range<usize> {
        let first = self.values.len();
        for array in arrays {
            self.push(array.shape().into(), Some(array.into()), differentiable, false);
        }
        first..self.values.len()
    }

    fn push_shapes(&mut self, shapes: List<Shape>, differentiable: bool) -> Range<usize> {
        let first = self.values.len();
        for shape in shapes {
            self.push(shape, None, differentiable, false);
        }
        first..self.values.len()
    }

    /// Backward will look into what the op `reads`.
    fn mark_read(&mut self, reads: Reads, inputs: &[usize], outputs: Range<usize>) {
        match reads {
            Reads::Inputs => inputs.iter().for_each(|&i| self.values[i].read = true),
            Reads::Outputs => self.values[outputs].iter_mut().for_each(|value| value.read = true),
            Reads::Shapes => (),
        }
    }

    /// [`Tape::apply`] for an op whose first output is the one that matters.
    ///
    /// # Errors
    /// As [`Tape::apply`].
    pub fn apply_one<O: Op>(&mut self, op: O, inputs: &[Var]) -> Result<Var> {
        let first = self.apply(op, inputs)?.into_iter().next();
        first.ok_or_else(|| Error::shape(O::NAME, "outputs", "at least one", "none"))
    }

    /// The op's outputs and what it saved.
    fn forward<O: Op>(
        &mut self,
        op: &O,
        kernel: Kernel,
        inputs: &[usize],
        first_is_free: bool,
    ) -> (List<ArrayD<S>>, O::Saved<S>) {
        let given = if first_is_free && O::READS != Reads::Inputs { self.take_over(inputs) } else { None };
        let mut arguments: List<Argument<S>> = inputs.iter().map(|&i| self.values[i].view(&self.zero).into()).collect();
        if let Some(given) = given {
            arguments[0] = given.into();
        }
        let done = op.forward(kernel, &mut arguments);
        arguments.into_iter().for_each(recycle_argument);
        done
    }

    /// The array of the first of an op's inputs, if neither another input nor anybody's backward looks into it.
    fn take_over(&mut self, inputs: &[usize]) -> Option<ArrayD<S>> {
        let (&first, others) = inputs.split_first()?;
        let value = &mut self.values[first];
        let is_free = !value.read && !value.leaf && !self.keeps_everything && !others.contains(&first);
        value.array.take_if(|array| is_free && array.is_owned()).map(CowArray::into_owned)
    }

    /// Says that no op to come takes `var`, and that nobody will ask for its value. What no backward reads is freed.
    pub fn release(&mut self, var: Var) {
        let value = &mut self.values[var.0];
        value.released = true;
        if !value.read && !self.keeps_everything {
            value.recycle();
        }
    }

    /// The value of `var`. (Zeros of its shape if it was released.)
    pub fn value(&self, var: Var) -> ArrayViewD<'_, S> {
        #[cfg(feature = "cuda")]
        if let Some(seen) = self.values[var.0].seen() {
            return seen;
        }
        self.values[var.0].view(&self.zero)
    }

    /// Takes `var` off the tape: no op to come may use it. A copy, if a backward looks into it.
    pub fn take(&mut self, var: Var) -> ArrayD<S> {
        let value = &mut self.values[var.0];
        value.released = true;
        #[cfg(feature = "cuda")]
        if let Some(taken) = value.downloaded(self.keeps_everything) {
            return taken;
        }
        let own = value.array.take_if(|array| array.is_owned() && !value.read && !self.keeps_everything);
        own.map_or_else(|| self.values[var.0].view(&self.zero).to_owned(), CowArray::into_owned)
    }

    /// The ops that ran, in order.
    pub fn records(&self) -> &[Record<S>] {
        &self.records
    }

    /// The layer that an op belongs to ([`Tape::enter`]).
    pub fn layer(&self, record: &Record<S>) -> &str {
        &self.names[record.layer.clone()]
    }

    /// The shape of the first output of an op that ran.
    pub fn output_shape(&self, record: &Record<S>) -> &[usize] {
        self.values.get(record.outputs.start).map_or(&[], |value| &value.shape)
    }

    /// The first op, in order of evaluation, with an output that is not finite: `"layer (op)"`. To be asked of a tape
    /// that [keeps everything](Self::keeping_everything).
    pub fn first_non_finite(&self) -> Option<String> {
        let is_finite = |&i: &usize| self.value(Var(i)).iter().all(|x| x.is_finite());
        let bad = self.records.iter().find(|record| !record.outputs.clone().all(|i| is_finite(&i)))?;
        Some(format!("{} ({})", self.layer(bad), bad.op))
    }

    /// The gradients of the scalar `loss` with respect to every leaf that asked for one. Values are freed on the way.
    ///
    /// Contributions to a value used more than once are added in reverse order of use.
    ///
    /// # Errors
    /// [`Error::Shape`] if `loss` does not hold exactly one number, or the tape is one of shapes; of a GPU,
    /// `Error::Device`.
    pub fn backward(mut self, loss: Var) -> Result<Gradients<S>> {
        let seed = &self.values[loss.0];
        let (Some(kernel), 1) = (self.kernel, seed.elements()) else {
            return Err(Error::shape("backward", "loss", "one number", format!("shape {:?}", seed.shape)));
        };
        #[cfg(feature = "cuda")]
        if kernel.keeps_on_device::<S>() {
            return self.backward_on_device(loss).map_err(Error::Device);
        }
        let mut gradients: Vec<Option<ArrayD<S>>> = buffer::reuse();
        gradients.resize(self.values.len(), None);
        gradients[loss.0] = Some(buffer::filled(&seed.shape, S::ONE));
        while let Some(record) = self.records.pop() {
            let (values, zero) = (&self.values, &self.zero);
            let reached = gradients[record.outputs.clone()].iter().any(Option::is_some);
            let wanted: List<bool> = record.inputs.iter().map(|&i| values[i].differentiable).collect();
            if let Some(backward) = record.backward.filter(|_| reached) {
                let gradient =
                    |i: usize| gradients[i].take().unwrap_or_else(|| buffer::filled(&values[i].shape, S::ZERO)).into();
                let mut upstream: List<Argument<S>> = record.outputs.clone().map(gradient).collect();
                let inputs: List<ArrayViewD<S>> = record.inputs.iter().map(|&i| values[i].view(zero)).collect();
                let outputs: List<ArrayViewD<S>> = record.outputs.clone().map(|i| values[i].view(zero)).collect();
                let contributions = backward(&inputs, &outputs, &mut upstream, &wanted);
                upstream.into_iter().for_each(recycle_argument);
                for ((&i, wanted), contribution) in record.inputs.iter().zip(wanted).zip(contributions) {
                    let Some(contribution) = contribution else { continue };
                    match &mut gradients[i] {
                        _ if !wanted => buffer::recycle(contribution),
                        Some(sum) => {
                            kernel::add_to(kernel, sum, &contribution);
                            buffer::recycle(contribution);
                        }
                        empty => *empty = Some(contribution),
                    }
                }
            }
            // Ops still to be passed took nothing from here on.
            self.values.drain(record.outputs.start..).for_each(|mut value| value.recycle());
        }
        Ok(Gradients(gradients))
    }
}

impl<S: Scalar> Drop for Tape<'_, S> {
    fn drop(&mut self) {
        self.values.iter_mut().for_each(Value::recycle);
        buffer::keep(emptied(std::mem::take(&mut self.values)));
        self.records.clear();
        buffer::keep(std::mem::take(&mut self.records));
        self.names.clear();
        buffer::keep(std::mem::take(&mut self.names));
        buffer::recycle(std::mem::take(&mut self.zero));
    }
}

/// How to go back through an op that ran.
fn backward_of<S: Scalar, O: Op>(op: O, kernel: Kernel, saved: O::Saved<S>) -> Backward<S> {
    let backward =
        move |inputs: &[ArrayViewD<S>], outputs: &[ArrayViewD<S>], upstream: &mut [Argument<S>], wanted: &[bool]| {
            op.backward(kernel, inputs, outputs, &saved, upstream, wanted)
        };
    smallbox!(backward)
}
