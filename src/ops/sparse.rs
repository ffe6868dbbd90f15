//! [`Sparse`]: [`Linear`] or [`Conv2d`] on a weight of which only the entries of a [`Pattern`] are stored.
//!
//! Inputs: x as the op takes it, the living values `[nnz]`, the op's optional bias. The formula is the op's, with the
//! weight's dense form (+0 where no entry lives); so is the derivative, the gradient of the values being the weight's
//! sampled where they live ([`WeightGradient::Living`]), or not sampled ([`WeightGradient::All`]).
//!
//! Conventions: [`Kernel::Literal`] gives the bits of the op on the weight's dense form. It counts as taking only the
//! multiply-accumulates that a living weight takes part in.
//!
//! ```
//! use gdstar::{kernel::{Kernel, Pattern}, op::evaluate, ops::{Linear, Sparse, WeightGradient}};
//! use ndarray::array;
//! use std::sync::Arc;
//! let pattern = Arc::new(Pattern::new(&[1, 2], &[false, true])?); // w = (0, w_1)
//! let op = Sparse { op: Linear, pattern, gradient: WeightGradient::Living };
//! let (x, values) = (array![[1.0, 2.0], [3.0, 4.0]].into_dyn(), array![-1.0].into_dyn());
//! let dy = array![[1.0], [10.0]].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view(), values.view()], &[Some(dy.view())], &[true; 2])?;
//! assert_eq!(result.outputs[0], array![[-2.0], [-4.0]].into_dyn());
//! assert_eq!(result.gradients[0], Some(array![[0.0, -1.0], [0.0, -10.0]].into_dyn()));
//! assert_eq!(result.gradients[1], Some(array![42.0].into_dyn())); // 1*2 + 10*4
//! let dense = Sparse { gradient: WeightGradient::All, ..op };
//! let result = evaluate(&dense, Kernel::Literal, &[x.view(), values.view()], &[Some(dy.view())], &[true; 2])?;
//! assert_eq!(result.gradients[1], Some(array![[31.0, 42.0]].into_dyn())); // 1*1 + 10*3
//! # Ok::<(), gdstar::Error>(())
//! ```

#[cfg(feature = "cuda")]
use super::operands::four_extents;
use super::operands::{bias, of_rank};
use super::{Conv2d, Linear, shape};
use crate::error::{Error, Result};
use crate::kernel::buffer::Elements;
use crate::kernel::{self, Kernel, Pattern, Window};
use crate::op::{Argument, ArrayNames, Cost, List, Op, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DevicePattern, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{Array4, ArrayD, ArrayRef, ArrayView4, ArrayViewD, Axis, Ix1, IxDyn};
use std::sync::Arc;

/// Which entries of a weight have their gradient computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightGradient {
    /// The living ones: `[nnz]`.
    Living,
    /// All, in the weight's dense shape: the derivative with respect to the dense form, as open point 7's `dense` wants.
    All,
}

/// An op whose inputs are x, a weight that is multiplied as a convolution's filters are, and an optional bias.
pub trait Filters: Op {
    /// The name of its sparse form.
    const SPARSE_NAME: &'static str;

    /// Where the filters go; x `[n,in]` counts as `[n,in,1,1]`.
    fn window(&self) -> Window;
}

impl Filters for Linear {
    const SPARSE_NAME: &'static str = "sparse_linear";

    fn window(&self) -> Window {
        Window::PLAIN
    }
}

impl Filters for Conv2d {
    const SPARSE_NAME: &'static str = "sparse_conv2d";

    fn window(&self) -> Window {
        self.window
    }
}

/// The op with a weight that is given by its living values.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse<O> {
    pub op: O,
    /// Of the op's weight.
    pub pattern: Arc<Pattern>,
    pub gradient: WeightGradient,
}

