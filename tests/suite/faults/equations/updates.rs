//! Eq. 9 to 11, Alg. 4 and Alg. 6.

use super::caught;
use crate::equations::cost::{check_eq10, check_eq11};
use crate::equations::decay::{Outcome, Parameter, alg6, check_alg6, check_decay_step, check_eq9};
use crate::equations::rewind::{Epoch, States, check_alg4, run, weight};
use gdstar::paper::cost::{computation_saving, memory_saving};
use gdstar::paper::decay::{decay_step, decayed_weight};
use gdstar::paper::reading::{DecayStep, RewindCopy, Threshold};
use gdstar::paper::rewind::RewindPoint;

#[test]
fn faults_in_alg4_are_caught() {
    let faulty = |epochs: &[Epoch], update: &dyn Fn(&mut RewindPoint<f64>, usize, &Epoch)| -> States {
        let mut point = RewindPoint::new(RewindCopy::Copy, &[weight(-1.0).view()]);
        let state = |(k, epoch): (usize, &Epoch)| {
            update(&mut point, k, epoch);
            (point.minimum(), point.k_star(), point.weights().unwrap()[0][0])
        };
        epochs.iter().enumerate().map(state).collect()
    };
    let observe = |point: &mut RewindPoint<f64>, k: usize, norm: f64, w: f64| {
        point.observe(k, norm, &[weight(w).view()]).unwrap();
    };
    caught::<dyn Fn(&[Epoch]) -> States>(
        |f| check_alg4(f),
        &run,
        &[
            ("<= for <", &|epochs| {
                faulty(epochs, &|point, k, epoch| {
                    let tie = epoch.norm == point.minimum();
                    observe(point, k, if tie { epoch.norm.next_down() } else { epoch.norm }, epoch.before);
                })
            }),
            ("W_k* captured after the pruning", &|epochs| {
                faulty(epochs, &|point, k, epoch| observe(point, k, epoch.norm, epoch.after))
            }),
            ("k* counted from 1", &|epochs| {
                faulty(epochs, &|point, k, epoch| observe(point, k + 1, epoch.norm, epoch.before))
            }),
            ("the squared norm kept as m", &|epochs| {
                faulty(epochs, &|point, k, epoch| observe(point, k, epoch.norm * epoch.norm, epoch.before))
            }),
            ("W_k* never updated", &|epochs| {
                run(epochs).into_iter().map(|(minimum, k_star, _)| (minimum, k_star, -1.0)).collect()
            }),
            ("k* moves every epoch", &|epochs| {
                faulty(epochs, &|point, k, epoch| {
                    observe(point, k, epoch.norm, epoch.before);
                    point.move_to(k, &[weight(epoch.before).view()]).unwrap();
                })
            }),
        ],
    );
}

#[test]
fn faults_in_eq9_are_caught() {
    let eq9 = |w: f64, lambda: f64, t: usize, eps: f64| decayed_weight(w, lambda, t, eps).unwrap();
    caught::<dyn Fn(f64, f64, usize, f64) -> f64>(
        |f| check_eq9(f),
        &eq9,
        &[
            ("lambda t for lambda^t", &|w, lambda, t, eps| {
                let w = w * lambda * t as f64;
                if w.abs() >= eps { w } else { 0.0 }
            }),
            ("t = 1", &|w, lambda, _, eps| eq9(w, lambda, 1, eps)),
            ("t + 1", &|w, lambda, t, eps| eq9(w, lambda, t + 1, eps)),
            ("no absolute value in the threshold", &|w, lambda, t, eps| {
                let w = eq9(w, lambda, t, 0.0);
                if w >= eps { w } else { 0.0 }
            }),
            ("> for >=", &|w, lambda, t, eps| eq9(w, lambda, t, eps.next_up())),
            ("threshold before decay", &|w, lambda, t, eps| {
                if w.abs() >= eps { eq9(w, lambda, t, 0.0) } else { 0.0 }
            }),
            ("no threshold", &|w, lambda, t, _| eq9(w, lambda, t, 0.0)),
            ("the sign lost", &|w, lambda, t, eps| eq9(w, lambda, t, eps).abs()),
        ],
    );
}

#[test]
fn faults_in_the_decay_step_are_caught() {
    let real = |rule, k, k_star, iteration| decay_step(rule, k, k_star, iteration).unwrap();
    caught::<dyn Fn(DecayStep, usize, usize, usize) -> usize>(
        |f| check_decay_step(f),
        &real,
        &[
            ("t = k", &|rule, k, k_star, steps| {
                real(if rule == DecayStep::SinceRewind { DecayStep::Epoch } else { rule }, k, k_star, steps)
            }),
            ("k* one epoch late", &|rule, k, k_star, steps| real(rule, k, k_star + 1, steps)),
        ],
    );
}

#[test]
fn faults_in_alg6_are_caught() {
    caught::<dyn Fn(Parameter, usize, Threshold) -> Outcome>(
        |f| check_alg6(f),
        &alg6,
        &[
            ("decay of w, not w*", &|parameter, t, threshold| {
                alg6(Parameter { rewind: Some(parameter.weights.clone()), ..parameter }, t, threshold)
            }),
            ("every weight rewound", &|parameter, t, threshold| {
                alg6(Parameter { selected: vec![true; parameter.weights.len()], ..parameter }, t, threshold)
            }),
            ("the mask resurrected", &|parameter, t, threshold| {
                alg6(Parameter { mask: vec![true; parameter.weights.len()], ..parameter }, t, threshold)
            }),
            ("the mask not updated", &|parameter, t, threshold| {
                let mask = parameter.mask.clone();
                let (weights, _, rewound, eliminated) = alg6(parameter, t, threshold);
                (weights, mask, rewound, eliminated)
            }),
            ("eliminated weights not held at 0", &|parameter, t, threshold| {
                let before = parameter.clone();
                let (mut weights, mask, rewound, eliminated) = alg6(parameter, t, threshold);
                (0..weights.len()).filter(|&j| !before.mask[j]).for_each(|j| weights[j] = before.weights[j]);
                (weights, mask, rewound, eliminated)
            }),
            ("eps on every weight", &|parameter, t, _| alg6(parameter, t, Threshold::All)),
            ("eps on selected weights only, always", &|parameter, t, _| alg6(parameter, t, Threshold::Selected)),
        ],
    );
}

#[test]
fn faults_in_eq10_and_11_are_caught() {
    caught::<dyn Fn(usize, usize) -> f64>(
        |f| check_eq10(f),
        &|n, chunks| computation_saving(n, chunks).unwrap(),
        &[
            ("log C for log (N / C)", &|n, chunks| 100.0 - computation_saving::<f64>(n, chunks).unwrap()),
            ("N / C without the logarithm", &|_, chunks| memory_saving(chunks).unwrap()),
            ("a fraction, not percent", &|n, chunks| computation_saving::<f64>(n, chunks).unwrap() / 100.0),
        ],
    );
    caught::<dyn Fn(usize) -> f64>(
        |f| check_eq11(f),
        &|chunks| memory_saving(chunks).unwrap(),
        &[("1 / C", &|chunks| 100.0 / chunks as f64), ("a fraction, not percent", &|chunks| 1.0 - 1.0 / chunks as f64)],
    );
}
