//! Convolution and its two adjoints, as nested loops.
//!
//! Each is cut into units that share no sum (an output plane, an input plane, the taps of one input channel), which run
//! one after the other.

use crate::kernel::window::TapRow;
use crate::kernel::{Loop, Window, vectorised_loop};
use crate::scalar::Scalar;
use ndarray::{
    Array4, ArrayView, ArrayView1, ArrayView3, ArrayView4, ArrayViewMut2, ArrayViewMut3, Axis, Dimension, s,
};

/// The elements of an array that its kernel has made contiguous, or of a plane of one.
pub(in crate::kernel) fn contiguous<S, D: Dimension>(array: ArrayView<'_, S, D>) -> &[S] {
    array.to_slice().expect("kernels make their operands contiguous first")
}

/// `y[n,o,oy,ox] = b[o] + sum_c sum_ky sum_kx w[o,c,ky,kx] x[n,c,iy,ix]`, each ascending, kx innermost:
/// x `[n,c,h,w]`, w `[o,c/groups,kh,kw]`, bias `[o]` -> y `[n,o,oh,ow]`. c runs over the channels of o's group.
pub(in crate::kernel) fn conv2d<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    w: ArrayView4<S>,
    bias: Option<ArrayView1<S>>,
) -> Array4<S> {
    let mut y = Array4::from_elem(window.output_shape(x.dim(), w.dim()), S::ZERO);
    let x = x.as_standard_layout();
    for (x, mut y) in x.outer_iter().zip(y.outer_iter_mut()) {
        for (o, y) in y.outer_iter_mut().enumerate() {
            output_plane(window, x, w, bias, o, y);
        }
    }
    y
}

/// One output channel `o` of one sample: x `[c,h,w]` contiguous, w `[o,c/groups,kh,kw]`, bias `[o]` -> y `[oh,ow]`.
fn output_plane<S: Scalar>(
    window: Window,
    x: ArrayView3<S>,
    w: ArrayView4<S>,
    bias: Option<ArrayView1<S>>,
    o: usize,
    mut y: ArrayViewMut2<S>,
) {
    let (_, height, width) = x.dim();
    let (outputs, channels, _, _) = w.dim();
    let first_channel = o / (outputs / window.groups) * channels;
    let (oh, ow) = y.dim();
    let start = bias.map_or(S::Accumulator::ZERO, |bias| bias[o].to_accumulator());
    let mut sums = vec![start; oh * ow];
    // indexed_iter is row-major: c, then ky, then kx
    for ((c, ky, kx), &tap) in w.index_axis(Axis(0), o).indexed_iter() {
        let x = contiguous(x.index_axis(Axis(0), first_channel + c));
        let rows = window.tap_rows([ky, kx], [height, width], [oh, ow], 0..oh);
        vectorised_loop(ToOutputs { rows, tap, x, sums: &mut sums });
    }
    y.iter_mut().zip(sums).for_each(|(y, sum)| *y = S::from_accumulator(sum));
}

/// One tap and one input channel: `sums[oy,ox] += tap x[iy,ix]`.
struct ToOutputs<'a, S: Scalar, R> {
    rows: R,
    tap: S,
    /// `[h,w]`.
    x: &'a [S],
    /// `[oh,ow]`.
    sums: &'a mut [S::Accumulator],
}

impl<S: Scalar, R: Iterator<Item = TapRow>> Loop for ToOutputs<'_, S, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, tap, x, sums } = self;
        for row in rows {
            row.update_outputs(sums, x, |sum, &pixel| *sum = S::add_product(*sum, tap, pixel));
        }
    }
}

/// `dx[n,c,iy,ix] = sum_o sum_ky sum_kx w[o,c,ky,kx] dy[n,o,oy,ox]`, each ascending, kx innermost, over the
/// outputs `(oy, ox)` whose tap `(ky, kx)` reads `(iy, ix)`: dy `[n,o,oh,ow]`, w `[o,c/groups,kh,kw]` ->
/// dx `[n,c,h,w]`. o runs over the outputs of c's group.
pub(in crate::kernel) fn conv2d_input_gradient<S: Scalar>(
    window: Window,
    dy: ArrayView4<S>,
    w: ArrayView4<S>,
    x_shape: [usize; 4],
) -> Array4<S> {
    let mut dx = Array4::from_elem(x_shape, S::ZERO);
    let dy = dy.as_standard_layout();
    for (dy, mut dx) in dy.outer_iter().zip(dx.outer_iter_mut()) {
        for (c, dx) in dx.outer_iter_mut().enumerate() {
            input_gradient_plane(window, dy, w, c, dx);
        }
    }
    dx
}

