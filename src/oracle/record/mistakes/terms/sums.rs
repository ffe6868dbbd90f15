//! The terms of sums, means and averages, and of the gradients of a batch norm's weight and bias.

use super::array;
use crate::oracle::record::judge::Place;
use crate::oracle::record::{Arg, AtenCall, Value};
use ndarray::{ArrayD, Axis, IxDyn};

/// Whether an op's sums are of products.
pub(super) fn is_of_products(op: &str) -> bool {
    ["mm.", "conv", "linear", "batch_norm"].iter().any(|products| op.contains(products))
}

/// The terms of the sum at an index of a result.
pub(super) fn terms(op: &str, call: &AtenCall<Value>, place: &Place, at: &[usize]) -> Option<Vec<f64>> {
    match (op, place) {
        ("aten.sum.default" | "aten.sum.dim_IntList", _) => reduced(op, call, at),
        ("aten.mean.default" | "aten.mean.dim", _) => {
            let terms = reduced(op, call, at)?;
            let count = terms.len() as f64;
            Some(terms.into_iter().map(|term| term / count).collect())
        }
        ("aten.native_batch_norm_backward.default", Place::Result(1)) => {
            let &[c] = at else { return None };
            let [mean, reciprocal] = [5, 6].map(|position| array(call, position));
            let (mean, reciprocal) = (mean?.get(IxDyn(&[c]))?, reciprocal?.get(IxDyn(&[c]))?);
            let x = channel(array(call, 1)?, c)?;
            let pairs = x.into_iter().zip(channel(array(call, 0)?, c)?);
            Some(pairs.map(|(x, dy)| dy * (x - mean) * reciprocal).collect())
        }
        ("aten.native_batch_norm_backward.default", Place::Result(2)) => channel(array(call, 0)?, *at.first()?),
        ("aten.avg_pool2d.default", _) => averaged(call, at),
        ("aten.max_pool2d_with_indices_backward.default", _) => scattered(call, at),
        _ => None,
    }
}

/// The values of a channel.
fn channel(x: &ArrayD<f64>, c: usize) -> Option<Vec<f64>> {
    (x.ndim() > 1 && c < x.shape()[1]).then(|| x.index_axis(Axis(1), c).iter().copied().collect())
}

/// What is summed over all axes, or over those that the second argument lists.
fn reduced(op: &str, call: &AtenCall<Value>, at: &[usize]) -> Option<Vec<f64>> {
    let (x, is_whole) = (array(call, 0)?, !op.contains(".dim"));
    let listed = if is_whole { Vec::new() } else { call.args.get(1).and_then(Arg::integers).unwrap_or_default() };
    let rank = x.ndim() as i64;
    let axes: Vec<usize> = listed.iter().filter_map(|&axis| usize::try_from(axis.rem_euclid(rank)).ok()).collect();
    let keeps = !is_whole && call.args.get(2).and_then(Arg::flag).unwrap_or(false);
    let mut places = at.iter();
    let fixed: Vec<Option<usize>> = (0..x.ndim())
        .map(|axis| {
            let is_summed = axes.is_empty() || axes.contains(&axis);
            let place = if is_summed && !keeps { None } else { places.next().copied() };
            place.filter(|_| !is_summed)
        })
        .collect();
    let mut view = x.view();
    // From the last axis on, so that those before keep their places.
    for (axis, place) in fixed.into_iter().enumerate().rev() {
        if let Some(i) = place {
            view = (i < view.len_of(Axis(axis))).then(|| view.index_axis_move(Axis(axis), i))?;
        }
    }
    Some(view.iter().copied().collect())
}

/// Kernel, stride and padding of a pooling.
fn window(call: &AtenCall<Value>) -> Option<[[usize; 2]; 3]> {
    let pair = |position: usize, default: [usize; 2]| -> Option<[usize; 2]> {
        let Some(arg) = call.args.get(position) else { return Some(default) };
        let extents: Vec<usize> = arg.integers()?.iter().filter_map(|&i| usize::try_from(i).ok()).collect();
        match extents.as_slice() {
            [] => Some(default),
            &[both] => Some([both, both]),
            &[vertical, horizontal] => Some([vertical, horizontal]),
            _ => None,
        }
    };
    let kernel = pair(1, [1, 1])?;
    Some([kernel, pair(2, kernel)?, pair(3, [0, 0])?])
}

/// The pixels of one window, each by as many as the window has.
fn averaged(call: &AtenCall<Value>, at: &[usize]) -> Option<Vec<f64>> {
    let (x, [kernel, stride, padding]) = (array(call, 0)?, window(call)?);
    let &[ref outer @ .., row, column] = at else { return None };
    let taps = (0..kernel[0]).flat_map(|y| (0..kernel[1]).map(move |z| (y, z)));
    let pixel = |(y, z): (usize, usize)| {
        let place = [(row * stride[0] + y).checked_sub(padding[0])?, (column * stride[1] + z).checked_sub(padding[1])?];
        x.get(IxDyn(&[outer, &place].concat())).copied()
    };
    let count = (kernel[0] * kernel[1]) as f64;
    Some(taps.filter_map(pixel).map(|x| x / count).collect())
}

/// The gradients of the windows whose maximum a pixel is.
fn scattered(call: &AtenCall<Value>, at: &[usize]) -> Option<Vec<f64>> {
    let (dy, x, indices) = (array(call, 0)?, array(call, 1)?, array(call, 7)?);
    let &[ref outer @ .., row, column] = at else { return None };
    let pixel = (row * x.shape().last()? + column) as f64;
    let plane = |array: &ArrayD<f64>| {
        let inner = outer.iter().try_fold(array.view(), |view, &i| {
            (view.ndim() > 2 && i < view.len_of(Axis(0))).then(|| view.index_axis_move(Axis(0), i))
        });
        inner.map(|plane| plane.iter().copied().collect::<Vec<f64>>())
    };
    let pairs = plane(dy)?.into_iter().zip(plane(indices)?);
    Some(pairs.filter(|&(_, at)| at == pixel).map(|(dy, _)| dy).collect())
}
