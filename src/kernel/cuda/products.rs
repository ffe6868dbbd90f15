//! Products of matrices, and the sums of channels.

use super::launch::Launch;
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::scalar::Scalar;

/// Rows and columns of what a block makes; as in `source/products.cu`.
const TILE: usize = 16;

/// A matrix: its extents, and how far apart rows and columns lie.
struct Matrix<'a, S> {
    tensor: &'a DeviceTensor<S>,
    extents: [usize; 2],
    strides: [usize; 2],
}

impl<'a, S: Scalar> Matrix<'a, S> {
    fn of(tensor: &'a DeviceTensor<S>) -> Result<Self> {
        match *tensor.shape() {
            [rows, columns] => Ok(Self { tensor, extents: [rows, columns], strides: [columns, 1] }),
            ref shape => Err(DeviceError::refused("a matrix", "two extents", format!("{shape:?}"))),
        }
    }

    fn turned(self) -> Self {
        let ([rows, columns], [row, column]) = (self.extents, self.strides);
        Self { extents: [columns, rows], strides: [column, row], ..self }
    }
}

/// `a b + bias`.
fn product<S: Scalar>(
    device: &Device,
    a: &Matrix<S>,
    b: &Matrix<S>,
    bias: Option<&DeviceTensor<S>>,
) -> Result<DeviceTensor<S>> {
    let ([m, k], [inner, n]) = (a.extents, b.extents);
    if k != inner {
        return Err(DeviceError::refused("matmul", format!("{k} rows"), inner.to_string()));
    }
    bias.map_or(Ok(()), |bias| bias.has_len(n, "matmul: bias"))?;
    let mut c = DeviceTensor::stale(device, &[m, n])?;
    let launch = Launch::<S>::new(device, "matmul").index(m).index(k).index(n).write(&mut c);
    let launch = launch.read(a.tensor).index(a.strides[0]).index(a.strides[1]);
    let launch = launch.read(b.tensor).index(b.strides[0]).index(b.strides[1]).read_any(bias);
    launch.in_blocks(m.div_ceil(TILE) * n.div_ceil(TILE))?;
    Ok(c)
}

/// [`matmul_with_bias`](crate::kernel::matmul_with_bias): a `[m,k]`, b `[k,n]`, bias `[n]` -> `[m,n]`.
pub fn matmul_with_bias<S: Scalar>(
    device: &Device,
    a: &DeviceTensor<S>,
    b: &DeviceTensor<S>,
    bias: Option<&DeviceTensor<S>>,
) -> Result<DeviceTensor<S>> {
    product(device, &Matrix::of(a)?, &Matrix::of(b)?, bias)
}

/// [`linear`](crate::kernel::linear): x `[n,in]`, w `[out,in]`, bias `[out]` -> `[n,out]`.
pub fn linear<S: Scalar>(
    device: &Device,
    x: &DeviceTensor<S>,
    w: &DeviceTensor<S>,
    bias: Option<&DeviceTensor<S>>,
) -> Result<DeviceTensor<S>> {
    product(device, &Matrix::of(x)?, &Matrix::of(w)?.turned(), bias)
}

/// [`linear_input_gradient`](crate::kernel::linear_input_gradient): dy `[n,out]`, w `[out,in]` -> `[n,in]`.
pub fn linear_input_gradient<S: Scalar>(
    device: &Device,
    dy: &DeviceTensor<S>,
    w: &DeviceTensor<S>,
) -> Result<DeviceTensor<S>> {
    product(device, &Matrix::of(dy)?, &Matrix::of(w)?, None)
}

/// [`linear_weight_gradient`](crate::kernel::linear_weight_gradient): x `[n,in]`, dy `[n,out]` -> `[out,in]`.
pub fn linear_weight_gradient<S: Scalar>(
    device: &Device,
    x: &DeviceTensor<S>,
    dy: &DeviceTensor<S>,
) -> Result<DeviceTensor<S>> {
    product(device, &Matrix::of(dy)?.turned(), &Matrix::of(x)?, None)
}

/// [`channel_sums`](crate::kernel::channel_sums): dy `[n,o]` or `[n,o,oh,ow]` -> db `[o]`.
pub fn channel_sums<S: Scalar>(device: &Device, dy: &DeviceTensor<S>) -> Result<DeviceTensor<S>> {
    let &[n, channels, ref pixels @ ..] = dy.shape() else {
        return Err(DeviceError::refused("channel_sums", "two extents or more", format!("{:?}", dy.shape())));
    };
    let mut db = DeviceTensor::stale(device, &[channels])?;
    let launch = Launch::<S>::new(device, "channel_sums").index(n).index(channels).index(pixels.iter().product());
    launch.write(&mut db).read(dy).in_blocks(channels)?;
    Ok(db)
}
