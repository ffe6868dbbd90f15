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

use super::planes::{self, Planes};
use super::pooling::{Pixels, Pooling};
use super::{Attributes, Case, Catalogued, flat, shape};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::op::{Cost, Op, Reads};
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

/// The position of the maximum among the pixels under a window.
fn position_of_maximum<S: Scalar>(plane: &[S], pixels: &Pixels) -> usize {
    let first = pixels.positions().next().unwrap_or(0); // a window holds a pixel
    pixels.positions().skip(1).fold(first, |best, at| match plane[at] {
        x if x > plane[best] || x.is_nan() => at,
        _ => best,
    })
}

impl Op for MaxPool2d {
    const NAME: &'static str = "max_pool2d";
    const READS: Reads = Reads::Shapes;
    /// For each plane, the position in it of each output's maximum.
    type Saved<S: Scalar> = Vec<Vec<u32>>;

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<Vec<Vec<usize>>> {
        let out = self.pooling().out_shape(Self::NAME, inputs)?;
        // Positions are kept in 32 bits.
        let pixels = shape::product(&inputs[0][2..]);
        if u32::try_from(pixels).is_err() {
            let expected = format!("planes of at most {} pixels", u32::MAX);
            return Err(Error::shape(Self::NAME, "x", expected, pixels.to_string()));
        }
        Ok(vec![out])
    }

    fn cost(&self, _: &[&[usize]], outputs: &[Vec<usize>]) -> Cost {
        Cost { saved_bytes: shape::product(&outputs[0]) * size_of::<u32>(), ..Cost::default() }
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &[ArrayViewD<S>]) -> (Vec<ArrayD<S>>, Vec<Vec<u32>>) {
        let planes = Planes::of(&inputs[0]);
        let windows = self.pooling().windows(planes.h, planes.w);
        let positions = flat::collect(kernel, planes.count(), |i| -> Vec<u32> {
            windows.iter().map(|pixels| position_of_maximum(planes.get(i), &pixels) as u32).collect()
        });
        let y = flat::from_rows(
            kernel,
            &[planes.n, planes.c, windows.rows.len(), windows.columns.len()],
            windows.count(),
            |i, y| {
                for (y, &at) in y.iter_mut().zip(&positions[i]) {
                    *y = planes.get(i)[at as usize];
                }
            },
        );
        (vec![y], positions)
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        positions: &Vec<Vec<u32>>,
        upstream: &[ArrayViewD<S>],
        _: &[bool],
    ) -> Vec<Option<ArrayD<S>>> {
        let dy = Planes::of(&upstream[0]);
        let dx = planes::summed(kernel, inputs[0].shape(), |i, dx: &mut [S::Wide]| {
            for (dy, &at) in dy.get(i).iter().zip(&positions[i]) {
                dx[at as usize] += dy.widen();
            }
        });
        vec![Some(dx)]
    }
}

impl Catalogued for MaxPool2d {
    const SUMMARY: &'static str = "y[n,c,i,j] = max of x[n,c] over window (i, j)";

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        let Pooling { kernel, stride, padding } = Pooling::from_attributes(attributes)?;
        Ok(Self { kernel, stride, padding })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let (Pooling { kernel, stride, padding }, x) = Pooling::sample(rng, size);
        Case::new(Self { kernel, stride, padding }, vec![x])
    }
}
