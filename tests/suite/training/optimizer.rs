//! The optimizer's and the schedule's definitions, and initial values.

use super::{GO_ON, config, digits};
use crate::common::threads::is_invariant;
use approx::assert_abs_diff_eq;
use gdstar::kernel::Kernel;
use gdstar::method::{Method, Needs, Squares};
use gdstar::nn::{Init, Parameter, Parameters, Role, Spec};
use gdstar::ops::WeightGradient;
use gdstar::paper::reading::{Decayed, Prunable};
use gdstar::select::update::InactiveMomentum;
use gdstar::train::{Run, Sgd, SgdSettings, cosine_learning_rate};
use gdstar::weights::{Dead, Form, Lasts, Slot, Weights};
use ndarray::{Array1, ArrayD, arr1, arr2};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// PyTorch's definition on numbers that are exact: two steps by hand.
#[test]
fn sgd_steps_are_pytorchs() {
    let parameter = Parameter::new("w", Role::Weight, arr1(&[8.0, -4.0]).into_dyn());
    let mut weights = Weights::new(Parameters::new(vec![parameter]), Prunable::Weights);
    let settings =
        SgdSettings { learning_rate: 0.5, momentum: 0.5, weight_decay: 0.25, nesterov: false, batch_size: 1 };
    let (sgd, needs) = (Sgd::new(&settings, Decayed::All), Needs::default());
    let gradient = [Some(arr1(&[1.0, 2.0]).into_dyn())];
    // g = 1 + 2 = 3, b = 3, w = 8 - 1.5; g = 2 - 1 = 1, b = 1, w = -4 - 0.5
    sgd.step(Kernel::Literal, &mut weights, &gradient, 0.5, &needs);
    assert_eq!(weights.parameters[0].value, arr1(&[6.5, -4.5]).into_dyn());
    // g = 1 + 1.625, b = 1.5 + 2.625, w = 6.5 - 2.0625; g = 2 - 1.125, b = 0.5 + 0.875, w = -4.5 - 0.6875
    sgd.step(Kernel::Literal, &mut weights, &gradient, 0.5, &needs);
    assert_eq!(weights.parameters[0].value, arr1(&[4.4375, -5.1875]).into_dyn());
    assert_eq!(weights.momentum[0], arr1(&[4.125, 1.375]).into_dyn());
}

/// PyTorch's Nesterov's momentum on numbers that are exact: the step goes by g + mu b, the momentum is as without.
#[test]
fn nesterovs_steps_are_pytorchs() {
    let parameter = Parameter::new("w", Role::Weight, arr1(&[8.0, -4.0]).into_dyn());
    let mut weights = Weights::new(Parameters::new(vec![parameter]), Prunable::Weights);
    let settings = SgdSettings { learning_rate: 0.5, momentum: 0.5, weight_decay: 0.25, nesterov: true, batch_size: 1 };
    let (sgd, needs) = (Sgd::new(&settings, Decayed::All), Needs::default());
    let gradient = [Some(arr1(&[1.0, 2.0]).into_dyn())];
    // g = 1 + 2 = 3, b = 3, w = 8 - (3 + 1.5) / 2; g = 2 - 1 = 1, b = 1, w = -4 - (1 + 0.5) / 2
    sgd.step(Kernel::Literal, &mut weights, &gradient, 0.5, &needs);
    assert_eq!(weights.parameters[0].value, arr1(&[5.75, -4.75]).into_dyn());
    assert_eq!(weights.momentum[0], arr1(&[3.0, 1.0]).into_dyn());
    // g = 1 + 1.4375, b = 1.5 + 2.4375, w = 5.75 - (2.4375 + 1.96875) / 2; g = 2 - 1.1875, b = 0.5 + 0.8125
    sgd.step(Kernel::Literal, &mut weights, &gradient, 0.5, &needs);
    assert_eq!(weights.parameters[0].value, arr1(&[3.546875, -5.484375]).into_dyn());
    assert_eq!(weights.momentum[0], arr1(&[3.9375, 1.3125]).into_dyn());
}

