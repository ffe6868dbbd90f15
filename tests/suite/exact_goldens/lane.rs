//! The cases of the exact lane, and how each is made.
//!
//! Gradients are integers of at most 3; one weight's are chosen so that S_sq is the square of the case's next S_F
//! (every number is a sum of four squares). Rates are multiples of 1/16, so that ranks have at most four bits after the
//! point, and weights have a few bits.

use crate::common::traces::{self, Tensors, floats};
use gdstar::oracle::replay::replay_trace;
use gdstar::paper::Hyperparameters;
use gdstar::paper::reading::*;
use gdstar::paper::rewind::REWIND_PROBABILITY;
use gdstar::scalar::Dtype;
use gdstar::tensor_file::Tensor;
use gdstar::trace::{Arithmetic, Header, Kept, Optimizer, SgdHyperparameters, TracedMethod};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

/// A case: its reading and hyper-parameters.
pub struct Lane {
    pub name: &'static str,
    pub reading: Reading,
    /// K, a power of two.
    epochs: usize,
    chunks: usize,
    pub lambda: f64,
    pub eps: f64,
    seed: u64,
}

/// The choices that most cases make.
const READING: Reading = Reading {
    epoch_origin: EpochOrigin::Zero,
    quantile: QuantileRule::Linear,
    chunking: Chunking::NearEqual,
    masked_gradient: MaskedGradient::Dense,
    prunable: Prunable::Weights,
    rewind_copy: RewindCopy::Copy,
    decay_step: DecayStep::SinceRewind,
    threshold: Threshold::Selected,
    momentum_on_prune: MomentumOnPrune::Zero,
    gradient: GradientOf::Loss,
    rewind_update: RewindUpdate::BeforePruning,
    learning_rate: LearningRateStep::PerEpoch,
    last_batch: LastBatch::Keep,
    evaluation: Evaluation::AfterPruning,
    initial_weights: InitialWeights::Uniform,
    decayed: Decayed::All,
};

const fn lane(name: &'static str, seed: u64, chunks: usize, reading: Reading) -> Lane {
    Lane { name, reading, epochs: 8, chunks, lambda: 0.5, eps: 0.25, seed }
}

/// With lambda = 3/4, and eps = (3/4)^2, which 1, 3/4 and 9/16 reach after 2, 1 and 0 steps.
const fn three_quarters(lane: Lane) -> Lane {
    Lane { lambda: 0.75, eps: 0.5625, epochs: 4, ..lane }
}

pub const LANES: &[Lane] = &[
    lane("default", 201, 1, READING),
    three_quarters(lane("three-quarters", 202, 2, READING)),
    lane("chunks", 203, 4, READING),
    lane("ceil-chunks", 204, 9, Reading { chunking: Chunking::Ceil, ..READING }),
    lane("zero", 205, 2, Reading { masked_gradient: MaskedGradient::Zero, ..READING }),
    lane("excluded", 206, 2, Reading { masked_gradient: MaskedGradient::Excluded, ..READING }),
    three_quarters(lane(
        "excluded-midpoint",
        207,
        4,
        Reading { masked_gradient: MaskedGradient::Excluded, quantile: QuantileRule::Midpoint, ..READING },
    )),
    lane("lower", 208, 1, Reading { quantile: QuantileRule::Lower, ..READING }),
    lane("higher", 209, 2, Reading { quantile: QuantileRule::Higher, ..READING }),
    lane("nearest", 210, 1, Reading { quantile: QuantileRule::Nearest, ..READING }),
    lane("midpoint", 211, 2, Reading { quantile: QuantileRule::Midpoint, ..READING }),
    lane("from-1", 212, 1, Reading { epoch_origin: EpochOrigin::One, ..READING }),
    lane("after-pruning", 213, 1, Reading { rewind_update: RewindUpdate::AfterPruning, ..READING }),
    lane("alias", 214, 1, Reading { rewind_copy: RewindCopy::Alias, ..READING }),
    lane("threshold-all", 215, 1, Reading { threshold: Threshold::All, ..READING }),
    lane("constant-step", 216, 1, Reading { decay_step: DecayStep::Constant, ..READING }),
    lane("epoch-step", 217, 1, Reading { decay_step: DecayStep::Epoch, ..READING }),
    lane("iteration-step", 218, 1, Reading { decay_step: DecayStep::Iteration, ..READING }),
    lane("rewind-epoch-step", 219, 1, Reading { decay_step: DecayStep::RewindEpoch, ..READING }),
    Lane { epochs: 1, ..lane("stepped", 220, 1, Reading { gradient: GradientOf::LossAndDecay, ..READING }) },
];