/// One input channel `c` of one sample: dy `[o,oh,ow]` contiguous, w `[o,c/groups,kh,kw]` -> dx `[h,w]`.
fn input_gradient_plane<S: Scalar>(
    window: Window,
    dy: ArrayView3<S>,
    w: ArrayView4<S>,
    c: usize,
    mut dx: ArrayViewMut2<S>,
) {
    let (outputs, oh, ow) = dy.dim();
    let outputs = outputs / window.groups; // per group
    let channels = w.len_of(Axis(1));
    let first_output = c / channels * outputs;
    let (height, width) = dx.dim();
    let mut sums = vec![S::Accumulator::ZERO; height * width];
    let taps = w.slice(s![first_output..first_output + outputs, c % channels, .., ..]);
    for ((o, ky, kx), &tap) in taps.indexed_iter() {
        let dy = contiguous(dy.index_axis(Axis(0), first_output + o));
        let rows = window.tap_rows([ky, kx], [height, width], [oh, ow], 0..oh);
        vectorised_loop(ToInputs { rows, tap, dy, sums: &mut sums });
    }
    dx.iter_mut().zip(sums).for_each(|(dx, sum)| *dx = S::from_accumulator(sum));
}

/// One tap and one output channel: `sums[iy,ix] += tap dy[oy,ox]`.
struct ToInputs<'a, S: Scalar, R> {
    rows: R,
    tap: S,
    /// `[oh,ow]`.
    dy: &'a [S],
    /// `[h,w]`.
    sums: &'a mut [S::Accumulator],
}

impl<S: Scalar, R: Iterator<Item = TapRow>> Loop for ToInputs<'_, S, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, tap, dy, sums } = self;
        for row in rows {
            row.update_inputs(sums, dy, |sum, &g| *sum = S::add_product(*sum, tap, g));
        }
    }
}

/// `dw[o,c,ky,kx] = sum_n sum_oy sum_ox x[n,c,iy,ix] dy[n,o,oy,ox]`, each ascending, ox innermost:
/// x `[n,c,h,w]`, dy `[n,o,oh,ow]` -> dw `[o,c/groups,kh,kw]`.
pub(in crate::kernel) fn conv2d_weight_gradient<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    w_shape: [usize; 4],
) -> Array4<S> {
    let mut dw = Array4::from_elem(w_shape, S::ZERO);
    let (x, dy) = (x.as_standard_layout(), outputs_last(dy));
    let outputs = w_shape[0] / window.groups;
    for c in 0..x.len_of(Axis(1)) {
        let first_output = c / w_shape[1] * outputs;
        let dw = dw.slice_mut(s![first_output..first_output + outputs, c % w_shape[1], .., ..]);
        weight_gradient_taps(window, x.view(), dy.view(), c, dw);
    }
    dw
}

/// dy `[n,o,oh,ow]` -> a contiguous copy `[n,oh,ow,o]`: what [`weight_gradient_taps`] reads.
fn outputs_last<S: Scalar>(dy: ArrayView4<S>) -> Array4<S> {
    dy.permuted_axes([0, 2, 3, 1]).as_standard_layout().into_owned()
}

/// The weights that read input channel `c`: x `[n,c,h,w]`, dy `[n,oh,ow,o]`, both contiguous -> dw `[o/groups,kh,kw]`.
///
/// The sums of one tap over all outputs of the group run side by side: that loop vectorises, while each sum
/// still goes through the batch in order.
fn weight_gradient_taps<S: Scalar>(
    window: Window,
    x: ArrayView4<S>,
    dy: ArrayView4<S>,
    c: usize,
    mut dw: ArrayViewMut3<S>,
) {
    let (_, channels, height, width) = x.dim();
    let (_, oh, ow, all_outputs) = dy.dim();
    let (outputs, kh, kw) = dw.dim();
    let first_output = c / (channels / window.groups) * outputs;
    let mut sums = vec![S::Accumulator::ZERO; outputs];
    for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
        sums.fill(S::Accumulator::ZERO);
        for (x, dy) in x.index_axis(Axis(1), c).outer_iter().zip(dy.outer_iter()) {
            let (x, dy) = (contiguous(x), contiguous(dy));
            let rows = window.tap_rows([ky, kx], [height, width], [oh, ow], 0..oh);
            vectorised_loop(ToTap { rows, x, dy: &dy[first_output.min(dy.len())..], all_outputs, sums: &mut sums });
        }
        for (dw, &sum) in dw.slice_mut(s![.., ky, kx]).iter_mut().zip(&sums) {
            *dw = S::from_accumulator(sum);
        }
    }
}

/// One tap and one sample: `sums[o] += sum_oy sum_ox x[iy,ix] dy[oy,ox,o]`.
struct ToTap<'a, S: Scalar, R> {
    rows: R,
    /// `[h,w]`.
    x: &'a [S],
    /// `[oh,ow,all_outputs]`, from the group's first output on.
    dy: &'a [S],
    all_outputs: usize,
    /// `[o]`, of the group.
    sums: &'a mut [S::Accumulator],
}

impl<S: Scalar, R: Iterator<Item = TapRow>> Loop for ToTap<'_, S, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, x, dy, all_outputs, sums } = self;
        for (position, pixel) in rows.flat_map(|row| row.pairs()) {
            let of_group = &dy[position * all_outputs..][..sums.len()];
            for (sum, &g) in sums.iter_mut().zip(of_group) {
                *sum = S::add_product(*sum, x[pixel], g);
            }
        }
    }
}
