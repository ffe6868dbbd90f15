//! The inputs of the method goldens: cases in which rounding is hard, and ordinary ones, from explicit seeds.

mod decay;
mod norms;
mod selection;

use gdstar::oracle::exact::case::{Case, Input};
use gdstar::paper::reading::Reading;
use ndarray::ArrayD;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Builds a case.
struct Builder(Case);

impl Builder {
    fn new(name: &str) -> Self {
        Self::read(name, Reading::default())
    }

    fn read(name: &str, reading: Reading) -> Self {
        Self(Case { name: name.to_string(), reading, inputs: Default::default() })
    }

    fn with(mut self, name: &str, input: Input) -> Self {
        self.0.inputs.insert(name.to_string(), input);
        self
    }

    fn floats(self, name: &str, values: &[f64]) -> Self {
        self.with(name, Input::Floats(ArrayD::from_shape_vec(vec![values.len()], values.to_vec()).unwrap()))
    }

    fn rows(self, name: &str, rows: &[Vec<f64>]) -> Self {
        let shape = vec![rows.len(), rows[0].len()];
        self.with(name, Input::Floats(ArrayD::from_shape_vec(shape, rows.concat()).unwrap()))
    }

    fn counts(self, name: &str, values: &[usize]) -> Self {
        self.with(name, Input::Integers(values.iter().map(|&n| n as i64).collect()))
    }

    fn flags(self, name: &str, values: &[bool]) -> Self {
        self.with(name, Input::Flags(values.to_vec()))
    }
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn two_to(e: i32) -> f64 {
    libm::ldexp(1.0, e)
}

/// Numbers with full significands and sizes between 2^low and 2^high, of either sign.
fn wide(rng: &mut ChaCha8Rng, n: usize, low: i32, high: i32) -> Vec<f64> {
    let number = |rng: &mut ChaCha8Rng| {
        let significand = 1.0 + (rng.random::<u64>() >> 12) as f64 * f64::EPSILON;
        let size = libm::ldexp(significand, rng.random_range(low..high));
        if rng.random() { -size } else { size }
    };
    (0..n).map(|_| number(rng)).collect()
}

/// The same in `f32`.
fn single(rng: &mut ChaCha8Rng, n: usize, low: i32, high: i32) -> Vec<f64> {
    wide(rng, n, low, high).into_iter().map(|x| f64::from(x as f32)).collect()
}

fn positive(values: Vec<f64>) -> Vec<f64> {
    values.into_iter().map(f64::abs).collect()
}

/// Multiples of the smallest number, some of them 0.
fn subnormal(rng: &mut ChaCha8Rng, n: usize) -> Vec<f64> {
    let number = |rng: &mut ChaCha8Rng| {
        let bits = rng.random_range(1..52);
        f64::from_bits(rng.random_range(0..1_u64 << bits))
    };
    (0..n).map(|_| number(rng)).collect()
}

/// The files: an equation's name and its cases.
pub fn all() -> Vec<(&'static str, Vec<Case>)> {
    let files = [
        ("eq1", norms::eq1()),
        ("eq2", norms::eq2()),
        ("eq3", norms::eq3()),
        ("eq4", norms::eq4()),
        ("eq5", selection::eq5()),
        ("eq6", selection::eq6()),
        ("eq7", selection::eq7()),
        ("eq8", selection::eq8()),
        ("eq9", decay::eq9()),
        ("eq10", decay::eq10()),
        ("eq11", decay::eq11()),
        ("alg4", norms::alg4()),
        ("alg5", selection::alg5()),
        ("alg6", decay::alg6()),
    ];
    files.map(|(name, cases)| (name, cases.into_iter().map(|builder| builder.0).collect())).into()
}
