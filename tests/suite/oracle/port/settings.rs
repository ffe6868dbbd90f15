//! Everything that a run of the port depends on: the method's hyper-parameters and reading, and the free choices that
//! every correct port makes in its own way.

use super::arithmetic::{Order, Precision, Unit};
use super::gradients::Gradients;
use super::optimizer::Optimizer;
use std::collections::BTreeMap;

/// The trace format's table of readings, the default first.
pub const READINGS: [(&str, &[&str]); 13] = [
    ("epoch_origin", &["0", "1"]),
    ("quantile", &["linear", "lower", "higher", "nearest", "midpoint"]),
    ("chunking", &["near-equal", "ceil"]),
    ("masked_gradient", &["dense", "zero", "excluded"]),
    ("prunable", &["weights", "weights+biases", "all"]),
    ("rewind_copy", &["copy", "alias"]),
    ("decay_step", &["k-k*", "constant", "epoch", "iteration", "rewind-epoch"]),
    ("threshold", &["selected", "all"]),
    ("momentum_on_prune", &["zero", "keep", "zero-selected"]),
    ("gradient", &["loss", "loss+decay"]),
    ("rewind_update", &["before-pruning", "after-pruning"]),
    ("learning_rate", &["per-epoch", "per-step"]),
    ("last_batch", &["keep", "drop"]),
];

/// What differs from the defaults of [`READINGS`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading(pub BTreeMap<&'static str, &'static str>);

