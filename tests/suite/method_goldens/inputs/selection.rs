//! Eq. 5 to 8 and Alg. 5.

use super::{Builder, positive, rng, single, subnormal, two_to, wide};
use gdstar::paper::reading::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

pub(super) fn eq5() -> Vec<Builder> {
    let r = &mut rng(105);
    let tau = 0.1_f64;
    let mut around = vec![tau, tau.next_down(), tau.next_up(), 0.0, -0.0, f64::from_bits(1), f64::MAX];
    around.extend(positive(wide(r, 200, -8, 0)));
    let f32s = [positive(single(r, 200, -8, 0)), vec![0.125; 5]].concat();
    vec![
        Builder::new("ties-and-neighbours").floats("G", &around).floats("tau", &[tau]),
        Builder::new("tau-0-selects-nothing").floats("G", &[0.0, -0.0, f64::from_bits(1), 1.0]).floats("tau", &[0.0]),
        Builder::new("smallest-tau")
            .floats("G", &[0.0, -0.0, f64::from_bits(1), 1.0])
            .floats("tau", &[f64::from_bits(1)]),
        Builder::new("f32").floats("G", &f32s).floats("tau", &[0.125]),
    ]
}

const RULES: [QuantileRule; 5] =
    [QuantileRule::Linear, QuantileRule::Lower, QuantileRule::Higher, QuantileRule::Nearest, QuantileRule::Midpoint];

pub(super) fn eq6() -> Vec<Builder> {
    let r = &mut rng(106);
    let mut cases = Vec::new();
    // Ranks alone: alpha with all its bits, at the sizes of real networks and beyond.
    let alphas = [0.95, 0.25, 0.6, 0.1, 1.0 / 3.0, 0.7 + f64::EPSILON, 1.0_f64.next_down(), f64::from_bits(1)];
    for (i, alpha) in alphas.into_iter().enumerate() {
        for n in [2, 11_173_114, 23_454_912, (1 << 24) + 1, 1 << 53] {
            cases.push(Builder::new(&format!("rank-{i}-{n}")).floats("alpha", &[alpha]).counts("N", &[n]));
        }
    }
    let with_values = |name: String, g: &[f64], alpha: f64, chunks: usize, quantile, chunking| {
        Builder::read(&name, Reading { quantile, chunking, ..Reading::default() })
            .floats("G", g)
            .floats("alpha", &[alpha])
            .counts("chunks", &[chunks])
            .counts("N", &[g.len()])
    };
    let mixed = [positive(wide(r, 150, -900, 900)), positive(subnormal(r, 40)), vec![0.0; 20], vec![1.0; 21]].concat();
    let ordinary = [positive(wide(r, 300, -40, 0)), vec![0.0; 33]].concat();
    let in_f32 = positive(single(r, 257, -40, 0));
    for quantile in RULES {
        for (chunking, chunks) in
            [(Chunking::NearEqual, 1), (Chunking::NearEqual, 7), (Chunking::Ceil, 7), (Chunking::Ceil, 50)]
        {
            let name = |what: &str| format!("{what}-{quantile}-{chunking}-{chunks}");
            cases.push(with_values(name("mixed"), &mixed, 0.3, chunks, quantile, chunking));
            cases.push(with_values(name("ordinary"), &ordinary, 0.95, chunks, quantile, chunking));
            // 255 / 256 of the rank of 257 values is whole: no rule interpolates.
            cases.push(with_values(name("f32-whole-rank"), &in_f32, 255.0 / 256.0, chunks, quantile, chunking));
        }
        // Rank 1.5 and 2.5: halfway between two ranks, and one alpha before and after.
        let five = [3.0, 1.0, 4.0, 1.5, 9.0];
        for (what, alpha) in
            [("below", 0.375_f64.next_down()), ("at", 0.375), ("above", 0.375_f64.next_up()), ("odd", 0.625)]
        {
            cases.push(with_values(
                format!("half-rank-{what}-{quantile}"),
                &five,
                alpha,
                1,
                quantile,
                Chunking::NearEqual,
            ));
        }
        for alpha in [0.0, 1.0] {
            cases.push(with_values(format!("end-{alpha}-{quantile}"), &five, alpha, 2, quantile, Chunking::NearEqual));
        }
    }
    // low + f (high - low) halfway between two numbers: f = 1/2, neighbours an odd number of units apart.
    let neighbours = [1.0, 1.0 + f64::EPSILON];
    let linear = QuantileRule::Linear;
    cases.push(with_values("tie-down".into(), &neighbours, 0.5, 1, linear, Chunking::NearEqual));
    let neighbours = [1.0 + f64::EPSILON, 1.0 + 2.0 * f64::EPSILON];
    cases.push(with_values("tie-up".into(), &neighbours, 0.5, 1, linear, Chunking::NearEqual));
    cases
}

