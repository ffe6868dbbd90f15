//! The scale of rounding errors: for every result of an op case a *magnitude*, the size of what is added up to make
//! it. One rounding of relative size u anywhere in the op's formula changes the result by about u times its
//! magnitude, so `cond = magnitude / |result|` is its condition number and `gamma(n) * magnitude` bounds n roundings.
//!
//! | ops | magnitude |
//! |---|---|
//! | sums of products: matmul, linear, conv2d, average pooling, means, add, mul, and all that only moves data | the op of the absolute values: `sum abs(a) abs(b)` |
//! | relu, relu6, max_pool2d, sigmoid, cross_entropy | forward `abs(y)`; backward the op's backward of `abs(dy)` |
//! | silu | forward `abs(y)`; backward `abs(dy) s (1 + abs(x) (1 - s))`, s the sigmoid |
//! | batch_norm | the formulas of `src/ops/batch_norm.rs` with every sum and difference made one of absolute values, but for those inside x - mean |
//!
//! The sums inside softmax are of positive terms, and x - mean is a difference of inputs that are given exactly: a
//! careful algorithm loses nothing there, so they do not count as bad condition. PyTorch's formulas do lose there;
//! [`pytorch_magnitude`] is what theirs deserve.

use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::op::Evaluation;
use crate::ops::{AnyOp, BatchNorm, cases::OpCase};
use crate::scalar::{DoubleDouble, Scalar};
use ndarray::{Array1, ArrayD, ArrayView1, Axis, Zip};

/// No element of a result is made of more terms than this: every sum runs over distinct elements of one tensor, and
/// ops that work element by element, or move elements about, have none.
pub fn longest_sum(case: &OpCase) -> usize {
    use AnyOp::*;
    if matches!(case.op, Relu(_) | Relu6(_) | Sigmoid(_) | Silu(_) | Dropout(_) | Concat(_) | Split(_) | Pad(_)) {
        return 0;
    }
    let lengths = case.inputs.iter().map(|(_, x)| x.len()).chain(case.upstream.iter().flatten().map(ArrayD::len));
    lengths.max().unwrap_or(0)
}

/// The case in DoubleDouble arithmetic: about 31 digits, against which all else is measured.
///
/// # Errors
/// None for a case from a file, which has been checked.
pub fn truth(case: &OpCase) -> Result<Evaluation<DoubleDouble>> {
    case.evaluate(Kernel::Literal)
}

/// `abs(result - truth)`, element by element, for a result in f64 (f32 is exact in it).
pub fn error(result: f64, truth: DoubleDouble) -> f64 {
    (DoubleDouble::from_f64(result) - truth).to_f64().abs()
}

/// The magnitude of every output and gradient, as the op computes them.
///
/// # Errors
/// None for a case from a file, which has been checked.
pub fn magnitude(case: &OpCase) -> Result<Evaluation<f64>> {
    match &case.op {
        AnyOp::BatchNorm(op) => batch_norm(op, case, Care::Ours),
        AnyOp::Silu(_) => with_silu_gradient(case, |x, s| s * (1.0 + x.abs() * (1.0 - s))),
        AnyOp::Relu(_) | AnyOp::Relu6(_) | AnyOp::MaxPool2d(_) | AnyOp::Sigmoid(_) | AnyOp::CrossEntropy(_) => {
            of_absolute(case, false)
        }
        _ => of_absolute(case, true),
    }
}

/// The magnitude of every output and gradient, as PyTorch computes them: `1 - s` and `p - 1` are rounded to the
/// precision of 1, log-softmax to that of the logits' spread, and batch norm subtracts a rounded mean.
///
/// # Errors
/// None for a case from a file, which has been checked.
pub fn pytorch_magnitude(case: &OpCase) -> Result<Evaluation<f64>> {
    match &case.op {
        AnyOp::BatchNorm(op) => batch_norm(op, case, Care::PyTorch),
        AnyOp::Silu(_) => with_silu_gradient(case, |x, s| s * (1.0 + x.abs())),
        AnyOp::Sigmoid(_) => {
            let mut results = of_absolute(case, false)?;
            set_gradient(&mut results, case, |_, s| s);
            Ok(results)
        }
        AnyOp::CrossEntropy(op) => cross_entropy(&op.labels, case),
        _ => magnitude(case),
    }
}

/// The case evaluated on absolute upstream gradients and, if `inputs`, absolute inputs; absolute values of that.
fn of_absolute(case: &OpCase, inputs: bool) -> Result<Evaluation<f64>> {
    let mut case = case.clone();
    case.upstream.iter_mut().flatten().for_each(|dy| dy.mapv_inplace(f64::abs));
    if inputs {
        case.inputs.iter_mut().for_each(|(_, x)| x.mapv_inplace(f64::abs));
    }
    let Evaluation { outputs, gradients } = truth(&case)?;
    let absolute = |y: ArrayD<DoubleDouble>| y.mapv(|y| y.to_f64().abs());
    Ok(Evaluation {
        outputs: outputs.into_iter().map(absolute).collect(),
        gradients: gradients.into_iter().map(|g| g.map(absolute)).collect(),
    })
}

