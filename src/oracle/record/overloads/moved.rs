//! What only moves numbers: views, copies, joins, cuts. Each element of a result is one element of an operand, bit for bit
//! (-0 and 0 are one number), or a constant; a copy to a type of fewer digits rounds once.

use super::super::Value;
use super::super::expected::{Answer, Claim, Expected};
use super::arguments::Arguments;
use super::products::reshaped;
use crate::error::{Error, Result};
use ndarray::{ArrayD, Axis, IxDyn, Slice};
use safetensors::Dtype;

/// One result with the elements of `operand` as `of` puts them.
fn moved(given: &Arguments, operand: &Value, array: ArrayD<f64>) -> Answer {
    Answer::of(Expected::copied(&given.rounding(0), array, operand.dtype, given.result_type(0)))
}

/// Copies and other names of the same numbers: `clone`, `detach`, `alias`, `_to_copy`, ..
pub(super) fn same(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let to = given.result_type(0);
    let is_whole = |dtype| super::super::unit_roundoff(dtype).is_none();
    let array = match (is_whole(x.dtype), to) {
        (false, Dtype::BOOL) => x.array.mapv(|x| f64::from(u8::from(x != 0.0))),
        (false, to) if is_whole(to) => x.array.mapv(f64::trunc),
        _ => x.array.clone(),
    };
    Ok(moved(given, x, array))
}

/// The overload, or that of which it is the form in place.
fn out_of_place(overload: &str) -> String {
    overload.replace("_.", ".")
}

/// Another shape of as many elements, as the result was recorded: `view`, `_unsafe_view`, `reshape`, `unsqueeze`,
/// `squeeze`, `flatten`. Row-major order stays; a size of -1 is what is left.
pub(super) fn reshape(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let shape = match out_of_place(given.overload).as_str() {
        "aten.unsqueeze.default" => {
            let axis = given.axis(1, "dim", None, x.array.ndim() + 1)?;
            let mut shape = x.array.shape().to_vec();
            shape.insert(axis, 1);
            shape
        }
        "aten.squeeze.default" => x.array.shape().iter().copied().filter(|&extent| extent != 1).collect(),
        "aten.squeeze.dim" | "aten.squeeze.dims" => {
            let dropped = given.axes(1, "dim", x.array.ndim())?;
            let extents = x.array.shape().iter().enumerate();
            extents.filter(|&(axis, &extent)| extent != 1 || !dropped.contains(&axis)).map(|(_, &e)| e).collect()
        }
        "aten.flatten.using_ints" => {
            let rank = x.array.ndim();
            let first = given.axis(1, "start_dim", Some(0), rank)?;
            let last = given.axis(2, "end_dim", Some(-1), rank)?;
            let extents = x.array.shape();
            let (before, after) = (&extents[..first.min(rank)], &extents[(last + 1).min(rank)..]);
            let middle = x.array.len() / before.iter().chain(after).product::<usize>().max(1);
            [before, &[middle], after].concat()
        }
        _ => sizes(given, x.array.len())?,
    };
    Ok(moved(given, x, reshaped(&x.array, &shape)?))
}

/// The sizes of a view, of which one may be -1.
fn sizes(given: &Arguments, elements: usize) -> Result<Vec<usize>> {
    let sizes = given.integers(1, "size")?.unwrap_or_default();
    let known: i64 = sizes.iter().filter(|&&size| size >= 0).product();
    let left = i64::try_from(elements).unwrap_or(i64::MAX) / known.max(1);
    let size = |&size: &i64| usize::try_from(if size == -1 { left } else { size }).ok();
    let found = format!("{sizes:?}");
    sizes
        .iter()
        .map(size)
        .collect::<Option<_>>()
        .ok_or_else(|| given.refused("size", "sizes from 0, one may be -1", found))
}

/// `t(self)`, `transpose(self, dim0, dim1)`, `permute(self, dims)`.
pub(super) fn permute(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let rank = x.array.ndim();
    let mut axes: Vec<usize> = (0..rank).collect();
    let overload = out_of_place(given.overload);
    match overload.as_str() {
        "aten.t.default" => axes.reverse(),
        "aten.transpose.int" | "aten.transpose.default" if rank > 0 => {
            axes.swap(given.axis(1, "dim0", None, rank)?, given.axis(2, "dim1", None, rank)?);
        }
        "aten.permute.default" => {
            let dims = given.integers(1, "dims")?.unwrap_or_default();
            axes = dims.iter().map(|&axis| given.placed("dims", axis, rank)).collect::<Result<_>>()?;
        }
        _ => {}
    }
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() || (overload == "aten.t.default" && rank > 2) {
        return Err(given.refused("dims", format!("each of {rank} axes once"), format!("{axes:?}")));
    }
    Ok(moved(given, x, x.array.view().permuted_axes(axes).as_standard_layout().into_owned()))
}

