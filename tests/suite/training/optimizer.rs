//! The optimizer's and the schedule's definitions, and initial values.

use super::{GO_ON, config, digits};
use crate::common::threads::is_invariant;
use approx::assert_abs_diff_eq;
use gdstar::kernel::{Kernel, Pattern};
use gdstar::nn::{Compression, Init, Parameter, Parameters, Role, Spec};
use gdstar::ops::WeightGradient;
use gdstar::paper::reading::{Decayed, GradientOf};
use gdstar::sparsify::Method;
use gdstar::train::{Followed, Run, Sgd, SgdSettings, cosine_learning_rate};
use ndarray::{Array1, ArrayD, arr1};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

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

/// A followed step by its definition: Eq. 2, then the step, then what is dead is 0 again, one entry at a time.
fn followed_by_definition(
    [w, b, g, squares]: [&mut Vec<f32>; 4],
    alive: Option<&[bool]>,
    of: GradientOf,
    keeps_momentum: bool,
    settings: &SgdSettings,
) {
    let [lr, mu, decay] = [settings.learning_rate, settings.momentum, settings.weight_decay].map(|x| x as f32);
    for j in 0..w.len() {
        let decayed = g[j] + decay * w[j];
        let squared = f64::from(if of == GradientOf::Loss { g[j] } else { decayed });
        squares[j] = (f64::from(squares[j]) + squared * squared) as f32;
        b[j] = mu * b[j] + decayed;
        w[j] -= lr * b[j];
        if !alive.is_none_or(|alive| alive[j]) {
            w[j] = 0.0;
            b[j] = if keeps_momentum { b[j] } else { 0.0 };
        }
    }
}

/// G, the step and the mask in one pass: the bits of their definition under both kernels, on both sides of a unit and of
/// what is shared out, for any number of threads; with the weight stored whole, or its living entries alone, whose
/// gradient may be dense all the same.
#[test]
fn a_followed_step_is_its_definition() {
    let settings = SgdSettings { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.01, batch_size: 1 };
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for (rows, columns) in [(0, 3), (1, 1), (16, 256), (17, 241), (160, 257)] {
        let n = rows * columns;
        let mut draw = || -> Vec<f32> { (0..n).map(|_| rng.random_range(-1.0f32..1.0)).collect() };
        let (mut w, mut b, mut g) = (draw(), draw(), draw());
        let squares: Vec<f32> = draw().iter().map(|x| x.abs()).collect();
        let alive: Vec<bool> = draw().iter().map(|&x| x < 0.2).collect();
        for ((w, b), _) in w.iter_mut().zip(&mut b).zip(&alive).filter(|(_, alive)| !**alive) {
            (*w, *b) = (0.0, 0.0);
        }
        for (of, keeps_momentum, kernel) in [
            (GradientOf::Loss, false, Kernel::Literal),
            (GradientOf::Loss, false, Kernel::Fast),
            (GradientOf::LossAndDecay, false, Kernel::Fast),
            (GradientOf::Loss, true, Kernel::Fast),
        ] {
            let [mut w_expected, mut b_expected, mut squares_expected] = [&w, &b, &squares].map(Vec::clone);
            let expected = [&mut w_expected, &mut b_expected, &mut g, &mut squares_expected];
            followed_by_definition(expected, Some(&alive), of, keeps_momentum, &settings);
            let shape = vec![rows, columns];
            let array = |values: &[f32], shape: &[usize]| ArrayD::from_shape_vec(shape, values.to_vec()).unwrap();
            let step = |mut parameter: Parameter<f32>, buffer: ArrayD<f32>, gradient: &[f32], squares: &[f32]| {
                let alive = parameter.compression.is_none().then_some(&alive[..]);
                let shape = if gradient.len() == n { &shape[..] } else { parameter.value.shape() };
                let (gradient, mut squares) = ([Some(array(gradient, shape))], squares.to_vec());
                parameter.name = "w".to_string();
                let mut parameters = Parameters::new(vec![parameter]);
                let mut sgd = Sgd { buffers: vec![buffer], ..Sgd::new(&settings, &parameters) };
                let followed = Followed { parameter: 0, squares: &mut squares, gradient: of, alive, keeps_momentum };
                let spoilt = sgd.step(kernel, &mut parameters, &gradient, settings.learning_rate, vec![followed]);
                assert_eq!(spoilt, None);
                let mut values: Vec<f32> = parameters[0].value.iter().copied().collect();
                values.extend(&sgd.buffers[0]);
                values.extend(squares);
                values
            };
            let whole = || Parameter::new("w", Role::Weight, array(&w, &shape));
            let all = || step(whole(), array(&b, &shape), &g, &squares);
            let expected = [&w_expected[..], &b_expected, &squares_expected].concat();
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert!(bits(&all()) == bits(&expected), "{kernel}, {of}: {rows} x {columns}, whole");
            assert!(is_invariant(all));
            if keeps_momentum {
                continue; // the momentum of the dead has no place in what is compressed
            }
            let pattern = Arc::new(Pattern::new(&shape, &alive).unwrap());
            let [w_living, b_living] = [&w_expected, &b_expected].map(|x| pattern.gather(x));
            for (gradient, of_all) in
                [(WeightGradient::Living, false), (WeightGradient::All, false), (WeightGradient::All, true)]
            {
                let mut parameter = whole();
                parameter.compress(Compression { pattern: pattern.clone(), gradient });
                let g = if gradient == WeightGradient::All { g.clone() } else { pattern.gather(&g) };
                let stored = |x: &[f32]| if of_all { x.to_vec() } else { pattern.gather(x) };
                let buffer = Array1::from(pattern.gather(&b)).into_dyn();
                let found = step(parameter, buffer, &g, &stored(&squares));
                let expected = [&w_living[..], &b_living, &stored(&squares_expected)].concat();
                assert!(bits(&found) == bits(&expected), "{kernel}, {of}: {rows} x {columns}, {gradient:?}, {of_all}");
            }
        }
    }
}