/// Batches an epoch.
const BATCHES: usize = 4;
/// W, then a bias that is not part of it.
const SHAPES: [(&str, &[usize]); 3] = [("a.weight", &[4, 6]), ("b.weight", &[8]), ("b.bias", &[3])];
/// The S_F of the epochs: a minimum, met again, and passed.
const NORMS: [u32; 8] = [52, 48, 48, 60, 44, 44, 48, 44];

/// A trace: its header and its tensors.
type Traced = (Value, Tensors);

impl Lane {
    /// Whether weights are stepped from `init`, with weight decay in G.
    pub fn steps(&self) -> bool {
        self.reading.gradient == GradientOf::LossAndDecay
    }

    fn header(&self) -> Header {
        let (epochs, lambda, eps, chunks) = (self.epochs, self.lambda, self.eps, self.chunks);
        let sgd = SgdHyperparameters { lr: 0.5, momentum: 0.5, weight_decay: 0.5 };
        Header {
            label_smoothing: 0.0,
            method: TracedMethod::Gdstar,
            producer: format!("golden/exact/{}", self.name),
            arithmetic: Arithmetic::of(Dtype::F32),
            declares_rounding: false,
            hyper: Hyperparameters { epochs, alpha_0: 0.75, alpha_end: 0.25, lambda, eps, chunks },
            rewind_probability: REWIND_PROBABILITY,
            rewinds_at: None,
            sgd: self.steps().then_some(sgd),
            batch_size: None,
            optimizer: Optimizer::default(),
            reading: self.reading,
            declares_last_batch: false,
            model: None,
            dataset: None,
            params: SHAPES[..2].iter().map(|(name, _)| name.to_string()).collect(),
            not_prunable: Vec::new(),
            kept: Kept::default(),
            replayed: false,
            unknown: Vec::new(),
        }
    }

    /// A weight with a few bits: those that reach eps after some steps most often, and zeros of both signs.
    fn weight(&self, rng: &mut ChaCha8Rng) -> f32 {
        let t = rng.random_range(0..6);
        let reaches = if self.lambda == 0.5 { 0.25 * f64::from(1 << t) } else { [0.5625, 0.75, 1.0][t as usize % 3] };
        let size = [reaches, reaches, 0.125, 3.0, 0.375, 0.0][rng.random_range(0..6)];
        (if rng.random() { -size } else { size }) as f32
    }

