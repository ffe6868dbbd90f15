//! The optimizer's and the schedule's definitions, and initial values.

use super::{GO_ON, config, digits};
use approx::assert_abs_diff_eq;
use gdstar::kernel::Kernel;
use gdstar::nn::{Init, Parameter, Parameters, Role, Spec};
use gdstar::sparsify::Method;
use gdstar::train::{Run, Sgd, SgdSettings, cosine_learning_rate};
use ndarray::arr1;

/// PyTorch's definition on numbers that are exact: two steps by hand.
#[test]
fn sgd_steps_are_pytorchs() {
    let parameter = Parameter::new("w", Role::Weight, arr1(&[8.0, -4.0]).into_dyn());
    let mut parameters = Parameters::new(vec![parameter]);
    let settings = SgdSettings { learning_rate: 0.5, momentum: 0.5, weight_decay: 0.25, batch_size: 1 };
    let mut sgd = Sgd::new(&settings, &parameters);
    let gradient = [Some(arr1(&[1.0, 2.0]).into_dyn())];
    // g = 1 + 2 = 3, b = 3, w = 8 - 1.5; g = 2 - 1 = 1, b = 1, w = -4 - 0.5
    sgd.step(Kernel::Literal, &mut parameters, &gradient, 0.5, Vec::new());
    assert_eq!(parameters[0].value, arr1(&[6.5, -4.5]).into_dyn());
    // g = 1 + 1.625, b = 1.5 + 2.625, w = 6.5 - 2.0625; g = 2 - 1.125, b = 0.5 + 0.875, w = -4.5 - 0.6875
    sgd.step(Kernel::Literal, &mut parameters, &gradient, 0.5, Vec::new());
    assert_eq!(parameters[0].value, arr1(&[4.4375, -5.1875]).into_dyn());
    assert_eq!(sgd.buffers[0], arr1(&[4.125, 1.375]).into_dyn());
}

/// A buffer (running statistics) has no gradient and is never stepped, not even by weight decay.
#[test]
fn sgd_leaves_what_has_no_gradient() {
    let parameter = Parameter::new("m", Role::RunningMean, arr1(&[1.0f32]).into_dyn());
    let mut parameters = Parameters::new(vec![parameter]);
    let mut sgd = Sgd::new(&SgdSettings::default(), &parameters);
    sgd.step(Kernel::Literal, &mut parameters, &[None], 1.0, Vec::new());
    assert_eq!(parameters[0].value[[0]], 1.0);
}

/// The cosine falls from base to 0, and at a third of the way is at three quarters: cos(pi / 3) = 1/2.
#[test]
fn cosine_schedule_passes_its_fixed_points() {
    assert_eq!(cosine_learning_rate(0.05, 0, 300), 0.05);
    assert_eq!(cosine_learning_rate(0.05, 300, 300), 0.0);
    // Three roundings of numbers below 0.05: pi / 3, its cosine, the product.
    assert_abs_diff_eq!(cosine_learning_rate(0.05, 100, 300), 0.0375, epsilon = 3.0 * 0.05 * f64::EPSILON);
    let rates: Vec<f64> = (0..=300).map(|k| cosine_learning_rate(0.05, k, 300)).collect();
    assert!(rates.windows(2).all(|pair| pair[1] < pair[0]));
}

/// Initial values are within PyTorch's bound and fill it; the same seed gives the same bits in every precision.
#[test]
fn initial_weights_fill_their_bound() {
    let dataset = digits();
    let run_config = config(Method::Dense, 1);
    let run = Run::new(&run_config, &dataset, &GO_ON).unwrap();
    let (single, double) = (run.start::<f32>().unwrap(), run.start::<f64>().unwrap());
    for (spec, (p, q)) in run.network.specs().iter().zip(single.parameters.iter().zip(double.parameters.iter())) {
        let Spec { init: Init::Uniform { bound }, name, .. } = spec else { panic!("{} is drawn", spec.name) };
        let largest = q.value.iter().fold(0.0f64, |m, w| m.max(w.abs()));
        assert!(largest <= *bound, "{name}: {largest} > {bound}");
        // P(no |w| above 0.7 bound) = 0.7^10 < 3 % for the smallest tensor, 10 biases; the seed is fixed.
        assert!(largest > 0.7 * bound, "{name}: {largest} leaves {bound} unfilled");
        assert!(p.value.iter().zip(&q.value).all(|(p, q)| *p == *q as f32), "{name} differs between precisions");
    }
}
