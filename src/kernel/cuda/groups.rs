//! Groups of weights that stand or fall together.

use super::launch::Launch;
use super::selection::{number_of, wide};
use super::{Device, DeviceError, DeviceTensor, Result};
use crate::kernel::GroupTotal;
use crate::scalar::Scalar;

/// Which of `count` groups each entry belongs to, and the entries of each group, on the device.
#[derive(Debug)]
pub struct Groups {
    count: usize,
    ids: DeviceTensor<u64>,
    /// The places of all entries, group by group and ascending.
    members: DeviceTensor<u64>,
    /// Where each group's begin: `[count + 1]`.
    starts: DeviceTensor<u64>,
}

impl Groups {
    /// From the group of each entry.
    ///
    /// # Errors
    /// [`DeviceError::Refused`] for an id that is not below `count`; out of memory; what the driver says.
    pub fn upload(device: &Device, ids: &[usize], count: usize) -> Result<Self> {
        if let Some(id) = ids.iter().find(|&&id| id >= count) {
            return Err(DeviceError::refused("groups", format!("ids below {count}"), id.to_string()));
        }
        let mut starts = vec![0_u64; count + 1];
        ids.iter().for_each(|&id| starts[id + 1] += 1);
        for group in 0..count {
            starts[group + 1] += starts[group];
        }
        let (mut next, mut members) = (starts.clone(), vec![0_u64; ids.len()]);
        for (place, &id) in (0..).zip(ids) {
            members[next[id] as usize] = place;
            next[id] += 1;
        }
        let wide_ids: Vec<u64> = ids.iter().map(|&id| id as u64).collect();
        let list = |numbers: &[u64]| DeviceTensor::of_slice(device, &[numbers.len()], numbers);
        Ok(Self { count, ids: list(&wide_ids)?, members: list(&members)?, starts: list(&starts)? })
    }
}

/// [`group_totals`](crate::kernel::group_totals).
pub fn group_totals<S: Scalar>(
    device: &Device,
    total: GroupTotal,
    values: &DeviceTensor<S>,
    groups: &Groups,
    counted: &DeviceTensor<u8>,
) -> Result<Vec<(S::Wide, usize)>> {
    values.has_len(groups.ids.len(), "group_totals: values")?;
    counted.has_len(groups.ids.len(), "group_totals: counted")?;
    let mut totals = DeviceTensor::<f64>::stale(device, &[groups.count, 2])?;
    let mut counts = DeviceTensor::<u64>::stale(device, &[groups.count])?;
    let term = match total {
        GroupTotal::Sum(term) => number_of(term),
        GroupTotal::Maximum => 3,
    };
    let launch = Launch::<S>::new(device, "group_totals").index(groups.count).write(&mut totals).write(&mut counts);
    let launch = launch.number(term).read(values).read(counted).read(&groups.members).read(&groups.starts);
    launch.over(groups.count)?;
    let (totals, counts) = (totals.elements(device)?, counts.elements(device)?);
    Ok(totals.chunks_exact(2).zip(counts).map(|(words, count)| (wide::<S>(words), count as usize)).collect())
}

/// [`flags_of_groups`](crate::kernel::flags_of_groups).
pub fn flags_of_groups(device: &Device, flags: &DeviceTensor<u8>, groups: &Groups) -> Result<DeviceTensor<u8>> {
    flags.has_len(groups.count, "flags_of_groups")?;
    let count = groups.ids.len();
    let mut of_entries = DeviceTensor::stale(device, &[count])?;
    let launch = Launch::<f32>::new(device, "flags_of_groups").index(count).write(&mut of_entries);
    launch.read(flags).read(&groups.ids).over(count)?;
    Ok(of_entries)
}

/// [`least_of_groups`](crate::kernel::least_of_groups), of values that are numbers. Each entry is held against all of its group.
pub fn least_of_groups<S: Scalar>(
    device: &Device,
    values: &DeviceTensor<S>,
    alive: &DeviceTensor<u8>,
    groups: &Groups,
    keep: usize,
) -> Result<DeviceTensor<u8>> {
    let count = groups.ids.len();
    values.has_len(count, "least_of_groups: values")?;
    alive.has_len(count, "least_of_groups: alive")?;
    let mut least = DeviceTensor::stale(device, &[count])?;
    let launch = Launch::<S>::new(device, "least_of_groups").index(count).write(&mut least).read(values).read(alive);
    let launch = launch.read(&groups.ids).read(&groups.members).read(&groups.starts);
    launch.index(keep.min(count)).over(count)?;
    Ok(least)
}
