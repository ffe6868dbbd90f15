//! Convolution as a matrix product: the columns matrix of one tile of output positions.
//!
//! A [`Tile`] is some rows of outputs of some samples. Its T positions `(n, oy, ox)`, row-major, are the columns
//! of a matrix `[K, T]` with a row per `(c, ky, kx)` of one group, K = c/groups * kh * kw. Only one tile's matrix
//! exists at a time per thread, never the whole batch's.

use crate::kernel::Window;
use crate::kernel::literal::contiguous;
use crate::scalar::Scalar;
use ndarray::{ArrayView2, ArrayView4, ArrayViewMut2, ArrayViewMut4, Axis, s};
use std::ops::Range;

/// The sizes of one convolution, per group where channels are meant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    pub window: Window,
    /// c/groups.
    pub channels: usize,
    /// o/groups.
    pub outputs: usize,
    pub kernel: [usize; 2],
    /// `[h, w]`.
    pub input: [usize; 2],
    /// `[oh, ow]`.
    pub output: [usize; 2],
}

/// Which outputs: rows `rows` of each of `samples`.
#[derive(Debug, Clone)]
pub(super) struct Tile {
    pub samples: Range<usize>,
    pub rows: Range<usize>,
}

/// Elements of a columns matrix that stay in a second-level cache beside the product's own buffers.
const COLUMNS_ELEMENTS: usize = 1 << 16;

/// Positions per tile: enough that packing the weights is repaid, few enough to be cut up for threads.
const POSITIONS: Range<usize> = 128..1024;

impl Geometry {
    /// For x `[n,c,h,w]`, w `[o,c/groups,kh,kw]` and outputs of `output` = `[oh, ow]`.
    pub fn new(
        window: Window,
        (_, _, h, width): (usize, usize, usize, usize),
        (o, channels, kh, kw): (usize, usize, usize, usize),
        output: [usize; 2],
    ) -> Self {
        Self { window, channels, outputs: o / window.groups, kernel: [kh, kw], input: [h, width], output }
    }

    /// K, the products per output.
    pub fn taps(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// The tile's extent, `[samples, rows]`: several whole samples, or some rows of one.
    pub fn tile_extent(&self) -> [usize; 2] {
        let [oh, ow] = self.output;
        let positions = (COLUMNS_ELEMENTS / self.taps()).clamp(POSITIONS.start, POSITIONS.end);
        if oh * ow <= positions {
            [positions / (oh * ow), oh]
        } else {
            [1, super::even_pieces(oh, (positions / ow).max(1), 1)]
        }
    }

    /// The tiles of `samples`, in order.
    pub fn tiles(&self, samples: Range<usize>) -> impl Iterator<Item = Tile> {
        let [sample_step, row_step] = self.tile_extent();
        let oh = self.output[0];
        samples.clone().step_by(sample_step).flat_map(move |n| {
            let samples = n..samples.end.min(n + sample_step);
            let rows = (0..oh).step_by(row_step).map(move |oy| oy..oh.min(oy + row_step));
            rows.map(move |rows| Tile { samples: samples.clone(), rows })
        })
    }

    /// Whether the columns matrix is the input itself.
    fn is_pointwise(&self) -> bool {
        let Window { stride, padding, .. } = self.window;
        self.kernel == [1, 1] && stride == [1, 1] && padding == [0, 0]
    }

    fn group_channels(&self, group: usize) -> Range<usize> {
        group * self.channels..(group + 1) * self.channels
    }

    pub fn group_outputs(&self, group: usize) -> Range<usize> {
        group * self.outputs..(group + 1) * self.outputs
    }

    /// The columns matrix `[K, T]` of `group`: built in `buffer`, or the input itself where it can be.
    pub fn columns<'a, S: Scalar>(
        &self,
        x: &'a ArrayView4<'a, S>, // [n,c,h,w] contiguous
        tile: &Tile,
        group: usize,
        buffer: &'a mut Vec<S>,
    ) -> ArrayView2<'a, S> {
        if self.is_pointwise() {
            return positions_last(x, self.group_channels(group), tile, buffer);
        }
        let plane = tile.rows.len() * self.output[1];
        let positions = tile.samples.len() * plane;
        buffer.clear();
        buffer.resize(self.taps() * positions, S::ZERO);
        let mut row_of_taps = buffer.chunks_exact_mut(positions);
        for (c, ky, kx) in self.taps_of(group) {
            let Some(columns) = row_of_taps.next() else { break };
            for (sample, columns) in tile.samples.clone().zip(columns.chunks_exact_mut(plane)) {
                let pixels = contiguous(x.slice(s![sample, c, .., ..]));
                for row in self.window.tap_rows([ky, kx], self.input, self.output, tile.rows.clone()) {
                    row.update_outputs(columns, pixels, |column, &pixel| *column = pixel);
                }
            }
        }
        matrix(buffer, self.taps(), positions)
    }

    /// The adjoint of [`Self::columns`]: adds `columns` `[K, T]` to the pixels they were read from, in the order of
    /// K, then T. `dx` `[samples of the tile, c, h, w]`.
    pub fn add_columns<S: Scalar>(&self, columns: &[S], tile: &Tile, group: usize, dx: &mut ArrayViewMut4<S>) {
        let plane = tile.rows.len() * self.output[1];
        let mut row_of_taps = columns.chunks_exact(tile.samples.len() * plane);
        for (c, ky, kx) in self.taps_of(group) {
            let Some(columns) = row_of_taps.next() else { break };
            for (mut dx, columns) in dx.axis_iter_mut(Axis(0)).zip(columns.chunks_exact(plane)) {
                let pixels = dx.index_axis_mut(Axis(0), c).into_slice().expect("a plane of a new array is contiguous");
                for row in self.window.tap_rows([ky, kx], self.input, self.output, tile.rows.clone()) {
                    row.update_inputs(pixels, columns, |pixel, &column| *pixel += column);
                }
            }
        }
    }

    /// The pixels of `group` in the tile as a matrix `[c/groups, T]`, where the columns matrix is the input itself:
    /// then the product can go there directly. `dx` `[samples of the tile, c, h, w]`.
    pub fn pixels_mut<'a, S: Scalar>(
        &self,
        dx: &'a mut ArrayViewMut4<S>,
        tile: &Tile,
        group: usize,
    ) -> Option<ArrayViewMut2<'a, S>> {
        if !self.is_pointwise() {
            return None;
        }
        positions_last_mut(dx.slice_mut(s![.., self.group_channels(group), tile.rows.clone(), ..]))
    }

    /// `(c, ky, kx)` of the rows of the columns matrix, in order; c counts over all groups.
    fn taps_of(&self, group: usize) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let [kh, kw] = self.kernel;
        self.group_channels(group).flat_map(move |c| (0..kh).flat_map(move |ky| (0..kw).map(move |kx| (c, ky, kx))))
    }
}

