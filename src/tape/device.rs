//! A tape whose values are a GPU's.

use super::on_device::download;
use super::value::Value;
use super::{Gradients, Record, Tape, Var};
use crate::kernel::buffer;
use crate::kernel::cuda::{self, Device, DeviceTensor};
use crate::op::{DeviceResult, Held, List, Op, Passed, Seated};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use std::ops::Range;

/// As [`super::Backward`].
pub(super) type Backward<S> = Box<dyn Fn(Passed<S>) -> DeviceResult<List<Option<DeviceTensor<S>>>> + Send>;

impl<S: Scalar> Value<'_, S> {
    /// A copy of what the GPU alone holds.
    pub fn seen(&self) -> Option<ArrayViewD<'_, S>> {
        let tensor = self.on_device.tensor.as_ref().filter(|_| self.array.is_none())?;
        Some(self.on_device.seen.get_or_init(|| download(tensor)).view())
    }

    /// The same to keep, of a value that is released; the GPU lets go of it unless a backward reads it.
    pub fn downloaded(&mut self, keeps_everything: bool) -> Option<ArrayD<S>> {
        let tensor = self.on_device.tensor.as_ref().filter(|_| self.array.is_none())?;
        let taken = self.on_device.seen.take().unwrap_or_else(|| download(tensor));
        if !self.read && !keeps_everything {
            self.on_device.clear();
        }
        Some(taken)
    }

    fn held(&self) -> Held<'_, S> {
        Held { shape: &self.shape, tensor: self.on_device.tensor.as_ref() }
    }
}

impl<S: Scalar> Tape<'_, S> {
    /// Runs `op` forward on inputs that are sent to the GPU if they are not there.
    pub(super) fn run_on_device<O: Op>(
        &mut self,
        op: &O,
        inputs: &[usize],
        differentiable: bool,
    ) -> DeviceResult<(Range<usize>, Option<Backward<S>>)> {
        let device = Device::get()?;
        // What failed where no error could be returned has left zeros behind.
        cuda::check()?;
        for &i in inputs {
            let value = &mut self.values[i];
            if let (None, Some(array)) = (&value.on_device.tensor, &value.array) {
                value.on_device.tensor = Some(DeviceTensor::upload(device, &array.view())?);
            }
        }
        let Seated { outputs, backward } = {
            let given = inputs.iter().map(|&i| self.values[i].held().tensor()).collect::<DeviceResult<List<_>>>()?;
            op.on_device(device, &given)?
        };
        let first = self.values.len();
        for tensor in outputs {
            let Var(i) = self.push(tensor.shape().into(), None, differentiable, false);
            self.values[i].on_device.tensor = Some(tensor);
        }
        Ok((first..self.values.len(), differentiable.then_some(backward)))
    }

    /// As [`Tape::backward`]; the gradients of leaves are sent back.
    pub(super) fn backward_on_device(mut self, loss: Var) -> DeviceResult<Gradients<S>> {
        let device = Device::get()?;
        cuda::check()?;
        let mut gradients: Vec<Option<DeviceTensor<S>>> = Vec::new();
        gradients.resize_with(self.values.len(), || None);
        gradients[loss.0] = Some(cuda::filled(device, &self.values[loss.0].shape, S::ONE)?);
        while let Some(mut record) = self.records.pop() {
            let reached = gradients[record.outputs.clone()].iter().any(Option::is_some);
            if let Some(backward) = record.backward_on_device.take().filter(|_| reached) {
                self.pass(device, &record, &backward, &mut gradients)?;
            }
            self.values.drain(record.outputs.start..).for_each(|mut value| value.recycle());
        }
        let wanted = |i: usize| self.values.get(i).is_some_and(|value| value.leaf && value.differentiable);
        let download = |(i, gradient): (usize, Option<DeviceTensor<S>>)| {
            gradient.filter(|_| wanted(i)).map(|gradient| gradient.download(device)).transpose()
        };
        let mut downloaded: Vec<Option<ArrayD<S>>> = buffer::reuse();
        for gradient in gradients.into_iter().enumerate() {
            downloaded.push(download(gradient)?);
        }
        Ok(Gradients(downloaded))
    }

    /// Goes back through one op, and adds up what reaches its inputs.
    fn pass(
        &self,
        device: &Device,
        record: &Record<S>,
        backward: &Backward<S>,
        gradients: &mut [Option<DeviceTensor<S>>],
    ) -> DeviceResult<()> {
        let upstream = record.outputs.clone().map(|i| match gradients[i].take() {
            Some(gradient) => Ok(gradient),
            None => cuda::filled(device, &self.values[i].shape, S::ZERO),
        });
        let upstream = upstream.collect::<DeviceResult<List<_>>>()?;
        let inputs: List<Held<S>> = record.inputs.iter().map(|&i| self.values[i].held()).collect();
        let outputs: List<Held<S>> = record.outputs.clone().map(|i| self.values[i].held()).collect();
        let wanted: List<bool> = record.inputs.iter().map(|&i| self.values[i].differentiable).collect();
        let passed = Passed { device, inputs: &inputs, outputs: &outputs, upstream: &upstream, wanted: &wanted };
        let contributions = backward(passed)?;
        for ((&i, &wanted), contribution) in record.inputs.iter().zip(&wanted).zip(contributions) {
            let Some(contribution) = contribution.filter(|_| wanted) else { continue };
            match &mut gradients[i] {
                Some(sum) => cuda::add_to(device, sum, &contribution)?,
                empty => *empty = Some(contribution),
            }
        }
        Ok(())
    }
}
