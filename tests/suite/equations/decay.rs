//! Eq. 9 and Alg. 6.

use crate::common::equations::{same, same_bits};
use gdstar::paper::decay::*;
use gdstar::paper::reading::{DecayStep, Threshold};
use gdstar::scalar::{DoubleDouble, Scalar};

pub fn check_eq9(weight: impl Fn(f64, f64, usize, f64) -> f64) -> Result<(), String> {
    same_bits("8 * 0.5^2", weight(8.0, 0.5, 2, 1.0), 2.0)?;
    same_bits("a negative weight keeps its sign", weight(-8.0, 0.5, 2, 1.0), -2.0)?;
    same_bits("exactly eps stays", weight(-4.0, 0.5, 2, 1.0), -1.0)?;
    same_bits("below eps goes", weight(2.0, 0.5, 2, 1.0), 0.0)?;
    same_bits("t = 0", weight(8.0, 0.5, 0, 1.0), 8.0)?;
    same_bits("section 4's lambda, t = 3", weight(64.0, 0.75, 3, 5.5e-5), 27.0)?;
    same_bits("lambda = 1 is no decay", weight(3.0, 1.0, 1000, 1.0), 3.0)?;
    same_bits("a long decay ends below any eps", weight(1.0, 0.75, 100_000, 1e-300), 0.0)
}

pub fn check_decay_step(step: impl Fn(DecayStep, usize, usize, usize) -> usize) -> Result<(), String> {
    // k = 7, k* = 5, 100 optimizer steps
    for (rule, expected) in [
        (DecayStep::SinceRewind, 2),
        (DecayStep::Constant, 1),
        (DecayStep::Epoch, 7),
        (DecayStep::Iteration, 100),
        (DecayStep::RewindEpoch, 5),
    ] {
        same(rule.name(), step(rule, 7, 5, 100), expected)?;
    }
    Ok(())
}

/// One parameter before Alg. 6 runs on it.
#[derive(Clone)]
pub struct Parameter {
    pub weights: Vec<f64>,
    pub rewind: Option<Vec<f64>>,
    pub selected: Vec<bool>,
    pub mask: Vec<bool>,
}

/// Weights and mask afterwards, weights rewound, weights eliminated.
pub type Outcome = (Vec<f64>, Vec<bool>, usize, usize);

/// `alg6`: (the parameter, t, threshold) with lambda = 1/2 and eps = 1.
pub fn check_alg6(alg6: impl Fn(Parameter, usize, Threshold) -> Outcome) -> Result<(), String> {
    let parameter = Parameter {
        //            kept, gone, -kept, unselected, small, eliminated, eliminated and selected
        weights: vec![9.0, 9.0, 9.0, 9.0, 0.5, 0.0, 0.0],
        rewind: Some(vec![8.0, 2.0, -8.0, 8.0, 8.0, 8.0, 8.0]),
        selected: vec![true, true, true, false, false, false, true],
        mask: vec![true, true, true, true, true, false, false],
    };
    same(
        "selected weights only",
        alg6(parameter.clone(), 2, Threshold::Selected),
        (vec![2.0, 0.0, -2.0, 9.0, 0.5, 0.0, 0.0], vec![true, false, true, true, true, false, false], 3, 1),
    )?;
    same(
        "every weight below eps",
        alg6(parameter.clone(), 2, Threshold::All),
        (vec![2.0, 0.0, -2.0, 9.0, 0.0, 0.0, 0.0], vec![true, false, true, true, false, false, false], 3, 2),
    )?;
    same(
        "an alias decays the live weights",
        alg6(Parameter { rewind: None, ..parameter.clone() }, 3, Threshold::Selected),
        (vec![1.125, 1.125, 1.125, 9.0, 0.5, 0.0, 0.0], vec![true, true, true, true, true, false, false], 3, 0),
    )?;
    let revived = Parameter { weights: vec![9.0; 7], ..parameter };
    same(
        "an eliminated weight that came back goes again",
        alg6(revived, 0, Threshold::Selected),
        (vec![8.0, 2.0, -8.0, 9.0, 9.0, 0.0, 0.0], vec![true, true, true, true, true, false, false], 3, 0),
    )
}

pub fn alg6(parameter: Parameter, t: usize, threshold: Threshold) -> Outcome {
    let Parameter { mut weights, rewind, selected, mut mask } = parameter;
    let decay = Decay { lambda: 0.5, t, eps: 1.0, threshold };
    let counts = rewind_decay(&mut weights, rewind.as_deref(), &selected, &mut mask, &decay).unwrap();
    (weights, mask, counts.rewound, counts.eliminated)
}

#[test]
fn eq9_decays_the_rewind_weight_and_drops_it_below_eps() {
    check_eq9(|w_star, lambda, t, eps| decayed_weight(w_star, lambda, t, eps).unwrap()).unwrap();
}