impl Reading {
    pub fn get(&self, key: &str) -> &'static str {
        self.0.get(key).copied().unwrap_or_else(|| {
            READINGS.iter().find(|(name, _)| *name == key).map(|(_, values)| values[0]).expect("a key of the table")
        })
    }

    pub fn is(&self, key: &str, value: &str) -> bool {
        self.get(key) == value
    }

    pub fn set(&mut self, key: &'static str, value: &'static str) {
        self.0.insert(key, value);
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Hyper {
    pub epochs: usize,
    pub alpha_0: f64,
    pub alpha_end: f64,
    pub lambda: f64,
    pub eps: f64,
    pub chunks: usize,
    pub lr: f64,
    pub momentum: f64,
    pub weight_decay: f64,
    pub batch_size: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<usize>,
    pub prunable: bool,
}

impl Parameter {
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// How the port computes.
#[derive(Debug, Clone, PartialEq)]
pub struct Arithmetic {
    /// The format of every stored result.
    pub dtype: Precision,
    /// The format in which sums are accumulated; declared as `u_acc` where it is not `dtype`.
    pub sums: Precision,
    pub order: Order,
    pub fma: bool,
    pub ftz: bool,
}

impl Arithmetic {
    fn of(&self, precision: Precision) -> Unit {
        // Subnormal numbers of a format wider than the declared one are flushed by nobody.
        Unit { precision, fma: self.fma, ftz: self.ftz && precision.least_exponent() >= self.dtype.least_exponent() }
    }

    pub fn unit(&self) -> Unit {
        self.of(self.dtype)
    }

    pub fn sums(&self) -> Unit {
        self.of(self.sums)
    }

    pub fn width(&self, width: Width) -> Unit {
        match width {
            Width::Dtype => self.unit(),
            Width::Wide => self.of(Precision::F64),
        }
    }
}

/// In the port's dtype, with the decimals rounded to it first, or in `f64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    Dtype,
    Wide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlphaForm {
    /// `alpha_0 + (k / K) (alpha_K - alpha_0)`
    Difference,
    /// `alpha_0 + k (alpha_K - alpha_0) / K`
    ProductFirst,
    /// `(1 - k / K) alpha_0 + (k / K) alpha_K`
    Weighted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LerpForm {
    /// `low + f (high - low)`
    FromLow,
    /// The same, or `high - (1 - f) (high - low)` from f = 1/2 on.
    FromNearer,
    /// `(1 - f) low + f high`
    Convex,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerForm {
    Repeated,
    Squaring,
    Powf,
    /// The weight itself is multiplied by lambda, t times.
    OnWeight,
}

/// When squares are added up to G.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summed {
    PerBatch,
    AtEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SquareSum {
    FromG,
    FromGradients,
}

/// Which eps, and against which of the rounded and the unrounded weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpsOf {
    Rounded,
    Decimal,
    DecimalAgainstUnrounded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CosineForm {
    Closed,
    /// From one epoch's rate to the next, as PyTorch's schedulers do.
    Recursive,
}

/// The form of every formula that can be written in several ways.
#[derive(Debug, Clone, PartialEq)]
pub struct Forms {
    pub summed: Summed,
    pub square_sum: SquareSum,
    pub alpha: AlphaForm,
    pub alpha_width: Width,
    pub rank_width: Width,
    pub lerp: LerpForm,
    pub lerp_width: Width,
    pub mean_width: Width,
    pub power: PowerForm,
    pub power_width: Width,
    pub eps: EpsOf,
    pub cosine: CosineForm,
}

impl Default for Forms {
    fn default() -> Self {
        Self {
            summed: Summed::PerBatch,
            square_sum: SquareSum::FromG,
            alpha: AlphaForm::Difference,
            alpha_width: Width::Wide,
            rank_width: Width::Wide,
            lerp: LerpForm::FromLow,
            lerp_width: Width::Dtype,
            mean_width: Width::Dtype,
            power: PowerForm::Repeated,
            power_width: Width::Wide,
            eps: EpsOf::Decimal,
            cosine: CosineForm::Closed,
        }
    }
}

/// The format of recorded tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    Dtype,
    As(Precision),
}

/// What the port records, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    pub floats: Store,
    pub gradients: Store,
    pub alpha: Store,
    /// The port works with the gradients as recorded, rather than rounding them only for the record.
    pub uses_recorded_gradients: bool,
    /// Gradients of eliminated weights are recorded as 0 (zero and excluded only).
    pub masks_gradients: bool,
    /// `selected` is cleared where the weight was eliminated earlier.
    pub clears_selected: bool,
    /// The weights of every batch are recorded.
    pub weights_within: bool,
    /// W_k* is recorded after the epoch's pruning, which shows in an alias of the live weights alone.
    pub rewind_after_pruning: bool,
    /// Zeros are written as -0.
    pub negative_zeros: bool,
    pub hex_floats: bool,
    /// The kinds of tensors left out: words of [`super::write::KINDS`].
    pub omitted: Vec<&'static str>,
    /// Every so many epochs only (1: all).
    pub every: usize,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            floats: Store::Dtype,
            gradients: Store::Dtype,
            alpha: Store::Dtype,
            uses_recorded_gradients: false,
            masks_gradients: false,
            clears_selected: false,
            weights_within: false,
            rewind_after_pruning: false,
            negative_zeros: false,
            hex_floats: false,
            omitted: Vec::new(),
            every: 1,
        }
    }
}

/// Whose rules the port follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    Gdstar,
    /// W_k* is W_0, always.
    Reset,
    /// W_k* moves where the epoch's draw is below the probability; the draws are taken by turns.
    RandomRewind {
        probability: f64,
        draws: Vec<f64>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub method: Method,
    pub seed: u64,
    pub hyper: Hyper,
    pub reading: Reading,
    pub parameters: Vec<Parameter>,
    pub arithmetic: Arithmetic,
    pub forms: Forms,
    pub gradients: Gradients,
    pub optimizer: Optimizer,
    pub recording: Recording,
    /// Some initial weights are exactly this, of either sign: eps, so that Eq. 9 meets ties.
    pub planted: f64,
    /// Epochs trained, at most `hyper.epochs`.
    pub trained: usize,
    /// N_k.
    pub batches: usize,
}

impl Config {
    /// N: how many weights there are in W.
    pub fn weights(&self) -> usize {
        self.parameters.iter().filter(|p| p.prunable).map(Parameter::len).sum()
    }

    pub fn origin(&self) -> usize {
        usize::from(self.reading.is("epoch_origin", "1"))
    }
}
