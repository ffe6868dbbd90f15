//! Convolution and its two adjoints on batch-innermost images: which kernel takes which.

use super::layout::{Rows, images};
use super::product::{Panels, Weights, product};
use super::sources::Sources;
use super::{depthwise, outer};
use crate::kernel::buffer::{self, Elements};
use crate::kernel::vector::{Hardware, on_hardware};
use crate::kernel::{Window, literal, share};
use crate::scalar::Scalar;
use ndarray::{Array4, ArrayView1, ArrayView4};

/// What bringing a weight into row-major order costs, in operations.
const TURNED: usize = 4;

/// As [`literal::conv2d`]: x `[n,c,h,w]`, w `[o,c/groups,kh,kw]`, bias `[o]` -> y `[n,o,oh,ow]`, batch innermost.
pub(in crate::kernel) fn conv2d<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    w: ArrayView4<S>,
    bias: Option<ArrayView1<S>>,
) -> Array4<S> {
    on_hardware!(S, forward(window, x, w, bias)).unwrap_or_else(|| literal::conv2d(window, x, w, bias))
}

/// As [`literal::conv2d_input_gradient`]: dy `[n,o,oh,ow]`, w `[o,c/groups,kh,kw]` -> dx `[n,c,h,w]`, batch innermost.
pub(in crate::kernel) fn conv2d_input_gradient<S: Scalar>(
    window: Window,
    dy: ArrayView4<S>,
    w: ArrayView4<S>,
    x_shape: [usize; 4],
) -> Array4<S> {
    on_hardware!(S, input_gradient(window, dy, w, x_shape))
        .unwrap_or_else(|| literal::conv2d_input_gradient(window, dy, w, x_shape))
}

/// As [`literal::conv2d_weight_gradient`]: x `[n,c,h,w]`, dy `[n,o,oh,ow]` -> dw `[o,c/groups,kh,kw]`, row-major.
pub(in crate::kernel) fn conv2d_weight_gradient<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    w_shape: [usize; 4],
) -> Array4<S> {
    on_hardware!(S, weight_gradient(window, x, dy, w_shape))
        .unwrap_or_else(|| literal::conv2d_weight_gradient(window, x, dy, w_shape))
}

/// One input and one output channel per group.
fn is_depthwise(w: [usize; 4], groups: usize) -> bool {
    groups > 1 && w[0] == groups && w[1] == 1
}

fn forward<H: Hardware>(window: Window, x: ArrayView4<H>, w: ArrayView4<H>, bias: Option<ArrayView1<H>>) -> Array4<H> {
    let shape @ [n, o, oh, ow] = window.output_shape(x.dim(), w.dim());
    let (_, c, kh, kw) = w.dim();
    let mut y = buffer::stale(n * o * oh * ow);
    if y.is_empty() {
        return images(shape, y);
    }
    let x = Rows::of(x);
    let bias = bias.map(Elements::of);
    let sources = Sources::of_outputs(window, [kh, kw], x.extent, [oh, ow]);
    let w = w.as_standard_layout();
    let weights = literal::contiguous(w.view());
    if is_depthwise(w.dim().into(), window.groups) {
        depthwise::product(&sources, &x, weights, bias.as_deref(), &mut y);
    } else {
        let (outputs, taps) = (o / window.groups, kh * kw);
        let counts = [window.groups, outputs, c, taps];
        let strides = [outputs * c * taps, c * taps, taps, 1];
        let panels = Panels::new(Weights { elements: weights, strides, counts });
        product(&sources, &x, &panels, bias.as_deref(), &mut y);
    }
    images(shape, y)
}

fn input_gradient<H: Hardware>(window: Window, dy: ArrayView4<H>, w: ArrayView4<H>, x_shape: [usize; 4]) -> Array4<H> {
    let (o, c, kh, kw) = w.dim();
    let mut dx = buffer::stale(x_shape.iter().product());
    if dx.is_empty() || dy.is_empty() || w.is_empty() {
        dx.fill(H::ZERO);
        return images(x_shape, dx);
    }
    let dy = Rows::of(dy);
    let sources = Sources::of_inputs(window, [kh, kw], [x_shape[2], x_shape[3]], dy.extent);
    let w = w.as_standard_layout();
    let weights = literal::contiguous(w.view());
    if is_depthwise(w.dim().into(), window.groups) {
        depthwise::product(&sources, &dy, weights, None, &mut dx);
    } else {
        let (outputs, taps) = (o / window.groups, kh * kw);
        let counts = [window.groups, c, outputs, taps];
        let strides = [outputs * c * taps, taps, c * taps, 1];
        let panels = Panels::new(Weights { elements: weights, strides, counts });
        product(&sources, &dy, &panels, None, &mut dx);
    }
    images(x_shape, dx)
}

fn weight_gradient<H: Hardware>(window: Window, x: ArrayView4<H>, dy: ArrayView4<H>, w_shape: [usize; 4]) -> Array4<H> {
    let [_, c, kh, kw] = w_shape;
    if dy.is_empty() || w_shape.contains(&0) {
        return Array4::from_elem(w_shape, H::ZERO);
    }
    let (x, dy) = (Rows::of(x), Rows::of(dy));
    if is_depthwise(w_shape, window.groups) {
        let sources = Sources::of_outputs(window, [kh, kw], x.extent, dy.extent);
        let dw = depthwise::weight_gradient(&sources, &x, &dy, kh * kw);
        return Array4::from_shape_vec(w_shape, dw).expect("one sum per channel and tap");
    }
    let one_pixel_each = kh * kw * x.pixels() * dy.pixels() == 1 && window.padding == [0, 0];
    let dw = if one_pixel_each && window.groups == 1 {
        outer::matrix_gradient(&x, &dy)
    } else {
        outer::weight_gradient(window, &x, &dy, [kh, kw])
    };
    if kh * kw == 1 {
        return Array4::from_shape_vec(w_shape, dw).expect("one sum per output and input channel");
    }
    let row_major = taps_innermost(&dw, [c, kh * kw]);
    buffer::recycle_elements(dw);
    Array4::from_shape_vec(w_shape, row_major).expect("one sum per output, input channel and tap")
}

/// `[o, taps, c]` as `[o, c, taps]`, row-major as the weights are.
fn taps_innermost<H: Hardware>(dw: &[H], [c, taps]: [usize; 2]) -> Vec<H> {
    let mut row_major = buffer::stale(dw.len());
    let size = c * taps;
    share::chunks(&mut row_major, size, TURNED * dw.len(), |output, row_major| {
        let dw = &dw[output * size..][..size];
        for (i, weights) in dw.chunks_exact(c).enumerate() {
            row_major[i..].iter_mut().step_by(taps).zip(weights).for_each(|(to, &sum)| *to = sum);
        }
    });
    row_major
}
