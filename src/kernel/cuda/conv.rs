//! Convolution and its two adjoints.

use super::launch::Launch;
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::kernel::Window;
use crate::scalar::Scalar;

/// The fields of the kernels' `convolution`: x `[n,c,h,w]`, w `[o,c/groups,kh,kw]`, y `[n,o,oh,ow]`.
fn fields(window: Window, x: [usize; 4], w: [usize; 4], y: [usize; 4]) -> [usize; 16] {
    let ([n, channels, height, width], [outputs, _, kh, kw], [_, _, oh, ow]) = (x, w, y);
    let Window { stride, padding, dilation, groups } = window;
    let [[sy, sx], [py, px], [dy, dx]] = [stride, padding, dilation];
    [n, channels, height, width, outputs, kh, kw, oh, ow, groups, sy, sx, py, px, dy, dx]
}

/// The shape of the output. What does not fit the window or the weights is refused.
fn output_shape(window: Window, x: [usize; 4], w: [usize; 4]) -> Result<[usize; 4]> {
    let groups = window.groups;
    if groups == 0 || x[1] != w[1] * groups || !w[0].is_multiple_of(groups) {
        let expected = format!("w for {groups} groups of x {x:?}");
        return Err(DeviceError::refused("conv2d", expected, format!("{w:?}")));
    }
    Ok(window.output_shape(x.into(), w.into()))
}

/// The extents of images; `[n,c]` counts as `[n,c,1,1]`.
fn four<S: Scalar>(place: &str, tensor: &DeviceTensor<S>) -> Result<[usize; 4]> {
    match *tensor.shape() {
        [n, c] => Ok([n, c, 1, 1]),
        [n, c, h, w] => Ok([n, c, h, w]),
        ref shape => Err(DeviceError::refused(place, "four extents", format!("{shape:?}"))),
    }
}

/// [`conv2d_with_bias`](crate::kernel::conv2d_with_bias): x `[n,c,h,w]`, w `[o,c/groups,kh,kw]`, bias `[o]` -> `[n,o,oh,ow]`.
pub fn conv2d_with_bias<S: Scalar>(
    device: &Device,
    window: Window,
    x: &DeviceTensor<S>,
    w: &DeviceTensor<S>,
    bias: Option<&DeviceTensor<S>>,
) -> Result<DeviceTensor<S>> {
    let (of_x, of_w) = (four("conv2d: x", x)?, four("conv2d: w", w)?);
    let of_y = output_shape(window, of_x, of_w)?;
    bias.map_or(Ok(()), |bias| bias.has_len(of_w[0], "conv2d: bias"))?;
    let mut y = DeviceTensor::stale(device, &of_y)?;
    let count = y.len();
    let launch = Launch::<S>::new(device, "conv2d").indices(&fields(window, of_x, of_w, of_y)).index(count);
    launch.write(&mut y).read(x).read(w).read_any(bias).over(count)?;
    Ok(y)
}

/// [`conv2d_input_gradient`](crate::kernel::conv2d_input_gradient): dy `[n,o,oh,ow]`, w -> `[n,c,h,w]` of `x_shape`.
pub fn conv2d_input_gradient<S: Scalar>(
    device: &Device,
    window: Window,
    dy: &DeviceTensor<S>,
    w: &DeviceTensor<S>,
    x_shape: [usize; 4],
) -> Result<DeviceTensor<S>> {
    let of_w = four("conv2d: w", w)?;
    let of_y = output_shape(window, x_shape, of_w)?;
    dy.has_len(of_y.iter().product(), "conv2d: dy")?;
    let mut dx = DeviceTensor::stale(device, &x_shape)?;
    let count = dx.len();
    let launch = Launch::<S>::new(device, "conv2d_input_gradient").indices(&fields(window, x_shape, of_w, of_y));
    launch.index(count).write(&mut dx).read(dy).read(w).over(count)?;
    Ok(dx)
}

/// [`conv2d_weight_gradient`](crate::kernel::conv2d_weight_gradient): x, dy `[n,o,oh,ow]` -> `[o,c/groups,kh,kw]` of `w_shape`.
pub fn conv2d_weight_gradient<S: Scalar>(
    device: &Device,
    window: Window,
    x: &DeviceTensor<S>,
    dy: &DeviceTensor<S>,
    w_shape: [usize; 4],
) -> Result<DeviceTensor<S>> {
    let of_x = four("conv2d: x", x)?;
    let of_y = output_shape(window, of_x, w_shape)?;
    dy.has_len(of_y.iter().product(), "conv2d: dy")?;
    let mut dw = DeviceTensor::stale(device, &w_shape)?;
    let count = dw.len();
    let launch = Launch::<S>::new(device, "conv2d_weight_gradient").indices(&fields(window, of_x, w_shape, of_y));
    launch.index(count).write(&mut dw).read(x).read(dy).over(count)?;
    Ok(dw)
}
