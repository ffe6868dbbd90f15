//! The paper's equations on the GPU: the bits that they have on the host, in any order of blocks and threads.

use crate::common::{SCHEDULES, on_stand_in};
use gdstar::kernel::Kernel;
use gdstar::paper::decay::{Decay, decayed_weight, rewind_decay};
use gdstar::paper::quantile::{chunk_quantiles, mean_of_quantiles};
use gdstar::paper::reading::{Chunking, MaskedGradient, QuantileRule, Reading, RewindCopy, Threshold};
use gdstar::paper::rewind::RewindPoint;
use gdstar::paper::structured::{GroupScore, Structure, select_structured};
use gdstar::paper::{EQUATIONS, cost, gradient_norm, schedule, selection};
use gdstar::scalar::Scalar;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Debug;

/// Gradients of so many weights: some equal, some zero, of sizes far apart.
fn gradients<S: Scalar>(rng: &mut ChaCha8Rng, n: usize) -> Vec<S> {
    let value = |rng: &mut ChaCha8Rng| match rng.random_range(0..4) {
        0 => 0.0,
        1 => f64::from(rng.random_range(-3i32..=3)),
        _ => rng.random_range(-1.0..1.0) * 2f64.powi(rng.random_range(-20..10)),
    };
    (0..n).map(|_| S::from_f64(value(rng))).collect()
}

fn told(value: impl Debug) -> String {
    format!("{value:?}")
}

/// What each equation makes of gradients and masks drawn from this seed, by the name of its function.
fn all<S: Scalar>(kernel: Kernel, seed: u64, n: usize) -> Vec<(&'static str, String)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let batches: Vec<Vec<S>> = (0..3).map(|_| gradients(&mut rng, n)).collect();
    let batches: Vec<&[S]> = batches.iter().map(Vec::as_slice).collect();
    let mask: Vec<bool> = (0..n).map(|_| rng.random_bool(0.7)).collect();
    let (w, w_star): (Vec<S>, Vec<S>) = (gradients(&mut rng, n), gradients(&mut rng, n));
    let g = gradient_norm::accumulated_squares(&batches).unwrap();
    let mut stepwise = vec![S::ZERO; n];
    for batch in &batches {
        gradient_norm::accumulate_squares(kernel, &mut stepwise, batch).unwrap();
    }
    let mut held = g.clone();
    gradient_norm::mask_gradient(&mut held, &mask, MaskedGradient::Zero).unwrap();
    let s_sq = gradient_norm::sum_of_squares(&g);
    let tau = S::from_f64(0.01);
    let quantiles = chunk_quantiles(&g, 0.37, 3, Chunking::NearEqual, QuantileRule::Linear).unwrap();
    let selections: Vec<_> = [MaskedGradient::Dense, MaskedGradient::Zero, MaskedGradient::Excluded]
        .map(|masked_gradient| Reading { masked_gradient, ..Reading::default() })
        .map(|reading| selection::select_weights(&g, &mask, 0.6, 2, &reading).unwrap())
        .into();
    let decayed = |threshold: Threshold, rewind: Option<&[S]>| {
        let (mut w, mut alive) = (w.clone(), mask.clone());
        let decay = Decay { lambda: 0.9, t: 3, eps: 0.1, threshold };
        let counts = rewind_decay(&mut w, rewind, &selections[0].selected, &mut alive, &decay).unwrap();
        (w, alive, counts)
    };
    let live = ndarray::aview1(&w).into_dyn();
    let mut point = RewindPoint::new(RewindCopy::Copy, &[live.view()]);
    point.observe(1, gradient_norm::frobenius_norm(s_sq).unwrap(), &[live]).unwrap();
    let structures = [Structure::Pattern { keep: 2, of: 4 }, Structure::Blocks { height: 2, width: 2 }];
    let scores = [GroupScore::Max, GroupScore::Mean, GroupScore::Norm];
    let structured: Vec<_> = structures
        .into_iter()
        .flat_map(|structure| scores.map(|score| (structure, score)))
        .map(|by| select_structured(&g, &mask, &[&[n / 8, 8]], by, 0.5, 2, &Reading::default()).unwrap())
        .collect();
    vec![
        ("gradient_norm::sum_of_l1_norms", told(gradient_norm::sum_of_l1_norms(&batches))),
        ("gradient_norm::accumulated_squares", told((&g, stepwise, held))),
        ("gradient_norm::sum_of_squares", told((s_sq, gradient_norm::sum_of_squared_norms(&batches)))),
        ("gradient_norm::frobenius_norm", told(gradient_norm::frobenius_norm(s_sq))),
        ("selection::below_threshold", told(selection::below_threshold(&g, tau))),
        ("quantile::chunk_quantiles", told(&quantiles)),
        ("quantile::mean_of_quantiles", told(mean_of_quantiles(&quantiles))),
        ("schedule::prune_rate", told(schedule::prune_rate(3, 10, S::from_f64(0.2), S::from_f64(0.9)))),
        ("decay::decayed_weight", told(decayed_weight(w_star[0], 0.9, 3, 0.1))),
        ("cost::computation_saving", told(cost::computation_saving::<S>(n, 2))),
        ("cost::memory_saving", told(cost::memory_saving::<S>(2))),
        ("rewind::RewindPoint::observe", told(point)),
        ("selection::select_weights", told((&selections, structured))),
        (
            "decay::rewind_decay",
            told([
                decayed(Threshold::Selected, Some(&w_star)),
                decayed(Threshold::All, Some(&w_star)),
                decayed(Threshold::Selected, None),
            ]),
        ),
    ]
}

/// Every equation of the paper, in both number systems, on more weights than a grid of the stand-in has threads and on fewer.
#[test]
fn every_equation_has_literals_bits_in_any_schedule() {
    for schedule in SCHEDULES {
        on_stand_in(concat!(module_path!(), "::every_equation_has_literals_bits_in_any_schedule"), schedule, || {
            for (seed, n) in [(1, 16), (2, 264), (3, 5000)] {
                let of = |kernel: Kernel| kernel.install(|| [all::<f32>(kernel, seed, n), all::<f64>(kernel, seed, n)]);
                let (host, device) = (of(Kernel::Literal), of(Kernel::Cuda));
                Kernel::Cuda.check().unwrap();
                for (host, device) in host.iter().flatten().zip(device.iter().flatten()) {
                    assert_eq!(host, device, "{n} weights");
                }
                let named: Vec<&str> = host[0].iter().map(|(name, _)| *name).collect();
                assert_eq!(named, EQUATIONS.iter().map(|equation| equation.function).collect::<Vec<_>>());
            }
        });
    }
}
