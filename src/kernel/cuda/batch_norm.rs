//! Batch norm.

use super::launch::Launch;
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::kernel::{BatchNormSettings, List, list};
use crate::scalar::Scalar;
use std::marker::PhantomData;

/// What each channel is normalised by, for backward; on the device.
#[derive(Debug)]
pub struct Statistics<S> {
    /// `[c, 8]`: the fields of the kernels' `channel`, wide.
    channels: DeviceTensor<f64>,
    of: PhantomData<S>,
}

/// Doubles of the kernels' `channel` and `backward`, whose fields are wide.
const CHANNEL: usize = 8;
const BACKWARD: usize = 12;

/// x `[n,c,..]` as images, channels and pixels.
fn extents<S: Scalar>(x: &DeviceTensor<S>) -> Result<[usize; 3]> {
    match *x.shape() {
        [n, channels, ref pixels @ ..] => Ok([n, channels, pixels.iter().product()]),
        ref shape => Err(DeviceError::refused("batch_norm: x", "two extents or more", format!("{shape:?}"))),
    }
}

/// [`batch_norm`](crate::kernel::batch_norm): x `[n,c]` or `[n,c,h,w]`, then weight, bias, running mean and running variance `[c]`
/// -> y, and in training the two running statistics after it; and what backward needs.
pub fn batch_norm<S: Scalar>(
    device: &Device,
    settings: BatchNormSettings,
    inputs: &[&DeviceTensor<S>],
) -> Result<(List<DeviceTensor<S>>, Statistics<S>)> {
    let &[x, weight, bias, mean, variance] = inputs else {
        return Err(DeviceError::refused("batch_norm", "five inputs", inputs.len().to_string()));
    };
    let [n, channels, pixels] = extents(x)?;
    for of_channel in [weight, bias, mean, variance] {
        of_channel.has_len(channels, "batch_norm")?;
    }
    let mut statistics = DeviceTensor::<f64>::stale(device, &[channels, CHANNEL])?;
    let mut y = DeviceTensor::stale(device, x.shape())?;
    let mut outputs = list![];
    if settings.training {
        let (mut new_mean, mut new_variance) =
            (DeviceTensor::stale(device, &[channels])?, DeviceTensor::stale(device, &[channels])?);
        let launch = Launch::<S>::new(device, "batch_norm_statistics").index(n).index(channels).index(pixels);
        let launch = launch.write(&mut statistics).read(x).double(settings.eps).double(settings.momentum);
        let launch = launch.write(&mut new_mean).write(&mut new_variance).read(mean).read(variance);
        launch.in_blocks(channels)?;
        outputs.extend([new_mean, new_variance]);
    } else {
        let launch = Launch::<S>::new(device, "batch_norm_running").index(channels).write(&mut statistics);
        launch.read(mean).read(variance).double(settings.eps).over(channels)?;
    }
    let launch = Launch::<S>::new(device, "batch_norm_values").index(x.len()).index(channels).index(pixels);
    launch.write(&mut y).read(x).read(&statistics).read(weight).read(bias).over(x.len())?;
    outputs.insert(0, y);
    Ok((outputs, Statistics { channels: statistics, of: PhantomData }))
}

/// [`batch_norm_gradient`](crate::kernel::batch_norm_gradient): x, weight, and the upstream gradients of the outputs -> those of the five
/// inputs that are wanted.
pub fn batch_norm_gradient<S: Scalar>(
    device: &Device,
    settings: BatchNormSettings,
    (x, weight): (&DeviceTensor<S>, &DeviceTensor<S>),
    statistics: &Statistics<S>,
    upstream: &[&DeviceTensor<S>],
    wanted: &[bool],
) -> Result<List<Option<DeviceTensor<S>>>> {
    let [n, channels, pixels] = extents(x)?;
    let (dy, d_statistics) = match (upstream, settings.training) {
        (&[dy, d_mean, d_variance], true) => (dy, [Some(d_mean), Some(d_variance)]),
        (&[dy, ..], false) => (dy, [None, None]),
        _ => {
            return Err(DeviceError::refused(
                "batch_norm",
                "an upstream gradient an output",
                upstream.len().to_string(),
            ));
        }
    };
    dy.has_len(x.len(), "batch_norm: dy")?;
    weight.has_len(channels, "batch_norm: weight")?;
    statistics.channels.has_len(channels * CHANNEL, "batch_norm: statistics")?;
    let mut made = DeviceTensor::<f64>::stale(device, &[channels, BACKWARD])?;
    let of_channels = |input: usize| wanted[input].then(|| DeviceTensor::stale(device, &[channels])).transpose();
    let mut of_inputs = [of_channels(1)?, of_channels(2)?, of_channels(3)?, of_channels(4)?];
    let launch = Launch::<S>::new(device, "batch_norm_sums").index(n).index(channels).index(pixels).write(&mut made);
    let launch = launch.read(x).read(dy).read(&statistics.channels).read(weight);
    let launch = launch.double(settings.eps).double(settings.momentum).flag(settings.training);
    let launch = launch.read_any(d_statistics[0]).read_any(d_statistics[1]);
    of_inputs.iter_mut().fold(launch, |launch, of| launch.write_any(of.as_mut())).in_blocks(channels)?;
    let mut dx = None;
    if wanted[0] {
        let dx = dx.insert(DeviceTensor::stale(device, x.shape())?);
        let launch = Launch::<S>::new(device, "batch_norm_input_gradient").index(x.len()).index(channels).index(pixels);
        launch.write(dx).read(x).read(dy).read(&statistics.channels).read(&made).over(x.len())?;
    }
    Ok(std::iter::once(dx).chain(of_inputs).collect())
}
