//! Pooling over planes.

use super::launch::Launch;
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::kernel::Pooling;
use crate::scalar::Scalar;

/// Windows over planes of images `[n,c,h,w]`.
struct Windows {
    /// The fields of the kernels' `pooling`.
    fields: [usize; 10],
    /// Of what has a pixel for every window.
    shape: [usize; 4],
}

impl Windows {
    fn over(pooling: Pooling, x: &[usize]) -> Result<Self> {
        let &[n, c, h, w] = x else {
            return Err(DeviceError::refused("pooling: x", "four extents", format!("{x:?}")));
        };
        let Pooling { kernel, stride, padding } = pooling;
        let count = |axis: usize, extent: usize| {
            let room = (extent + 2 * padding[axis]).checked_sub(kernel[axis])?;
            Some(room.checked_div(stride[axis])? + 1)
        };
        let (Some(rows), Some(columns)) = (count(0, h), count(1, w)) else {
            return Err(DeviceError::refused("pooling", format!("a window within {h} x {w}"), format!("{pooling:?}")));
        };
        let [[kh, kw], [sh, sw], [ph, pw]] = [kernel, stride, padding];
        Ok(Self { fields: [h, w, rows, columns, kh, kw, sh, sw, ph, pw], shape: [n, c, rows, columns] })
    }
}

/// [`max_pool2d`](crate::kernel::max_pool2d): x `[n,c,h,w]` -> y `[n,c,oh,ow]`, and where in its plane each maximum was.
pub fn max_pool2d<S: Scalar>(
    device: &Device,
    pooling: Pooling,
    x: &DeviceTensor<S>,
) -> Result<(DeviceTensor<S>, DeviceTensor<u32>)> {
    let windows = Windows::over(pooling, x.shape())?;
    let mut y = DeviceTensor::stale(device, &windows.shape)?;
    let mut positions = DeviceTensor::stale(device, &windows.shape)?;
    let count = y.len();
    let launch = Launch::<S>::new(device, "max_pool2d").indices(&windows.fields).index(count);
    launch.write(&mut y).write(&mut positions).read(x).over(count)?;
    Ok((y, positions))
}

/// [`max_pool2d_gradient`](crate::kernel::max_pool2d_gradient): dy `[n,c,oh,ow]` -> dx of `x_shape`.
pub fn max_pool2d_gradient<S: Scalar>(
    device: &Device,
    pooling: Pooling,
    positions: &DeviceTensor<u32>,
    dy: &DeviceTensor<S>,
    x_shape: &[usize],
) -> Result<DeviceTensor<S>> {
    let windows = Windows::over(pooling, x_shape)?;
    let count = windows.shape.iter().product();
    dy.has_len(count, "max_pool2d: dy")?;
    positions.has_len(count, "max_pool2d: positions")?;
    let mut dx = DeviceTensor::stale(device, x_shape)?;
    let count = dx.len();
    let launch = Launch::<S>::new(device, "max_pool2d_gradient").indices(&windows.fields).index(count);
    launch.write(&mut dx).read(dy).read(positions).over(count)?;
    Ok(dx)
}

/// [`avg_pool2d`](crate::kernel::avg_pool2d): x `[n,c,h,w]` -> y `[n,c,oh,ow]`.
pub fn avg_pool2d<S: Scalar>(
    device: &Device,
    pooling: Pooling,
    count_padding: bool,
    x: &DeviceTensor<S>,
) -> Result<DeviceTensor<S>> {
    let windows = Windows::over(pooling, x.shape())?;
    let mut y = DeviceTensor::stale(device, &windows.shape)?;
    let count = y.len();
    let launch = Launch::<S>::new(device, "avg_pool2d").indices(&windows.fields).flag(count_padding).index(count);
    launch.write(&mut y).read(x).over(count)?;
    Ok(y)
}

/// [`avg_pool2d_gradient`](crate::kernel::avg_pool2d_gradient): dy `[n,c,oh,ow]` -> dx of `x_shape`.
pub fn avg_pool2d_gradient<S: Scalar>(
    device: &Device,
    pooling: Pooling,
    count_padding: bool,
    dy: &DeviceTensor<S>,
    x_shape: &[usize],
) -> Result<DeviceTensor<S>> {
    let windows = Windows::over(pooling, x_shape)?;
    dy.has_len(windows.shape.iter().product(), "avg_pool2d: dy")?;
    let mut dx = DeviceTensor::stale(device, x_shape)?;
    let count = dx.len();
    let launch = Launch::<S>::new(device, "avg_pool2d_gradient").indices(&windows.fields).flag(count_padding);
    launch.index(count).write(&mut dx).read(dy).over(count)?;
    Ok(dx)
}

/// [`plane_means`](crate::kernel::plane_means): x `[n,c,h,w]` -> an array of `shape`, n c numbers.
pub fn plane_means<S: Scalar>(device: &Device, x: &DeviceTensor<S>, shape: &[usize]) -> Result<DeviceTensor<S>> {
    let mut y = DeviceTensor::stale(device, shape)?;
    let (planes, pixels) = (y.len(), x.shape().iter().skip(2).product());
    x.has_len(planes * pixels, "plane_means: x")?;
    if planes > 0 && pixels == 0 {
        return Err(DeviceError::refused("plane_means: x", "a pixel or more", "none"));
    }
    let launch = Launch::<S>::new(device, "plane_means").index(planes).index(pixels);
    launch.write(&mut y).read(x).over(planes)?;
    Ok(y)
}

/// [`plane_means_gradient`](crate::kernel::plane_means_gradient): dy, n c numbers -> dx of `x_shape`.
pub fn plane_means_gradient<S: Scalar>(
    device: &Device,
    x_shape: &[usize],
    dy: &DeviceTensor<S>,
) -> Result<DeviceTensor<S>> {
    let mut dx = DeviceTensor::stale(device, x_shape)?;
    let (count, pixels) = (dx.len(), x_shape.iter().skip(2).product::<usize>());
    dy.has_len(x_shape.iter().take(2).product(), "plane_means: dy")?;
    let launch = Launch::<S>::new(device, "plane_means_gradient").index(count).index(pixels);
    launch.write(&mut dx).read(dy).over(count)?;
    Ok(dx)
}
