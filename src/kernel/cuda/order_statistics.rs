//! [`order_statistics`]: the value of a rank, by radix selection.

use super::launch::Launch;
use super::selection::LeastPlace;
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::scalar::Scalar;

/// Bits that a pass over the values finds; as in `source/order_statistics.cu`.
const DIGIT: usize = 8;

/// [`order_statistics`](crate::kernel::order_statistics): the value of this rank, and of the next where it is wanted and there is one; or
/// the place of the first value that is not finite.
pub fn order_statistics<S: Scalar>(
    device: &Device,
    values: &DeviceTensor<S>,
    rank: usize,
    next: bool,
) -> Result<std::result::Result<(S, Option<S>), usize>> {
    let count = values.len();
    if rank >= count {
        return Err(DeviceError::refused("order_statistics", format!("a rank below {count}"), rank.to_string()));
    }
    let mut place = LeastPlace::none(device)?;
    Launch::<S>::new(device, "first_infinite").index(count).read(values).write(&mut place.0).over(count)?;
    if let Some(place) = place.found(device)? {
        return Ok(Err(place));
    }
    let mut counts = DeviceTensor::of_slice(device, &[1 << DIGIT], &[0_u64; 1 << DIGIT])?;
    let mut found = DeviceTensor::of_slice(device, &[2], &[0, rank as u64])?;
    for shift in (0..8 * size_of::<S>()).step_by(DIGIT).rev() {
        let launch = Launch::<S>::new(device, "count_digits").index(count).write(&mut counts).read(&found);
        launch.number(shift as u32).read(values).over(count)?;
        let launch = Launch::<S>::new(device, "choose_digit").write(&mut counts).write(&mut found);
        launch.number(shift as u32).in_blocks(1)?;
    }
    let mut following = DeviceTensor::of_slice(device, &[2], &[0, u64::MAX])?;
    let launch = Launch::<S>::new(device, "look_above").index(count).write(&mut following).read(&found);
    launch.read(values).over(count)?;
    let mut both = DeviceTensor::<S>::stale(device, &[2])?;
    Launch::<S>::new(device, "value_of_rank").write(&mut both).read(&found).read(&following).in_blocks(1)?;
    let both = both.elements(device)?;
    Ok(Ok((both[0], (next && rank + 1 < count).then_some(both[1]))))
}