/// `planes` `[n,c,h,w]` of `channels` as a matrix `[channels, T]` over the tile's positions: a view of the array where
/// the tile lies within one sample, else gathered into `buffer`.
pub(super) fn positions_last<'a, S: Scalar>(
    planes: &'a ArrayView4<'a, S>,
    channels: Range<usize>,
    tile: &Tile,
    buffer: &'a mut Vec<S>,
) -> ArrayView2<'a, S> {
    let planes = planes.slice(s![tile.samples.clone(), channels, tile.rows.clone(), ..]);
    let (samples, channels, rows, width) = planes.dim();
    let mut merged = planes;
    if samples == 1 && merged.merge_axes(Axis(2), Axis(3)) {
        return merged.index_axis_move(Axis(2), 0).index_axis_move(Axis(0), 0);
    }
    buffer.clear();
    for channel in planes.axis_iter(Axis(1)) {
        buffer.extend(channel.iter());
    }
    matrix(buffer, channels, samples * rows * width)
}

/// Where the product for a tile goes: the mirror of [`positions_last`]. `None` if the tile spans samples.
pub(super) fn positions_last_mut<S: Scalar>(planes: ArrayViewMut4<'_, S>) -> Option<ArrayViewMut2<'_, S>> {
    let mut merged = planes; // [samples of the tile, channels, rows of the tile, w]
    if merged.len_of(Axis(0)) != 1 || !merged.merge_axes(Axis(2), Axis(3)) {
        return None;
    }
    Some(merged.index_axis_move(Axis(2), 0).index_axis_move(Axis(0), 0))
}

/// `buffer` as a row-major matrix; its length is `rows * columns`.
pub(super) fn matrix<S>(buffer: &[S], rows: usize, columns: usize) -> ArrayView2<'_, S> {
    ArrayView2::from_shape((rows, columns), buffer).expect("the buffer was sized for this matrix")
}

/// [`matrix`], to write to.
pub(super) fn matrix_mut<S>(buffer: &mut [S], rows: usize, columns: usize) -> ArrayViewMut2<'_, S> {
    ArrayViewMut2::from_shape((rows, columns), buffer).expect("the buffer was sized for this matrix")
}
