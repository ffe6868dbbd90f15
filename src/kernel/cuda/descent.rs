//! The optimizer's step, and what is done with gradients in the same pass.

use super::launch::Launch;
use super::{Device, DeviceTensor, Result};
use crate::kernel::{Descent, Penalty};
use crate::scalar::Scalar;

/// Whether all was finite that a kernel looked at; on the device until it is asked.
struct AllFinite(DeviceTensor<u32>);

impl AllFinite {
    fn so_far(device: &Device) -> Result<Self> {
        Ok(Self(DeviceTensor::of_slice(device, &[1], &[1])?))
    }

    fn is_so(&self, device: &Device) -> Result<bool> {
        Ok(self.0.elements(device)? == [1])
    }
}

/// What [`sgd_step`] does beside a step; see [`Followed`](crate::kernel::Followed).
#[derive(Debug, Default)]
pub struct Following<'a, S> {
    pub squares: Option<&'a mut DeviceTensor<S>>,
    pub with_decay: bool,
    pub mask: Option<&'a DeviceTensor<u8>>,
    pub dead_momentum: bool,
}

/// [`sgd_step`](crate::kernel::sgd_step), over arrays of as many elements each.
pub fn sgd_step<S: Scalar>(
    device: &Device,
    rule: Descent<S>,
    (w, b): (&mut DeviceTensor<S>, &mut DeviceTensor<S>),
    g: &DeviceTensor<S>,
    followed: Following<S>,
) -> Result<bool> {
    let count = w.len();
    let Following { squares, with_decay, mask, dead_momentum } = followed;
    b.has_len(count, "sgd_step: momentum")?;
    g.has_len(count, "sgd_step: gradient")?;
    squares.as_ref().map_or(Ok(()), |squares| squares.has_len(count, "sgd_step: squares"))?;
    mask.map_or(Ok(()), |mask| mask.has_len(count, "sgd_step: mask"))?;
    let mut finite = AllFinite::so_far(device)?;
    let launch = Launch::<S>::new(device, "sgd_step").index(count).write(w).write(b).read(g);
    let launch = launch.real(rule.learning_rate).real(rule.momentum).real(rule.weight_decay).flag(rule.nesterov);
    let launch = launch.write_any(squares).flag(with_decay).read_any(mask).flag(dead_momentum);
    launch.write(&mut finite.0).over(count)?;
    finite.is_so(device)
}

/// [`drawn_step`](crate::kernel::drawn_step), over arrays of as many elements each.
pub fn drawn_step<S: Scalar>(
    device: &Device,
    rule: Descent<S>,
    penalty: Penalty<S>,
    (w, v, computed): (&mut DeviceTensor<S>, &mut DeviceTensor<S>, &mut DeviceTensor<S>),
    g: &DeviceTensor<S>,
    (mask, moves): (&DeviceTensor<u8>, &DeviceTensor<u8>),
) -> Result<bool> {
    let count = w.len();
    for of_entries in [&*v, &*computed, g] {
        of_entries.has_len(count, "drawn_step")?;
    }
    mask.has_len(count, "drawn_step: mask")?;
    moves.has_len(count, "drawn_step: moves")?;
    let mut finite = AllFinite::so_far(device)?;
    let launch = Launch::<S>::new(device, "drawn_step").index(count).write(w).write(v).write(computed).read(g);
    let launch = launch.real(rule.learning_rate).real(rule.momentum).real(rule.weight_decay).flag(rule.nesterov);
    let [inside, outside] = penalty.strengths;
    let launch = launch.flag(penalty.by_sign).real(inside).real(outside).read(mask).read(moves);
    launch.write(&mut finite.0).over(count)?;
    finite.is_so(device)
}

/// [`accumulate_squares`](crate::kernel::accumulate_squares).
pub fn accumulate_squares<S: Scalar>(
    device: &Device,
    accumulated: &mut DeviceTensor<S>,
    gradient: &DeviceTensor<S>,
) -> Result<bool> {
    let count = gradient.len();
    accumulated.has_len(count, "accumulate_squares")?;
    let mut finite = AllFinite::so_far(device)?;
    let launch = Launch::<S>::new(device, "accumulate_squares").index(count).write(accumulated).read(gradient);
    launch.write(&mut finite.0).over(count)?;
    finite.is_so(device)
}
