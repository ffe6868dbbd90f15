//! [`Window`]: the index arithmetic of convolution, in one place for both kernels.
//!
//! Along each axis, tap `t` of the window at output `o` reads the input at `o * stride + t * dilation - padding`.
//! Where that falls outside the input the tap reads padding, which contributes no term, in either kernel.

use std::ops::Range;

/// Where a convolution's window goes: everything about it but the arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Step of the window, `[vertical, horizontal]`.
    pub stride: [usize; 2],
    /// Zeros added on each side, `[top and bottom, left and right]`.
    pub padding: [usize; 2],
    /// Distance between taps of the window.
    pub dilation: [usize; 2],
    /// Channel groups that do not see each other.
    pub groups: usize,
}

/// The pixels of one row that one tap of the window reads, as positions in flat planes: output
/// `outputs.start + i` meets input `first + i * step`.
#[derive(Debug, Clone)]
pub(super) struct TapRow {
    /// In the plane of outputs, from its first requested row.
    outputs: Range<usize>,
    /// In the plane of inputs.
    first: usize,
    step: usize,
}

impl TapRow {
    /// Updates every output with the input it meets; the planes are row-major.
    #[inline(always)]
    pub fn update_outputs<T, U>(&self, outputs: &mut [T], inputs: &[U], update: impl Fn(&mut T, &U)) {
        let outputs = outputs[self.outputs.clone()].iter_mut();
        let inputs = &inputs[self.first..];
        // Contiguous pixels apart from strided ones: only the former vectorise.
        if self.step == 1 {
            outputs.zip(inputs).for_each(|(output, input)| update(output, input));
        } else {
            outputs.zip(inputs.iter().step_by(self.step)).for_each(|(output, input)| update(output, input));
        }
    }

    /// Updates every input with the output it meets. No input meets two.
    #[inline(always)]
    pub fn update_inputs<T, U>(&self, inputs: &mut [T], outputs: &[U], update: impl Fn(&mut T, &U)) {
        let outputs = &outputs[self.outputs.clone()];
        let inputs = inputs[self.first..].iter_mut();
        if self.step == 1 {
            inputs.zip(outputs).for_each(|(input, output)| update(input, output));
        } else {
            inputs.step_by(self.step).zip(outputs).for_each(|(input, output)| update(input, output));
        }
    }

    /// The pairs `(output, input)` of positions that meet, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        self.outputs.clone().zip((self.first..).step_by(self.step))
    }
}

impl Window {
    /// The plain window: stride 1, no padding, dilation 1, one group.
    pub const PLAIN: Self = Self { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };

    /// The output's extent along `axis` (0 vertical, 1 horizontal) for `kernel` taps over `input` pixels:
    /// `floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`.
    ///
    /// `None` where the dilated kernel does not fit into the padded input, where `kernel`, stride or dilation is
    /// zero, and where the arithmetic would overflow.
    pub fn output_extent(&self, axis: usize, input: usize, kernel: usize) -> Option<usize> {
        let padded = self.padding[axis].checked_mul(2)?.checked_add(input)?;
        let reach = kernel.checked_sub(1)?.checked_mul(self.dilation[axis])?.checked_add(1)?;
        if self.dilation[axis] == 0 || isize::try_from(padded).is_err() {
            return None;
        }
        padded.checked_sub(reach)?.checked_div(self.stride[axis])?.checked_add(1)
    }

    /// The shape of a convolution's output for x `[n,c,h,w]`, w `[o,c/groups,kh,kw]`: `[n,o,oh,ow]`, where an
    /// extent is 0 if the window does not fit.
    pub(super) fn output_shape(
        &self,
        (n, _, h, width): (usize, usize, usize, usize),
        (o, _, kh, kw): (usize, usize, usize, usize),
    ) -> [usize; 4] {
        [n, o, self.output_extent(0, h, kh).unwrap_or(0), self.output_extent(1, width, kw).unwrap_or(0)]
    }

    /// The outputs along `axis` at which `tap` reads the input and not padding (`input`, `output`: extents).
    pub(super) fn outputs_inside(&self, axis: usize, tap: usize, input: usize, output: usize) -> Range<usize> {
        let (stride, padding, offset) = (self.stride[axis], self.padding[axis], tap * self.dilation[axis]);
        let start = padding.saturating_sub(offset).div_ceil(stride);
        let end = (input + padding).saturating_sub(offset).div_ceil(stride).min(output);
        start.min(end)..end
    }

    /// The input pixel along `axis` that `tap` reads at `output`; only for outputs in [`Self::outputs_inside`].
    pub(super) fn input_at(&self, axis: usize, output: usize, tap: usize) -> usize {
        output * self.stride[axis] + tap * self.dilation[axis] - self.padding[axis]
    }

    /// The rows that tap `[ky, kx]` reads for the output rows `rows`, top to bottom.
    ///
    /// `input` is `[h, w]`, `output` is `[oh, ow]`.
    pub(super) fn tap_rows(
        self,
        [ky, kx]: [usize; 2],
        input: [usize; 2],
        output: [usize; 2],
        rows: Range<usize>,
    ) -> impl Iterator<Item = TapRow> {
        let columns = self.outputs_inside(1, kx, input[1], output[1]);
        let inside = self.outputs_inside(0, ky, input[0], output[0]);
        let top = rows.start;
        let rows = if columns.is_empty() { 0..0 } else { rows.start.max(inside.start)..rows.end.min(inside.end) };
        rows.map(move |oy| {
            let row = (oy - top) * output[1];
            TapRow {
                outputs: row + columns.start..row + columns.end,
                first: self.input_at(0, oy, ky) * input[1] + self.input_at(1, columns.start, kx),
                step: self.stride[1],
            }
        })
    }
}
