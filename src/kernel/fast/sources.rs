//! [`Sources`]: which pixels a convolution sums over for each pixel that it makes.

use crate::kernel::Window;
use crate::kernel::buffer::Buffer;

/// For each destination pixel, the source pixels that it is a sum over, each with the tap of the window that joins them.
///
/// Forward makes outputs from inputs; the input gradient makes inputs from outputs, by the same taps. The rest of a
/// convolution is the same for both: a product with the tap's matrix of weights.
pub(super) struct Sources {
    rows: Axis,
    columns: Axis,
    taps: usize,
    kernel_width: usize,
    source_width: usize,
}

/// The sources of each destination along one axis.
struct Axis {
    /// (tap, source) of the first destination, then of the second, and so on, ascending by tap.
    sources: Buffer<(usize, usize)>,
    /// Where each destination's begin, and the end.
    starts: Buffer<usize>,
}

impl Axis {
    /// From (destination, tap, source) in any order. No tap joins a destination with two sources.
    fn new(destinations: usize, taps: usize, of_taps: impl Iterator<Item = (usize, usize, usize)>) -> Self {
        let mut joined = Buffer::with_room(destinations * taps);
        joined.extend(of_taps);
        joined.sort_unstable();
        let start = |destination| joined.partition_point(|&(of, ..)| of < destination);
        let starts = (0..=destinations).map(start).collect();
        Self { sources: joined.iter().map(|&(_, tap, source)| (tap, source)).collect(), starts }
    }

    fn destinations(&self) -> usize {
        self.starts.len() - 1
    }

    #[inline]
    fn of(&self, destination: usize) -> &[(usize, usize)] {
        &self.sources[self.starts[destination]..self.starts[destination + 1]]
    }
}

impl Sources {
    /// Of outputs `[oh, ow]`, among inputs `[h, w]`.
    pub fn of_outputs(window: Window, kernel: [usize; 2], input: [usize; 2], output: [usize; 2]) -> Self {
        let [rows, columns] = [0, 1].map(|axis| {
            let joined = joined(window, axis, kernel, input, output);
            Axis::new(output[axis], kernel[axis], joined.map(|(tap, i, o)| (o, tap, i)))
        });
        Self { rows, columns, taps: kernel[0] * kernel[1], kernel_width: kernel[1], source_width: input[1] }
    }

    /// Of inputs `[h, w]`, among outputs `[oh, ow]`: the same pairs, seen from the other side.
    pub fn of_inputs(window: Window, kernel: [usize; 2], input: [usize; 2], output: [usize; 2]) -> Self {
        let [rows, columns] = [0, 1].map(|axis| {
            let joined = joined(window, axis, kernel, input, output);
            Axis::new(input[axis], kernel[axis], joined.map(|(tap, i, o)| (i, tap, o)))
        });
        Self { rows, columns, taps: kernel[0] * kernel[1], kernel_width: kernel[1], source_width: output[1] }
    }

    /// How many taps the window has.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// How many destination pixels there are.
    pub fn pixels(&self) -> usize {
        self.rows.destinations() * self.columns.destinations()
    }

    /// The sources of destination pixel `index` (row-major): (tap, source pixel), both row-major, ascending by tap.
    #[inline]
    pub fn of(&self, index: usize) -> impl Iterator<Item = (usize, usize)> {
        let width = self.columns.destinations();
        self.rows.of(index / width).iter().flat_map(move |&(ky, y)| {
            let along_row = self.columns.of(index % width).iter();
            along_row.map(move |&(kx, x)| (ky * self.kernel_width + kx, y * self.source_width + x))
        })
    }
}

/// Along one axis: every tap with the inputs and the outputs that it joins, as (tap, input, output).
fn joined(
    window: Window,
    axis: usize,
    kernel: [usize; 2],
    input: [usize; 2],
    output: [usize; 2],
) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..kernel[axis]).flat_map(move |tap| {
        let outputs = window.outputs_inside(axis, tap, input[axis], output[axis]);
        outputs.map(move |o| (tap, window.input_at(axis, o, tap), o))
    })
}
