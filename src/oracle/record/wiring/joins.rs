//! Which part of a joined tensor's gradient is which operand's: of `cat` and `stack`, whose derivative cuts it up again.

use super::super::{Arg, AtenCall, Call, Carried, Reference};

/// Of each result of the backward call, in order, which of the joined tensors it is a part for, where the forward call joined
/// some and the backward one cuts: all parts at once, or one from its place. Empty where it is not so.
pub(super) fn parts(forward: &Call<Reference>, backward: &Call<Reference>) -> Vec<Option<usize>> {
    let (Carried::Aten(join), Carried::Aten(cut)) = (&forward.carried, &backward.carried) else { return Vec::new() };
    let results = cut.results.len();
    match (Joined::of(&forward.op, join), Cut::of(&backward.op, cut)) {
        (Some(joined), Some(cut)) => (0..results).map(|i| joined.part(&cut, i, results)).collect(),
        _ => Vec::new(),
    }
}

/// Tensors joined along an axis.
struct Joined {
    axis: usize,
    /// Where each begins on the axis.
    begins: Vec<i64>,
    /// Of all of them.
    extent: i64,
    /// Whether the axis is a new one.
    is_new: bool,
    /// Of what they are joined to.
    rank: usize,
}

impl Joined {
    fn of(op: &str, call: &AtenCall<Reference>) -> Option<Self> {
        let is_new = match op {
            "aten.cat.default" => false,
            "aten.stack.default" => true,
            _ => return None,
        };
        let parts: Vec<&Reference> = call.args.first()?.tensors();
        let rank = parts.iter().map(|part| part.shape.len()).max()? + usize::from(is_new);
        let axis = axis(call.argument(1, "dim").map_or(Some(0), Arg::integer)?, rank)?;
        let (mut begins, mut extent) = (Vec::with_capacity(parts.len()), 0);
        for part in parts {
            begins.push(extent);
            extent += if is_new { 1 } else { i64::try_from(*part.shape.get(axis)?).ok()? };
        }
        Some(Self { axis, begins, extent, is_new, rank })
    }

    /// Which operand the `i`-th of so many results of a cut is a part for.
    fn part(&self, cut: &Cut, i: usize, results: usize) -> Option<usize> {
        if axis(cut.dim, self.rank) != Some(self.axis) || cut.drops_axis != self.is_new {
            return None;
        }
        match cut.begin {
            None => (results == self.begins.len()).then_some(i),
            Some(begin) => {
                let begin = if begin < 0 { begin + self.extent } else { begin };
                self.begins.iter().position(|&other| other == begin)
            }
        }
    }
}

/// A call that takes parts of a tensor along an axis.
struct Cut {
    dim: i64,
    /// Where its one part begins; `None`: it takes all parts.
    begin: Option<i64>,
    /// Whether parts are without the axis.
    drops_axis: bool,
}

impl Cut {
    fn of(op: &str, call: &AtenCall<Reference>) -> Option<Self> {
        let integer = |position, name| call.argument(position, name).map_or(Some(0), Arg::integer);
        let (dim, begin, drops_axis) = match op {
            "aten.select.int" => (integer(1, "dim")?, Some(integer(2, "index")?), true),
            "aten.unbind.int" => (integer(1, "dim")?, None, true),
            "aten.slice.Tensor" => (integer(1, "dim")?, Some(integer(2, "start")?), false),
            "aten.split.Tensor" | "aten.split_with_sizes.default" => (integer(2, "dim")?, None, false),
            _ => return None,
        };
        Some(Self { dim, begin, drops_axis })
    }
}

/// The axis of this number, which counts from the end where it is negative.
fn axis(dim: i64, rank: usize) -> Option<usize> {
    usize::try_from(if dim < 0 { dim + i64::try_from(rank).ok()? } else { dim }).ok()
}
