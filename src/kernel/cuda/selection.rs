//! Which weights lie below a threshold, which live, and what becomes of them.

use super::launch::Launch;
use super::{Device, DeviceTensor, Result};
use crate::kernel::{DecayCounts, DecayRule, Term};
use crate::scalar::Scalar;

/// Entries of which one thread gathers the living; as in `source/selection.cu`.
const STRETCH: usize = 256;

/// [`below`](crate::kernel::below).
pub fn below<S: Scalar>(device: &Device, values: &DeviceTensor<S>, threshold: S) -> Result<DeviceTensor<u8>> {
    let mut flags = DeviceTensor::stale(device, values.shape())?;
    let count = values.len();
    Launch::<S>::new(device, "below").index(count).write(&mut flags).read(values).real(threshold).over(count)?;
    Ok(flags)
}

/// [`hold`](crate::kernel::hold) of numbers.
pub fn hold<S: Scalar>(device: &Device, entries: &mut DeviceTensor<S>, alive: &DeviceTensor<u8>) -> Result<()> {
    let count = entries.len();
    alive.has_len(count, "hold")?;
    Launch::<S>::new(device, "hold").index(count).write(entries).read(alive).over(count)
}

/// [`hold`](crate::kernel::hold) of flags.
pub fn hold_flags(device: &Device, flags: &mut DeviceTensor<u8>, alive: &DeviceTensor<u8>) -> Result<()> {
    let count = flags.len();
    alive.has_len(count, "hold")?;
    Launch::<f32>::new(device, "hold_flags").index(count).write(flags).read(alive).over(count)
}

/// [`living`](crate::kernel::living): `[nnz]`.
pub fn living<S: Scalar>(
    device: &Device,
    values: &DeviceTensor<S>,
    alive: &DeviceTensor<u8>,
) -> Result<DeviceTensor<S>> {
    let (count, stretches) = (values.len(), values.len().div_ceil(STRETCH));
    alive.has_len(count, "living")?;
    if count == 0 {
        return DeviceTensor::stale(device, &[0]);
    }
    let (mut starts, mut all) =
        (DeviceTensor::<u64>::stale(device, &[stretches])?, DeviceTensor::<u64>::stale(device, &[1])?);
    let launch = Launch::<S>::new(device, "count_living").index(stretches).index(count);
    launch.write(&mut starts).read(alive).over(stretches)?;
    Launch::<S>::new(device, "add_up").index(stretches).write(&mut starts).write(&mut all).in_blocks(1)?;
    let nnz = all.elements(device)?.iter().sum::<u64>() as usize;
    let mut living = DeviceTensor::stale(device, &[nnz])?;
    let launch = Launch::<S>::new(device, "living").index(stretches).index(count);
    launch.write(&mut living).read(&starts).read(values).read(alive).over(stretches)?;
    Ok(living)
}

/// [`rewind_decay`](crate::kernel::rewind_decay), over arrays of as many elements each.
pub fn rewind_decay<S: Scalar>(
    device: &Device,
    weights: &mut DeviceTensor<S>,
    rewind: Option<&DeviceTensor<S>>,
    selected: &DeviceTensor<u8>,
    mask: &mut DeviceTensor<u8>,
    rule: &DecayRule<S>,
) -> Result<DecayCounts> {
    let count = weights.len();
    rewind.map_or(Ok(()), |rewind| rewind.has_len(count, "rewind_decay: rewind values"))?;
    selected.has_len(count, "rewind_decay: selected")?;
    mask.has_len(count, "rewind_decay: mask")?;
    let mut counts = DeviceTensor::of_slice(device, &[2], &[0_u64; 2])?;
    let launch = Launch::<S>::new(device, "rewind_decay").index(count).write(weights).read_any(rewind).read(selected);
    let launch = rule.factors.iter().fold(launch.write(mask), |launch, &factor| launch.wide(factor));
    launch.double(rule.eps).flag(rule.of_all).write(&mut counts).over(count)?;
    let counts = counts.elements(device)?;
    Ok(DecayCounts { rewound: counts[0] as usize, eliminated: counts[1] as usize })
}

/// [`first_not_finite`](crate::kernel::first_not_finite): the place alone.
pub fn first_not_finite<S: Scalar>(
    device: &Device,
    weights: &DeviceTensor<S>,
    rewind: Option<&DeviceTensor<S>>,
    selected: &DeviceTensor<u8>,
    mask: &DeviceTensor<u8>,
) -> Result<Option<usize>> {
    let count = weights.len();
    rewind.map_or(Ok(()), |rewind| rewind.has_len(count, "first_not_finite: rewind values"))?;
    selected.has_len(count, "first_not_finite: selected")?;
    mask.has_len(count, "first_not_finite: mask")?;
    let mut place = LeastPlace::none(device)?;
    let launch = Launch::<S>::new(device, "first_not_finite").index(count).read(weights).read_any(rewind);
    launch.read(selected).read(mask).write(&mut place.0).over(count)?;
    place.found(device)
}

/// [`sum`](crate::kernel::sum).
pub fn sum<S: Scalar>(device: &Device, term: Term, start: S::Wide, values: &DeviceTensor<S>) -> Result<S::Wide> {
    let mut sum = DeviceTensor::<f64>::stale(device, &[2])?;
    let launch =
        Launch::<S>::new(device, "sum").index(values.len()).write(&mut sum).wide(start).number(number_of(term));
    launch.read(values).in_blocks(1)?;
    Ok(wide::<S>(&sum.elements(device)?))
}

/// What the kernels call a term.
pub(super) fn number_of(term: Term) -> u32 {
    match term {
        Term::Value => 0,
        Term::Magnitude => 1,
        Term::Square => 2,
    }
}

/// A wide number from its two doubles.
pub(super) fn wide<S: Scalar>(words: &[f64]) -> S::Wide {
    let [hi, lo] = [words[0], words[1]].map(S::Wide::from_f64);
    // An addition would lose the sign of -0.
    if words[1] == 0.0 { hi } else { hi + lo }
}

/// The least of the places that a kernel finds.
pub(super) struct LeastPlace(pub DeviceTensor<u64>);

impl LeastPlace {
    pub fn none(device: &Device) -> Result<Self> {
        Ok(Self(DeviceTensor::of_slice(device, &[1], &[u64::MAX])?))
    }

    pub fn found(&self, device: &Device) -> Result<Option<usize>> {
        Ok(self
            .0
            .elements(device)?
            .first()
            .and_then(|&place| usize::try_from(place).ok())
            .filter(|&at| at != usize::MAX))
    }
}
