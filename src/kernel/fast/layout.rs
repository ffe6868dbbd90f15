//! Batch-innermost memory: images `[n,c,h,w]` in memory order (h, w, c, n).
//!
//! A pixel is a matrix `[c, n]`, its *rows* hold one channel of all samples. Every loop over a row runs over samples,
//! which no window ever shifts: vectors need no gathering and meet no border, whatever the kernel's size, stride,
//! padding or dilation. It is a matter of strides alone; to ops the array is `[n,c,h,w]` like any other.

use crate::kernel::buffer::{Buffer, Elements};
use crate::kernel::{share, vectorised};
use crate::scalar::Scalar;
use ndarray::{Array4, ArrayView4};

/// Images as rows of `n` samples, in the order (y, x, channel).
pub(super) struct Rows<'a, S: Scalar> {
    pub elements: Elements<'a, S>,
    /// Samples: the length of a row.
    pub n: usize,
    pub channels: usize,
    /// `[h, w]`.
    pub extent: [usize; 2],
}

/// Edge of the blocks that a transposition goes by: a cache line of `f32`.
const BLOCK: usize = 16;

impl<'a, S: Scalar> Rows<'a, S> {
    /// The rows of `images` `[n,c,h,w]`: borrowed if they lie so in memory, else copied.
    pub fn of(images: ArrayView4<'a, S>) -> Self {
        let (n, channels, h, w) = images.dim();
        let rows = images.permuted_axes([2, 3, 1, 0]);
        let elements = match (rows.to_slice(), images.to_slice()) {
            (Some(elements), _) => Elements::Borrowed(elements),
            // A matrix [n,c] is one of c pixels of one channel just as well.
            (None, Some(row_major)) if h * w == 1 => Elements::Copied(transposed(row_major, [n, 1, channels])),
            (None, Some(row_major)) => Elements::Copied(transposed(row_major, [n, channels, h * w])),
            (None, None) => {
                let mut elements = Buffer::stale(rows.len());
                elements.iter_mut().zip(rows).for_each(|(to, &x)| *to = x);
                Elements::Copied(elements)
            }
        };
        Self { elements, n, channels, extent: [h, w] }
    }

    /// How many pixels there are.
    pub fn pixels(&self) -> usize {
        self.extent[0] * self.extent[1]
    }

    /// The pixel at `index` in row-major order: `[c, n]`.
    pub fn pixel(&self, index: usize) -> &[S] {
        let size = self.channels * self.n;
        &self.elements[index * size..][..size]
    }
}

/// Images `[n,c,h,w]` from their rows, as many as the shape holds.
pub(in crate::kernel) fn images<S: Scalar>([n, c, h, w]: [usize; 4], rows: Vec<S>) -> Array4<S> {
    let rows = Array4::from_shape_vec((h, w, c, n), rows).expect("as many elements as the shape holds");
    rows.permuted_axes([3, 2, 0, 1])
}

/// Row-major `[n, c, pixels]` as `[pixels, c, n]`.
fn transposed<S: Scalar>(images: &[S], [n, c, pixels]: [usize; 3]) -> Buffer<S> {
    let mut rows = Buffer::stale(images.len());
    share::chunks(&mut rows, (BLOCK * c * n).max(1), images.len(), |block, rows| {
        vectorised(|| {
            for channel in 0..c {
                for sample in (0..n).step_by(BLOCK) {
                    let samples = sample..n.min(sample + BLOCK);
                    for (pixel, rows) in rows.chunks_exact_mut(c * n).enumerate() {
                        let from = channel * pixels + block * BLOCK + pixel;
                        for (sample, to) in samples.clone().zip(&mut rows[channel * n..][samples.clone()]) {
                            *to = images[sample * c * pixels + from];
                        }
                    }
                }
            }
        });
    });
    rows
}
