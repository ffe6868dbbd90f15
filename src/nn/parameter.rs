//! Parameters and buffers: names, roles, values, initial values.

use crate::kernel::Pattern;
use crate::ops::WeightGradient;
use crate::paper::reading::{Decayed, InitialWeights, Prunable};
use crate::random::normal;
use crate::scalar::Scalar;
use ndarray::{ArrayD, CowArray, IxDyn};
use rand::distr::{Distribution, Uniform};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// What a parameter is to its layer, which decides whether it is trained and whether it may be pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A linear or convolution weight.
    Weight,
    /// Their bias.
    Bias,
    /// Batch norm's scale (PyTorch's `weight`).
    Scale,
    /// Batch norm's shift (PyTorch's `bias`).
    Shift,
    /// Batch norm's running mean or variance: a buffer, not trained.
    RunningMean,
    RunningVariance,
}

impl Role {
    /// Whether the optimizer steps it.
    pub fn is_trained(self) -> bool {
        !matches!(self, Self::RunningMean | Self::RunningVariance)
    }

    /// Whether weight decay acts on it (open point 22).
    pub fn is_decayed(self, reading: Decayed) -> bool {
        match reading {
            Decayed::All => self.is_trained(),
            Decayed::Weights => self == Self::Weight,
        }
    }

    /// Whether it belongs to W (open point 6).
    pub fn is_prunable(self, reading: Prunable) -> bool {
        match reading {
            Prunable::Weights => self == Self::Weight,
            Prunable::WeightsAndBiases => matches!(self, Self::Weight | Self::Bias),
            Prunable::All => self.is_trained(),
        }
    }
}

/// How a parameter gets its first value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Uniform in `[-bound, bound]`.
    Uniform { bound: f64 },
    /// Every entry the same.
    Constant(f64),
}

impl Init {
    /// An array of this shape, drawn row-major in f64 and rounded to S.
    pub(crate) fn draw<S: Scalar>(self, shape: &[usize], rng: &mut ChaCha8Rng) -> ArrayD<S> {
        match self {
            Self::Constant(c) => ArrayD::from_elem(shape, S::from_f64(c)),
            // `bound` is finite and positive by construction (1 / sqrt(fan_in)), so the range is never empty.
            Self::Uniform { bound } => match Uniform::new_inclusive(-bound, bound) {
                Ok(uniform) => ArrayD::from_shape_simple_fn(shape, || S::from_f64(uniform.sample(rng))),
                Err(_) => ArrayD::from_elem(shape, S::ZERO),
            },
        }
    }
}

/// A parameter before it has a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub name: String,
    pub role: Role,
    pub shape: Vec<usize>,
    pub init: Init,
}

impl Spec {
    /// How many entries it has.
    pub fn entries(&self) -> usize {
        self.shape.iter().product()
    }

    /// Draws the first value. Draws are made in f64, row-major, and rounded to S, so that every precision starts from the
    /// same numbers. `weights`: how those of convolutions and linear layers are drawn (open point 21).
    pub(super) fn initialise<S: Scalar>(self, rng: &mut ChaCha8Rng, weights: InitialWeights) -> Parameter<S> {
        let value = match self.init {
            _ if self.role == Role::Weight && weights == InitialWeights::Normal => {
                let fan_in: usize = self.shape.iter().skip(1).product();
                let sigma = (2.0 / fan_in as f64).sqrt();
                ArrayD::from_shape_simple_fn(self.shape, || S::from_f64(sigma * normal(rng)))
            }
            init => init.draw(&self.shape, rng),
        };
        Parameter::new(self.name, self.role, value)
    }
}

/// A named array of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter<S> {
    /// PyTorch's `state_dict` name: `layer1.0.conv1.weight`.
    pub name: String,
    pub role: Role,
    /// Of the parameter's shape; while it is compressed, the living values `[nnz]`.
    pub value: ArrayD<S>,
    /// Of a weight of which only the living entries are stored: then its layer is evaluated by a sparse op.
    pub compression: Option<Compression>,
}