/// A buffer (running statistics) has no gradient and is never stepped, not even by weight decay.
#[test]
fn sgd_leaves_what_has_no_gradient() {
    let parameter = Parameter::new("m", Role::RunningMean, arr1(&[1.0f32]).into_dyn());
    let mut weights = Weights::new(Parameters::new(vec![parameter]), Prunable::Weights);
    let sgd = Sgd::new(&SgdSettings::default(), Decayed::All);
    sgd.step(Kernel::Literal, &mut weights, &[None], 1.0, &Needs::default());
    assert_eq!(weights.parameters[0].value[[0]], 1.0);
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
    for (spec, (p, q)) in
        run.network.specs().iter().zip(single.weights.parameters.iter().zip(double.weights.parameters.iter()))
    {
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
    with_decay: bool,
    dead_momentum: bool,
    settings: &SgdSettings,
) {
    let [lr, mu, decay] = [settings.learning_rate, settings.momentum, settings.weight_decay].map(|x| x as f32);
    for j in 0..w.len() {
        let decayed = g[j] + decay * w[j];
        let squared = f64::from(if with_decay { decayed } else { g[j] });
        squares[j] = (f64::from(squares[j]) + squared * squared) as f32;
        b[j] = mu * b[j] + decayed;
        w[j] -= lr * if settings.nesterov { decayed + mu * b[j] } else { b[j] };
        if !alive.is_none_or(|alive| alive[j]) {
            w[j] = 0.0;
            b[j] = if dead_momentum { b[j] } else { 0.0 };
        }
    }
}

/// G, the step and the mask in one pass: the bits of their definition under both kernels, on both sides of a unit and of
/// what is shared out, for any number of threads; with the weight stored whole, or its living entries alone, whose
/// gradient may be dense all the same.
#[test]
fn a_followed_step_is_its_definition() {
    let classical =
        SgdSettings { learning_rate: 0.1, momentum: 0.9, weight_decay: 0.01, nesterov: false, batch_size: 1 };
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
        for (with_decay, dead_momentum, nesterov, kernel) in [
            (false, false, false, Kernel::Literal),
            (false, false, false, Kernel::Fast),
            (true, false, false, Kernel::Fast),
            (false, true, false, Kernel::Fast),
            (true, false, true, Kernel::Fast),
            (false, true, true, Kernel::Literal),
        ] {
            let settings = SgdSettings { nesterov, ..classical };
            let [mut w_expected, mut b_expected, mut squares_expected] = [&w, &b, &squares].map(Vec::clone);
            let expected = [&mut w_expected, &mut b_expected, &mut g, &mut squares_expected];
            followed_by_definition(expected, Some(&alive), with_decay, dead_momentum, &settings);
            let shape = vec![rows, columns];
            let array = |values: &[f32]| ArrayD::from_shape_vec(shape.clone(), values.to_vec()).unwrap();
            let needs = |squared: bool| Needs {
                squares: squared.then_some(Squares { slot: "G", with_decay }),
                inactive_momentum: if dead_momentum { InactiveMomentum::Dense } else { InactiveMomentum::Zero },
                ..Needs::default()
            };
            // A step in this form, and what it leaves.
            let step = |form: Option<(WeightGradient, Dead)>, squared: bool| {
                let parameter = Parameter::new("w", Role::Weight, array(&w));
                let mut weights = Weights::new(Parameters::new(vec![parameter]), Prunable::Weights);
                weights.momentum[0] = array(&b);
                weights.mask_mut().copy_from_slice(&alive);
                let dead = form.map_or(Dead::Kept, |(_, dead)| dead);
                weights.keep(Slot { name: "G", lasts: Lasts::Epoch, dead, values: squares.clone() });
                let form = form.map(|(gradient, _)| Form {
                    break_even: |_, _| 0.0,
                    batch_size: 1,
                    gradient,
                    with_momentum: true,
                });
                let mut stepping = weights.stepping(form);
                stepping.store(false).unwrap();
                let is_compressed = stepping.parameters[0].compression.is_some();
                assert_eq!(is_compressed, form.is_some() && alive.contains(&false));
                let living = is_compressed && form.is_some_and(|form| form.gradient == WeightGradient::Living);
                let gradient = match stepping.parameters[0].pattern() {
                    Some(pattern) if living => Array1::from(pattern.gather(&g)).into_dyn(),
                    _ => array(&g),
                };
                let spoilt = Sgd::new(&settings, Decayed::All).step(
                    kernel,
                    &mut stepping,
                    &[Some(gradient)],
                    0.1,
                    &needs(squared),
                );
                assert_eq!(spoilt, None);
                drop(stepping);
                let mut values = weights.values();
                values.extend(&weights.momentum[0]);
                values.extend(weights.take("G"));
                values
            };
            let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let expected = [&w_expected[..], &b_expected, &squares_expected].concat();
            assert!(bits(&step(None, true)) == bits(&expected), "{kernel}, {with_decay}: {rows} x {columns}, whole");
            assert!(is_invariant(|| step(None, true)));
            let unsquared = [&w_expected[..], &b_expected, &squares].concat();
            assert!(bits(&step(None, false)) == bits(&unsquared), "{kernel}: {rows} x {columns}, without G");
            if dead_momentum {
                continue; // the momentum of the dead has no place in what is compressed
            }
            for (gradient, dead) in [
                (WeightGradient::Living, Dead::Forgotten),
                (WeightGradient::All, Dead::Forgotten),
                (WeightGradient::All, Dead::Kept),
            ] {
                let mut g_expected = squares_expected.clone();
                if dead == Dead::Forgotten && alive.contains(&false) {
                    g_expected.iter_mut().zip(&alive).filter(|(_, alive)| !**alive).for_each(|(x, _)| *x = 0.0);
                }
                let expected = [&w_expected[..], &b_expected, &g_expected].concat();
                let found = step(Some((gradient, dead)), true);
                let at = format!("{kernel}, {with_decay}: {rows} x {columns}, {gradient:?}, {dead:?}");
                assert!(bits(&found) == bits(&expected), "{at}");
            }
        }
    }
}