    /// The input, and the full trace that follows.
    pub fn build(&self) -> (Traced, Traced) {
        let rng = &mut ChaCha8Rng::seed_from_u64(self.seed);
        let header = self.header().to_json();
        let mut input = Tensors::new();
        for (name, shape) in SHAPES {
            let mut values: Vec<f32> = (0..shape.iter().product()).map(|_| self.weight(rng)).collect();
            if self.steps() {
                values.iter_mut().for_each(|w| *w = rng.random_range(-3..=3) as f32 * 2.0);
            }
            input.insert(format!("init/{name}"), Tensor::from_slice(shape, &values));
        }
        let first = self.reading.epoch_origin.first();
        for k in first..first + self.epochs {
            let alive = self.alive_before(k, &header, &input);
            self.epoch(rng, k, &alive, &mut input);
        }
        let (full_header, full) = replayed(&header, &input);
        let single = |tensor: &Tensor| {
            if tensor.dtype != safetensors::Dtype::F64 {
                return tensor.clone();
            }
            let values: Vec<f32> = tensor.numbers().into_iter().map(|x| x as f32).collect();
            assert_eq!(values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), tensor.numbers(), "{}", self.name);
            Tensor::from_slice(&tensor.shape, &values)
        };
        let full = full.iter().map(|(name, tensor)| (name.clone(), single(tensor))).collect();
        let full_header =
            Header { producer: self.header().producer, arithmetic: Arithmetic::of(Dtype::F32), ..full_header };
        ((header, input), (full_header.to_json(), full))
    }

    /// What earlier epochs leave alive, flat over W.
    fn alive_before(&self, k: usize, header: &Value, input: &Tensors) -> Vec<bool> {
        if k == self.reading.epoch_origin.first() {
            return vec![true; 32];
        }
        let (_, full) = replayed(header, input);
        SHAPES[..2]
            .iter()
            .flat_map(|(name, _)| floats(&full, &format!("epoch/{}/mask/{name}", k - 1)))
            .map(|m| m == 1.0)
            .collect()
    }

    /// The tensors of an epoch.
    fn epoch(&self, rng: &mut ChaCha8Rng, k: usize, alive: &[bool], input: &mut Tensors) {
        let mut weights: Vec<f32> = (0..32).map(|_| self.weight(rng)).collect();
        weights[0] = 4.0; // never below eps, and, by its G, never selected
        weights[1] = -0.0;
        for (w, _) in weights.iter_mut().zip(alive).filter(|(_, alive)| !**alive) {
            *w = 0.0;
        }
        let mut batches: Vec<Vec<f32>> = (0..BATCHES)
            .map(|_| (0..32).map(|_| [0, 0, 1, -1, 2, -2, 3][rng.random_range(0..7)] as f32).collect())
            .collect();
        let counts = |j: usize| self.reading.masked_gradient == MaskedGradient::Dense || alive[j];
        let others: u32 =
            (1..32).filter(|&j| counts(j)).map(|j| batches.iter().map(|b| (b[j] * b[j]) as u32).sum::<u32>()).sum();
        let norm = NORMS[(k - self.reading.epoch_origin.first()) % NORMS.len()];
        if self.steps() {
            self.square_the_stepped(norm, &mut batches, input);
        } else {
            let parts = four_squares(norm * norm - others);
            batches.iter_mut().zip(parts).for_each(|(batch, part)| batch[0] = part as f32);
        }
        for (i, batch) in batches.iter().enumerate() {
            let bias: Vec<f32> = (0..3).map(|_| rng.random_range(-3..=3) as f32).collect();
            for ((name, shape), values) in SHAPES.iter().zip([&batch[..24], &batch[24..], &bias]) {
                input.insert(format!("epoch/{k}/batch/{i}/grad/{name}"), Tensor::from_slice(shape, values));
            }
        }
        if !self.steps() {
            let bias: Vec<f32> = (0..3).map(|_| self.weight(rng)).collect();
            for ((name, shape), values) in SHAPES.iter().zip([&weights[..24], &weights[24..], &bias]) {
                input.insert(format!("epoch/{k}/weights_before/{name}"), Tensor::from_slice(shape, values));
            }
        }
    }

    /// With weight decay in G and SGD's steps between the batches, the first step's gradient of one weight is all that
    /// makes S_sq a square: the other weights' gradients undo their decay but for whole numbers.
    fn square_the_stepped(&self, norm: u32, batches: &mut [Vec<f32>], input: &Tensors) {
        let start: Vec<f64> = [floats(input, "init/a.weight"), floats(input, "init/b.weight")].concat();
        let (mut w, mut b) = (start.clone(), vec![0.0; 32]);
        let mut others = 0.0;
        for batch in batches.iter_mut() {
            for j in 1..32 {
                // The gradient with decay is the whole number drawn, and what is recorded has a few bits.
                let whole = f64::from(batch[j]);
                batch[j] = (whole - 0.5 * w[j]) as f32;
                others += whole * whole;
                b[j] = 0.5 * b[j] + whole;
                w[j] -= 0.5 * b[j];
            }
        }
        let parts = four_squares(norm * norm - others as u32);
        for (batch, part) in batches.iter_mut().zip(parts) {
            let whole = f64::from(part);
            batch[0] = (whole - 0.5 * w[0]) as f32;
            b[0] = 0.5 * b[0] + whole;
            w[0] -= 0.5 * b[0];
        }
    }
}

/// Four numbers whose squares add up to `n` (Lagrange), the largest first.
fn four_squares(n: u32) -> [u32; 4] {
    let root = |n: u32| n.isqrt();
    for a in (0..=root(n)).rev() {
        for b in (0..=root(n - a * a)).rev() {
            let rest = n - a * a - b * b;
            for c in (0..=root(rest)).rev() {
                let d = root(rest - c * c);
                if c * c + d * d == rest {
                    return [a, b, c, d];
                }
            }
        }
    }
    unreachable!("{n} is a sum of four squares")
}

fn replayed(header: &Value, input: &Tensors) -> (Header, Tensors) {
    let mut full = Tensors::new();
    let trace = traces::open(header, input).unwrap();
    let replayed = replay_trace(&trace, &mut full, &mut |_, _| ()).unwrap();
    (replayed.header, full)
}
