//! [`OnDevice`]: what a GPU holds of a value.

use crate::kernel::buffer;
use crate::kernel::cuda::{self, Device, DeviceTensor};
use crate::scalar::Scalar;
use ndarray::ArrayD;
use std::cell::OnceCell;

/// What a GPU holds of a value.
pub(super) struct OnDevice<S: Scalar> {
    pub tensor: Option<DeviceTensor<S>>,
    /// A copy of it, once somebody has looked.
    pub seen: OnceCell<ArrayD<S>>,
}

impl<S: Scalar> Default for OnDevice<S> {
    fn default() -> Self {
        Self { tensor: None, seen: OnceCell::new() }
    }
}

impl<S: Scalar> OnDevice<S> {
    /// Lets go of both.
    pub fn clear(&mut self) {
        self.tensor = None;
        self.seen.take().into_iter().for_each(buffer::recycle);
    }
}

/// What the GPU holds; zeros where it fails, which is remembered.
pub(super) fn download<S: Scalar>(tensor: &DeviceTensor<S>) -> ArrayD<S> {
    let downloaded = Device::get().and_then(|device| tensor.download(device));
    downloaded.unwrap_or_else(|error| {
        cuda::remember(error);
        buffer::filled(tensor.shape(), S::ZERO)
    })
}
