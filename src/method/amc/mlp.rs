//! [`Mlp`]: two hidden layers with ReLU, as the agent's actor and critic are; and [`Adam`], which trains it.

use crate::error::Result;
use crate::kernel::Kernel;
use crate::nn::Init;
use crate::ops::{Linear, Relu, Sigmoid};
use crate::tape::{Gradients, Tape, Var};
use ndarray::ArrayD;
use rand_chacha::ChaCha8Rng;

/// A perceptron `[n,inputs]` -> `[n,1]`: three linear layers, ReLU after the first two.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    /// Weight `[out,in]` and bias `[out]` of each layer.
    pub parameters: Vec<ArrayD<f64>>,
    /// Whether the output goes through a sigmoid.
    pub is_bounded: bool,
}

impl Mlp {
    /// First weights as PyTorch draws those of linear layers: uniform within 1 / sqrt(inputs).
    pub fn new(inputs: usize, hidden: usize, is_bounded: bool, rng: &mut ChaCha8Rng) -> Self {
        let mut parameters = Vec::new();
        for (inputs, outputs) in [(inputs, hidden), (hidden, hidden), (hidden, 1)] {
            let init = Init::Uniform { bound: 1.0 / (inputs as f64).sqrt() };
            parameters.extend([vec![outputs, inputs], vec![outputs]].map(|shape| init.draw(&shape, rng)));
        }
        Self { parameters, is_bounded }
    }

    /// Puts the parameters on a tape; gradients flow to them if they are `trained`.
    pub fn leaves<'p>(&'p self, tape: &mut Tape<'p, f64>, trained: bool) -> Vec<Var> {
        self.parameters.iter().map(|parameter| tape.leaf(parameter, trained)).collect()
    }

    /// The output for x, with the parameters at `leaves`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if x has another number of columns than the perceptron has inputs.
    pub fn forward(&self, tape: &mut Tape<f64>, leaves: &[Var], x: Var) -> Result<Var> {
        let mut value = x;
        for (layer, parameters) in leaves.chunks(2).enumerate() {
            if layer > 0 {
                value = tape.apply_one(Relu, &[value])?;
            }
            value = tape.apply_one(Linear, &[&[value], parameters].concat())?;
        }
        if self.is_bounded { tape.apply_one(Sigmoid, &[value]) } else { Ok(value) }
    }

    /// The outputs `[n,1]` for x `[n,inputs]`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn evaluate(&self, kernel: Kernel, x: ArrayD<f64>) -> Result<ArrayD<f64>> {
        let mut tape = Tape::new(kernel);
        let leaves = self.leaves(&mut tape, false);
        let x = tape.leaf(x, false);
        let y = self.forward(&mut tape, &leaves, x)?;
        Ok(tape.take(y))
    }

    /// theta <- (1 - tau) theta + tau theta', of `other`.
    pub fn follow(&mut self, other: &Self, tau: f64) {
        for (own, other) in self.parameters.iter_mut().zip(&other.parameters) {
            own.zip_mut_with(other, |own, &other| *own = (1.0 - tau) * *own + tau * other);
        }
    }
}

/// Adam (Kingma, Ba 2015) with its usual constants; m and v of each parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    pub learning_rate: f64,
    moments: Vec<[ArrayD<f64>; 2]>,
    /// beta_1^t and beta_2^t.
    powers: [f64; 2],
}

/// The decay of each moment.
const BETAS: [f64; 2] = [0.9, 0.999];
/// What keeps the quotient finite.
const EPS: f64 = 1e-8;

impl Adam {
    pub fn new(mlp: &Mlp, learning_rate: f64) -> Self {
        let zeros = |parameter: &ArrayD<f64>| [(); 2].map(|()| ArrayD::from_elem(parameter.shape(), 0.0));
        Self { learning_rate, moments: mlp.parameters.iter().map(zeros).collect(), powers: [1.0; 2] }
    }

    /// One step, of gradients that are at `leaves`:
    /// m <- b_1 m + (1 - b_1) g, v <- b_2 v + (1 - b_2) g^2, w <- w - eta (m / (1 - b_1^t)) / (sqrt(v / (1 - b_2^t)) + eps).
    pub fn step(&mut self, mlp: &mut Mlp, gradients: &mut Gradients<f64>, leaves: &[Var]) {
        self.powers.iter_mut().zip(BETAS).for_each(|(power, beta)| *power *= beta);
        let [of_m, of_v] = self.powers.map(|power| 1.0 - power);
        for ((w, [m, v]), &leaf) in mlp.parameters.iter_mut().zip(&mut self.moments).zip(leaves) {
            let Some(gradient) = gradients.take(leaf) else { continue };
            for (((w, m), v), &g) in w.iter_mut().zip(m).zip(v).zip(&gradient) {
                *m = BETAS[0] * *m + (1.0 - BETAS[0]) * g;
                *v = BETAS[1] * *v + (1.0 - BETAS[1]) * g * g;
                *w -= self.learning_rate * (*m / of_m) / ((*v / of_v).sqrt() + EPS);
            }
        }
    }
}
