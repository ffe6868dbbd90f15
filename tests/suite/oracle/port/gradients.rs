//! Synthetic gradients that look like real ones: sizes over many orders of magnitude, a share of exact zeros, norms
//! that fall and rise from epoch to epoch.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Debug, Clone, PartialEq)]
pub struct Gradients {
    /// Each epoch's factor.
    pub norms: Vec<f64>,
    /// Each epoch's draw; an epoch with an earlier one's draw and factor repeats its gradients exactly.
    pub draws: Vec<usize>,
    /// Every gradient is scaled by 2 to this.
    pub exponent: i32,
    /// Standard deviation of the logarithm (base 2) of a weight's own scale.
    pub spread: f64,
    /// Share of weights whose gradient is always 0.
    pub dead: f64,
    /// Share of zeros among the other gradients.
    pub sparse: f64,
    /// So many distinct sizes only, shared by all weights: G is full of ties. 0: no ties.
    pub levels: usize,
    /// How much of the weight is in its gradient.
    pub coupling: f64,
}

/// About a standard normal: the sum of twelve uniforms less six.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

fn stream(seed: u64, purpose: u64, place: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose << 48 | place as u64);
    rng
}

impl Gradients {
    /// The initial weights of parameter `p`.
    pub fn initial_weights(seed: u64, p: usize, n: usize) -> Vec<f64> {
        let mut rng = stream(seed, 1, p);
        (0..n).map(|_| 0.1 * normal(&mut rng)).collect()
    }

    /// The gradient of batch `batch` of epoch `epoch` (from 0) for parameter `p` with weights `w`, unrounded.
    pub fn of(&self, seed: u64, (epoch, batch, p): (usize, usize, usize), w: &[f64]) -> Vec<f64> {
        let scale = libm::ldexp(self.norms[epoch], self.exponent);
        let draw = self.draws[epoch];
        let mut own = stream(seed, 2, p); // of the weight: the same in every batch
        let mut shared = stream(seed, 3, draw << 16 | batch);
        let mut rng = stream(seed, 4, draw << 24 | batch << 12 | p);
        let common = 0.25 + shared.random::<f64>();
        let gradient = |&w: &f64| {
            let is_dead = own.random::<f64>() < self.dead;
            let size = libm::exp2(self.spread * normal(&mut own));
            let level = own.random_range(0..self.levels.max(1));
            let is_zero = rng.random::<f64>() < self.sparse;
            let noise = normal(&mut rng);
            match (is_dead, self.levels) {
                (true, _) => 0.0,
                (false, 0) if is_zero => 0.0,
                (false, 0) => scale * size * (noise + self.coupling * w),
                (false, _) => scale * common * libm::ldexp(1.0, -(level as i32)) * noise.signum(),
            }
        };
        w.iter().map(gradient).collect()
    }

    /// A batch's loss: any number that falls with the norm.
    pub fn loss(&self, epoch: usize, batch: usize) -> f64 {
        0.1 * self.norms[epoch] + 0.01 / (1.0 + batch as f64)
    }
}
