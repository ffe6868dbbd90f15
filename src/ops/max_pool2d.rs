//! `max_pool2d`: `y[n,c,i,j]` = the maximum of `x[n,c]` over window (i, j).
//!
//! Derivative: dy goes to the pixel that was the maximum, summed (in [`Scalar::Wide`], windows in row-major order)
//! where windows overlap.
//!
//! Conventions, as PyTorch's: a tie goes to the first pixel in row-major order; a NaN is larger than any number, and
//! the last of several wins; padding is -inf and at most half the kernel; windows that do not fit are left out.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::MaxPool2d};
//! use ndarray::array;
//! let op = MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
//! let x = array![[[[1.0, 2.0, 4.0, 4.0], [3.0, 0.0, 4.0, 4.0]]]].into_dyn();
//! let dy = array![[[[10.0, 20.0]]]].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(dy.view())], &[true])?;
//! assert_eq!(result.outputs[0], array![[[[3.0, 4.0]]]].into_dyn());
//! let dx = array![[[[0.0, 0.0, 20.0, 0.0], [10.0, 0.0, 0.0, 0.0]]]].into_dyn();
//! assert_eq!(result.gradients[0], Some(dx));
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::pooling::Pooling;
use super::{Attributes, Care, Case, Catalogued, Magnitude, Sums, shape};
use crate::error::{Error, Result};
use crate::kernel::buffer::Buffer;
use crate::kernel::flat;
use crate::kernel::order::Order;
use crate::kernel::planes::{Piece, Planes, on_lanes, pieces};
use crate::kernel::{Kernel, Loop};
use crate::op::{Argument, Cost, List, Names, Op, Reads, Shape, list};
use crate::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = the maximum over each window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool2d {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Rows and columns of -inf added on each side.
    pub padding: [usize; 2],
}

impl MaxPool2d {
    fn pooling(&self) -> Pooling {
        Pooling { kernel: self.kernel, stride: self.stride, padding: self.padding }
    }
}

/// The positions in their planes of the outputs' maxima, in the order in which x lay.
#[derive(Debug)]
pub struct Positions {
    order: Order,
    memory: Buffer<u32>,
}

/// For each lane of one window, the largest of the pixels `positions` of x and where it is.
struct Maxima<'a, S: Scalar, I> {
    x: &'a Planes<'a, S>,
    piece: &'a Piece,
    positions: I,
    y: &'a mut [S],
    at: &'a mut [u32],
}

impl<S: Scalar, I: Iterator<Item = usize>> Loop for Maxima<'_, S, I> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { x, piece, mut positions, y, at } = self;
        let first = positions.next().unwrap_or(0); // a window holds a pixel
        y.copy_from_slice(&x.elements()[x.place(piece, first)]);
        at.fill(first as u32);
        for position in positions {
            let row = &x.elements()[x.place(piece, position)];
            for ((y, at), &x) in y.iter_mut().zip(&mut *at).zip(row) {
                let (best, best_at) = (*y, *at);
                let is_larger = (x > best) | x.is_nan();
                *y = if is_larger { x } else { best };
                *at = if is_larger { position as u32 } else { best_at };
            }
        }
    }
}

/// Adds dy where the maximum was `pixel`.
struct AddChosen<'a, S: Scalar> {
    sums: &'a mut [S::Wide],
    dy: &'a [S],
    positions: &'a [u32],
    pixel: u32,
}

impl<S: Scalar> Loop for AddChosen<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { sums, dy, positions, pixel } = self;
        for ((sum, &dy), &position) in sums.iter_mut().zip(dy).zip(positions) {
            let chosen = if position == pixel { dy } else { S::ZERO };
            *sum += chosen.widen();
        }
    }
}

impl Op for MaxPool2d {
    const NAME: &'static str = "max_pool2d";
    const INPUTS: Names = Names::Each(&["x"]);
    const OUTPUTS: Names = Names::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = Positions;

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let out = self.pooling().out_shape::<Self>(inputs)?;
        // Positions are kept in 32 bits.
        let pixels = shape::product(&inputs[0][2..]);
        if u32::try_from(pixels).is_err() {
            let expected = format!("planes of at most {} pixels", u32::MAX);
            return Err(Error::shape(Self::NAME, "x", expected, pixels.to_string()));
        }
        Ok(list![out])
    }

    fn cost(&self, _: &[&[usize]], outputs: &[Shape]) -> Cost {
        Cost { saved_bytes: shape::product(&outputs[0]) * size_of::<u32>(), ..Cost::default() }
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, Positions) {
        let x = Planes::of(kernel, &inputs[0].view());
        let windows = self.pooling().windows(x.h, x.w);
        let shape = windows.out_shape(inputs[0].shape());
        let mut memory = Buffer::stale(shape::product(&shape));
        let y = flat::from_rows_beside(kernel, &x.order, &shape, &mut memory, |start, y, at| {
            for piece in pieces(start, y.len(), windows.count(), x.lanes) {
                let (y, at) = (&mut y[piece.place.clone()], &mut at[piece.place.clone()]);
                let positions = windows.pixels(piece.pixel).positions();
                on_lanes(y.len(), Maxima { x: &x, piece: &piece, positions, y, at });
            }
        });
        (list![y], Positions { order: x.order, memory })
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        positions: &Positions,
        upstream: &mut [Argument<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let dy = Planes::in_order(kernel, &upstream[0].view(), positions.order.clone());
        let [h, w] = [inputs[0].shape()[2], inputs[0].shape()[3]];
        let over_pixels = self.pooling().windows(h, w).over_pixels();
        let dx = dy.made(kernel, inputs[0].shape(), h * w, |at, sums| {
            sums.fill(S::Wide::ZERO);
            for window in over_pixels.of(at.pixel) {
                let place = dy.place(at, window);
                let (dy, positions) = (&dy.elements()[place.clone()], &positions.memory[place]);
                on_lanes(dy.len(), AddChosen { sums, dy, positions, pixel: at.pixel as u32 });
            }
        });
        list![Some(dx)]
    }
}

impl Catalogued for MaxPool2d {
    const SUMMARY: &'static str = "y[n,c,i,j] = max of x[n,c] over window (i, j)";
    const SUMS: Sums = Sums::Wide;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let maximum = |values: &[Option<S>]| {
            let pixels = values.iter().flatten().copied();
            pixels.reduce(|a, b| if b > a { b } else { a }).unwrap_or(S::ZERO)
        };
        vec![self.pooling().definition(&inputs[0], maximum)]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfResults
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let Pooling { kernel, stride, padding } = Pooling::from_attributes(attributes)?;
        Ok(Self { kernel, stride, padding })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let (Pooling { kernel, stride, padding }, x) = Pooling::sample(rng, size);
        Case::new(Self { kernel, stride, padding }, vec![x])
    }
}
