//! What is done element by element.

use super::launch::Launch;
use super::moves::filled;
use super::walk::{Walk, broadcast, row_major};
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::kernel::{List, joined_shape, list};
use crate::scalar::Scalar;

/// [`formula_values`](crate::kernel::formula_values) of the formula of this name.
pub fn formula_values<S: Scalar>(device: &Device, name: &str, inputs: &[&DeviceTensor<S>]) -> Result<DeviceTensor<S>> {
    match inputs {
        [x] => {
            let mut y = DeviceTensor::stale(device, x.shape())?;
            Launch::<S>::new(device, format!("{name}_values")).index(x.len()).write(&mut y).read(x).over(x.len())?;
            Ok(y)
        }
        [a, b] => {
            let shape = joined_shape([a.shape(), b.shape()]).ok_or_else(|| differ(name, a.shape(), b.shape()))?;
            let mut y = DeviceTensor::stale(device, &shape)?;
            let walk = Walk::new(&shape, [&broadcast(a.shape(), &shape), &broadcast(b.shape(), &shape), &[]]);
            let (kernel, count) = (format!("{name}_values"), y.len());
            let launch = Launch::<S>::new(device, kernel).indices(&walk.fields()?).index(count);
            launch.write(&mut y).read(a).read(b).over(count)?;
            Ok(y)
        }
        _ => Err(DeviceError::refused(name, "one or two inputs", inputs.len().to_string())),
    }
}

fn differ(name: &str, a: &[usize], b: &[usize]) -> DeviceError {
    DeviceError::refused(name, format!("shapes that broadcast with {a:?}"), format!("{b:?}"))
}

/// [`formula_gradients`](crate::kernel::formula_gradients) of the formula of this name.
pub fn formula_gradients<S: Scalar>(
    device: &Device,
    name: &str,
    shapes: &[&[usize]],
    read: &[&DeviceTensor<S>],
    dy: &DeviceTensor<S>,
    wanted: &[bool],
) -> Result<List<Option<DeviceTensor<S>>>> {
    if shapes.len() != 1 {
        let gradient =
            |i: usize| wanted[i].then(|| gradient_of_two(device, name, shapes[i], read.get(1 - i).copied(), dy));
        return (0..2).map(|i| gradient(i).transpose()).collect();
    }
    if !wanted[0] {
        return Ok(list![None]);
    }
    let mut dx = DeviceTensor::stale(device, dy.shape())?;
    let launch = Launch::<S>::new(device, format!("{name}_gradient")).index(dy.len());
    launch.write(&mut dx).read(read.first().copied().unwrap_or(dy)).read(dy).over(dy.len())?;
    Ok(list![Some(dx)])
}

/// The gradient of one of two inputs, of this shape, where the derivative reads the `other`, if any.
fn gradient_of_two<S: Scalar>(
    device: &Device,
    name: &str,
    shape: &[usize],
    other: Option<&DeviceTensor<S>>,
    dy: &DeviceTensor<S>,
) -> Result<DeviceTensor<S>> {
    let joined = dy.shape();
    let others = other.map_or(list![0; joined.len()], |other| broadcast(other.shape(), joined));
    if shape == joined {
        let mut dx = DeviceTensor::stale(device, shape)?;
        let walk = Walk::new(joined, [&others, &[], &[]]);
        let launch = Launch::<S>::new(device, format!("{name}_gradient")).indices(&walk.fields()?).index(dy.len());
        launch.write(&mut dx).read_any(other).read(dy).over(dy.len())?;
        return Ok(dx);
    }
    let (leading, of_dy) = (joined.len() - shape.len(), row_major(joined));
    let is_kept = |axis: &usize| *axis >= leading && shape[axis - leading] == joined[*axis];
    let along = |axis: usize| (joined[axis], [of_dy[axis], others[axis], 0]);
    let kept = Walk::of((0..joined.len()).filter(is_kept).map(along));
    // The first axis is summed first: it is the fastest of those that repeat.
    let repeated: List<usize> = (0..joined.len()).rev().filter(|axis| !is_kept(axis)).collect();
    let steps = repeated.iter().map(|&axis| joined[axis]).product();
    if steps == 0 {
        return filled(device, shape, S::ZERO);
    }
    let mut dx = DeviceTensor::stale(device, shape)?;
    let repeated = Walk::unjoined(repeated.into_iter().map(along));
    let (kernel, count) = (format!("{name}_summed_gradient"), dx.len());
    let launch = Launch::<S>::new(device, kernel).indices(&kept.fields()?).indices(&repeated.fields()?);
    launch.index(steps).index(count).write(&mut dx).read_any(other).read(dy).over(count)?;
    Ok(dx)
}

/// [`dropout`](crate::kernel::dropout): a mask of 0 and 1, of x's shape.
pub fn dropout<S: Scalar>(
    device: &Device,
    x: &DeviceTensor<S>,
    mask: &DeviceTensor<u8>,
    keep_probability: S::Wide,
) -> Result<DeviceTensor<S>> {
    mask.has_len(x.len(), "dropout: mask")?;
    let mut y = DeviceTensor::stale(device, x.shape())?;
    let launch = Launch::<S>::new(device, "dropout").index(x.len()).write(&mut y).read(x).read(mask);
    launch.wide(keep_probability).over(x.len())?;
    Ok(y)
}

/// [`add_to`](crate::kernel::add_to).
pub fn add_to<S: Scalar>(device: &Device, sum: &mut DeviceTensor<S>, term: &DeviceTensor<S>) -> Result<()> {
    term.has_len(sum.len(), "add_to: term")?;
    let count = sum.len();
    Launch::<S>::new(device, "add_to").index(count).write(sum).read(term).over(count)
}
