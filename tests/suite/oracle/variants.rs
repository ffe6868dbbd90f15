//! Correct ports of every kind, drawn from a seed.

use super::port::{
    AlphaForm, Arithmetic, Clip, Config, CosineForm, EpsOf, Forms, Gradients, Hyper, KINDS, LerpForm, Method,
    Optimizer, Order, Parameter, PowerForm, Precision, READINGS, Reading, Recording, Rule, Schedule, SquareSum, Store,
    Summed, Width,
};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Names with `/` and `.` inside, with words of the format in them, flattened in no alphabetical order.
const NAMES: [&[(&str, &[usize], bool)]; 5] = [
    &[
        ("block.0/conv.weight", &[4, 3, 3, 3], true),
        ("block.0/conv.bias", &[4], false),
        ("fc1.weight", &[10, 12], true),
        ("fc1.bias", &[10], false),
        ("a/b/mask.weight", &[7, 9], true),
    ],
    &[("w", &[20], true)],
    &[
        ("epoch/0/G/x", &[6, 5], true),
        ("mask/b", &[6], false),
        ("grad/a.b", &[3, 4, 2], true),
        ("0", &[11], true),
        ("init/init", &[2], false),
    ],
    &[
        ("features.0.weight", &[40, 50], true),
        ("classifier/weight", &[10, 40], true),
        ("classifier/bias", &[10], false),
    ],
    &[("scale", &[], true), ("gewicht.\u{e4} \"x\"", &[1], true), ("shift", &[], false)],
];

fn parameters(set: usize) -> Vec<Parameter> {
    let own = |&(name, shape, prunable): &(&str, &[usize], bool)| Parameter {
        name: name.to_string(),
        shape: shape.to_vec(),
        prunable,
    };
    NAMES[set].iter().map(own).collect()
}

/// The correct port that faults are planted in: norms that fall and rise, so that k* moves, stays and t grows; living,
/// dead and eliminated weights; N = 284 = 3 * 94 + 2 in three chunks.
pub fn standard(seed: u64, dtype: Precision) -> Config {
    let mut parameters = parameters(0);
    parameters[4].shape = vec![7, 8];
    Config {
        method: Method::Gdstar,
        seed,
        hyper: Hyper {
            epochs: 8,
            alpha_0: 0.85,
            alpha_end: 0.35,
            lambda: 0.75,
            eps: 0.03125,
            chunks: 3,
            lr: 0.05,
            momentum: 0.9,
            weight_decay: 5e-4,
            batch_size: 8,
        },
        reading: Reading::default(),
        parameters,
        arithmetic: Arithmetic { dtype, sums: dtype, order: Order::Forward, fma: false, ftz: false },
        forms: Forms::default(),
        gradients: Gradients {
            norms: vec![4.0, 2.0, 3.0, 2.5, 1.0, 3.0, 2.0, 5.0],
            draws: (0..8).collect(),
            exponent: -6,
            spread: 2.0,
            dead: 0.1,
            sparse: 0.1,
            levels: 0,
            coupling: 0.0,
        },
        optimizer: Optimizer::default(),
        recording: Recording::default(),
        planted: 0.03125,
        trained: 7,
        batches: 4,
    }
}

/// The port of *reset*.
pub fn resets(config: &mut Config) {
    config.method = Method::Reset;
}

/// The port of *random rewind*: k* moves and stays, and in the third epoch the draw is the probability.
pub fn rewinds_at_random(config: &mut Config) {
    let draws = vec![0.75, 0.25, 0.5, 0.125, 0.625, 0.375, 0.875];
    config.method = Method::RandomRewind { probability: 0.5, draws };
}

/// Ties everywhere: S_F = m in epochs 2 and 5, G = tau in most, |w| = eps, and weights of exactly 0.
pub fn with_ties(config: &mut Config) {
    config.gradients.levels = 5;
    config.gradients.norms = vec![4.0, 2.0, 2.0, 3.0, 1.0, 1.0, 3.0, 2.0];
    config.gradients.draws = vec![0, 1, 1, 3, 4, 4, 6, 7];
    config.hyper.chunks = 1;
    config.hyper.weight_decay = 0.0;
}

/// A correct port with every free choice drawn.
pub fn random(seed: u64) -> Config {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let dtype = if rng.random_bool(0.7) { Precision::F32 } else { Precision::F64 };
    let mut config = standard(seed, dtype);
    config.parameters = parameters(*pick(rng, &[0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 4]));
    config.arithmetic.order = *pick(
        rng,
        &[Order::Forward, Order::Reversed, Order::Pairwise, Order::Lanes(4), Order::Lanes(16), Order::Compensated],
    );
    config.arithmetic.fma = rng.random();
    draw_hyper(rng, &mut config);
    draw_reading(rng, &mut config);
    draw_gradients(rng, &mut config);
    config.forms = forms(rng);
    draw_arithmetic(rng, &mut config);
    draw_recording(rng, &mut config);
    draw_optimizer(rng, &mut config);
    config
}

