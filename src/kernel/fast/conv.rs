//! Convolution and its two adjoints as matrix products over tiles of output positions.

use super::columns::{Geometry, Tile, matrix_mut, positions_last, positions_last_mut};
use super::gemm::add_product;
use super::{few_outputs, for_each_unit, literal, pieces};
use crate::kernel::Window;
use crate::scalar::{Gemm, Scalar};
use ndarray::{Array4, ArrayView1, ArrayView4, Axis, CowArray, Ix3, Slice};

/// Output channels per group below which a matrix product has too few rows to fill the micro-kernel: then the
/// literal's units run side by side instead (depthwise convolution is the case that matters).
const FEW_OUTPUTS: usize = 4;

/// Most partial sums of a weight gradient, hence most threads it uses. Each costs memory of the weights' size.
const PARTIALS: usize = 8;

/// Buffers of one thread: a columns matrix, and a matrix `[o/groups, T]`.
#[derive(Debug, Default)]
struct Scratch<S> {
    columns: Vec<S>,
    outputs: Vec<S>,
}

/// The product to use, or `None` where the literal's units serve better.
fn gemm_for<S: Scalar>(outputs_per_group: usize) -> Option<Gemm<S>> {
    S::GEMM.filter(|_| outputs_per_group >= FEW_OUTPUTS)
}

/// w `[o,c/groups,kh,kw]` as one matrix per group, `[groups, o/groups, K]`.
fn weight_matrices<'a, S: Scalar>(geometry: &Geometry, w: &'a ArrayView4<S>) -> CowArray<'a, S, Ix3> {
    let shape = (geometry.window.groups, geometry.outputs, geometry.taps());
    w.to_shape(shape).expect("o * c/groups * kh * kw elements both ways")
}

/// As [`literal::conv2d`]: x `[n,c,h,w]`, w `[o,c/groups,kh,kw]`, bias `[o]` -> y `[n,o,oh,ow]`.
pub(in crate::kernel) fn conv2d<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    w: ArrayView4<S>,
    bias: Option<ArrayView1<S>>,
) -> Array4<S> {
    let shape = window.output_shape(x.dim(), w.dim());
    let mut y = Array4::from_elem(shape, S::ZERO);
    if let Some(bias) = bias {
        y.axis_iter_mut(Axis(1)).zip(bias).for_each(|(mut plane, &b)| plane.fill(b));
    }
    if y.is_empty() || w.is_empty() {
        return y;
    }
    let x = x.as_standard_layout();
    let x = x.view();
    let geometry = Geometry::new(window, x.dim(), w.dim(), [shape[2], shape[3]]);
    let work = y.len() * geometry.taps();
    let Some(gemm) = gemm_for(geometry.outputs) else {
        let planes = y.outer_iter_mut().zip(x.outer_iter()).flat_map(|(y, x)| {
            pieces(y, Axis(0), 1).into_iter().map(move |(o, y)| (x, o, y.index_axis_move(Axis(0), 0)))
        });
        for_each_unit(planes.collect(), work, |_: &mut (), (x, o, y)| {
            literal::output_plane(window, x, w, bias, o, y);
        });
        return y;
    };
    let weights = weight_matrices(&geometry, &w);
    let [samples, rows] = geometry.tile_extent();
    let tiles = pieces(y.view_mut(), Axis(0), samples).into_iter().flat_map(|(n, y)| {
        let samples = n..n + y.len_of(Axis(0));
        pieces(y, Axis(2), rows).into_iter().map(move |(oy, y)| {
            let rows = oy..oy + y.len_of(Axis(2));
            (Tile { samples: samples.clone(), rows }, y)
        })
    });
    for_each_unit(tiles.collect(), work, |scratch: &mut Scratch<S>, (tile, mut y)| {
        for (group, weights) in weights.outer_iter().enumerate() {
            let columns = geometry.columns(&x, &tile, group, &mut scratch.columns);
            let mut y = y.slice_axis_mut(Axis(1), Slice::from(geometry.group_outputs(group)));
            if let Some(y) = positions_last_mut(y.view_mut()) {
                add_product(gemm, weights, columns, S::ONE, y);
                continue;
            }
            let positions = columns.ncols();
            scratch.outputs.resize(geometry.outputs * positions, S::ZERO);
            let mut product = matrix_mut(&mut scratch.outputs, geometry.outputs, positions);
            add_product(gemm, weights, columns, S::ZERO, product.view_mut());
            for (mut y, product) in y.axis_iter_mut(Axis(1)).zip(product.outer_iter()) {
                y.iter_mut().zip(product).for_each(|(y, &sum)| *y += sum);
            }
        }
    });
    y
}

