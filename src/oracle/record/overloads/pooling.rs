//! Pooling over windows of planes: maxima and their places exactly, averages as sums of a window's pixels.
//!
//! A maximum is one of its pixels; a tie goes to the first in row-major order, and what is not a number is larger than
//! any number, as in PyTorch. A gradient goes to the places that were recorded, summed where windows overlap.

use super::super::ball::{Ball, Steps, Sum};
use super::super::expected::{Answer, Claim, Expected};
use super::super::rounding::Rounding;
use super::arguments::Arguments;
use super::reductions::divided;
use super::slips::Slip;
use crate::error::Result;
use ndarray::{ArrayD, IxDyn};

/// The pixels of one axis that each window reads, and what the window counts there with padding.
#[derive(Debug, Clone)]
struct Taps {
    pixels: Vec<usize>,
    counted: usize,
}

/// How windows lie on a plane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
    pub ceil: bool,
}

impl Windows {
    /// kernel_size, stride, padding from `first` on, and dilation where there is one.
    fn of(given: &Arguments, first: usize, has_dilation: bool) -> Result<Self> {
        let kernel = given.pair(first, "kernel_size", [1, 1])?;
        let dilation = if has_dilation { given.pair(first + 3, "dilation", [1, 1])? } else { [1, 1] };
        let windows = Self {
            kernel,
            stride: given.pair(first + 1, "stride", kernel)?,
            padding: given.pair(first + 2, "padding", [0, 0])?,
            dilation,
            ceil: given.flag(first + 3 + usize::from(has_dilation), "ceil_mode", Some(false))?,
        };
        let is_whole = [windows.kernel, windows.stride, windows.dilation].iter().flatten().all(|&extent| extent > 0);
        let is_padded_right = (0..2).all(|axis| 2 * windows.padding[axis] <= kernel[axis]);
        if is_whole && is_padded_right {
            return Ok(windows);
        }
        Err(given.refused(
            "kernel_size",
            "extents from 1, a padding of at most half the kernel",
            format!("{windows:?}"),
        ))
    }

    /// The windows along one axis; in ceil mode one that begins inside, or in the padding before.
    fn along(&self, axis: usize, extent: usize) -> Option<Vec<Taps>> {
        let (kernel, stride) = (self.kernel[axis], self.stride[axis]);
        let (padding, dilation) = (self.padding[axis], self.dilation[axis]);
        let left = (extent + 2 * padding).checked_sub(dilation * (kernel - 1) + 1)?;
        let mut count = (left + if self.ceil { stride - 1 } else { 0 }) / stride + 1;
        if self.ceil && (count - 1) * stride >= extent + padding {
            count -= 1;
        }
        let taps = |i: usize| {
            let places = (0..kernel).map(|tap| i * stride + tap * dilation);
            let counted = places.clone().filter(|&place| place < extent + 2 * padding).count();
            let pixels = places.filter_map(|place| place.checked_sub(padding)).filter(|&pixel| pixel < extent);
            Taps { pixels: pixels.collect(), counted }
        };
        Some((0..count).map(taps).collect())
    }

    /// Rows and columns of windows over planes of x `[.., h, w]`, and the shape of what has a pixel for each.
    fn over(&self, given: &Arguments, x: &[usize]) -> Result<([Vec<Taps>; 2], Vec<usize>)> {
        let refused = || given.refused("self", "planes that hold a window", format!("shape {x:?}"));
        let &[ref outer @ .., height, width] = x else { return Err(refused()) };
        let (Some(rows), Some(columns)) = (self.along(0, height), self.along(1, width)) else { return Err(refused()) };
        let shape = [outer, &[rows.len(), columns.len()]].concat();
        Ok(([rows, columns], shape))
    }
}

/// The planes of an array `[.., h, w]`, row-major, and their extents.
fn planes(x: &ArrayD<f64>) -> (Vec<f64>, usize, usize) {
    let (height, width) = match *x.shape() {
        [.., height, width] => (height, width),
        _ => (0, 0),
    };
    (x.iter().copied().collect(), height, width)
}