/// How a compressed weight is stored, and what its gradient is.
#[derive(Debug, Clone, PartialEq)]
pub struct Compression {
    pub pattern: Arc<Pattern>,
    pub gradient: WeightGradient,
}

impl<S: Scalar> Parameter<S> {
    /// A parameter that is stored as it is.
    pub fn new(name: impl Into<String>, role: Role, value: ArrayD<S>) -> Self {
        Self { name: name.into(), role, value, compression: None }
    }

    /// Which entries are stored; `None` if all are.
    pub fn pattern(&self) -> Option<&Arc<Pattern>> {
        self.compression.as_ref().map(|compression| &compression.pattern)
    }

    /// Keeps the living entries alone.
    pub fn compress(&mut self, compression: Compression) {
        self.expand();
        compress(&mut self.value, &compression.pattern);
        self.compression = Some(compression);
    }

    /// Brings the parameter back into its own shape, +0 where no entry lived.
    pub fn expand(&mut self) {
        if let Some(Compression { pattern, .. }) = self.compression.take() {
            expand(&mut self.value, &pattern);
        }
    }

    /// `array`, which lies as the parameter or its gradient does, in the parameter's own shape.
    pub fn in_full<'a>(&self, array: &'a ArrayD<S>) -> CowArray<'a, S, IxDyn> {
        match self.pattern() {
            Some(pattern) if array.shape() == [pattern.nnz()] => {
                pattern.scatter(array.as_slice().unwrap_or_default()).into()
            }
            _ => array.into(),
        }
    }
}

/// Replaces a weight, or what is kept beside it, by its living entries `[nnz]`.
pub(crate) fn compress<S: Scalar>(array: &mut ArrayD<S>, pattern: &Pattern) {
    let values = pattern.gather(array.as_standard_layout().as_slice().unwrap_or_default());
    *array = ndarray::Array1::from(values).into_dyn();
}

/// The contrary of [`compress`]: +0 where no entry lives.
pub(crate) fn expand<S: Scalar>(array: &mut ArrayD<S>, pattern: &Pattern) {
    *array = pattern.scatter(array.as_slice().unwrap_or_default());
}

/// All parameters and buffers of a network, in `state_dict` order.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters<S>(Vec<Parameter<S>>);

impl<S: Scalar> Parameters<S> {
    pub fn new(parameters: Vec<Parameter<S>>) -> Self {
        Self(parameters)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Parameter<S>> {
        self.0.iter()
    }

    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Parameter<S>> {
        self.0.iter_mut()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same parameters in another number system, or with other values, all uncompressed.
    pub fn map<T>(&self, value: impl FnMut(&Parameter<S>) -> ArrayD<T>) -> Parameters<T> {
        let mut value = value;
        let parameter =
            |p: &Parameter<S>| Parameter { name: p.name.clone(), role: p.role, value: value(p), compression: None };
        Parameters(self.0.iter().map(parameter).collect())
    }

    /// The parameter of this name.
    pub fn get(&self, name: &str) -> Option<&Parameter<S>> {
        self.0.iter().find(|p| p.name == name)
    }

    /// Positions of the parameters that belong to W, in flattening order.
    pub fn prunable(&self, reading: Prunable) -> Vec<usize> {
        (0..self.0.len()).filter(|&i| self.0[i].role.is_prunable(reading)).collect()
    }

    /// The number of trained entries.
    pub fn trained_count(&self) -> usize {
        self.0.iter().filter(|p| p.role.is_trained()).map(|p| p.value.len()).sum()
    }
}

impl<S> std::ops::Index<usize> for Parameters<S> {
    type Output = Parameter<S>;
    fn index(&self, i: usize) -> &Parameter<S> {
        &self.0[i]
    }
}

impl<S> std::ops::IndexMut<usize> for Parameters<S> {
    fn index_mut(&mut self, i: usize) -> &mut Parameter<S> {
        &mut self.0[i]
    }
}