/// As [`literal::conv2d_input_gradient`]: dy `[n,o,oh,ow]`, w `[o,c/groups,kh,kw]` -> dx `[n,c,h,w]`.
///
/// Each tile's `W^T dY` `[K,T]` is added to the pixels it came from; tiles of one sample follow each other in
/// order, samples run side by side.
pub(in crate::kernel) fn conv2d_input_gradient<S: Scalar>(
    window: Window,
    dy: ArrayView4<S>,
    w: ArrayView4<S>,
    x_shape: [usize; 4],
) -> Array4<S> {
    let mut dx = Array4::from_elem(x_shape, S::ZERO);
    if dx.is_empty() || dy.is_empty() || w.is_empty() {
        return dx;
    }
    let dy = dy.as_standard_layout();
    let dy = dy.view();
    let (_, _, oh, ow) = dy.dim();
    let geometry = Geometry::new(window, dx.dim(), w.dim(), [oh, ow]);
    let work = dy.len() * geometry.taps();
    let Some(gemm) = gemm_for(geometry.outputs) else {
        let planes = dx.outer_iter_mut().zip(dy.outer_iter()).flat_map(|(dx, dy)| {
            pieces(dx, Axis(0), 1).into_iter().map(move |(c, dx)| (dy, c, dx.index_axis_move(Axis(0), 0)))
        });
        for_each_unit(planes.collect(), work, |_: &mut (), (dy, c, dx)| {
            literal::input_gradient_plane(window, dy, w, c, dx);
        });
        return dx;
    };
    let weights = weight_matrices(&geometry, &w);
    let [samples, _] = geometry.tile_extent();
    let slabs = pieces(dx.view_mut(), Axis(0), samples);
    for_each_unit(slabs, work, |scratch: &mut Scratch<S>, (n, mut dx)| {
        for tile in geometry.tiles(n..n + dx.len_of(Axis(0))) {
            for (group, weights) in weights.outer_iter().enumerate() {
                let dy = positions_last(&dy, geometry.group_outputs(group), &tile, &mut scratch.outputs);
                if let Some(dx) = geometry.pixels_mut(&mut dx, &tile, group) {
                    add_product(gemm, weights.t(), dy, S::ZERO, dx);
                    continue;
                }
                scratch.columns.resize(geometry.taps() * dy.ncols(), S::ZERO);
                let columns = matrix_mut(&mut scratch.columns, geometry.taps(), dy.ncols());
                add_product(gemm, weights.t(), dy, S::ZERO, columns);
                geometry.add_columns(&scratch.columns, &tile, group, &mut dx);
            }
        }
    });
    dx
}

/// As [`literal::conv2d_weight_gradient`]: x `[n,c,h,w]`, dy `[n,o,oh,ow]` -> dw `[o,c/groups,kh,kw]`.
///
/// The batch is cut into at most [`PARTIALS`] slabs of samples. Each slab goes through its tiles in order into a
/// partial sum of its own, and the partial sums are added in the order of the slabs.
pub(in crate::kernel) fn conv2d_weight_gradient<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    w_shape: [usize; 4],
) -> Array4<S> {
    let mut dw = Array4::from_elem(w_shape, S::ZERO);
    if dw.is_empty() || dy.is_empty() {
        return dw;
    }
    let x = x.as_standard_layout();
    let x = x.view();
    let (batch, _, oh, ow) = dy.dim();
    let geometry = Geometry::new(window, x.dim(), dw.dim(), [oh, ow]);
    let work = dy.len() * geometry.taps();
    let Some(gemm) = gemm_for(geometry.outputs) else {
        if S::GEMM.is_none() {
            return literal::conv2d_weight_gradient(window, x, dy, w_shape);
        }
        let dy = dy.as_standard_layout();
        let channels =
            pieces(dw.view_mut(), Axis(0), geometry.outputs).into_iter().enumerate().flat_map(|(group, (_, dw))| {
                pieces(dw, Axis(1), 1)
                    .into_iter()
                    .map(move |(c, dw)| (group * geometry.channels + c, dw.index_axis_move(Axis(1), 0)))
            });
        for_each_unit(channels.collect(), work, |_: &mut (), (c, dw)| {
            few_outputs::weight_gradient_taps(window, x, dy.view(), c, dw);
        });
        return dw;
    };
    let [samples, _] = geometry.tile_extent();
    let slab = batch.div_ceil(PARTIALS).next_multiple_of(samples);
    let shape = (batch.div_ceil(slab), window.groups, geometry.outputs, geometry.taps());
    let mut partials = Array4::from_elem(shape, S::ZERO);
    for_each_unit(pieces(partials.view_mut(), Axis(0), 1), work, |scratch: &mut Scratch<S>, (index, mut sums)| {
        for tile in geometry.tiles(index * slab..batch.min((index + 1) * slab)) {
            for (group, sums) in sums.index_axis_mut(Axis(0), 0).outer_iter_mut().enumerate() {
                let columns = geometry.columns(&x, &tile, group, &mut scratch.columns);
                let dy = positions_last(&dy, geometry.group_outputs(group), &tile, &mut scratch.outputs);
                add_product(gemm, dy, columns.t(), S::ONE, sums);
            }
        }
    });
    for partial in partials.outer_iter() {
        dw.iter_mut().zip(partial).for_each(|(dw, &sum)| *dw += sum);
    }
    dw
}
