//! Single-line mistakes in the equations, handed to the checks that the equations themselves pass.
//!
//! [`caught`] also runs the check on the real function, so that no fault is "caught" by a check that fails anyway.

use crate::equations::cost::{check_eq10, check_eq11};
use crate::equations::decay::{Outcome, Parameter, alg6, check_alg6, check_decay_step, check_eq9};
use crate::equations::gradient_norm::{check_eq1, check_eq2, check_eq3, check_eq4, check_sum_of_g, s_sq_from_batches};
use crate::equations::quantile::{check_eq6, check_eq7, check_quantile, check_tau, tau};
use crate::equations::rewind::{Epoch, States, check_alg4, run, weight};
use crate::equations::schedule::check_eq8;
use crate::equations::selection::{check_alg5, check_eq5, seen};
use gdstar::paper::cost::{computation_saving, memory_saving};
use gdstar::paper::decay::{decay_step, decayed_weight};
use gdstar::paper::gradient_norm::{accumulated_squares, frobenius_norm, sum_of_l1_norms, sum_of_squares};
use gdstar::paper::quantile::{chunk_quantiles, chunk_sizes, mean_of_quantiles, quantile_sorted};
use gdstar::paper::reading::{Chunking, DecayStep, MaskedGradient, QuantileRule, RewindCopy, Threshold};
use gdstar::paper::rewind::RewindPoint;
use gdstar::paper::schedule::prune_rate;
use gdstar::paper::selection::below_threshold;

/// The check passes the real implementation and fails every faulty one.
fn caught<F: ?Sized>(check: impl Fn(&F) -> Result<(), String>, real: &F, faults: &[(&str, &F)]) {
    check(real).unwrap_or_else(|failure| panic!("the check fails what it should pass: {failure}"));
    for (fault, faulty) in faults {
        assert!(check(faulty).is_err(), "not caught: {fault}");
    }
}

type OfBatches<T> = dyn Fn(&[&[f64]]) -> T;

#[test]
fn faults_in_eq1_are_caught() {
    caught::<OfBatches<f64>>(
        |f| check_eq1(f),
        &sum_of_l1_norms,
        &[
            ("no absolute value", &|batches| batches.iter().flat_map(|b| b.iter()).sum::<f64>() + 0.0),
            ("last batch only", &|batches| sum_of_l1_norms(&batches[batches.len().saturating_sub(1)..])),
            ("g^2 for |g|", &s_sq_from_batches),
            ("summed in f64", &|batches| batches.iter().flat_map(|b| b.iter()).fold(0.0, |s, g| s + g.abs())),
        ],
    );
}

#[test]
fn faults_in_eq2_are_caught() {
    fn per_weight(batches: &[&[f64]], term: fn(f64) -> f64) -> Vec<f64> {
        (0..batches[0].len()).map(|j| batches.iter().map(|b| term(b[j])).sum()).collect()
    }
    caught::<OfBatches<Vec<f64>>>(
        |f| check_eq2(f),
        &|batches| accumulated_squares(batches).unwrap(),
        &[
            ("|g| for g^2", &|batches| per_weight(batches, f64::abs)),
            ("the square of the sum", &|batches| per_weight(batches, |g| g).iter().map(|s| s * s).collect()),
            ("assigned, not accumulated", &|batches| batches[batches.len() - 1].iter().map(|g| g * g).collect()),
            ("the mean over batches", &|batches| {
                per_weight(batches, |g| g * g).iter().map(|g| g / batches.len() as f64).collect()
            }),
        ],
    );
}

#[test]
fn faults_in_eq3_are_caught() {
    caught::<OfBatches<f64>>(
        |f| check_eq3(f),
        &s_sq_from_batches,
        &[
            ("the printed last member: one batch's norm", &|batches| s_sq_from_batches(&batches[batches.len() - 1..])),
            ("the norm of the summed gradient", &|batches| {
                (0..batches[0].len()).map(|j| batches.iter().map(|b| b[j]).sum::<f64>()).map(|g| g * g).sum()
            }),
        ],
    );
    caught::<dyn Fn(&[f64]) -> f64>(
        |f| check_sum_of_g(f),
        &sum_of_squares,
        &[
            ("summed in f64", &|g| g.iter().sum()),
            ("squared a second time", &|g| sum_of_squares(&g.iter().map(|g| g * g).collect::<Vec<_>>())),
        ],
    );
}

#[test]
fn faults_in_eq4_are_caught() {
    caught::<dyn Fn(f64) -> f64>(
        |f| check_eq4(f),
        &|s_sq| frobenius_norm(s_sq).unwrap(),
        &[("no square root", &|s_sq| s_sq), ("a root of half the digits", &|s_sq| f64::from((s_sq as f32).sqrt()))],
    );
}

#[test]
fn faults_in_eq5_are_caught() {
    caught::<dyn Fn(&[f64], f64) -> Vec<bool>>(
        |f| check_eq5(f),
        &below_threshold,
        &[
            ("<= for <", &|g, tau| g.iter().map(|&g| g <= tau).collect()),
            ("> for <", &|g, tau| g.iter().map(|&g| g > tau).collect()),
        ],
    );
}