/// A gradient that is not finite is named, the first of several, wherever in the array it is.
#[test]
fn a_spoilt_gradient_is_found() {
    let parameter = |name: &str| Parameter::new(name, Role::Weight, ArrayD::from_elem(vec![5, 1000], 1.0f64));
    for kernel in [Kernel::Literal, Kernel::Fast] {
        for (place, value) in [(0, f64::NAN), (4095, f64::INFINITY), (4999, f64::NEG_INFINITY)] {
            let mut parameters = Parameters::new(vec![parameter("a"), parameter("b"), parameter("c")]);
            let mut gradients = vec![Some(ArrayD::from_elem(vec![5, 1000], 0.5)); 3];
            gradients[1].as_mut().unwrap().as_slice_mut().unwrap()[place] = value;
            gradients[2] = gradients[1].clone();
            let mut sgd = Sgd::new(&SgdSettings::default(), &parameters);
            assert_eq!(sgd.step(kernel, &mut parameters, &gradients, 0.1, Vec::new()), Some(1));
            gradients[1] = gradients[0].clone();
            let mut squares = vec![0.0; 5000];
            let followed = Followed {
                parameter: 2,
                squares: &mut squares,
                gradient: GradientOf::Loss,
                alive: None,
                keeps_momentum: false,
            };
            assert_eq!(sgd.step(kernel, &mut parameters, &gradients, 0.1, vec![followed]), Some(2));
        }
    }
}

/// Weight decay acts on weights alone where the reading says so (open point 22), with or without a method beside it.
#[test]
fn decay_acts_on_what_the_reading_says() {
    let settings = SgdSettings { learning_rate: 0.5, momentum: 0.0, weight_decay: 0.25, batch_size: 1 };
    let roles = [Role::Weight, Role::Bias, Role::Scale, Role::Shift];
    let parameter = |role| Parameter::new("p", role, arr1(&[8.0_f64]).into_dyn());
    for (decayed, expected) in [(Decayed::All, [3.0; 4]), (Decayed::Weights, [3.0, 4.0, 4.0, 4.0])] {
        let mut parameters = Parameters::new(roles.map(parameter).to_vec());
        let mut sgd = Sgd { decayed, ..Sgd::new(&settings, &parameters) };
        let gradients: Vec<_> = roles.iter().map(|_| Some(arr1(&[8.0_f64]).into_dyn())).collect();
        assert_eq!(sgd.step(Kernel::Literal, &mut parameters, &gradients, 0.5, []), None);
        // 8 - 0.5 (8 + 0.25 8) = 3, and 8 - 0.5 8 = 4.
        let found: Vec<f64> = parameters.iter().map(|p| p.value[[0]]).collect();
        assert_eq!(found, expected, "{decayed}");
    }
}