#[test]
fn eq9_gives_the_same_numbers_in_every_number_system() {
    check_eq9(|w, lambda, t, eps| f64::from(decayed_weight(w as f32, lambda, t, eps).unwrap())).unwrap();
    check_eq9(|w, lambda, t, eps| decayed_weight(DoubleDouble::from(w), lambda, t, eps).unwrap().to_f64()).unwrap();
}

#[test]
fn eq9_compares_with_eps_itself_and_not_with_eps_rounded() {
    let eps = 5.5e-5; // not an f32: its two neighbours there fall on either side
    let rounded = eps as f32;
    let above = if f64::from(rounded) >= eps { rounded } else { rounded.next_up() };
    assert_eq!(decayed_weight(above, 0.75, 0, eps).unwrap(), above);
    assert_eq!(decayed_weight(above.next_down(), 0.75, 0, eps).unwrap(), 0.0);
}

#[test]
fn lambda_to_the_t_is_exact_while_its_digits_last() {
    for t in 0..=50 {
        // 0.75^t = 3^t / 4^t: 3^50 < 2^80 fits a double-double, 3^33 < 2^53 an f64
        let exact = DoubleDouble::ONE * (0..t).fold(DoubleDouble::ONE, |power, _| power * 0.75.into());
        assert_eq!(decay_factor::<f64>(0.75, t).unwrap(), exact, "t = {t}");
        if t <= 33 {
            assert_eq!(decay_factor::<f32>(0.75, t).unwrap(), exact.to_f64(), "t = {t}");
        }
    }
    assert!(decay_factor::<f32>(0.75, usize::MAX).unwrap() <= f64::MIN_POSITIVE);
}

#[test]
fn the_decay_step_is_what_the_reading_says() {
    check_decay_step(|rule, k, k_star, iteration| decay_step(rule, k, k_star, iteration).unwrap()).unwrap();
    assert!(decay_step(DecayStep::SinceRewind, 4, 5, 100).is_err());
}

#[test]
fn alg6_rewinds_decays_and_eliminates() {
    check_alg6(alg6).unwrap();
}

#[test]
fn alg6_rejects_bad_input_and_changes_nothing() {
    let good = Decay { lambda: 0.5, t: 1, eps: 1.0, threshold: Threshold::Selected };
    let run = |rewind: &[f64], selected: &[bool], decay: &Decay| {
        let (mut weights, mut mask) = ([1.0, 2.0], [true, true]);
        let result = rewind_decay(&mut weights, Some(rewind), selected, &mut mask, decay);
        assert_eq!((weights, mask), ([1.0, 2.0], [true, true]));
        result.unwrap_err().to_string()
    };
    let (rewind, selected) = ([0.0, 0.0], [true, true]);
    for lambda in [0.0, -0.5, 1.5, f64::NAN] {
        assert!(run(&rewind, &selected, &Decay { lambda, ..good }).starts_with("lambda of Eq. 9"));
    }
    for eps in [-1.0, f64::NAN] {
        assert!(run(&rewind, &selected, &Decay { eps, ..good }).starts_with("eps of Eq. 9"));
    }
    assert!(run(&[0.0], &selected, &good).contains("W_k*"));
    assert!(run(&rewind, &[true], &good).contains("selected"));
    assert!(run(&[0.0, f64::NAN], &selected, &good).starts_with("weight 1 of Alg. 6"));
}

#[test]
fn alg6_treats_many_weights_as_it_treats_each() {
    const N: usize = 10_000; // more than one unit of parallel work
    let decay = Decay { lambda: 0.5, t: 1, eps: 4.0, threshold: Threshold::Selected };
    let w_star: Vec<f32> = (0..N).map(|j| (j % 17) as f32).collect();
    let selected: Vec<bool> = (0..N).map(|j| j % 3 == 0).collect();
    let start = || (vec![1.0; N], (0..N).map(|j| j % 5 != 0).collect::<Vec<bool>>());
    let (mut weights, mut mask) = start();
    let counts = rewind_decay(&mut weights, Some(&w_star), &selected, &mut mask, &decay).unwrap();
    let (mut one_by_one, mut alive) = start();
    let (mut rewound, mut eliminated) = (0, 0);
    for j in 0..N {
        let at = j..j + 1;
        let (w, w_star, flags) = (&mut one_by_one[at.clone()], Some(&w_star[at.clone()]), &selected[at.clone()]);
        let count = rewind_decay(w, w_star, flags, &mut alive[at], &decay).unwrap();
        (rewound, eliminated) = (rewound + count.rewound, eliminated + count.eliminated);
    }
    assert_eq!((weights, mask), (one_by_one, alive));
    assert_eq!((counts.rewound, counts.eliminated), (rewound, eliminated));
    assert!(rewound > 0 && eliminated > 0);

    let (mut weights, mut mask) = start();
    (weights[5_001], weights[9_001]) = (f32::NAN, f32::NAN);
    let wrong = rewind_decay(&mut weights, Some(&w_star), &[false; N], &mut mask, &decay);
    assert!(wrong.unwrap_err().to_string().starts_with("weight 5001 of Alg. 6"));
}
