//! The magnitudes of batch norm: its formulas with every sum and difference made one of absolute values, but for those
//! inside x - mean.

use super::BatchNorm;
use crate::error::Result;
use crate::op::Evaluation;
use crate::ops::{Care, Example};
use ndarray::{Array1, ArrayD, ArrayView1, Axis};

/// With [`Care::Ours`] x - mean counts as exact; with [`Care::PyTorch`] the mean is rounded first.
pub(super) fn batch_norm(op: &BatchNorm, example: &Example, care: Care) -> Result<Evaluation<f64>> {
    let mut results = example.of_absolutes(op)?; // right for bias, and for the shapes
    let x = &example.inputs[0];
    let zeros = ArrayD::zeros(x.shape());
    let dy = example.upstream[0].as_ref().unwrap_or(&zeros);
    let [weight, bias, running_mean, running_var] = [1, 2, 3, 4].map(|i| &example.inputs[i]);
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
