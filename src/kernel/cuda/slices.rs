//! Kernels of slices in the host's memory, on the GPU: they are sent there, and what has changed comes back.
//!
//! `None` stands for what the GPU does not compute: another number system, or a failure, which is
//! [remembered](super::remember).

use super::{Device, DeviceTensor, Following, Groups, Result, computes, remember};
use crate::kernel::buffer::Element;
use crate::kernel::{DecayCounts, DecayRule, Descent, Followed, GroupTotal, Penalty, Term};
use crate::scalar::Scalar;
use std::any::Any;

/// What `work` makes on the device.
fn on_device<S: Scalar, T>(work: impl FnOnce(&Device) -> Result<T>) -> Option<T> {
    if !computes::<S>() {
        return None;
    }
    Device::get().and_then(work).map_err(remember).ok()
}

fn sent<T: Element>(device: &Device, elements: &[T]) -> Result<DeviceTensor<T>> {
    DeviceTensor::of_slice(device, &[elements.len()], elements)
}

fn flags(device: &Device, flags: &[bool]) -> Result<DeviceTensor<u8>> {
    sent(device, &flags.iter().map(|&flag| flag.into()).collect::<Vec<u8>>())
}

fn flags_back(device: &Device, tensor: &DeviceTensor<u8>) -> Result<Vec<bool>> {
    Ok(tensor.elements(device)?.into_iter().map(|flag| flag != 0).collect())
}

/// [`sgd_step`](crate::kernel::sgd_step).
pub(in crate::kernel) fn sgd_step<S: Scalar>(
    rule: Descent<S>,
    (w, b): (&mut [S], &mut [S]),
    g: &[S],
    followed: &mut Followed<S>,
) -> Option<bool> {
    on_device::<S, _>(|device| {
        let (mut on_w, mut on_b, on_g) = (sent(device, w)?, sent(device, b)?, sent(device, g)?);
        let mut squares = followed.squares.as_deref().map(|squares| sent(device, squares)).transpose()?;
        let mask = followed.mask.map(|mask| flags(device, mask)).transpose()?;
        let finite = super::sgd_step(
            device,
            rule,
            (&mut on_w, &mut on_b),
            &on_g,
            Following {
                squares: squares.as_mut(),
                with_decay: followed.with_decay,
                mask: mask.as_ref(),
                dead_momentum: followed.dead_momentum,
            },
        )?;
        on_w.read_into(device, w)?;
        on_b.read_into(device, b)?;
        if let (Some(squares), Some(to)) = (&squares, followed.squares.as_deref_mut()) {
            squares.read_into(device, to)?;
        }
        Ok(finite)
    })
}

/// [`drawn_step`](crate::kernel::drawn_step).
pub(in crate::kernel) fn drawn_step<S: Scalar>(
    rule: Descent<S>,
    penalty: Penalty<S>,
    (w, v, computed): (&mut [S], &mut [S], &mut [S]),
    g: &[S],
    (mask, moves): (&[bool], &[bool]),
) -> Option<bool> {
    on_device::<S, _>(|device| {
        let [mut on_w, mut on_v, mut on_computed] = [sent(device, w)?, sent(device, v)?, sent(device, computed)?];
        let moving = (&mut on_w, &mut on_v, &mut on_computed);
        let (mask, moves) = (flags(device, mask)?, flags(device, moves)?);
        let finite = super::drawn_step(device, rule, penalty, moving, &sent(device, g)?, (&mask, &moves))?;
        on_w.read_into(device, w)?;
        on_v.read_into(device, v)?;
        on_computed.read_into(device, computed)?;
        Ok(finite)
    })
}

/// [`accumulate_squares`](crate::kernel::accumulate_squares).
pub(in crate::kernel) fn accumulate_squares<S: Scalar>(accumulated: &mut [S], gradient: &[S]) -> Option<bool> {
    on_device::<S, _>(|device| {
        let mut sums = sent(device, accumulated)?;
        let finite = super::accumulate_squares(device, &mut sums, &sent(device, gradient)?)?;
        sums.read_into(device, accumulated)?;
        Ok(finite)
    })
}

/// [`sum`](crate::kernel::sum).
pub(in crate::kernel) fn sum<S: Scalar>(term: Term, start: S::Wide, values: &[S]) -> Option<S::Wide> {
    on_device::<S, _>(|device| super::sum(device, term, start, &sent(device, values)?))
}

/// [`order_statistics`](crate::kernel::order_statistics).
pub(in crate::kernel) fn order_statistics<S: Scalar>(
    values: &[S],
    rank: usize,
    next: bool,
) -> Option<std::result::Result<(S, Option<S>), usize>> {
    on_device::<S, _>(|device| super::order_statistics(device, &sent(device, values)?, rank, next))
}

