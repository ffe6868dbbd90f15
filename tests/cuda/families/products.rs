//! Products of matrices, at the edges of tiles, and the sums of channels.

use super::draw::{ALL, Trial};
use gdstar::kernel::{self, Kernel, cuda};
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, ArrayView, Dimension};

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    for numbers in ALL {
        for [m, k, n] in [[1, 1, 1], [15, 17, 16], [17, 33, 31], [2, 0, 3], [0, 4, 2], [5, 40, 1], [70, 3, 66]] {
            let x = trial.array::<S>(numbers, &[m, k]);
            let (w, w_turned) = (trial.array::<S>(numbers, &[n, k]), trial.array::<S>(numbers, &[k, n]));
            let (bias, dy) = (trial.array::<S>(numbers, &[n]), trial.array::<S>(numbers, &[m, n]));
            let [on_x, on_w, on_turned, on_bias, on_dy] = [&x, &w, &w_turned, &bias, &dy].map(|a| trial.on_device(a));
            let of = Kernel::Literal;
            for has_bias in [true, false] {
                let (b, on_b) = (has_bias.then(|| fixed(&bias)), has_bias.then_some(&on_bias));
                let y = kernel::matmul_with_bias(of, fixed(&x), fixed(&w_turned), b).into_dyn();
                let made = cuda::matmul_with_bias(trial.device, &on_x, &on_turned, on_b).unwrap();
                trial.same("matmul_with_bias", &y.view(), &made);
                let y = kernel::linear(of, fixed(&x), fixed(&w), b).into_dyn();
                trial.same("linear", &y.view(), &cuda::linear(trial.device, &on_x, &on_w, on_b).unwrap());
            }
            let dx = kernel::linear_input_gradient(of, fixed(&dy), fixed(&w)).into_dyn();
            let made = cuda::linear_input_gradient(trial.device, &on_dy, &on_w).unwrap();
            trial.same("linear_input_gradient", &dx.view(), &made);
            let dw = kernel::linear_weight_gradient(of, fixed(&x), fixed(&dy)).into_dyn();
            let made = cuda::linear_weight_gradient(trial.device, &on_x, &on_dy).unwrap();
            trial.same("linear_weight_gradient", &dw.view(), &made);
        }
        for shape in [[3, 5, 2, 3], [2, 3, 16, 17], [0, 2, 1, 1], [300, 2, 1, 1], [1, 20, 1, 1]] {
            let dy = trial.array::<S>(numbers, &shape);
            let db = kernel::channel_sums(Kernel::Literal, fixed(&dy)).into_dyn();
            trial.same("channel_sums", &db.view(), &cuda::channel_sums(trial.device, &trial.on_device(&dy)).unwrap());
        }
    }
}

/// The array as one of a known rank.
fn fixed<S, D: Dimension>(array: &ArrayD<S>) -> ArrayView<'_, S, D> {
    array.view().into_dimensionality().unwrap()
}