fn pick<'a, T>(rng: &mut ChaCha8Rng, choices: &'a [T]) -> &'a T {
    choices.choose(rng).expect("a choice of nothing")
}

fn draw_hyper(rng: &mut ChaCha8Rng, config: &mut Config) {
    let trained = rng.random_range(1..=12.min(2 + 2000 / config.weights()));
    let more = *pick(rng, &[0, 0, 1, 5, 288]);
    let mut rate = || match rng.random_range(0..6) {
        0 => 0.0,
        1 => 1.0,
        2 => 0.5,
        _ => f64::from(rng.random_range(0..=100)) / 100.0,
    };
    let (alpha_0, alpha_end) = (rate(), rate());
    config.trained = trained;
    config.batches = rng.random_range(1..=6);
    config.hyper = Hyper {
        epochs: trained + more,
        alpha_0,
        alpha_end,
        lambda: *pick(rng, &[0.5, 0.75, 0.9, 1.0, 1.0 / 3.0]),
        eps: *pick(rng, &[0.0, 5.5e-5, 0.015_625, 0.02, 0.0625, 0.5]),
        chunks: config.weights().min(*pick(rng, &[1, 1, 2, 3, 7])),
        lr: *pick(rng, &[0.05, 0.1]),
        momentum: *pick(rng, &[0.0, 0.9, 0.9]),
        weight_decay: *pick(rng, &[0.0, 5e-4]),
        batch_size: *pick(rng, &[1, 3, 8]),
    };
    config.planted = config.hyper.eps;
}

/// Nothing but the defaults, one other value, or any combination.
fn draw_reading(rng: &mut ChaCha8Rng, config: &mut Config) {
    let others = match rng.random_range(0..4) {
        0 => 0,
        1 => 1,
        _ => READINGS.len(),
    };
    let mut reading = Reading::default();
    for _ in 0..others {
        let (key, values) = *pick(rng, &READINGS);
        reading.set(key, pick::<&str>(rng, values));
    }
    config.reading = reading;
    take_in_biases(config);
}

/// W as the reading has it: there are weights and biases alone, so two of the three take in everything.
pub fn take_in_biases(config: &mut Config) {
    if !config.reading.is("prunable", "weights") {
        config.parameters.iter_mut().for_each(|p| p.prunable = true);
    }
}

fn draw_gradients(rng: &mut ChaCha8Rng, config: &mut Config) {
    let epochs = config.trained;
    let mut norm = 4.0;
    let (mut norms, mut draws): (Vec<f64>, Vec<usize>) = (Vec::new(), Vec::new());
    for epoch in 0..epochs {
        if epoch > 0 && rng.random_bool(0.15) {
            let earlier = rng.random_range(0..epoch);
            norms.push(norms[earlier]);
            draws.push(draws[earlier]);
            continue;
        }
        norm *= libm::exp2(rng.random_range(-1.2..0.8));
        norms.push(if rng.random_bool(0.03) { 0.0 } else { norm });
        draws.push(epoch);
    }
    config.gradients = Gradients {
        norms,
        draws,
        exponent: -6,
        spread: *pick(rng, &[1.0, 3.0]),
        dead: *pick(rng, &[0.0, 0.1, 0.3]),
        sparse: *pick(rng, &[0.0, 0.3]),
        levels: *pick(rng, &[0, 0, 0, 3, 6]),
        coupling: *pick(rng, &[0.0, 0.0, 1.0]),
    };
}

fn forms(rng: &mut ChaCha8Rng) -> Forms {
    let width = |rng: &mut ChaCha8Rng| if rng.random() { Width::Dtype } else { Width::Wide };
    Forms {
        summed: *pick(rng, &[Summed::PerBatch, Summed::AtEnd]),
        square_sum: *pick(rng, &[SquareSum::FromG, SquareSum::FromGradients]),
        alpha: *pick(rng, &[AlphaForm::Difference, AlphaForm::ProductFirst, AlphaForm::Weighted]),
        alpha_width: width(rng),
        rank_width: width(rng),
        lerp: *pick(rng, &[LerpForm::FromLow, LerpForm::FromNearer, LerpForm::Convex]),
        lerp_width: width(rng),
        mean_width: width(rng),
        power: *pick(rng, &[PowerForm::Repeated, PowerForm::Squaring, PowerForm::Powf, PowerForm::OnWeight]),
        power_width: width(rng),
        eps: *pick(rng, &[EpsOf::Rounded, EpsOf::Decimal, EpsOf::DecimalAgainstUnrounded]),
        cosine: *pick(rng, &[CosineForm::Closed, CosineForm::Recursive]),
    }
}

