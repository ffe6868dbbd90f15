//! Every op's forward once more, as its defining formula: one expression per output element, with no thought for
//! speed or cancellation. Evaluated in 31 digits with error bounds, it is what the ops are held against.

use gdstar::ops::{AnyOp, BatchNorm, Conv2d};
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, Axis, Dimension, Slice};

/// The outputs of `op` by definition.
pub fn outputs<S: Scalar>(op: &AnyOp, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
    let x = &inputs[0];
    let d = x.shape();
    let n = |count: usize| S::from_usize(count);
    let y = match op {
        AnyOp::Relu(_) => x.mapv(|x| if x > S::ZERO { x } else { S::ZERO }),
        AnyOp::Relu6(_) => x.mapv(|x| if x < S::ZERO { S::ZERO } else { if x > n(6) { n(6) } else { x } }),
        AnyOp::Sigmoid(_) => x.mapv(|x| S::ONE / (S::ONE + (-x).exp())),
        AnyOp::Silu(_) => x.mapv(|x| x / (S::ONE + (-x).exp())),
        AnyOp::Add(_) => pairwise(x, &inputs[1], |a, b| a + b),
        AnyOp::Mul(_) => pairwise(x, &inputs[1], |a, b| a * b),
        AnyOp::Flatten(op) => {
            let shape = [&d[..op.start_dim], &[d[op.start_dim..].iter().product()]].concat();
            x.to_shape(shape).map(|y| y.into_owned()).unwrap_or_else(|error| panic!("{error}"))
        }
        AnyOp::Dropout(op) => {
            let mask = op.mask.mapv(|keep| if keep { S::ONE } else { S::ZERO });
            x * &mask.mapv(|keep| keep / (S::ONE - S::from_f64(op.p)))
        }
        AnyOp::Concat(op) => {
            let views: Vec<_> = inputs.iter().map(|x| x.view()).collect();
            ndarray::concatenate(Axis(op.axis), &views).unwrap_or_else(|error| panic!("{error}"))
        }
        AnyOp::Split(op) => {
            let start = |i: usize| op.sizes[..i].iter().sum::<usize>();
            let piece = |i| x.slice_axis(Axis(op.axis), Slice::from(start(i)..start(i + 1))).to_owned();
            return (0..op.sizes.len()).map(piece).collect();
        }
        AnyOp::Pad(op) => {
            let shape: Vec<usize> = d.iter().zip(&op.pads).map(|(extent, [a, b])| a + extent + b).collect();
            ArrayD::from_shape_fn(shape, |at| {
                let inside: Option<Vec<usize>> =
                    (0..d.len()).map(|axis| at[axis].checked_sub(op.pads[axis][0]).filter(|&i| i < d[axis])).collect();
                inside.map_or(S::from_f64(op.value), |i| x[i.as_slice()])
            })
        }
        AnyOp::StridedSlice(op) => {
            let shape = [d[0], d[1], d[2].div_ceil(op.step), d[3].div_ceil(op.step)];
            per_pixel(shape, |[n, c, i, j]| x[[n, c, i * op.step, j * op.step]])
        }
        AnyOp::ChannelShuffle(op) => {
            let per_group = d[1] / op.groups;
            per_pixel([d[0], d[1], d[2], d[3]], |[n, c, i, j]| x[[n, c % op.groups * per_group + c / op.groups, i, j]])
        }
        AnyOp::GlobalMean(_) => plane_means(x).remove_axis(Axis(3)).remove_axis(Axis(2)),
        AnyOp::AdaptiveAvgPool2d(_) => plane_means(x),
        AnyOp::MaxPool2d(op) => windows(x, op.kernel, op.stride, op.padding, |values| {
            values.iter().flatten().copied().reduce(|a, b| if b > a { b } else { a }).unwrap_or(S::ZERO)
        }),
        AnyOp::AvgPool2d(op) => windows(x, op.kernel, op.stride, op.padding, |values| {
            let sum = values.iter().flatten().fold(S::ZERO, |sum, &x| sum + x);
            sum / n(if op.count_include_pad { values.len() } else { values.iter().flatten().count() })
        }),
        AnyOp::CrossEntropy(op) => {
            let loss = |i: usize| {
                let sum = (0..d[1]).fold(S::ZERO, |sum, j| sum + x[[i, j]].exp());
                -(x[[i, op.labels[i]]].exp() / sum).ln()
            };
            ArrayD::from_elem(vec![], (0..d[0]).fold(S::ZERO, |sum, i| sum + loss(i)) / n(d[0]))
        }
        AnyOp::Matmul(_) => product(x, &inputs[1], None),
        AnyOp::Linear(_) => product(x, &inputs[1].t().to_owned(), inputs.get(2)),
        AnyOp::Conv2d(op) => conv2d(op, x, &inputs[1], inputs.get(2)),
        AnyOp::BatchNorm(op) => return batch_norm(op, inputs),
    };
    vec![y]
}

fn per_pixel<S: Scalar>(shape: [usize; 4], f: impl Fn([usize; 4]) -> S) -> ArrayD<S> {
    ArrayD::from_shape_fn(shape.as_slice(), |at| f([at[0], at[1], at[2], at[3]]))
}

