//! One term of a sum left out, counted twice, or with its sign turned.

use super::Found;
use super::pattern::index;
use crate::oracle::record::judge::Place;
use crate::oracle::record::{AtenCall, Carried, Value};
use ndarray::{ArrayD, IxDyn};

/// The most elements off that are taken for single terms, and how many of them are looked into.
const MOST: usize = 64;
const LOOKED_INTO: usize = 4;

/// What would be off by each term.
const WAYS: &[(f64, &str)] = &[(-1.0, "is left out"), (1.0, "is counted twice"), (-2.0, "has the wrong sign")];

pub(super) fn explain(found: &Found) -> Option<String> {
    let Carried::Aten(call) = &found.call.carried else { return None };
    let off = found.elements();
    if off.is_empty() || off.len() > MOST {
        return None;
    }
    let flat = |x: &ArrayD<f64>| x.iter().copied().collect::<Vec<f64>>();
    let [got, truth, likely] = [found.got, &found.expected.truth, &found.expected.likely].map(flat);
    let mut said = None;
    for &at in off.iter().take(LOOKED_INTO) {
        let place = index(found.expected.shape(), at);
        let terms = terms(&found.call.op, call, found.place, &place)?;
        let (error, radius) = (got[at] - truth[at], likely[at]);
        let fits =
            |way: f64| terms.iter().position(|term| (error - way * term).abs() <= radius && term.abs() > 2.0 * radius);
        let (way, term) = WAYS.iter().find_map(|(way, said)| Some((said, fits(*way)?)))?;
        said.get_or_insert_with(|| {
            format!("one product of {} {way}, number {term} of the sum at {place:?}", terms.len())
        });
    }
    said
}

fn array(call: &AtenCall<Value>, position: usize) -> Option<&ArrayD<f64>> {
    call.args.get(position)?.tensor().map(|value| &value.array)
}

/// The terms of the sum at an index of a result.
fn terms(op: &str, call: &AtenCall<Value>, place: &Place, at: &[usize]) -> Option<Vec<f64>> {
    match (op, place) {
        ("aten.mm.default", _) => row_by_column(array(call, 0)?, array(call, 1)?, at),
        ("aten.addmm.default", _) => row_by_column(array(call, 1)?, array(call, 2)?, at),
        ("aten.convolution.default", _) => Taps::of(call, 3)?.output(array(call, 0)?, array(call, 1)?, at),
        ("aten.convolution_backward.default", Place::Result(0)) => {
            Taps::of(call, 4)?.input(array(call, 0)?, array(call, 2)?, at)
        }
        ("aten.convolution_backward.default", Place::Result(1)) => {
            Taps::of(call, 4)?.weight(array(call, 0)?, array(call, 1)?, at)
        }
        ("aten.convolution_backward.default", Place::Result(2)) => {
            let dy = array(call, 0)?;
            Some(dy.index_axis(ndarray::Axis(1), *at.first()?).iter().copied().collect())
        }
        _ => None,
    }
}

fn row_by_column(a: &ArrayD<f64>, b: &ArrayD<f64>, at: &[usize]) -> Option<Vec<f64>> {
    let &[row, column] = at else { return None };
    let (a, b) = (a.index_axis(ndarray::Axis(0), row), b.index_axis(ndarray::Axis(1), column));
    Some(a.iter().zip(b).map(|(a, b)| a * b).collect())
}

/// Where the taps of a convolution over images lie.
struct Taps {
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Taps {
    fn of(call: &AtenCall<Value>, first: usize) -> Option<Self> {
        let pair = |position: usize| -> Option<[usize; 2]> {
            let integers = call.args.get(position)?.integers()?;
            let extents: Vec<usize> = integers.iter().filter_map(|&i| usize::try_from(i).ok()).collect();
            extents.try_into().ok()
        };
        let groups = usize::try_from(call.args.get(first + 5)?.integer()?).ok()?;
        Some(Self { stride: pair(first)?, padding: pair(first + 1)?, dilation: pair(first + 2)?, groups })
    }

    /// The pixel that a tap reads at an output, along one axis.
    fn pixel(&self, axis: usize, output: usize, tap: usize) -> Option<usize> {
        (output * self.stride[axis] + tap * self.dilation[axis]).checked_sub(self.padding[axis])
    }

    fn output(&self, x: &ArrayD<f64>, w: &ArrayD<f64>, at: &[usize]) -> Option<Vec<f64>> {
        let (&[n, o, oy, ox], &[outputs, channels, kh, kw]) = (at, w.shape()) else { return None };
        let first = o / (outputs / self.groups) * channels;
        let mut terms = Vec::new();
        for (c, ky, kx) in triples([channels, kh, kw]) {
            let (Some(iy), Some(ix)) = (self.pixel(0, oy, ky), self.pixel(1, ox, kx)) else { continue };
            if let Some(x) = x.get(IxDyn(&[n, first + c, iy, ix])) {
                terms.push(x * w[[o, c, ky, kx]]);
            }
        }
        Some(terms)
    }

    fn weight(&self, dy: &ArrayD<f64>, x: &ArrayD<f64>, at: &[usize]) -> Option<Vec<f64>> {
        let (&[o, c, ky, kx], &[images, outputs, oh, ow]) = (at, dy.shape()) else { return None };
        let first = o / (outputs / self.groups) * (x.shape().get(1)? / self.groups);
        let mut terms = Vec::new();
        for (n, oy, ox) in triples([images, oh, ow]) {
            let (Some(iy), Some(ix)) = (self.pixel(0, oy, ky), self.pixel(1, ox, kx)) else { continue };
            if let Some(x) = x.get(IxDyn(&[n, first + c, iy, ix])) {
                terms.push(x * dy[[n, o, oy, ox]]);
            }
        }
        Some(terms)
    }

    fn input(&self, dy: &ArrayD<f64>, w: &ArrayD<f64>, at: &[usize]) -> Option<Vec<f64>> {
        let (&[n, c, iy, ix], &[outputs, channels, kh, kw]) = (at, w.shape()) else { return None };
        let of_group = outputs / self.groups;
        let first = c / channels * of_group;
        let output = |axis: usize, pixel: usize, tap: usize| {
            let reached = (pixel + self.padding[axis]).checked_sub(tap * self.dilation[axis])?;
            (reached % self.stride[axis] == 0).then_some(reached / self.stride[axis])
        };
        let mut terms = Vec::new();
        for (o, ky, kx) in triples([of_group, kh, kw]) {
            let (Some(oy), Some(ox)) = (output(0, iy, ky), output(1, ix, kx)) else { continue };
            if let Some(dy) = dy.get(IxDyn(&[n, first + o, oy, ox])) {
                terms.push(dy * w[[first + o, c % channels, ky, kx]]);
            }
        }
        Some(terms)
    }
}

fn triples([a, b, c]: [usize; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))))
}