/// `expand(self, size)`: -1 keeps an extent.
pub(super) fn expand(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let sizes = given.integers(1, "size")?.unwrap_or_default();
    let new_axes = sizes.len().saturating_sub(x.array.ndim());
    let shape = sizes.iter().enumerate().map(|(axis, &size)| {
        let kept = || axis.checked_sub(new_axes).and_then(|axis| x.array.shape().get(axis)).copied();
        if size == -1 { kept() } else { usize::try_from(size).ok() }
    });
    let shape: Option<Vec<usize>> = shape.collect();
    let wide = shape.and_then(|shape| x.array.broadcast(IxDyn(&shape)).map(|wide| wide.to_owned()));
    let refused =
        || given.refused("size", format!("sizes that {:?} spreads to", x.array.shape()), format!("{sizes:?}"));
    Ok(moved(given, x, wide.ok_or_else(refused)?))
}

/// `cat(tensors, dim=0)`; one without elements and axes counts for nothing.
pub(super) fn cat(given: &Arguments) -> Result<Answer> {
    let tensors = given.tensors(0, "tensors")?;
    let parts: Vec<&Value> = tensors.iter().copied().filter(|t| t.array.shape() != [0]).collect();
    let first = parts.first().or(tensors.first()).copied();
    let Some(first) = first else { return Err(given.refused("tensors", "tensors", "none")) };
    let axis = given.axis(1, "dim", Some(0), first.array.ndim())?;
    let views: Vec<_> = parts.iter().map(|t| t.array.view()).collect();
    let joined = ndarray::concatenate(Axis(axis), &views);
    let joined = joined.map_err(|e| given.refused("tensors", "shapes that differ along `dim` alone", e.to_string()))?;
    Ok(moved(given, first, joined))
}

/// `stack(tensors, dim=0)`.
pub(super) fn stack(given: &Arguments) -> Result<Answer> {
    let tensors = given.tensors(0, "tensors")?;
    let axis = given.axis(1, "dim", Some(0), tensors[0].array.ndim() + 1)?;
    let views: Vec<_> = tensors.iter().map(|t| t.array.view()).collect();
    let joined = ndarray::stack(Axis(axis), &views);
    let joined = joined.map_err(|e| given.refused("tensors", "tensors of one shape", e.to_string()))?;
    Ok(moved(given, tensors[0], joined))
}

/// `split(self, split_size, dim=0)`, `split_with_sizes(self, split_sizes, dim=0)`, `chunk(self, chunks, dim=0)`, each `unsafe_`
/// or not, `unbind(self, dim=0)`.
pub(super) fn split(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let is_unbind = given.overload == "aten.unbind.int";
    let axis = given.axis(if is_unbind { 1 } else { 2 }, "dim", Some(0), x.array.ndim())?;
    let extent = x.array.shape().get(axis).copied().unwrap_or(0);
    let equal = |size: usize| (0..extent).step_by(size.max(1)).map(|at| size.max(1).min(extent - at)).collect();
    let sizes: Vec<usize> = match given.overload.replace("unsafe_", "").as_str() {
        "aten.split_with_sizes.default" => given.extents(1, "split_sizes")?,
        "aten.chunk.default" => equal(extent.div_ceil(given.extent(1, "chunks", None)?.max(1))),
        "aten.unbind.int" => vec![1; extent],
        _ => equal(given.extent(1, "split_size", None)?),
    };
    if sizes.iter().sum::<usize>() != extent {
        return Err(given.refused("split_sizes", format!("sizes of {extent} in all"), format!("{sizes:?}")));
    }
    let mut at = 0;
    let parts = sizes.iter().enumerate().map(|(i, &size)| {
        let part = x.array.slice_axis(Axis(axis), Slice::from(at..at + size)).to_owned();
        at += size;
        let part = if is_unbind { part.index_axis_move(Axis(axis), 0) } else { part };
        Claim::Values(Expected::copied(&given.rounding(i), part, x.dtype, given.result_type(i)))
    });
    Ok(Answer { results: parts.collect(), writes: Vec::new() })
}

/// Where a slice begins and ends, each from the front or, negative, from the back, and cut to the extent.
fn bounds(given: &Arguments, first: usize, extent: usize) -> Result<Slice> {
    let whole = i64::try_from(extent).unwrap_or(i64::MAX);
    let place = |i: i64| if i < 0 { (i + whole).max(0) } else { i.min(whole) };
    let start = place(given.integer(first, "start", Some(0))?);
    let end = place(given.integer(first + 1, "end", Some(i64::MAX))?).max(start);
    let step = given.extent(first + 2, "step", Some(1))?;
    if step == 0 {
        return Err(given.refused("step", "an integer from 1", "0"));
    }
    Ok(Slice::new(start as isize, Some(end as isize), step as isize))
}

/// `slice(self, dim=0, start=None, end=None, step=1)`.
pub(super) fn slice(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let axis = given.axis(1, "dim", Some(0), x.array.ndim())?;
    let slice = bounds(given, 2, x.array.shape().get(axis).copied().unwrap_or(0))?;
    Ok(moved(given, x, x.array.slice_axis(Axis(axis), slice).to_owned()))
}