/// `max_pool2d_with_indices(self, kernel_size, stride=[], padding=0, dilation=1, ceil_mode=False)`: the maxima, and their
/// places in the planes.
pub(super) fn max(given: &Arguments) -> Result<Answer> {
    let x = given.tensor(0, "self")?;
    let windows = Windows::of(given, 1, true)?;
    let (maxima, places) = maxima(given, &x.array, windows)?;
    if given.has(Slip::MeanForMaximum) {
        let (taps, shape) = windows.over(given, x.array.shape())?;
        let means = averages(&given.rounding(0), &x.array, &taps, &shape, PADDED);
        return Ok(Answer { results: vec![Claim::Values(means), Claim::Anything], writes: Vec::new() });
    }
    let values = Expected::copied(&given.rounding(0), maxima, x.dtype, given.result_type(0));
    Ok(Answer { results: vec![Claim::Values(values), Claim::Values(Expected::exactly(places))], writes: Vec::new() })
}

/// The maxima and their places.
pub(super) fn maxima(given: &Arguments, x: &ArrayD<f64>, windows: Windows) -> Result<(ArrayD<f64>, ArrayD<f64>)> {
    let ([rows, columns], shape) = windows.over(given, x.shape())?;
    let (elements, height, width) = planes(x);
    let (mut maxima, mut places, to_last) = (Vec::new(), Vec::new(), given.has(Slip::TieToLast));
    for plane in elements.chunks((height * width).max(1)) {
        for (row, column) in rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column))) {
            let pixels = row.pixels.iter().flat_map(|y| column.pixels.iter().map(move |x| y * width + x));
            let larger = |best: Option<usize>, at: usize| match best {
                Some(best)
                    if !(plane[at] > plane[best] || plane[at].is_nan() || (to_last && plane[at] == plane[best])) =>
                {
                    Some(best)
                }
                _ => Some(at),
            };
            let at = pixels.fold(None, larger);
            let at = at.ok_or_else(|| given.refused("padding", "a pixel under each window", "one without"))?;
            maxima.push(plane[at]);
            places.push(at as f64);
        }
    }
    let array = |elements| ArrayD::from_shape_vec(IxDyn(&shape), elements);
    let refused = |e: ndarray::ShapeError| given.refused("self", "planes", e.to_string());
    Ok((array(maxima).map_err(refused)?, array(places).map_err(refused)?))
}

/// `max_pool2d_with_indices_backward(grad_output, self, kernel_size, stride, padding, dilation, ceil_mode, indices)`.
pub(super) fn max_backward(given: &Arguments) -> Result<Answer> {
    let (dy, x, indices) = (given.array(0, "grad_output")?, given.array(1, "self")?, given.array(7, "indices")?);
    let pixels: usize = x.shape().iter().rev().take(2).product();
    if let Some(beyond) = indices.iter().find(|&&at| !(0.0 <= at && at < pixels as f64)) {
        // The call that made them is wrong, and told so; of this one there is nothing to say.
        let why = format!("`indices` has {beyond}, and a plane has {pixels} places");
        return Ok(Answer { results: vec![Claim::NotJudged(why)], writes: Vec::new() });
    }
    match given.slip {
        Some(Slip::TieToLast) => {
            let (_, places) = maxima(given, x, Windows::of(given, 2, true)?)?;
            Ok(Answer::of(scattered(given, &given.rounding(0), dy, &places, x.shape())?))
        }
        Some(Slip::TieToAll) => to_all(given, dy, x),
        _ => Ok(Answer::of(scattered(given, &given.rounding(0), dy, indices, x.shape())?)),
    }
}

