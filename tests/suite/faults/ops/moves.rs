//! Ops that move elements and compute nothing.

use super::{Fault, Gradients, at, planted};
use gdstar::kernel::Kernel;
use gdstar::op::Op;
use gdstar::ops::{ChannelShuffle, Concat, Flatten, Pad, Split, StridedSlice};
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, Axis, Slice};

planted! {
    /// The second piece of the gradient starts where the first does.
    ConcatGradientOffsetNotAdvanced in Concat {
        fn gradients<S: Scalar>(op: &Concat, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            if let Some(x) = inputs.get(1) {
                *at(gradients, 1) = dy.slice_axis(Axis(op.axis), Slice::from(..x.shape()[op.axis])).to_owned();
            }
        }
    }
    /// The first piece's gradient is dropped.
    SplitGradientDropsAPiece in Split {
        fn gradients<S: Scalar>(op: &Split, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            at(gradients, 0).slice_axis_mut(Axis(op.axis), Slice::from(..op.sizes[0])).fill(S::ZERO);
        }
    }
    /// The gradient goes through the shuffle itself and not its inverse.
    ChannelShuffleInverseWrong in ChannelShuffle {
        fn gradients<S: Scalar>(op: &ChannelShuffle, _: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            *at(gradients, 0) = op.forward(Kernel::Literal, &mut [dy.view().into()]).0.swap_remove(0);
        }
    }
    /// The elements are joined in column-major order.
    FlattenInColumnMajorOrder in Flatten {
        fn outputs<S: Scalar>(_: &Flatten, inputs: &[ArrayViewD<S>], y: &mut [ArrayD<S>]) {
            let columns = inputs[0].t().iter().copied().collect();
            y[0] = ArrayD::from_shape_vec(y[0].shape(), columns).unwrap();
        }
    }
    /// The gradient is cut off at the start, as if nothing were padded before.
    PadGradientIgnoresBefore in Pad {
        fn gradients<S: Scalar>(_: &Pad, inputs: &[ArrayViewD<S>], dy: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            let inside = |axis: ndarray::AxisDescription| Slice::from(..inputs[0].shape()[axis.axis.index()]);
            *at(gradients, 0) = dy.slice_each_axis(inside).to_owned();
        }
    }
    /// The gradient lands on the last pixel of every step and not the first.
    StridedSliceGradientReversed in StridedSlice {
        fn gradients<S: Scalar>(_: &StridedSlice, _: &[ArrayViewD<S>], _: &ArrayViewD<S>, gradients: &mut Gradients<S>) {
            at(gradients, 0).invert_axis(Axis(3));
        }
    }
}
