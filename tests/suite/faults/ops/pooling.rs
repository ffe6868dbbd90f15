//! Windows and means over planes.

use super::{Fault, Gradients, at, number, planted};
use gdstar::ops::{AdaptiveAvgPool2d, AvgPool2d, GlobalMean, MaxPool2d};
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, ArrayViewD, Axis};

planted! {
    /// A tie goes to the last pixel.
    MaxPoolTieGoesToTheLast in MaxPool2d {
        fn gradients<S: Scalar>(op: &MaxPool2d, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            at(dx, 0).fill(S::ZERO);
            let extent = |axis: usize| x[0].shape()[2 + axis];
            for (place, &dy) in dy.indexed_iter() {
                let place = [place[0], place[1], place[2], place[3]];
                let tap = |axis: usize| {
                    let start = place[2 + axis] * op.stride[axis];
                    start.saturating_sub(op.padding[axis])..(start + op.kernel[axis] - op.padding[axis]).min(extent(axis))
                };
                let columns = tap(1);
                let pixels = tap(0).flat_map(|i| columns.clone().map(move |j| [place[0], place[1], i, j]));
                let last = pixels.reduce(|best, pixel| if x[0][pixel] >= x[0][best] { pixel } else { best });
                at(dx, 0)[last.unwrap()] += dy;
            }
        }
    }
    /// The padding is 0 and not -inf.
    MaxPoolPadsWithZero in MaxPool2d {
        fn outputs<S: Scalar>(op: &MaxPool2d, _: &[ArrayViewD<S>], y: &mut [ArrayD<S>]) {
            if op.padding[0] > 0 {
                y[0].index_axis_mut(Axis(2), 0).mapv_inplace(|y| y.maximum(S::ZERO));
            }
        }
    }
    /// The divisor is the whole kernel, whatever `count_include_pad` says.
    AvgPoolIgnoresCountIncludePad in AvgPool2d {
        fn forward_as(op: &AvgPool2d) -> AvgPool2d {
            AvgPool2d { count_include_pad: true, ..*op }
        }
        fn backward_as(op: &AvgPool2d) -> AvgPool2d {
            AvgPool2d { count_include_pad: true, ..*op }
        }
    }
    /// The mean is over h alone, forward and backward alike.
    GlobalMeanDividesByHeight in GlobalMean {
        fn outputs<S: Scalar>(_: &GlobalMean, x: &[ArrayViewD<S>], y: &mut [ArrayD<S>]) {
            y[0].mapv_inplace(|y| y * number(x[0].shape()[3]));
        }
        fn gradients<S: Scalar>(_: &GlobalMean, x: &[ArrayViewD<S>], _: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            at(dx, 0).mapv_inplace(|dx| dx * number(x[0].shape()[3]));
        }
    }
    /// The gradient is spread without the division.
    AdaptiveAvgPoolGradientNotDivided in AdaptiveAvgPool2d {
        fn gradients<S: Scalar>(_: &AdaptiveAvgPool2d, x: &[ArrayViewD<S>], dy: &ArrayViewD<S>, dx: &mut Gradients<S>) {
            *at(dx, 0) = dy.broadcast(x[0].raw_dim()).unwrap().to_owned();
        }
    }
}