fn pairwise<S: Scalar>(a: &ArrayD<S>, b: &ArrayD<S>, f: impl Fn(S, S) -> S) -> ArrayD<S> {
    let rank = a.ndim().max(b.ndim());
    let extent =
        |x: &ArrayD<S>, axis: usize| if axis + x.ndim() < rank { 1 } else { x.shape()[axis + x.ndim() - rank] };
    let shape: Vec<usize> =
        (0..rank).map(|axis| if extent(a, axis) == 1 { extent(b, axis) } else { extent(a, axis) }).collect();
    let at = |x: &ArrayD<S>, at: &[usize]| {
        let own = &at[rank - x.ndim()..];
        let index: Vec<usize> =
            own.iter().zip(x.shape()).map(|(&i, &extent)| if extent == 1 { 0 } else { i }).collect();
        x[index.as_slice()]
    };
    ArrayD::from_shape_fn(shape, |index| f(at(a, index.slice()), at(b, index.slice())))
}

fn plane_means<S: Scalar>(x: &ArrayD<S>) -> ArrayD<S> {
    let d = x.shape();
    per_pixel([d[0], d[1], 1, 1], |[n, c, ..]| {
        let plane = x.index_axis(Axis(0), n).index_axis_move(Axis(0), c);
        plane.iter().fold(S::ZERO, |sum, &x| sum + x) / S::from_usize(d[2] * d[3])
    })
}

/// `f` of the values under each window, `None` where the window is over padding.
fn windows<S: Scalar>(
    x: &ArrayD<S>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    f: impl Fn(&[Option<S>]) -> S,
) -> ArrayD<S> {
    let d = x.shape();
    let count = |axis: usize| (d[2 + axis] + 2 * padding[axis] - kernel[axis]) / stride[axis] + 1;
    per_pixel([d[0], d[1], count(0), count(1)], |[n, c, i, j]| {
        let taps = (0..kernel[0]).flat_map(|a| (0..kernel[1]).map(move |b| [i * stride[0] + a, j * stride[1] + b]));
        let value = |[row, column]: [usize; 2]| {
            x.get([n, c, row.wrapping_sub(padding[0]), column.wrapping_sub(padding[1])]).copied()
        };
        f(&taps.map(value).collect::<Vec<_>>())
    })
}

fn product<S: Scalar>(a: &ArrayD<S>, b: &ArrayD<S>, bias: Option<&ArrayD<S>>) -> ArrayD<S> {
    ArrayD::from_shape_fn(vec![a.shape()[0], b.shape()[1]], |at| {
        let start = bias.map_or(S::ZERO, |bias| bias[[at[1]]]);
        (0..a.shape()[1]).fold(start, |sum, l| sum + a[[at[0], l]] * b[[l, at[1]]])
    })
}

fn conv2d<S: Scalar>(op: &Conv2d, x: &ArrayD<S>, w: &ArrayD<S>, bias: Option<&ArrayD<S>>) -> ArrayD<S> {
    let gdstar::kernel::Window { stride, padding, dilation, groups } = op.window;
    let (d, k) = (x.shape(), w.shape());
    let count =
        |axis: usize| (d[2 + axis] + 2 * padding[axis] - dilation[axis] * (k[2 + axis] - 1) - 1) / stride[axis] + 1;
    per_pixel([d[0], k[0], count(0), count(1)], |[n, o, i, j]| {
        let first = o / (k[0] / groups) * k[1];
        let mut sum = bias.map_or(S::ZERO, |bias| bias[[o]]);
        for (at, &w) in w.index_axis(Axis(0), o).indexed_iter() {
            let row = (i * stride[0] + at[1] * dilation[0]).wrapping_sub(padding[0]);
            let column = (j * stride[1] + at[2] * dilation[1]).wrapping_sub(padding[1]);
            sum += w * x.get([n, first + at[0], row, column]).copied().unwrap_or(S::ZERO);
        }
        sum
    })
}

fn batch_norm<S: Scalar>(op: &BatchNorm, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
    let [x, weight, bias, running_mean, running_var] = inputs else { panic!("batch_norm has five inputs") };
    let m = S::from_usize(x.len() / x.shape()[1]);
    let sum = |c: usize, f: &dyn Fn(S) -> S| x.index_axis(Axis(1), c).iter().fold(S::ZERO, |sum, &x| sum + f(x));
    let batch_mean = |c: usize| sum(c, &|x| x) / m;
    let squares = |c: usize| sum(c, &|x| (x - batch_mean(c)) * (x - batch_mean(c)));
    let statistics = |c: usize| match op.training {
        true => (batch_mean(c), squares(c) / m),
        false => (running_mean[[c]], running_var[[c]]),
    };
    let y = ArrayD::from_shape_fn(x.shape(), |at| {
        let (mean, var) = statistics(at[1]);
        weight[[at[1]]] * (x[&at] - mean) / (var + S::from_f64(op.eps)).sqrt() + bias[[at[1]]]
    });
    if !op.training {
        return vec![y];
    }
    let moved = |old: &ArrayD<S>, new: &dyn Fn(usize) -> S| {
        let momentum = S::from_f64(op.momentum);
        let blend = |at: ndarray::IxDyn| (S::ONE - momentum) * old[&at] + momentum * new(at[0]);
        ArrayD::from_shape_fn(old.shape(), blend)
    };
    vec![y, moved(running_mean, &batch_mean), moved(running_var, &|c| squares(c) / (m - S::ONE))]
}
