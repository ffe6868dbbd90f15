//! Eq. 1 to 4 and Alg. 4.

use super::{Builder, positive, rng, single, subnormal, two_to, wide};
use gdstar::paper::reading::*;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Sums that lie halfway between two numbers: towards an even one, an odd one, and barely beyond either.
fn halfway() -> Vec<(&'static str, Vec<f64>)> {
    let (half, next) = (f64::EPSILON / 2.0, 1.0 + f64::EPSILON);
    let least = f64::from_bits(1);
    vec![
        ("tie-down-to-even", vec![1.0, half]),
        ("tie-up-to-even", vec![next, half]),
        ("tie-broken-by-the-smallest-number", vec![1.0, half, least]),
        ("tie-missed-by-the-smallest-number", vec![1.0, half / 2.0, half / 2.0 - two_to(-107), least]),
        ("tie-of-many", [vec![1.0], vec![two_to(-63); 1024]].concat()),
        ("tie-in-f32", vec![1.0, two_to(-24)]),
        ("tie-in-f32-broken", vec![1.0, two_to(-24), two_to(-149)]),
    ]
}

pub(super) fn eq1() -> Vec<Builder> {
    let mut cases: Vec<Builder> = Vec::new();
    for (name, terms) in halfway() {
        let negated: Vec<f64> = terms.iter().map(|x| -x).collect();
        cases.push(Builder::new(name).rows("grad", &[negated]));
    }
    let r = &mut rng(101);
    cases.push(Builder::new("zeros-of-both-signs").rows("grad", &[vec![0.0, -0.0, 0.0], vec![-0.0, -0.0, 0.0]]));
    cases.push(Builder::new("subnormal").rows("grad", &[subnormal(r, 60), subnormal(r, 60)]));
    cases.push(Builder::new("huge-and-small").rows("grad", &[wide(r, 300, -1000, 1000), wide(r, 300, -1000, 1000)]));
    cases.push(
        Builder::new("ordinary").rows("grad", &[wide(r, 500, -20, 3), wide(r, 500, -20, 3), wide(r, 500, -20, 3)]),
    );
    cases.push(Builder::new("f32").rows("grad", &[single(r, 400, -24, 4), single(r, 400, -24, 4)]));
    cases
}

pub(super) fn eq2() -> Vec<Builder> {
    let r = &mut rng(102);
    // 1 + 2^-54 + 2^-54 is halfway; a square of 2^-1074 breaks the tie, one of 2^-1076 too.
    let ties = [
        vec![1.0, 1.0, 1.0, 1.0 + two_to(-52), two_to(-537), two_to(-538), 3.0 * two_to(-538)],
        vec![two_to(-27), -two_to(-27), two_to(-27), two_to(-27), -two_to(-538), -two_to(-538), two_to(-538)],
        vec![two_to(-27), two_to(-27), two_to(-27), two_to(-27), 0.0, 0.0, two_to(-538)],
        vec![0.0, two_to(-537), two_to(-538), -0.0, 0.0, two_to(-560), 0.0],
    ];
    let batches = |r: &mut ChaCha8Rng, b: usize, n: usize, low, high| -> Vec<Vec<f64>> {
        (0..b).map(|_| wide(r, n, low, high)).collect()
    };
    let in_f32: Vec<Vec<f64>> = (0..30).map(|_| single(r, 40, -20, 4)).collect();
    vec![
        Builder::new("ties").rows("grad", &ties),
        Builder::new("squares-below-the-smallest-number").rows("grad", &batches(r, 200, 12, -545, -530)),
        Builder::new("squares-down-to-0").rows("grad", &[subnormal(r, 20), wide(r, 20, -1000, -500)]),
        Builder::new("huge-and-small").rows("grad", &batches(r, 12, 60, -540, 505)),
        Builder::new("ordinary").rows("grad", &batches(r, 60, 40, -18, 2)),
        Builder::new("f32").rows("grad", &in_f32),
        Builder::new("f32-ties").rows("grad", &[vec![1.0, 1.0 + two_to(-23)], vec![two_to(-12), two_to(-12)]]),
        Builder::new("one-batch").rows("grad", &batches(r, 1, 80, -300, 300)),
    ]
}

pub(super) fn eq3() -> Vec<Builder> {
    let r = &mut rng(103);
    let mut cases: Vec<Builder> = halfway().iter().map(|(name, g)| Builder::new(name).floats("G", g)).collect();
    cases.push(Builder::new("subnormal").floats("G", &positive(subnormal(r, 200))));
    cases.push(Builder::new("huge-and-small").floats("G", &positive(wide(r, 1000, -1060, 1010))));
    cases.push(Builder::new("ordinary").floats("G", &positive(wide(r, 3000, -60, 2))));
    cases.push(Builder::new("f32").floats("G", &positive(single(r, 2000, -60, 2))));
    cases
}

pub(super) fn eq4() -> Vec<Builder> {
    let r = &mut rng(104);
    let squares: Vec<f64> = (0..200).map(|_| f64::from(r.random_range(0..1_u32 << 26)).powi(2)).collect();
    // Squares of the middles between two numbers of f32, and their neighbours.
    let middles: Vec<f64> = (0..60)
        .map(|_| (f64::from(r.random_range(1_u32 << 23..1 << 24)) + 0.5).powi(2))
        .flat_map(|square| [square.next_down(), square, square.next_up()])
        .collect();
    let of_f32: Vec<f64> = positive(single(r, 300, -140, 120));
    vec![
        Builder::new("perfect-squares").floats("S_sq", &squares),
        Builder::new("around-the-middles-of-f32").floats("S_sq", &middles),
        Builder::new("f32").floats("S_sq", &of_f32),
        Builder::new("wide").floats("S_sq", &positive(wide(r, 300, -1022, 1023))),
        Builder::new("subnormal").floats("S_sq", &positive(subnormal(r, 60))),
        Builder::new("neighbours-of-1").floats("S_sq", &[1.0_f64.next_down(), 1.0, 1.0_f64.next_up(), 0.0, f64::MAX]),
    ]
}

pub(super) fn alg4() -> Vec<Builder> {
    let r = &mut rng(110);
    let mut cases = Vec::new();
    for epoch_origin in [EpochOrigin::Zero, EpochOrigin::One] {
        let reading = Reading { epoch_origin, ..Reading::default() };
        let case =
            |name: &str, s_f: &[f64]| Builder::read(&format!("{name}-{epoch_origin}"), reading).floats("S_F", s_f);
        let near =
            [5.0, 5.0, 5.0_f64.next_down(), 5.0, 5.0_f64.next_down(), 4.0, 4.0, 4.0_f64.next_up(), 0.0, -0.0, 0.0];
        cases.push(case("ties-and-neighbours", &near));
        cases.push(case("falling", &[f64::MAX, 1.0, f64::MIN_POSITIVE, f64::from_bits(1), 0.0]));
        cases.push(case("random", &positive(wide(r, 100, -3, 3))));
    }
    cases
}
