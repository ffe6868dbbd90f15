//! Max pooling on balls: a maximum is monotone, its position a decision.

use super::balls::{Balls, Terms};
use super::decisions::Decisions;
use super::rounding::Rounding;
use crate::error::{Error, Result};
use crate::oracle::interval::Interval;
use ndarray::ArrayD;

/// The pixels under each window of one plane, as positions in it, window by window in row-major order.
fn windows([h, w]: [usize; 2], kernel: usize, stride: usize) -> Vec<Vec<usize>> {
    let starts = |extent: usize| (0..).map(move |i| i * stride).take_while(move |start| start + kernel <= extent);
    let window = |top: usize, left: usize| {
        (top..top + kernel).flat_map(move |y| (left..left + kernel).map(move |x| y * w + x)).collect()
    };
    starts(h).flat_map(|top| starts(w).map(move |left| window(top, left))).collect()
}

fn extents(x: &Balls) -> Result<[usize; 4]> {
    let found = || Error::shape("max_pool2d", "x", "shape [n, c, h, w]", format!("shape {:?}", x.shape()));
    x.shape().try_into().map_err(|_| found())
}

/// x `[n,c,h,w]` -> the maxima `[n,c,oh,ow]` over windows of `kernel` pixels a side, `stride` apart.
pub(super) fn forward(x: &Balls, kernel: usize, stride: usize) -> Result<Balls> {
    let [n, c, h, w] = extents(x)?;
    let (elements, windows) = (x.intervals().collect::<Vec<_>>(), windows([h, w], kernel, stride));
    let larger = |a: Interval, b: Interval| Interval { low: a.low.max(b.low), high: a.high.max(b.high) };
    let maximum = |plane: &[Interval], window: &Vec<usize>| {
        window.iter().map(|&at| plane[at]).reduce(larger).unwrap_or(Interval::ALL) // a window holds a pixel
    };
    let y: Vec<Interval> =
        elements.chunks(h * w).flat_map(|plane| windows.iter().map(move |window| maximum(plane, window))).collect();
    let rows = (0..).map(|i| i * stride).take_while(|start| start + kernel <= h).count();
    Ok(Balls::from_intervals(&[n, c, rows, windows.len() / rows.max(1)], &y))
}

/// dy `[n,c,oh,ow]` -> dx `[n,c,h,w]`: dy at the pixel that is its window's maximum, summed where windows overlap.
///
/// A pixel whose highest value is below another's lowest gets exactly 0; one that is above all others gets dy; where
/// several may be the maximum, each gets anything from 0 to dy. A tie of numbers that are known exactly (several zeros
/// after a ReLU) is no matter of rounding: frameworks differ in which pixel they take, and it is not counted.
pub(super) fn backward(
    rounding: &Rounding,
    x: &Balls,
    dy: &Balls,
    [kernel, stride]: [usize; 2],
    decisions: &mut Decisions,
) -> Result<Balls> {
    let [n, c, h, w] = extents(x)?;
    let (elements, upstream) = (x.intervals().collect::<Vec<_>>(), dy.intervals().collect::<Vec<_>>());
    let windows = windows([h, w], kernel, stride);
    // As many terms to a pixel as windows overlap there, apart by the window's place among them.
    let overlap = kernel.div_ceil(stride.max(1));
    let mut terms = vec![Interval::exact(0.0); elements.len() * overlap * overlap];
    let columns = (0..).map(|i| i * stride).take_while(|start| start + kernel <= w).count().max(1);
    for (p, plane) in elements.chunks(h * w).enumerate() {
        for (i, window) in windows.iter().enumerate() {
            let dy = upstream[p * windows.len() + i];
            let highest_low = window.iter().map(|&at| plane[at].low).fold(f64::NEG_INFINITY, f64::max);
            let candidates: Vec<usize> = window.iter().copied().filter(|&at| plane[at].high >= highest_low).collect();
            decisions.all += 1;
            if candidates.len() > 1 && !candidates.iter().all(|&at| plane[at].is_exact()) {
                decisions.ambiguous += 1;
            }
            let slot = (i / columns % overlap) * overlap + i % columns % overlap;
            for &at in &candidates {
                let share = if candidates.len() == 1 { dy } else { dy.hull(Interval::exact(0.0)) };
                terms[slot * elements.len() + p * h * w + at] = share;
            }
        }
    }
    let terms = Balls::from_intervals(&[overlap * overlap, elements.len()], &terms);
    if overlap == 1 {
        return terms.reshaped(&[n, c, h, w]); // moved, not added: nothing is rounded
    }
    let sum = |terms: &ArrayD<f64>| Ok(terms.sum_axis(ndarray::Axis(0)));
    Terms::of(sum, &terms)?.settle(rounding).reshaped(&[n, c, h, w])
}
