//! The products of one sum of a convolution over images, or of one of its gradients.

use crate::oracle::record::{AtenCall, Value};
use ndarray::{ArrayD, IxDyn};

/// Where the taps of a convolution over images lie.
pub(super) struct Taps {
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
}

impl Taps {
    pub fn of(call: &AtenCall<Value>, first: usize) -> Option<Self> {
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

    pub fn output(&self, x: &ArrayD<f64>, w: &ArrayD<f64>, at: &[usize]) -> Option<Vec<f64>> {
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

    pub fn weight(&self, dy: &ArrayD<f64>, x: &ArrayD<f64>, at: &[usize]) -> Option<Vec<f64>> {
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

    pub fn input(&self, dy: &ArrayD<f64>, w: &ArrayD<f64>, at: &[usize]) -> Option<Vec<f64>> {
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