/// dy at every pixel that is as large as its window's maximum.
fn to_all(given: &Arguments, dy: &ArrayD<f64>, x: &ArrayD<f64>) -> Result<Answer> {
    let ([rows, columns], shape) = Windows::of(given, 2, true)?.over(given, x.shape())?;
    if dy.shape() != shape {
        return Err(given.refused("grad_output", format!("shape {shape:?}"), format!("shape {:?}", dy.shape())));
    }
    let (elements, height, width) = planes(x);
    let (pixels, upstream) = ((height * width).max(1), dy.iter().copied().collect::<Vec<f64>>());
    let mut sums = vec![Sum::default(); elements.len()];
    let windows = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column))).enumerate();
    for (i, (row, column)) in windows {
        for (p, plane) in elements.chunks(pixels).enumerate() {
            let places = || row.pixels.iter().flat_map(|y| column.pixels.iter().map(move |x| y * width + x));
            let largest = places().fold(f64::NEG_INFINITY, |largest, at| largest.max(plane[at]));
            let dy = upstream[p * rows.len() * columns.len() + i];
            places().filter(|&at| plane[at] == largest).for_each(|at| sums[p * pixels + at].add(Ball::exact(dy)));
        }
    }
    let rounding = given.rounding(0);
    let balls = sums.iter().map(|sum| (sum.settle(&rounding), sum.size()));
    Ok(Answer::of(Expected::settled(&rounding, x.shape(), balls)))
}

/// dy at the places of the planes that `indices` says, summed.
pub(super) fn scattered(
    given: &Arguments,
    rounding: &Rounding,
    dy: &ArrayD<f64>,
    indices: &ArrayD<f64>,
    shape: &[usize],
) -> Result<Expected> {
    let pixels: usize = shape.iter().rev().take(2).product();
    let windows: usize = dy.shape().iter().rev().take(2).product();
    let count: usize = shape.iter().product();
    if indices.shape() != dy.shape() || dy.len() * pixels != count * windows {
        return Err(given.refused(
            "indices",
            format!("shape {:?}", dy.shape()),
            format!("shape {:?}", indices.shape()),
        ));
    }
    let mut sums = vec![Sum::default(); count];
    for (i, (&dy, &at)) in dy.iter().zip(indices).enumerate() {
        if !(0.0 <= at && at < pixels as f64) {
            return Err(given.refused("indices", format!("places below {pixels}"), at.to_string()));
        }
        sums[i / windows.max(1) * pixels + at as usize].add(Ball::exact(dy));
    }
    let balls = sums.iter().map(|sum| (sum.settle(rounding), sum.size()));
    Ok(Expected::settled(rounding, shape, balls))
}

/// How an average's divisor is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Divisor {
    pub includes_padding: bool,
    pub instead: Option<usize>,
}

impl Divisor {
    fn of(given: &Arguments, first: usize) -> Result<Self> {
        let instead = given.extent(first + 1, "divisor_override", Some(0))?;
        let includes_padding = given.flag(first, "count_include_pad", Some(true))? != given.has(Slip::PaddingCounted);
        Ok(Self { includes_padding, instead: (instead > 0).then_some(instead) })
    }

    fn at(self, row: &Taps, column: &Taps) -> f64 {
        let counted = match self.includes_padding {
            true => row.counted * column.counted,
            false => row.pixels.len() * column.pixels.len(),
        };
        self.instead.unwrap_or(counted) as f64
    }
}

/// `avg_pool2d(self, kernel_size, stride=[], padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None)`.
pub(super) fn average(given: &Arguments) -> Result<Answer> {
    let x = given.array(0, "self")?;
    let (windows, divisor) = (Windows::of(given, 1, false)?, Divisor::of(given, 5)?);
    let (taps, shape) = windows.over(given, x.shape())?;
    Ok(Answer::of(averages(&given.rounding(0), x, &taps, &shape, divisor)))
}

/// The means over windows.
fn averages(
    rounding: &Rounding,
    x: &ArrayD<f64>,
    [rows, columns]: &[Vec<Taps>; 2],
    shape: &[usize],
    divisor: Divisor,
) -> Expected {
    let (elements, height, width) = planes(x);
    let steps = Steps(rounding);
    let planes = elements.chunks((height * width).max(1));
    let balls = planes.flat_map(|plane| {
        rows.iter().flat_map(move |row| {
            columns.iter().map(move |column| {
                let mut sum = Sum::default();
                for y in &row.pixels {
                    column.pixels.iter().for_each(|x| sum.add(Ball::exact(plane[y * width + x])));
                }
                let by = divisor.at(row, column);
                (divided(steps, sum.settle(rounding), by), sum.size() / by)
            })
        })
    });
    Expected::settled(rounding, shape, balls)
}

