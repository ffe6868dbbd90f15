//! [`Story`]: what a method did in an epoch, in its own quantities.

use super::Measured;
use super::quantity::{Number, Numbers, Quantity};
use crate::scalar::Scalar;
use ndarray::ArrayD;

/// The value of a quantity.
#[derive(Debug, Clone, PartialEq)]
pub enum Told<S> {
    Count(usize),
    /// A number in f64, whatever the run computes in.
    Real(f64),
    /// A number as the run computes it.
    Number(S),
    Numbers(Vec<S>),
    Counts(Vec<usize>),
    Name(&'static str),
    /// One flag for each of some parts.
    FlagList(Vec<bool>),
    /// An array of each of some layers or parameters, by name.
    Arrays(Vec<(String, ArrayD<S>)>),
    /// A list of flags of each of some parameters, by name.
    FlagLists(Vec<(String, Vec<bool>)>),
    /// One number a weight, flat over W.
    PerWeight(Vec<S>),
    /// One flag a weight, flat over W.
    Flags(Vec<bool>),
}

/// The quantities of an epoch.
#[derive(Debug, Clone, Default)]
pub struct Story<S> {
    /// Whether someone records what is too large for metrics.
    pub recorded: bool,
    /// The run's sparsity where it is not the share of eliminated weights.
    pub sparsity: Option<f64>,
    /// What the run is asked to measure besides.
    pub measured: Measured,
    told: Vec<(&'static Quantity, Told<S>)>,
}

impl<S: Scalar> Story<S> {
    /// An empty one.
    pub fn new(recorded: bool) -> Self {
        Self { recorded, sparsity: None, measured: Measured::default(), told: Vec::new() }
    }

    /// Adds a quantity.
    pub fn tell(&mut self, quantity: &'static Quantity, value: Told<S>) {
        self.told.push((quantity, value));
    }

    /// Adds a quantity where someone records it.
    pub fn record(&mut self, quantity: &'static Quantity, value: impl FnOnce() -> Told<S>) {
        if self.recorded {
            self.tell(quantity, value());
        }
    }

    /// What is told of a quantity.
    pub fn get(&self, quantity: &Quantity) -> Option<&Told<S>> {
        self.told.iter().find(|(told, _)| std::ptr::eq(*told, quantity)).map(|(_, value)| value)
    }

    /// The numbers for the metrics.
    pub fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::default();
        for (quantity, value) in &self.told {
            let number = match value {
                Told::Count(n) => Number::Count(*n),
                Told::Real(x) => Number::Real(*x),
                Told::Number(x) => Number::Real(x.to_f64()),
                Told::Name(name) => Number::Name(name),
                Told::Numbers(_)
                | Told::Counts(_)
                | Told::FlagList(_)
                | Told::Arrays(_)
                | Told::FlagLists(_)
                | Told::PerWeight(_)
                | Told::Flags(_) => continue,
            };
            if let Some(key) = quantity.key {
                numbers.set(key, number);
            }
        }
        numbers
    }
}