pub(super) fn eq7() -> Vec<Builder> {
    let r = &mut rng(107);
    let case = |name: &str, q: &[f64]| Builder::new(name).floats("chunk_quantiles", q);
    vec![
        case("one", &[0.1]),
        case("tie-down", &[1.0, 1.0 + f64::EPSILON]),
        case("tie-up", &[1.0 + f64::EPSILON, 1.0 + 2.0 * f64::EPSILON]),
        case("thirds", &[1.0, 1.0, 1.0 + f64::EPSILON]),
        case("zeros", &[0.0, 0.0, 0.0]),
        case("smallest", &[f64::from_bits(1), 0.0]),
        case("smallest-tie-up", &[f64::from_bits(3), 0.0]),
        case("subnormal", &positive(subnormal(r, 7))),
        case("huge-and-small", &positive(wide(r, 1000, -1000, 1000))),
        case("ordinary", &positive(wide(r, 16, -40, -30))),
        case("f32", &positive(single(r, 12, -40, -30))),
        case("f32-tie", &[1.0, 1.0 + two_to(-23)]),
    ]
}

pub(super) fn eq8() -> Vec<Builder> {
    let r = &mut rng(108);
    let case = |name: &str, ends: (f64, f64), epochs: usize, k: Vec<usize>| {
        let case = Builder::new(name).floats("alpha_0", &[ends.0]).floats("alpha_K", &[ends.1]);
        case.counts("epochs", &[epochs]).counts("k", &k)
    };
    let unit = |r: &mut ChaCha8Rng| (r.random::<u64>() >> 11) as f64 * two_to(-53);
    let mut cases = vec![
        case("paper", (0.95, 0.25), 300, (0..=300).collect()),
        case("dyadic", (0.75, 0.25), 4, (0..=4).collect()),
        case("rising", (0.1, 0.9), 7, (0..=7).collect()),
        case("constant", (0.55, 0.55), 13, (0..=13).collect()),
        case("whole-range", (1.0, 0.0), 49, (0..=49).collect()),
        case("from-the-smallest", (f64::from_bits(1), 1.0), 1000, vec![0, 1, 2, 500, 999, 1000]),
        case("to-the-smallest", (1.0, f64::from_bits(1)), 1000, vec![0, 1, 2, 500, 999, 1000]),
        case("subnormal", (f64::from_bits(5), f64::from_bits(2)), 6, (0..=6).collect()),
        case("many-epochs", (0.95, 0.25), 1 << 53, vec![1, 3, 1 << 52, (1 << 53) - 1]),
    ];
    for i in 0..20 {
        let (ends, epochs) = ((unit(r), unit(r)), r.random_range(1..1000));
        let k = (0..8).map(|_| r.random_range(0..=epochs)).collect();
        cases.push(case(&format!("random-{i}"), ends, epochs, k));
    }
    cases
}

pub(super) fn alg5() -> Vec<Builder> {
    let r = &mut rng(111);
    let mut cases = Vec::new();
    for masked_gradient in [MaskedGradient::Dense, MaskedGradient::Zero, MaskedGradient::Excluded] {
        for (chunking, chunks) in [(Chunking::NearEqual, 1), (Chunking::NearEqual, 5), (Chunking::Ceil, 16)] {
            for quantile in [QuantileRule::Linear, QuantileRule::Nearest] {
                let reading = Reading { masked_gradient, chunking, quantile, ..Reading::default() };
                let g = [positive(wide(r, 90, -12, 0)), vec![0.25; 12], vec![0.0; 12]].concat();
                for (dead, share) in [("none", 0), ("some", 30), ("most", 90), ("all", 100)] {
                    let mask: Vec<bool> = g.iter().map(|_| r.random_range(0..100) >= share).collect();
                    let name = format!("{masked_gradient}-{chunking}-{chunks}-{quantile}-{dead}-eliminated");
                    let case = Builder::read(&name, reading).floats("G", &g).flags("mask", &mask);
                    cases.push(case.floats("alpha", &[0.6]).counts("chunks", &[chunks]));
                }
            }
        }
    }
    cases
}
