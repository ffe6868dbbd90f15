//! Eq. 9 to 11 and Alg. 6.

use super::{Builder, rng, single, two_to, wide};
use gdstar::paper::reading::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

pub(super) fn eq9() -> Vec<Builder> {
    let r = &mut rng(109);
    let case = |name: &str, w: &[f64], lambda: f64, t: usize, eps: f64| {
        let case = Builder::new(name).floats("w_star", w).floats("lambda", &[lambda]);
        case.counts("t", &[t]).floats("eps", &[eps])
    };
    let ordinary = [wide(r, 200, -16, 1), vec![0.0, -0.0]].concat();
    let in_f32 = [single(r, 200, -16, 1), vec![0.0, -0.0]].concat();
    let mut cases = vec![
        case("ties-at-eps", &[1.0, -1.0, 1.0_f64.next_down(), -(1.0_f64.next_up()), 0.5, -0.0], 0.5, 2, 0.25),
        case("eps-0-keeps-all", &[1.0, -0.0, f64::from_bits(1), -f64::from_bits(1)], 0.5, 1, 0.0),
        case("lambda-1", &ordinary, 1.0, 300, 5.5e-5),
        case("huge-and-small", &wide(r, 200, -1000, 1000), 0.9, 100, 1e-300),
        case("results-below-the-smallest-normal-number", &wide(r, 200, -1020, -960), 0.75, 100, 0.0),
        case("powers-below-the-smallest-number", &wide(r, 60, 900, 1020), 0.5, 1500, 0.0),
        case("f32-lambda-of-two-bits", &in_f32, 0.75, 7, two_to(-14)),
        case("f32-lambda-0.5", &in_f32, 0.5, 9, two_to(-20)),
    ];
    for t in [0, 1, 2, 3, 7, 31, 100, 299] {
        for lambda in [0.75, 0.9, 1.0_f64.next_down(), 1.0 / 3.0] {
            cases.push(case(&format!("ordinary-{t}-{lambda}"), &ordinary[..40], lambda, t, 5.5e-5));
        }
    }
    cases
}

pub(super) fn eq10() -> Vec<Builder> {
    let (mut n, mut c) = (Vec::new(), Vec::new());
    for size in [2, 3, 1000, 266_200, 11_173_114, 1 << 24, 23_454_912, (1 << 53) - 1] {
        for chunks in [1, 2, 3, 4, 8, 16, 100] {
            if chunks <= size {
                n.push(size);
                c.push(chunks);
            }
        }
    }
    vec![
        Builder::new("networks").counts("N", &n).counts("C", &c),
        Builder::new("powers").counts("N", &[16, 16, 64, 81, 1024, 2]).counts("C", &[4, 16, 8, 3, 32, 2]),
    ]
}

pub(super) fn eq11() -> Vec<Builder> {
    let chunks: Vec<usize> = (1..=100).chain([127, 1000, 1023, 11_173_114, (1 << 53) - 1]).collect();
    vec![Builder::new("counts").counts("C", &chunks)]
}

pub(super) fn alg6() -> Vec<Builder> {
    let r = &mut rng(112);
    let mut cases = Vec::new();
    let steps =
        [DecayStep::SinceRewind, DecayStep::Constant, DecayStep::Epoch, DecayStep::Iteration, DecayStep::RewindEpoch];
    for decay_step in steps {
        for threshold in [Threshold::Selected, Threshold::All] {
            for rewind_copy in [RewindCopy::Copy, RewindCopy::Alias] {
                let reading = Reading { decay_step, threshold, rewind_copy, ..Reading::default() };
                // lambda = 1/2 and eps a power of two: ties at eps, among ordinary weights and zeros of both signs.
                let ties = |r: &mut ChaCha8Rng| -> Vec<f64> {
                    (0..20).map(|_| two_to(-r.random_range(0..20)) * if r.random() { 1.0 } else { -1.0 }).collect()
                };
                let (old, ties_before, ties_rewind) = (wide(r, 40, -16, 0), ties(r), ties(r));
                let before = [old, ties_before, vec![0.0, -0.0, 1.0, -0.0]].concat();
                let rewind = [wide(r, 40, -16, 0), ties_rewind, vec![0.0, -0.0, -0.0, 1.0]].concat();
                let mask: Vec<bool> = before.iter().map(|_| r.random_range(0..5) > 0).collect();
                let selected: Vec<bool> = before.iter().map(|_| r.random()).collect();
                let before: Vec<f64> =
                    before.iter().zip(&mask).map(|(&w, &alive)| if alive { w } else { 0.0 }).collect();
                let case = Builder::read(&format!("{decay_step}-{threshold}-{rewind_copy}"), reading);
                let case = case.floats("weights_before", &before).floats("rewind", &rewind);
                let case = case.flags("selected", &selected).flags("mask_before", &mask);
                let case = case.counts("k", &[9]).counts("k_star", &[4]).counts("iteration", &[60]);
                cases.push(case.floats("lambda", &[0.5]).floats("eps", &[two_to(-12)]));
            }
        }
    }
    cases
}