/// [`below`](crate::kernel::below).
pub(in crate::kernel) fn below<S: Scalar>(values: &[S], threshold: S) -> Option<Vec<bool>> {
    on_device::<S, _>(|device| flags_back(device, &super::below(device, &sent(device, values)?, threshold)?))
}

/// [`hold`](crate::kernel::hold), of numbers or of flags.
pub(in crate::kernel) fn hold<T: Element>(entries: &mut [T], alive: &[bool]) -> Option<()> {
    let mut held = entries.to_vec();
    let any: &mut dyn Any = &mut held;
    if let Some(held) = any.downcast_mut::<Vec<bool>>() {
        let of_flags = |device: &Device| {
            let mut entries = flags(device, held)?;
            super::hold_flags(device, &mut entries, &flags(device, alive)?)?;
            flags_back(device, &entries)
        };
        *held = on_device::<f32, _>(of_flags)?;
    } else if let Some(held) = any.downcast_mut::<Vec<f32>>() {
        hold_numbers(held, alive)?;
    } else {
        hold_numbers(any.downcast_mut::<Vec<f64>>()?, alive)?;
    }
    entries.copy_from_slice(&held);
    Some(())
}

fn hold_numbers<S: Scalar>(numbers: &mut [S], alive: &[bool]) -> Option<()> {
    on_device::<S, _>(|device| {
        let mut entries = sent(device, numbers)?;
        super::hold(device, &mut entries, &flags(device, alive)?)?;
        entries.read_into(device, numbers)
    })
}

/// [`living`](crate::kernel::living).
pub(in crate::kernel) fn living<S: Scalar>(values: &[S], alive: &[bool]) -> Option<Vec<S>> {
    on_device::<S, _>(|device| super::living(device, &sent(device, values)?, &flags(device, alive)?)?.elements(device))
}

/// [`group_totals`](crate::kernel::group_totals).
pub(in crate::kernel) fn group_totals<S: Scalar>(
    total: GroupTotal,
    values: &[S],
    ids: &[usize],
    count: usize,
    counted: &[bool],
) -> Option<Vec<(S::Wide, usize)>> {
    on_device::<S, _>(|device| {
        let groups = Groups::upload(device, ids, count)?;
        super::group_totals(device, total, &sent(device, values)?, &groups, &flags(device, counted)?)
    })
}

/// [`flags_of_groups`](crate::kernel::flags_of_groups).
pub(in crate::kernel) fn flags_of_groups(of_groups: &[bool], ids: &[usize]) -> Option<Vec<bool>> {
    on_device::<f32, _>(|device| {
        let groups = Groups::upload(device, ids, of_groups.len())?;
        flags_back(device, &super::flags_of_groups(device, &flags(device, of_groups)?, &groups)?)
    })
}

/// [`least_of_groups`](crate::kernel::least_of_groups).
pub(in crate::kernel) fn least_of_groups<S: Scalar>(
    values: &[S],
    alive: &[bool],
    ids: &[usize],
    count: usize,
    keep: usize,
) -> Option<Vec<bool>> {
    on_device::<S, _>(|device| {
        let groups = Groups::upload(device, ids, count)?;
        let (values, alive) = (sent(device, values)?, flags(device, alive)?);
        flags_back(device, &super::least_of_groups(device, &values, &alive, &groups, keep)?)
    })
}

/// [`rewind_decay`](crate::kernel::rewind_decay).
pub(in crate::kernel) fn rewind_decay<S: Scalar>(
    weights: &mut [S],
    rewind: Option<&[S]>,
    selected: &[bool],
    mask: &mut [bool],
    rule: &DecayRule<S>,
) -> Option<DecayCounts> {
    on_device::<S, _>(|device| {
        let (mut w, mut alive) = (sent(device, weights)?, flags(device, mask)?);
        let (rewind, selected) = (rewind.map(|rewind| sent(device, rewind)).transpose()?, flags(device, selected)?);
        let counts = super::rewind_decay(device, &mut w, rewind.as_ref(), &selected, &mut alive, rule)?;
        w.read_into(device, weights)?;
        mask.copy_from_slice(&flags_back(device, &alive)?);
        Ok(counts)
    })
}

/// [`first_not_finite`](crate::kernel::first_not_finite).
pub(in crate::kernel) fn first_not_finite<S: Scalar>(
    weights: &[S],
    rewind: Option<&[S]>,
    selected: &[bool],
    mask: &[bool],
) -> Option<Option<(usize, S)>> {
    on_device::<S, _>(|device| {
        let (w, on_rewind) = (sent(device, weights)?, rewind.map(|rewind| sent(device, rewind)).transpose()?);
        let (chosen, alive) = (flags(device, selected)?, flags(device, mask)?);
        let place = super::first_not_finite(device, &w, on_rewind.as_ref(), &chosen, &alive)?;
        let read = |j: usize| if selected[j] { rewind.unwrap_or(weights)[j] } else { weights[j] };
        Ok(place.map(|j| (j, read(j))))
    })
}
