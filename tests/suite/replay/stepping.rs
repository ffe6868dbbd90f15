//! Weights stepped from `init`: SGD in 250-bit numbers, from the weights that the epoch before left.

use super::inputs::{BATCHES, EPOCHS, SHAPES, Weights, random};
use super::replayed;
use crate::common::traces::{self, floats};
use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;
use gdstar::paper::reading::*;

type Big = FBig<HalfEven, 2>;
const BITS: usize = 250;

fn big(x: f64) -> Big {
    Big::try_from(x).unwrap().with_precision(BITS).value()
}

/// pi to 90 digits (OEIS A000796).
const PI: &str = "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534";

fn pi() -> Big {
    let (whole, fraction) = PI.split_once('.').unwrap();
    let digits = format!("{whole}{fraction}");
    let value = digits.bytes().fold(big(0.0), |value, digit| value * big(10.0) + big(f64::from(digit - b'0')));
    fraction.bytes().fold(value, |value, _| value / big(10.0))
}

/// `lr (1 + cos(pi s / total)) / 2` by the cosine's Taylor series.
fn rate(lr: f64, s: usize, total: usize) -> Big {
    let angle = pi() * big(s as f64) / big(total as f64);
    let square = &angle * &angle;
    let (mut term, mut cosine) = (big(1.0), big(1.0));
    for n in 1..60 {
        term = -term * &square / big(((2 * n - 1) * (2 * n)) as f64);
        cosine += &term;
    }
    big(lr) * (big(1.0) + cosine) / big(2.0)
}

/// The promise: with `init` instead of `weights_before`, weights are stepped by SGD, each within 1 ulp.
#[test]
fn weights_are_stepped_by_sgd() {
    for (seed, learning_rate) in
        [(920, LearningRateStep::PerEpoch), (921, LearningRateStep::PerStep), (922, LearningRateStep::PerEpoch)]
    {
        let (header, input) = random(seed, Reading { learning_rate, ..Reading::default() }, Weights::Stepped);
        let (_, all) = replayed(&traces::open(&header, &input).unwrap()).unwrap();
        let hyper = |key: &str| header["hyper"][key].as_f64().unwrap();
        for (p, (name, _)) in SHAPES.iter().enumerate() {
            let start = floats(&all, &format!("init/{name}"));
            let mut buffer = vec![big(0.0); start.len()];
            let mut weights: Vec<Big> = start.into_iter().map(big).collect();
            for k in 0..EPOCHS {
                let alive = if p < 2 {
                    floats(&all, &format!("epoch/{k}/mask_before/{name}"))
                } else {
                    vec![1.0; weights.len()]
                };
                for i in 0..BATCHES {
                    let gradient = floats(&all, &format!("epoch/{k}/batch/{i}/grad/{name}"));
                    let (s, total) = match learning_rate {
                        LearningRateStep::PerEpoch => (k, EPOCHS),
                        LearningRateStep::PerStep => (k * BATCHES + i, EPOCHS * BATCHES),
                    };
                    let rate = rate(hyper("lr"), s, total);
                    for (j, &g) in gradient.iter().enumerate().filter(|(j, _)| alive[*j] == 1.0) {
                        let g = big(g) + big(hyper("weight_decay")) * &weights[j];
                        buffer[j] = big(hyper("momentum")) * &buffer[j] + g;
                        weights[j] -= &rate * &buffer[j];
                    }
                }
                let before = floats(&all, &format!("epoch/{k}/weights_before/{name}"));
                for (j, &got) in before.iter().enumerate() {
                    let exact = if alive[j] == 1.0 { weights[j].clone() } else { big(0.0) };
                    let near = big(got.next_down()) <= exact && exact <= big(got.next_up());
                    assert!(near, "seed {seed}, epoch {k}, {name}[{j}]: {got:e}, exactly {exact}");
                }
                weights = floats(&all, &format!("epoch/{k}/weights_after/{name}")).into_iter().map(big).collect();
            }
        }
    }
}