/// The sigmoid in plain f64: a magnitude needs a few digits only.
fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn set_gradient(results: &mut Evaluation<f64>, case: &OpCase, derivative: impl Fn(f64, f64) -> f64) {
    if let (Some(dx), Some(dy)) = (&mut results.gradients[0], &case.upstream[0]) {
        Zip::from(dx).and(&case.inputs[0].1).and(dy).for_each(|dx, &x, &dy| *dx = dy.abs() * derivative(x, sigmoid(x)));
    }
}

fn with_silu_gradient(case: &OpCase, derivative: impl Fn(f64, f64) -> f64) -> Result<Evaluation<f64>> {
    let mut results = of_absolute(case, false)?;
    set_gradient(&mut results, case, derivative);
    Ok(results)
}

/// PyTorch: log p_j = (x_j - M) - ln(sum of e^(x - M)) is off by u (1 + M - x_j + ln classes); loss and p_j = e^(log p_j)
/// inherit that, and the label's p_j - 1 is off by another u.
fn cross_entropy(labels: &[usize], case: &OpCase) -> Result<Evaluation<f64>> {
    let mut results = of_absolute(case, false)?;
    let x = case.inputs[0]
        .1
        .view()
        .into_dimensionality::<ndarray::Ix2>()
        .map_err(|e| Error::domain("logits", "a matrix", e))?;
    let (n, classes) = (x.nrows() as f64, x.ncols() as f64);
    let dy = case.upstream[0].as_ref().map_or(0.0, |dy| dy.sum().abs());
    let mut loss = 0.0;
    for (row, &label) in labels.iter().enumerate() {
        let logits = x.row(row);
        let maximum = logits.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let sum: f64 = logits.iter().map(|x| libm::exp(x - maximum)).sum();
        let off = |j: usize| 1.0 + (maximum - logits[j]) + libm::log(classes);
        loss += off(label) / n;
        for j in 0..logits.len() {
            let p = libm::exp(logits[j] - maximum) / sum;
            if let Some(dx) = &mut results.gradients[0] {
                dx[[row, j]] = dy / n * (p * off(j) + f64::from(u8::from(j == label)));
            }
        }
    }
    results.outputs[0].fill(loss);
    Ok(results)
}

/// Whether x - mean counts as exact ([`Care::Ours`]), or the mean is rounded first.
#[derive(Clone, Copy, PartialEq)]
enum Care {
    Ours,
    PyTorch,
}

fn batch_norm(op: &BatchNorm, case: &OpCase, care: Care) -> Result<Evaluation<f64>> {
    let mut results = of_absolute(case, true)?; // right for bias, and for the shapes
    let x = &case.inputs[0].1;
    let zeros = ArrayD::zeros(x.shape());
    let dy = case.upstream[0].as_ref().unwrap_or(&zeros);
    let [weight, bias, running_mean, running_var] = [1, 2, 3, 4].map(|i| &case.inputs[i].1);
    for c in 0..x.shape()[1] {
        let channel = |array: &ArrayD<f64>| -> Array1<f64> { array.index_axis(Axis(1), c).iter().copied().collect() };
        let (values, dy) = (channel(x), channel(dy).mapv(f64::abs));
        let m = values.len() as f64;
        let shift = values.first().copied().unwrap_or(0.0);
        let (mean, var) = match op.training {
            false => (running_mean[c], running_var[c]),
            true => {
                let mean = shift + values.iter().map(|x| x - shift).sum::<f64>() / m;
                (mean, values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / m)
            }
        };
        let r = 1.0 / (var + op.eps).sqrt();
        let largest = values.fold(mean.abs(), |a, x| a.max(x.abs()));
        // PyTorch: x - mean carries an error of u |x|, which is u kappa of its size in units of the deviation.
        let (kappa, one) = if care == Care::PyTorch { (1.0 + largest * r, 1.0) } else { (1.0, 0.0) };
        let normalised = values.mapv(|x| one + ((x - mean) * r).abs());
        let average = |array: ArrayView1<f64>| array.sum() / m;
        let dy_normalised = (&dy * &normalised).sum();

        let (w, b) = (weight[c].abs(), bias[c].abs());
        put(&mut results.outputs[0], c, &normalised.mapv(|x| kappa * (w * x + b)));
        if let Some(dx) = &mut results.gradients[0] {
            let in_full = &dy + average(dy.view()) + &normalised * (dy_normalised / m);
            // Two values: the projection cancels all but a part of eps / (var + eps), which needs no subtraction.
            let two = (&dy + average(dy.view())) * (op.eps * r * r);
            let sum = match (op.training, care) {
                (false, _) => dy.clone(),
                (true, Care::Ours) if values.len() == 2 => two,
                (true, _) => in_full,
            };
            put(dx, c, &(sum * (kappa * w * r)));
        }
        if let Some(dw) = &mut results.gradients[1] {
            dw[c] = kappa * dy_normalised;
        }
        if op.training {
            let kept = 1.0 - op.momentum;
            results.outputs[1][c] = kept * running_mean[c].abs() + op.momentum * average(values.mapv(f64::abs).view());
            results.outputs[2][c] = kept * running_var[c] + op.momentum * kappa * var * m / (m - 1.0);
        }
    }
    Ok(results)
}

/// Sets one channel of an array, in row-major order.
fn put(array: &mut ArrayD<f64>, channel: usize, values: &Array1<f64>) {
    array.index_axis_mut(Axis(1), channel).iter_mut().zip(values).for_each(|(to, &value)| *to = value);
}