#[test]
fn faults_in_the_quantile_are_caught() {
    caught::<dyn Fn(&[f64], f64, QuantileRule) -> f64>(
        |f| check_quantile(f),
        &|g, alpha, rule| quantile_sorted(g, alpha, rule).unwrap(),
        &[
            ("lower for linear", &|g, alpha, rule| {
                let rule = if rule == QuantileRule::Linear { QuantileRule::Lower } else { rule };
                quantile_sorted(g, alpha, rule).unwrap()
            }),
            ("rank alpha N", &|g, alpha, rule| {
                let n = g.len() as f64;
                quantile_sorted(g, (alpha * n / (n - 1.0).max(1.0)).min(1.0), rule).unwrap()
            }),
            ("the quantile of 1 - alpha", &|g, alpha, rule| quantile_sorted(g, 1.0 - alpha, rule).unwrap()),
            ("unsorted", &|g, alpha, _| g[(alpha * (g.len() - 1) as f64) as usize]),
            ("a tie rounded up to the odd rank", &|g, alpha, rule| {
                let tie = rule == QuantileRule::Nearest && (alpha * 4.0).fract() == 0.5;
                quantile_sorted(g, alpha, if tie { QuantileRule::Higher } else { rule }).unwrap()
            }),
        ],
    );
}

#[test]
fn faults_in_eq6_are_caught() {
    let linear = QuantileRule::Linear;
    caught::<dyn Fn(&[f64], f64, usize, Chunking) -> Vec<f64>>(
        |f| check_eq6(f),
        &|g, alpha, chunks, chunking| chunk_quantiles(g, alpha, chunks, chunking, linear).unwrap(),
        &[
            ("the remainder dropped", &|g, alpha, chunks, chunking| {
                let whole = &g[..g.len() / chunks * chunks];
                chunk_quantiles(whole, alpha, chunks, chunking, linear).unwrap()
            }),
            ("near-equal read as ceil", &|g, alpha, chunks, _| {
                chunk_quantiles(g, alpha, chunks, Chunking::Ceil, linear).unwrap()
            }),
            ("every C-th weight instead of consecutive ones", &|g, alpha, chunks, chunking| {
                let count = chunk_sizes(g.len(), chunks, chunking).unwrap().len();
                let strided = |c| g.iter().copied().skip(c).step_by(count).collect::<Vec<_>>();
                (0..count).map(|c| quantile_sorted(&strided(c), alpha, linear).unwrap()).collect()
            }),
        ],
    );
}

#[test]
fn faults_in_eq7_are_caught() {
    caught::<dyn Fn(&[f64]) -> f64>(
        |f| check_eq7(f),
        &|quantiles| mean_of_quantiles(quantiles).unwrap(),
        &[
            ("median of chunks", &|quantiles| quantile_sorted(quantiles, 0.5, QuantileRule::Linear).unwrap()),
            ("sum without 1/C", &|quantiles| quantiles.iter().sum()),
            ("summed in f64", &|quantiles| quantiles.iter().sum::<f64>() / quantiles.len() as f64),
        ],
    );
    caught::<dyn Fn(&[f64], f64, usize) -> f64>(
        |f| check_tau(f),
        &tau,
        &[
            ("C ignored", &|g, alpha, _| tau(g, alpha, 1)),
            ("one chunk too many", &|g, alpha, chunks| tau(g, alpha, (chunks + 1).min(g.len()))),
        ],
    );
}

#[test]
fn faults_in_eq8_are_caught() {
    caught::<dyn Fn(usize, usize, f64, f64) -> f64>(
        |f| check_eq8(f),
        &|k, epochs, from, to| prune_rate(k, epochs, from, to).unwrap(),
        &[
            ("k - 1", &|k, epochs, from, to| prune_rate(k.saturating_sub(1), epochs, from, to).unwrap()),
            ("K - 1 in the denominator", &|k, epochs, from, to| from + k as f64 / (epochs - 1) as f64 * (to - from)),
            ("alpha_0 and alpha_K exchanged", &|k, epochs, from, to| prune_rate(k, epochs, to, from).unwrap()),
            ("no alpha_0", &|k, epochs, from, to| k as f64 / epochs as f64 * (to - from)),
            ("integer division", &|k, epochs, from, to| from + (k / epochs) as f64 * (to - from)),
        ],
    );
}

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

type Select = dyn Fn(&[f64], &[bool], f64, usize, MaskedGradient) -> (Vec<f64>, f64, Vec<bool>);

#[test]
fn faults_in_alg5_are_caught() {
    use MaskedGradient::{Dense, Excluded, Zero};
    caught::<Select>(
        |f| check_alg5(f),
        &seen,
        &[
            ("the mask ignored", &|g, mask, alpha, chunks, _| seen(g, mask, alpha, chunks, Dense)),
            ("excluded weights stay in the set as zeros", &|g, mask, alpha, chunks, treatment| {
                seen(g, mask, alpha, chunks, if treatment == Excluded { Zero } else { treatment })
            }),
            ("C = 1 always", &|g, mask, alpha, _, treatment| seen(g, mask, alpha, 1, treatment)),
            ("1 - alpha", &|g, mask, alpha, chunks, treatment| seen(g, mask, (1.0 - alpha) / 2.0, chunks, treatment)),
            ("<= for <", &|g, mask, alpha, chunks, treatment| {
                let (quantiles, tau, _) = seen(g, mask, alpha, chunks, treatment);
                let selected = g.iter().map(|&g| g <= tau).collect();
                (quantiles, tau, selected)
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