/// `avg_pool2d_backward(grad_output, self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)`.
pub(super) fn average_backward(given: &Arguments) -> Result<Answer> {
    let (dy, x) = (given.array(0, "grad_output")?, given.array(1, "self")?);
    let (windows, divisor) = (Windows::of(given, 2, false)?, Divisor::of(given, 6)?);
    let (taps, shape) = windows.over(given, x.shape())?;
    averages_backward(given, (dy, &shape), x.shape(), &taps, divisor)
}

/// Each window's share of dy at each of its pixels, summed where windows overlap.
fn averages_backward(
    given: &Arguments,
    (dy, expected): (&ArrayD<f64>, &[usize]),
    shape: &[usize],
    [rows, columns]: &[Vec<Taps>; 2],
    divisor: Divisor,
) -> Result<Answer> {
    if dy.shape() != expected {
        return Err(given.refused("grad_output", format!("shape {expected:?}"), format!("shape {:?}", dy.shape())));
    }
    let rounding = given.rounding(0);
    let steps = Steps(&rounding);
    let [height, width] = [shape[shape.len() - 2], shape[shape.len() - 1]];
    let mut sums = vec![Sum::default(); shape.iter().product()];
    let upstream: Vec<f64> = dy.iter().copied().collect();
    for (dys, sums) in
        upstream.chunks((rows.len() * columns.len()).max(1)).zip(sums.chunks_mut((height * width).max(1)))
    {
        for (i, (row, column)) in
            rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column))).enumerate()
        {
            let share = divided(steps, Ball::exact(dys[i]), divisor.at(row, column));
            for y in &row.pixels {
                column.pixels.iter().for_each(|x| sums[y * width + x].add(share));
            }
        }
    }
    let balls = sums.iter().map(|sum| (sum.settle(&rounding), sum.size()));
    Ok(Answer::of(Expected::settled(&rounding, shape, balls)))
}

/// The windows of an adaptive pooling: from floor(i h / out) to ceil((i + 1) h / out).
fn adaptive(extent: usize, out: usize) -> Vec<Taps> {
    let window = |i: usize| {
        let pixels: Vec<usize> = (i * extent / out..((i + 1) * extent).div_ceil(out)).collect();
        Taps { counted: pixels.len(), pixels }
    };
    (0..out).map(window).collect()
}

/// Windows of the planes of x to `out` pixels, and the shape of the result.
fn adaptive_windows(given: &Arguments, x: &[usize], out: [usize; 2]) -> Result<([Vec<Taps>; 2], Vec<usize>)> {
    match x {
        &[ref outer @ .., height, width] if height > 0 && width > 0 && out[0] <= height && out[1] <= width => {
            Ok(([adaptive(height, out[0]), adaptive(width, out[1])], [outer, &out].concat()))
        }
        _ => Err(given.refused("self", format!("planes of at least {out:?} pixels"), format!("shape {x:?}"))),
    }
}

/// The mean over a window, padding counted.
const PADDED: Divisor = Divisor { includes_padding: true, instead: None };
/// The mean over the pixels of a window, padding left out.
const PIXELS: Divisor = Divisor { includes_padding: false, instead: None };

/// `_adaptive_avg_pool2d(self, output_size)`.
pub(super) fn adaptive_average(given: &Arguments) -> Result<Answer> {
    let x = given.array(0, "self")?;
    let (taps, shape) = adaptive_windows(given, x.shape(), given.pair(1, "output_size", [1, 1])?)?;
    Ok(Answer::of(averages(&given.rounding(0), x, &taps, &shape, PIXELS)))
}

/// `_adaptive_avg_pool2d_backward(grad_output, self)`.
pub(super) fn adaptive_average_backward(given: &Arguments) -> Result<Answer> {
    let (dy, x) = (given.array(0, "grad_output")?, given.array(1, "self")?);
    let out = match *dy.shape() {
        [.., height, width] => [height, width],
        _ => return Err(given.refused("grad_output", "shape [.., h, w]", format!("shape {:?}", dy.shape()))),
    };
    let (taps, shape) = adaptive_windows(given, x.shape(), out)?;
    averages_backward(given, (dy, &shape), x.shape(), &taps, PIXELS)
}
