//! [`Fields`]: a method's own state between epochs, as checkpoints hold it.

use crate::error::{Error, Result};

/// A part of a method's state that is not an array of numbers over W.
#[derive(Debug, Clone, PartialEq)]
pub enum Field<S> {
    /// A number that is not NaN; +inf stands for one that is not there yet.
    Number(S),
    Count(usize),
    /// One flag a weight, flat over W.
    Flags(Vec<bool>),
}

/// All of them, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields<S>(pub Vec<(String, Field<S>)>);

impl<S> Default for Fields<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Copy> Fields<S> {
    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, field: Field<S>) -> Self {
        self.0.push((name.to_string(), field));
        self
    }

    /// The field of this name.
    pub fn get(&self, name: &str) -> Option<&Field<S>> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, field)| field)
    }

    /// The number of this name.
    ///
    /// # Errors
    /// [`Error::Domain`] if there is none.
    pub fn number(&self, name: &str) -> Result<S> {
        match self.get(name) {
            Some(Field::Number(x)) => Ok(*x),
            _ => Err(missing(name, "a number")),
        }
    }

    /// The count of this name.
    ///
    /// # Errors
    /// [`Error::Domain`] if there is none.
    pub fn count(&self, name: &str) -> Result<usize> {
        match self.get(name) {
            Some(Field::Count(n)) => Ok(*n),
            _ => Err(missing(name, "a count")),
        }
    }

    /// The flags of this name, of `n` weights.
    ///
    /// # Errors
    /// [`Error::Domain`] if there are none, or of another number of weights.
    pub fn flags(&self, name: &str, n: usize) -> Result<&[bool]> {
        match self.get(name) {
            Some(Field::Flags(flags)) if flags.len() == n => Ok(flags),
            _ => Err(missing(name, &format!("flags of {n} weights"))),
        }
    }
}

fn missing(name: &str, expected: &str) -> Error {
    Error::domain(format!("the method's `{name}`"), expected, "nothing of that kind")
}