/// `slice_backward(grad_output, input_sizes, dim, start, end, step)`: the gradient in its place, 0 elsewhere.
pub(super) fn slice_backward(given: &Arguments) -> Result<Answer> {
    let dy = given.tensor(0, "grad_output")?;
    let mut dx = ArrayD::zeros(IxDyn(&sized(given, 1, "input_sizes")?));
    let axis = given.axis(2, "dim", None, dx.ndim())?;
    let slice = bounds(given, 3, dx.shape().get(axis).copied().unwrap_or(0))?;
    place(given, dx.slice_axis_mut(Axis(axis), slice), dy)?;
    Ok(moved(given, dy, dx))
}

/// A shape that allocates no more than ops may.
pub(super) fn sized(given: &Arguments, position: usize, name: &str) -> Result<Vec<usize>> {
    let shape = given.extents(position, name)?;
    let elements = shape.iter().fold(1_usize, |product, &extent| product.saturating_mul(extent.max(1)));
    if elements <= crate::ops::MAX_ELEMENTS {
        return Ok(shape);
    }
    Err(given.refused(name, format!("{} elements at most", crate::ops::MAX_ELEMENTS), format!("{shape:?}")))
}

/// Puts dy where it was taken from.
fn place(given: &Arguments, mut target: ndarray::ArrayViewMutD<f64>, dy: &Value) -> Result<()> {
    if target.shape() != dy.array.shape() {
        let found = format!("shape {:?}", dy.array.shape());
        return Err(given.refused("grad_output", format!("shape {:?}", target.shape()), found));
    }
    target.assign(&dy.array);
    Ok(())
}

/// `select(self, dim, index)`.
pub(super) fn select(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let axis = given.axis(1, "dim", None, x.array.ndim())?;
    let index = given.axis(2, "index", None, x.array.shape().get(axis).copied().unwrap_or(0))?;
    Ok(moved(given, x, x.array.index_axis(Axis(axis), index).to_owned()))
}

/// `select_backward(grad_output, input_sizes, dim, index)`.
pub(super) fn select_backward(given: &Arguments) -> Result<Answer> {
    let dy = given.tensor(0, "grad_output")?;
    let mut dx = ArrayD::zeros(IxDyn(&sized(given, 1, "input_sizes")?));
    let axis = given.axis(2, "dim", None, dx.ndim())?;
    let index = given.axis(3, "index", None, dx.shape().get(axis).copied().unwrap_or(0))?;
    place(given, dx.index_axis_mut(Axis(axis), index), dy)?;
    Ok(moved(given, dy, dx))
}

/// `constant_pad_nd(self, pad, value=0)`: pairs from the last axis on; negative ones cut off.
pub(super) fn pad(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let pads = given.integers(1, "pad")?.unwrap_or_default();
    let value = given.number(2, "value", Some(0.0))?;
    let mut padded = x.array.clone();
    for (back, pair) in pads.chunks(2).enumerate() {
        let (Some(axis), &[before, after]) = (padded.ndim().checked_sub(back + 1), pair) else {
            return Err(given.refused("pad", "a pair an axis", format!("{pads:?}")));
        };
        padded = padded_along(given, &padded, axis, [before, after], value)?;
    }
    Ok(moved(given, x, padded))
}

fn padded_along(given: &Arguments, x: &ArrayD<f64>, axis: usize, pads: [i64; 2], value: f64) -> Result<ArrayD<f64>> {
    let refused = || given.refused("pad", "extents from 0", format!("{pads:?}"));
    let extent = x.len_of(Axis(axis));
    let cut = pads.map(|pad| usize::try_from(-pad).unwrap_or(0));
    let end = extent.checked_sub(cut[1]).filter(|&end| end >= cut[0]).ok_or_else(refused)?;
    let kept = x.slice_axis(Axis(axis), Slice::from(cut[0]..end)).to_owned();
    let constant = |pad: i64| {
        let mut shape = x.shape().to_vec();
        shape[axis] = usize::try_from(pad).unwrap_or(0);
        let elements = shape.iter().fold(1_usize, |product, &extent| product.saturating_mul(extent));
        (elements <= crate::ops::MAX_ELEMENTS).then(|| ArrayD::from_elem(IxDyn(&shape), value)).ok_or_else(refused)
    };
    let (before, after) = (constant(pads[0])?, constant(pads[1])?);
    let views = [before.view(), kept.view(), after.view()];
    ndarray::concatenate(Axis(axis), &views)
        .map_err(|e| Error::shape(given.overload, "`pad`", "extents", e.to_string()))
}

/// `copy_(self, src)`: src, spread to self's shape and converted to its type.
pub(super) fn copy(given: &Arguments) -> Result<Answer> {
    let (to, from) = (given.tensor(0, "self")?, given.tensor(1, "src")?);
    let wide = from.array.broadcast(to.array.raw_dim());
    let refused = || {
        given.refused(
            "src",
            format!("a shape that spreads to {:?}", to.array.shape()),
            format!("{:?}", from.array.shape()),
        )
    };
    Ok(moved(given, from, wide.ok_or_else(refused)?.to_owned()))
}
