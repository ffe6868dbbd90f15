//! The seat of an op beside its forward and backward: what [`Op::on_device`] takes and gives.

use super::{Evaluation, List, Op};
use crate::error::DeviceError;
use crate::kernel::Argument;
use crate::kernel::cuda::{Device, DeviceTensor};
use crate::scalar::Scalar;
use ndarray::ArrayViewD;

/// What becomes of work on a device.
pub type DeviceResult<T> = std::result::Result<T, DeviceError>;

/// One gradient per input, `Some` at least where it is wanted.
type Gradients<S> = List<Option<DeviceTensor<S>>>;

/// An op that ran on a GPU: its outputs, and how to go back with what it saved there.
pub struct Seated<S: Scalar> {
    pub outputs: List<DeviceTensor<S>>,
    #[expect(clippy::type_complexity, reason = "what an op's backward is, once")]
    pub backward: Box<dyn Fn(Passed<S>) -> DeviceResult<Gradients<S>> + Send>,
}

impl<S: Scalar> Seated<S> {
    /// An op with these outputs, and this adjoint.
    pub fn new(
        outputs: List<DeviceTensor<S>>,
        backward: impl Fn(Passed<S>) -> DeviceResult<Gradients<S>> + Send + 'static,
    ) -> Self {
        Self { outputs, backward: Box::new(backward) }
    }
}

/// What an op's backward is given: as of [`Op::backward`].
#[derive(Clone, Copy)]
pub struct Passed<'a, S: Scalar> {
    pub device: &'a Device,
    pub inputs: &'a [Held<'a, S>],
    pub outputs: &'a [Held<'a, S>],
    pub upstream: &'a [DeviceTensor<S>],
    pub wanted: &'a [bool],
}

impl<S: Scalar> Passed<'_, S> {
    /// The gradients that are wanted of the inputs, in the op's order, each of them made by itself.
    ///
    /// # Errors
    /// Those of the makers.
    pub fn gradients(&self, makers: &[&dyn Fn() -> DeviceResult<DeviceTensor<S>>]) -> DeviceResult<Gradients<S>> {
        self.wanted.iter().zip(makers).map(|(&wanted, make)| wanted.then(make).transpose()).collect()
    }
}

/// A value as backward finds it: its shape, and its elements where the op [reads](Op::READS) them.
#[derive(Clone, Copy)]
pub struct Held<'a, S: Scalar> {
    pub shape: &'a [usize],
    pub(crate) tensor: Option<&'a DeviceTensor<S>>,
}

impl<'a, S: Scalar> Held<'a, S> {
    /// The elements.
    ///
    /// # Errors
    /// [`DeviceError::Failed`] where the op does not say that it reads them, and they are gone.
    pub fn tensor(&self) -> DeviceResult<&'a DeviceTensor<S>> {
        let failed = || DeviceError::Failed {
            action: "an op's backward".to_string(),
            found: "it reads a value that it does not say it reads".to_string(),
        };
        self.tensor.ok_or_else(failed)
    }
}

/// [`evaluate`](super::evaluate) on the GPU: all is sent there, and what comes of it sent back.
pub(super) fn evaluate<O: Op, S: Scalar>(
    op: &O,
    inputs: &[ArrayViewD<S>],
    upstream: &[Argument<S>],
    wanted: &[bool],
) -> DeviceResult<Evaluation<S>> {
    let device = Device::get()?;
    let sent = inputs.iter().map(|x| DeviceTensor::upload(device, x)).collect::<DeviceResult<Vec<_>>>()?;
    let Seated { outputs, backward } = op.on_device(device, &sent.iter().collect::<Vec<_>>())?;
    let gradients = if wanted.contains(&true) {
        let upstream =
            upstream.iter().map(|dy| DeviceTensor::upload(device, &dy.view())).collect::<DeviceResult<Vec<_>>>()?;
        let [held, made] = [&sent[..], &outputs[..]].map(|tensors| tensors.iter().map(held).collect::<Vec<_>>());
        let passed = Passed { device, inputs: &held, outputs: &made, upstream: &upstream, wanted };
        backward(passed)?.into_iter().map(|made| made.map(|made| made.download(device)).transpose()).collect()
    } else {
        Ok(vec![None; inputs.len()])
    }?;
    let outputs = outputs.iter().map(|y| y.download(device)).collect::<DeviceResult<_>>()?;
    Ok(Evaluation { outputs, gradients })
}

/// A tensor that is all there.
fn held<S: Scalar>(tensor: &DeviceTensor<S>) -> Held<'_, S> {
    Held { shape: tensor.shape(), tensor: Some(tensor) }
}