/// A mask that a method changes between steps counts from the next one on, also where weights grow back.
#[test]
fn a_mask_may_change_between_steps() {
    let settings = SgdSettings { learning_rate: 1.0, momentum: 0.0, weight_decay: 0.0, nesterov: false, batch_size: 1 };
    let (sgd, needs) = (Sgd::new(&settings, Decayed::All), Needs::default());
    for form in
        [None, Some(Form { break_even: |_, _| 0.5, batch_size: 1, gradient: WeightGradient::All, with_momentum: true })]
    {
        let parameter = Parameter::new("w", Role::Weight, arr2(&[[1.0f64, 2.0], [3.0, 4.0]]).into_dyn());
        let mut weights = Weights::new(Parameters::new(vec![parameter]), Prunable::Weights);
        weights.mask_mut();
        let mut stepping = weights.stepping(form);
        let ones = [Some(ArrayD::from_elem(vec![2, 2], 1.0))];
        // Three die; then one of them grows back, at 8, and the one that lived dies.
        let acts: [(&[bool; 4], &[f64; 4]); 3] = [
            (&[false, true, false, false], &[0.0, 1.0, 0.0, 0.0]),
            (&[true, false, false, false], &[8.0, 0.0, 0.0, 0.0]),
            (&[true, true, true, true], &[7.0, 0.5, 0.5, 0.5]),
        ];
        for (mask, values) in acts {
            stepping.store(false).unwrap();
            let dead = stepping.mask().unwrap_or_default().iter().filter(|alive| !**alive).count();
            assert_eq!(stepping.parameters[0].compression.is_some(), form.is_some() && dead > 0);
            assert_eq!(sgd.step(Kernel::Literal, &mut stepping, &ones, 1.0, &needs), None);
            let whole = stepping.whole();
            assert_eq!(whole.parameters[0].value.shape(), [2, 2]);
            for layer in whole.layers() {
                layer.mask.copy_from_slice(mask);
                layer.values.copy_from_slice(values);
            }
        }
        stepping.store(false).unwrap();
        assert_eq!(sgd.step(Kernel::Literal, &mut stepping, &ones, 1.0, &needs), None);
        drop(stepping);
        assert_eq!(weights.values(), [6.0, -0.5, -0.5, -0.5]);
    }
}

/// A gradient that is not finite is named, the first of several, wherever in the array it is.
#[test]
fn a_spoilt_gradient_is_found() {
    let parameter = |name: &str| Parameter::new(name, Role::Weight, ArrayD::from_elem(vec![5, 1000], 1.0f64));
    for kernel in [Kernel::Literal, Kernel::Fast] {
        for (place, value) in [(0, f64::NAN), (4095, f64::INFINITY), (4999, f64::NEG_INFINITY)] {
            let parameters = || Parameters::new(vec![parameter("a"), parameter("b"), parameter("c")]);
            let mut weights = Weights::new(parameters(), Prunable::Weights);
            let mut gradients = vec![Some(ArrayD::from_elem(vec![5, 1000], 0.5)); 3];
            gradients[1].as_mut().unwrap().as_slice_mut().unwrap()[place] = value;
            gradients[2] = gradients[1].clone();
            let (sgd, plain) = (Sgd::new(&SgdSettings::default(), Decayed::All), Needs::default());
            assert_eq!(sgd.step(kernel, &mut weights, &gradients, 0.1, &plain), Some(1));
            gradients[1] = gradients[0].clone();
            let mut weights = Weights::new(parameters(), Prunable::Weights);
            weights.keep(Slot { name: "G", lasts: Lasts::Epoch, dead: Dead::Kept, values: vec![0.0; 15_000] });
            let needs = Needs { squares: Some(Squares { slot: "G", with_decay: false }), ..plain };
            assert_eq!(sgd.step(kernel, &mut weights, &gradients, 0.1, &needs), Some(2));
        }
    }
}

/// Weight decay acts on weights alone where the reading says so (open point 22), with or without a method beside it.
#[test]
fn decay_acts_on_what_the_reading_says() {
    let settings =
        SgdSettings { learning_rate: 0.5, momentum: 0.0, weight_decay: 0.25, nesterov: false, batch_size: 1 };
    let roles = [Role::Weight, Role::Bias, Role::Scale, Role::Shift];
    let parameter = |role| Parameter::new("p", role, arr1(&[8.0_f64]).into_dyn());
    for (decayed, expected) in [(Decayed::All, [3.0; 4]), (Decayed::Weights, [3.0, 4.0, 4.0, 4.0])] {
        let mut weights = Weights::new(Parameters::new(roles.map(parameter).to_vec()), Prunable::Weights);
        let sgd = Sgd::new(&settings, decayed);
        let gradients: Vec<_> = roles.iter().map(|_| Some(arr1(&[8.0_f64]).into_dyn())).collect();
        assert_eq!(sgd.step(Kernel::Literal, &mut weights, &gradients, 0.5, &Needs::default()), None);
        // 8 - 0.5 (8 + 0.25 8) = 3, and 8 - 0.5 8 = 4.
        let found: Vec<f64> = weights.parameters.iter().map(|p| p.value[[0]]).collect();
        assert_eq!(found, expected, "{decayed}");
    }
}