/// Sums wider or much narrower than the dtype, and gradients so small that their squares are subnormal.
fn draw_arithmetic(rng: &mut ChaCha8Rng, config: &mut Config) {
    let is_f32 = config.arithmetic.dtype == Precision::F32;
    match rng.random_range(0..8) {
        0 if is_f32 => config.arithmetic.sums = Precision::F64,
        0 => config.arithmetic.sums = Precision::F32,
        1 if is_f32 => coarse_sums(config),
        2 => tiny(config, true),
        3 => tiny(config, false),
        _ => {}
    }
}

/// Sums in bf16: of few enough terms that a bound exists.
pub fn coarse_sums(config: &mut Config) {
    config.parameters = parameters(1);
    config.arithmetic.sums = Precision::Bf16;
    config.arithmetic.order = Order::Pairwise;
    config.batches = config.batches.min(4);
    take_in_biases(config);
}

/// What the header declares of the steps: nothing in half of the ports.
fn draw_optimizer(rng: &mut ChaCha8Rng, config: &mut Config) {
    if rng.random() {
        return;
    }
    let size = libm::ldexp(1.0, config.gradients.exponent + 2);
    config.optimizer = Optimizer {
        rule: *pick(rng, &[Rule::Sgd, Rule::Sgd, Rule::Sgd, Rule::Adam, Rule::AdamW]),
        clip: *pick(rng, &[None, Some(Clip::Norm(8.0 * size)), Some(Clip::Norm(0.3 * size)), Some(Clip::Value(size))]),
        clips_first: rng.random(),
        schedule: *pick(
            rng,
            &[Schedule::Cosine, Schedule::Constant, Schedule::WarmUp { told: true }, Schedule::WarmUp { told: false }],
        ),
        nesterov: rng.random(),
        decays_weights_only: rng.random(),
    };
}

/// Squares around the smallest normal number.
pub fn tiny(config: &mut Config, ftz: bool) {
    config.gradients.exponent = config.arithmetic.dtype.least_exponent() / 2 - 7;
    config.gradients.spread = 3.0;
    config.arithmetic.ftz = ftz;
}

fn draw_recording(rng: &mut ChaCha8Rng, config: &mut Config) {
    let dtype = config.arithmetic.dtype;
    let recording = &mut config.recording;
    recording.hex_floats = rng.random_bool(0.3);
    recording.negative_zeros = rng.random_bool(0.2);
    recording.clears_selected = rng.random();
    recording.rewind_after_pruning = rng.random();
    recording.weights_within = rng.random_bool(0.3);
    recording.masks_gradients = !config.reading.is("masked_gradient", "dense") && rng.random();
    if rng.random_bool(0.15) {
        recording.floats = Store::As(Precision::F64);
        recording.gradients = Store::As(Precision::F64);
    }
    if config.forms.alpha_width == Width::Wide && rng.random() {
        recording.alpha = Store::As(Precision::F64);
    }
    let small = config.gradients.exponent < -6;
    match rng.random_range(0..10) {
        0 if !small => recording.gradients = Store::As(Precision::Bf16),
        1 if !small => recording.gradients = Store::As(Precision::F16),
        2 if dtype == Precision::F64 && !small => recording.gradients = Store::As(Precision::F32),
        3 if dtype == Precision::F64 && !small => {
            recording.floats = Store::As(Precision::F32);
            recording.gradients = Store::As(Precision::F32);
            recording.alpha = Store::As(Precision::F32);
        }
        _ => {}
    }
    recording.uses_recorded_gradients = rng.random();
    draw_omissions(rng, recording);
}

fn draw_omissions(rng: &mut ChaCha8Rng, recording: &mut Recording) {
    match rng.random_range(0..8) {
        0 => recording.omitted = KINDS.into_iter().filter(|_| rng.random_bool(0.5)).collect(),
        1 => recording.omitted = vec![*pick::<&str>(rng, &KINDS)],
        2 => recording.omitted = vec!["grad"],
        3 => recording.omitted = vec!["init", "weights_before", "weights_after", "rewind"],
        4 => {
            let scalars = ["S_abs", "S_sq", "S_F", "min_before", "k_star", "alpha", "tau", "t", "chunk_quantiles"];
            recording.omitted = KINDS.into_iter().filter(|kind| !scalars.contains(kind)).collect();
        }
        _ => {}
    }
    // A parameter of the header without any tensor is an error.
    let own = ["init", "grad", "weights_before", "mask_before", "G", "rewind", "selected", "weights_after", "mask"];
    if own.iter().all(|kind| recording.omitted.contains(kind)) {
        recording.omitted.retain(|kind| *kind != "mask");
    }
    if rng.random_bool(0.1) {
        recording.every = 2;
    }
}
