//! What a trace records of a quantity that every entry of a parameter has.

use crate::error::Result;
use crate::oracle::interval::Interval;
use crate::trace::{Trace, TracedParameter};

/// A value for every entry of the parameters, as far as it is recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field<T> {
    /// All parameters' entries, one after the other; the default where nothing is recorded.
    pub(crate) values: Vec<T>,
    /// Whether it is recorded, a flag a parameter.
    pub(crate) present: Vec<bool>,
    /// How far, relatively, the values may be from those that the port went on with.
    pub(crate) storage: f64,
    /// Where a parameter's first value that is not finite is (parameter, entry, value): such a parameter does not count
    /// as present.
    pub(crate) poison: Vec<(usize, usize, f64)>,
}

/// A flag for every weight.
pub(crate) type Flags = Field<bool>;

impl<T: Copy + Default> Field<T> {
    /// Nothing of these parameters.
    pub(crate) fn nothing(parameters: &[TracedParameter]) -> Self {
        Self { values: Vec::new(), present: vec![false; parameters.len()], storage: 0.0, poison: Vec::new() }
    }

    /// The same value for every entry.
    pub(crate) fn all(value: T, parameters: &[TracedParameter]) -> Self {
        let len = parameters.last().map_or(0, |p| p.range.end);
        Self { values: vec![value; len], present: vec![true; parameters.len()], ..Self::nothing(&[]) }
    }

    /// Takes a parameter's values.
    pub(crate) fn set(&mut self, p: usize, parameters: &[TracedParameter], values: &[T]) {
        if self.values.is_empty() {
            self.values = vec![T::default(); parameters.last().map_or(0, |p| p.range.end)];
        }
        self.values[parameters[p].range.clone()].copy_from_slice(values);
        self.present[p] = true;
    }

    /// Whether the first `count` parameters are all there.
    pub(crate) fn is_complete(&self, count: usize) -> bool {
        self.present.len() >= count && self.present[..count].iter().all(|&there| there)
    }

    /// Whether nothing is there.
    pub(crate) fn is_empty(&self) -> bool {
        !self.present.contains(&true)
    }

    /// The `p`-th parameter's entries, if they are there.
    pub(crate) fn of(&self, p: usize, parameter: &TracedParameter) -> Option<&[T]> {
        self.present.get(p).is_some_and(|&there| there).then(|| &self.values[parameter.range.clone()])
    }

    /// Where `self` lacks a parameter, what `other` has of it.
    pub(crate) fn or(mut self, other: &Self, parameters: &[TracedParameter]) -> Self {
        if self.present.iter().all(|&there| there) {
            return self;
        }
        for (p, parameter) in parameters.iter().enumerate() {
            if self.of(p, parameter).is_none()
                && let Some(values) = other.of(p, parameter)
            {
                self.set(p, parameters, values);
                self.storage = self.storage.max(other.storage);
            }
        }
        self
    }
}

impl Field<f64> {
    /// Reads the tensors `prefix/<parameter>`.
    pub(crate) fn load(trace: &Trace, prefix: &str, parameters: &[TracedParameter]) -> Result<Self> {
        let mut field = Self::nothing(parameters);
        for (p, parameter) in parameters.iter().enumerate() {
            let name = format!("{prefix}/{}", parameter.name);
            let Some(values) = trace.floats(&name)? else { continue };
            match values.iter().position(|x| !x.is_finite()) {
                Some(j) => field.poison.push((p, j, values[j])),
                None => {
                    field.set(p, parameters, &values);
                    field.storage = field.storage.max(trace.storage_error(&name));
                }
            }
        }
        Ok(field)
    }
}

impl Flags {
    /// Reads the tensors `prefix/<parameter>`.
    pub(crate) fn load_flags(trace: &Trace, prefix: &str, parameters: &[TracedParameter]) -> Result<Self> {
        let mut flags = Self::nothing(parameters);
        for (p, parameter) in parameters.iter().enumerate() {
            if let Some(values) = trace.mask(&format!("{prefix}/{}", parameter.name), parameter)? {
                flags.set(p, parameters, &values);
            }
        }
        Ok(flags)
    }
}

/// Numbers known to lie between two others: recorded ones, or what follows from what is recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Enclosure {
    pub(crate) low: Field<f64>,
    /// Where it differs from `low`; empty where nothing does.
    pub(crate) high: Field<f64>,
}

impl Enclosure {
    /// The `j`-th entry of all.
    pub(crate) fn at(&self, j: usize) -> Interval {
        let low = self.low.values[j];
        let high = self.high.values.get(j).copied().unwrap_or(low);
        Interval { low, high }.widened(self.low.storage)
    }

    /// Whether every entry is one number.
    pub(crate) fn is_exact(&self) -> bool {
        self.high.values.is_empty() && self.low.storage == 0.0
    }
}
