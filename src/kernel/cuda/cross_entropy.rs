//! Cross entropy.

use super::launch::Launch;
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::kernel::Targets;
use crate::scalar::Scalar;
use std::marker::PhantomData;

/// What backward needs of the logits, and what they should have said; on the device.
#[derive(Debug)]
pub struct Softmax<S> {
    /// `[n, classes + 2, 2]`: as the kernel says, wide.
    rows: DeviceTensor<f64>,
    labels: DeviceTensor<u64>,
    smoothing: f64,
    /// Of the logits, `[n,classes]`.
    shape: [usize; 2],
    of: PhantomData<S>,
}

/// [`cross_entropy`](crate::kernel::cross_entropy): x `[n,classes]` and a label below `classes` for every row -> `[]`, and what its
/// gradient needs.
pub fn cross_entropy<S: Scalar>(
    device: &Device,
    x: &DeviceTensor<S>,
    targets: Targets,
) -> Result<(DeviceTensor<S>, Softmax<S>)> {
    let &[n, classes] = x.shape() else {
        return Err(DeviceError::refused("cross_entropy: x", "two extents", format!("{:?}", x.shape())));
    };
    let refused = |found: String| DeviceError::refused("cross_entropy", format!("{n} labels below {classes}"), found);
    if targets.labels.len() != n {
        return Err(refused(targets.labels.len().to_string()));
    }
    if let Some(label) = targets.labels.iter().find(|&&label| label >= classes) {
        return Err(refused(label.to_string()));
    }
    let labels: Vec<u64> = targets.labels.iter().map(|&label| label as u64).collect();
    let labels = DeviceTensor::of_slice(device, &[n], &labels)?;
    let mut rows = DeviceTensor::stale(device, &[n, classes + 2, 2])?;
    let launch = Launch::<S>::new(device, "cross_entropy_rows").index(n).index(classes).write(&mut rows);
    launch.read(x).read(&labels).double(targets.smoothing).over(n)?;
    let mut loss = DeviceTensor::stale(device, &[])?;
    let launch = Launch::<S>::new(device, "cross_entropy_mean").index(n).index(classes);
    launch.write(&mut loss).read(&rows).in_blocks(1)?;
    Ok((loss, Softmax { rows, labels, smoothing: targets.smoothing, shape: [n, classes], of: PhantomData }))
}

/// [`cross_entropy_gradient`](crate::kernel::cross_entropy_gradient): dy, one number -> dx `[n,classes]`.
pub fn cross_entropy_gradient<S: Scalar>(
    device: &Device,
    softmax: &Softmax<S>,
    dy: &DeviceTensor<S>,
) -> Result<DeviceTensor<S>> {
    dy.has_len(1, "cross_entropy: dy")?;
    let [n, classes] = softmax.shape;
    let mut dx = DeviceTensor::stale(device, &softmax.shape)?;
    let launch = Launch::<S>::new(device, "cross_entropy_gradient").index(n).index(classes).write(&mut dx);
    launch.read(&softmax.rows).read(&softmax.labels).double(softmax.smoothing).read(dy).over(n)?;
    Ok(dx)
}