impl<O: Filters> Op for Sparse<O> {
    const NAME: &'static str = O::SPARSE_NAME;
    const INPUTS: ArrayNames = ArrayNames::LastOptional(&["x", "values", "b"]);
    const OUTPUTS: ArrayNames = O::OUTPUTS;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let mut of_op = List::from(inputs);
        if let Some(values) = of_op.get_mut(1) {
            let expected = [self.pattern.nnz()];
            if **values != expected {
                let (expected, found) = (format!("shape {expected:?}"), format!("shape {values:?}"));
                return Err(Error::shape(Self::NAME, "values", expected, found));
            }
            *values = self.pattern.shape();
        }
        self.op.out_shapes(&of_op)
    }

    fn cost(&self, _: &[&[usize]], outputs: &[Shape]) -> Cost {
        // Every weight of an output o takes part in each of its entries, over samples and pixels, once.
        let entries = shape::product(&outputs[0]) / self.pattern.filters()[0].max(1);
        let multiply_accumulates = entries.saturating_mul(self.pattern.nnz());
        let weight_gradient = match self.gradient {
            WeightGradient::Living => multiply_accumulates,
            WeightGradient::All => entries.saturating_mul(self.pattern.dense_len()),
        };
        Cost { multiply_accumulates, weight_gradient, saved_bytes: 0 }
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        let (x, values) = (as_images(&inputs[0]), of_values(&inputs[1]));
        let w = (&*self.pattern, &*values);
        let y = kernel::sparse_conv2d(kernel, self.op.window(), x, w, bias(inputs));
        (list![as_the_op_has(y, inputs[0].ndim())], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let (window, pattern) = (self.op.window(), &*self.pattern);
        let (x, values, dy) = (as_images(&inputs[0]), of_values(&inputs[1]), as_images(&upstream[0]));
        let dx = || {
            let dx = kernel::sparse_conv2d_input_gradient(kernel, window, dy, (pattern, &values), x.dim().into());
            as_the_op_has(dx, inputs[0].ndim())
        };
        let dw = || match self.gradient {
            WeightGradient::Living => kernel::sparse_conv2d_weight_gradient(kernel, window, x, dy, pattern).into_dyn(),
            WeightGradient::All => {
                let dw = kernel::conv2d_weight_gradient(kernel, window, x, dy, pattern.filters());
                as_the_op_has(dw, pattern.shape().len())
            }
        };
        let mut gradients = list![wanted[0].then(dx), wanted[1].then(dw)];
        if let Some(&wanted) = wanted.get(2) {
            gradients.push(wanted.then(|| kernel::channel_sums(kernel, dy).into_dyn()));
        }
        gradients
    }

    /// The product with the weight's dense form, which is the definition.
    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let (window, rank) = (self.op.window(), inputs[0].shape().len());
        let living = DevicePattern::upload(device, &self.pattern)?;
        let w = living.scatter(device, inputs[1])?;
        let y = cuda::conv2d_with_bias(device, window, inputs[0], &w, inputs.get(2).copied())?;
        let shape: Shape = y.shape()[..rank].into();
        let (pattern, gradient) = (Arc::clone(&self.pattern), self.gradient);
        Ok(Seated::new(list![y.reshaped(&shape)], move |passed| {
            let (device, x, dy) = (passed.device, passed.inputs[0], &passed.upstream[0]);
            let dx = || {
                let dx = cuda::conv2d_input_gradient(device, window, dy, &w, four_extents(x.shape))?;
                Ok(dx.reshaped(x.shape))
            };
            let dw = || {
                let dw = cuda::conv2d_weight_gradient(device, window, x.tensor()?, dy, pattern.filters())?;
                match gradient {
                    WeightGradient::Living => living.gather(device, &dw),
                    WeightGradient::All => Ok(dw.reshaped(pattern.shape())),
                }
            };
            let db = || cuda::channel_sums(device, dy);
            passed.gradients(&[&dx, &dw, &db])
        }))
    }
}

/// `[n,c,h,w]` as it is, `[n,c]` as `[n,c,1,1]`.
fn as_images<'a, S: Scalar>(array: &'a ArrayRef<S, IxDyn>) -> ArrayView4<'a, S> {
    let mut view = array.view();
    while view.ndim() < 4 {
        view = view.insert_axis(Axis(2));
    }
    view.into_dimensionality().expect("out_shapes checks the rank")
}

/// The contrary of [`as_images`]: `[n,c,1,1]` as `[n,c]` where `rank` is 2.
fn as_the_op_has<S: Scalar>(images: Array4<S>, rank: usize) -> ArrayD<S> {
    let mut array = images.into_dyn();
    for axis in (rank..array.ndim()).rev() {
        array = array.index_axis_move(Axis(axis), 0);
    }
    array
}

/// The values `[nnz]`, one after another.
fn of_values<'a, S: Scalar>(values: &'a ArrayRef<S, IxDyn>) -> Elements<'a, S> {
    Elements::of::<Ix1>(of_rank(values))
}
