//! Convolution and its adjoints in every kind of window, and with weights of which few live.

use super::draw::{ALL, Numbers, Trial};
use gdstar::kernel::{self, Kernel, Pattern, Window, cuda};
use gdstar::scalar::Scalar;
use ndarray::{ArrayD, ArrayView, Dimension};

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    let plain = Window::PLAIN;
    let cases: [(Window, [usize; 4], [usize; 4]); 9] = [
        (plain, [2, 3, 5, 6], [4, 3, 3, 2]),
        (Window { padding: [1, 2], ..plain }, [2, 2, 4, 5], [3, 2, 3, 3]),
        (Window { stride: [2, 3], padding: [1, 1], ..plain }, [2, 2, 7, 8], [2, 2, 3, 3]),
        (Window { dilation: [2, 1], padding: [2, 0], groups: 2, ..plain }, [2, 4, 6, 5], [6, 2, 3, 3]),
        (Window { groups: 3, stride: [2, 2], ..plain }, [2, 3, 6, 6], [3, 1, 2, 2]),
        (plain, [0, 2, 3, 3], [2, 2, 2, 2]),
        (plain, [3, 5, 1, 1], [2, 5, 1, 1]),
        // More outputs, inputs, weights or living weights than a grid has threads on the stand-in.
        (Window { padding: [1, 1], ..plain }, [3, 1, 14, 14], [2, 1, 3, 3]),
        (plain, [1, 6, 3, 3], [40, 6, 2, 2]),
    ];
    for numbers in ALL {
        cases.iter().for_each(|&(window, x, w)| one::<S>(trial, numbers, window, x, w));
    }
}

fn one<S: Scalar>(trial: &mut Trial, numbers: Numbers, window: Window, x_shape: [usize; 4], w_shape: [usize; 4]) {
    let (of, device) = (Kernel::Literal, trial.device);
    let (x, w) = (trial.array::<S>(numbers, &x_shape), trial.array::<S>(numbers, &w_shape));
    let bias = trial.array::<S>(numbers, &w_shape[..1]);
    let [on_x, on_w, on_bias] = [&x, &w, &bias].map(|a| trial.on_device(a));
    let y = kernel::conv2d_with_bias(of, window, fixed(&x), fixed(&w), Some(fixed(&bias))).into_dyn();
    let made = cuda::conv2d_with_bias(device, window, &on_x, &on_w, Some(&on_bias)).unwrap();
    trial.same(&format!("conv2d_with_bias {window:?}"), &y.view(), &made);
    let without = kernel::conv2d_with_bias(of, window, fixed(&x), fixed(&w), None).into_dyn();
    let made = cuda::conv2d_with_bias(device, window, &on_x, &on_w, None).unwrap();
    trial.same("conv2d_with_bias, no bias", &without.view(), &made);
    let dy = trial.array::<S>(numbers, y.shape());
    let on_dy = trial.on_device(&dy);
    let dx = kernel::conv2d_input_gradient(of, window, fixed(&dy), fixed(&w), x_shape).into_dyn();
    let made = cuda::conv2d_input_gradient(device, window, &on_dy, &on_w, x_shape).unwrap();
    trial.same(&format!("conv2d_input_gradient {window:?}"), &dx.view(), &made);
    let dw = kernel::conv2d_weight_gradient(of, window, fixed(&x), fixed(&dy), w_shape).into_dyn();
    let made = cuda::conv2d_weight_gradient(device, window, &on_x, &on_dy, w_shape).unwrap();
    trial.same(&format!("conv2d_weight_gradient {window:?}"), &dw.view(), &made);
    let alive = trial.flags(w.len());
    let pattern = Pattern::new(&w_shape, &alive).unwrap();
    let values = pattern.gather(w.as_slice().unwrap());
    let on_pattern = cuda::DevicePattern::upload(device, &pattern).unwrap();
    let on_values = trial.list(&values);
    let weight = (&pattern, &values[..]);
    let y = kernel::sparse_conv2d(of, window, fixed(&x), weight, Some(fixed(&bias))).into_dyn();
    let made = cuda::sparse_conv2d(device, window, &on_x, (&on_pattern, &on_values), Some(&on_bias)).unwrap();
    trial.same("sparse_conv2d", &y.view(), &made);
    let dx = kernel::sparse_conv2d_input_gradient(of, window, fixed(&dy), weight, x_shape).into_dyn();
    let on_weight = (&on_pattern, &on_values);
    let made = cuda::sparse_conv2d_input_gradient(device, window, &on_dy, on_weight, x_shape).unwrap();
    trial.same("sparse_conv2d_input_gradient", &dx.view(), &made);
    let dw = kernel::sparse_conv2d_weight_gradient(of, window, fixed(&x), fixed(&dy), &pattern).into_dyn();
    let made = cuda::sparse_conv2d_weight_gradient(device, window, &on_x, &on_dy, &on_pattern).unwrap();
    trial.same("sparse_conv2d_weight_gradient", &dw.view(), &made);
}

/// The array as one of a known rank.
fn fixed<S, D: Dimension>(array: &ArrayD<S>) -> ArrayView<'_, S, D> {
    array.view().into_dimensionality().unwrap()
}
