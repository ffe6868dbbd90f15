//! [`Sources`]: which pixels a convolution sums over for each pixel that it makes.

use crate::kernel::Window;

/// For each destination pixel, the source pixels that it is a sum over, each with the tap of the window that joins them.
///
/// Forward makes outputs from inputs; the input gradient makes inputs from outputs, by the same taps. The rest of a
/// convolution is the same for both: a product with the tap's matrix of weights.
pub(super) struct Sources {
    /// For each destination row, the vertical taps and source rows, ascending by tap; likewise columns.
    rows: Vec<Vec<(usize, usize)>>,
    columns: Vec<Vec<(usize, usize)>>,
    taps: usize,
    kernel_width: usize,
    source_width: usize,
}

impl Sources {
    /// Of outputs `[oh, ow]`, among inputs `[h, w]`.
    pub fn of_outputs(window: Window, [kh, kw]: [usize; 2], input: [usize; 2], output: [usize; 2]) -> Self {
        let axis = |axis: usize, taps: usize| -> Vec<Vec<(usize, usize)>> {
            let mut sources = vec![Vec::with_capacity(taps); output[axis]];
            for tap in 0..taps {
                for o in window.outputs_inside(axis, tap, input[axis], output[axis]) {
                    sources[o].push((tap, window.input_at(axis, o, tap)));
                }
            }
            sources
        };
        Self { rows: axis(0, kh), columns: axis(1, kw), taps: kh * kw, kernel_width: kw, source_width: input[1] }
    }

    /// Of inputs `[h, w]`, among outputs `[oh, ow]`: the same pairs, seen from the other side.
    pub fn of_inputs(window: Window, [kh, kw]: [usize; 2], input: [usize; 2], output: [usize; 2]) -> Self {
        let axis = |axis: usize, taps: usize| -> Vec<Vec<(usize, usize)>> {
            let mut sources = vec![Vec::with_capacity(taps); input[axis]];
            for tap in 0..taps {
                for o in window.outputs_inside(axis, tap, input[axis], output[axis]) {
                    sources[window.input_at(axis, o, tap)].push((tap, o));
                }
            }
            sources
        };
        Self { rows: axis(0, kh), columns: axis(1, kw), taps: kh * kw, kernel_width: kw, source_width: output[1] }
    }

    /// How many taps the window has.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// How many destination pixels there are.
    pub fn pixels(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// The sources of destination pixel `index` (row-major): (tap, source pixel), both row-major, ascending by tap.
    pub fn of(&self, index: usize) -> impl Iterator<Item = (usize, usize)> {
        let (row, column) = (index / self.columns.len(), index % self.columns.len());
        self.rows[row].iter().flat_map(move |&(ky, y)| {
            let along_row = self.columns[column].iter();
            along_row.map(move |&(kx, x)| (ky * self.kernel_width + kx, y * self.source_width + x))
        })
    }
}
