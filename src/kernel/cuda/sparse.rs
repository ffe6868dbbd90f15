//! Weights of which only the entries of a pattern live: by definition the kernels of their dense form.

use super::launch::Launch;
use super::moves::filled;
use super::{Device, DeviceTensor, Result};
use super::{conv2d_input_gradient, conv2d_weight_gradient, conv2d_with_bias};
use crate::kernel::{Pattern, Window};
use crate::scalar::Scalar;

/// A [`Pattern`] on the device.
#[derive(Debug)]
pub struct DevicePattern {
    /// Of the dense weight, as a convolution's: `[o,c,kh,kw]`.
    filters: [usize; 4],
    /// The flat positions of the living entries, ascending: `[nnz]`.
    places: DeviceTensor<u64>,
}

impl DevicePattern {
    /// A copy of a pattern.
    ///
    /// # Errors
    /// Out of memory; what the driver says.
    pub fn upload(device: &Device, pattern: &Pattern) -> Result<Self> {
        let places: Vec<u64> = pattern.positions().map(|place| place as u64).collect();
        Ok(Self { filters: pattern.filters(), places: DeviceTensor::of_slice(device, &[places.len()], &places)? })
    }

    /// The dense weight with these living entries, +0 elsewhere: `[o,c,kh,kw]`.
    ///
    /// # Errors
    /// What is no value for each; what a launch gives.
    pub fn scatter<S: Scalar>(&self, device: &Device, values: &DeviceTensor<S>) -> Result<DeviceTensor<S>> {
        let nnz = self.places.len();
        values.has_len(nnz, "sparse: values")?;
        let mut dense = filled(device, &self.filters, S::ZERO)?;
        let launch = Launch::<S>::new(device, "scatter").index(nnz).write(&mut dense).read(values);
        launch.read(&self.places).over(nnz)?;
        Ok(dense)
    }

    /// The living entries of a dense weight: `[nnz]`.
    ///
    /// # Errors
    /// A weight of another size; what a launch gives.
    pub fn gather<S: Scalar>(&self, device: &Device, dense: &DeviceTensor<S>) -> Result<DeviceTensor<S>> {
        dense.has_len(self.filters.iter().product(), "sparse: dense weight")?;
        let nnz = self.places.len();
        let mut values = DeviceTensor::stale(device, &[nnz])?;
        let launch = Launch::<S>::new(device, "gather").index(nnz).write(&mut values).read(dense);
        launch.read(&self.places).over(nnz)?;
        Ok(values)
    }
}

/// [`sparse_conv2d`](crate::kernel::sparse_conv2d).
pub fn sparse_conv2d<S: Scalar>(
    device: &Device,
    window: Window,
    x: &DeviceTensor<S>,
    (pattern, values): (&DevicePattern, &DeviceTensor<S>),
    bias: Option<&DeviceTensor<S>>,
) -> Result<DeviceTensor<S>> {
    conv2d_with_bias(device, window, x, &pattern.scatter(device, values)?, bias)
}

/// [`sparse_conv2d_input_gradient`](crate::kernel::sparse_conv2d_input_gradient).
pub fn sparse_conv2d_input_gradient<S: Scalar>(
    device: &Device,
    window: Window,
    dy: &DeviceTensor<S>,
    (pattern, values): (&DevicePattern, &DeviceTensor<S>),
    x_shape: [usize; 4],
) -> Result<DeviceTensor<S>> {
    conv2d_input_gradient(device, window, dy, &pattern.scatter(device, values)?, x_shape)
}

/// [`sparse_conv2d_weight_gradient`](crate::kernel::sparse_conv2d_weight_gradient): `[nnz]`.
pub fn sparse_conv2d_weight_gradient<S: Scalar>(
    device: &Device,
    window: Window,
    x: &DeviceTensor<S>,
    dy: &DeviceTensor<S>,
    pattern: &DevicePattern,
) -> Result<DeviceTensor<S>> {
    pattern.gather(device, &conv2d_weight_gradient(device, window, x, dy, pattern.filters)?)
}
