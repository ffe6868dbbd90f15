//! [`Arg`]: an argument of an aten call.

use crate::trace::hex_float;

/// What stands at one place of an aten call; `T` is a tensor, by [`Reference`](super::Reference) or with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg<T> {
    /// Not given: the schema's `None`.
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    /// A dtype (`"F32"`), a layout, a mode.
    Text(String),
    List(Vec<Arg<T>>),
    Tensor(T),
}

impl<T> Arg<T> {
    /// The tensor, where it is one.
    pub fn tensor(&self) -> Option<&T> {
        match self {
            Self::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// The whole number, where it is one; true and false are none.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(i) => Some(*i),
            _ => None,
        }
    }

    /// The number, whole or not, where it is one: JSON's, or as text a hex float, `inf`, `-inf` or `nan`.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(i) => Some(*i as f64),
            Self::Real(x) => Some(*x),
            Self::Text(text) => match text.as_str() {
                "inf" => Some(f64::INFINITY),
                "-inf" => Some(f64::NEG_INFINITY),
                "nan" => Some(f64::NAN),
                hex => hex_float(hex),
            },
            _ => None,
        }
    }

    /// The truth value, where it is one.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The elements, where it is a list.
    pub fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The whole numbers of a list, where all of its elements are such.
    pub fn integers(&self) -> Option<Vec<i64>> {
        self.list()?.iter().map(Self::integer).collect()
    }

    /// Every tensor in it, in order.
    pub fn tensors(&self) -> Vec<&T> {
        match self {
            Self::Tensor(tensor) => vec![tensor],
            Self::List(elements) => elements.iter().flat_map(Self::tensors).collect(),
            _ => Vec::new(),
        }
    }

    /// The same with each tensor made into another; the first error ends it.
    pub(super) fn try_map<U, E>(&self, with: &mut dyn FnMut(&T) -> Result<U, E>) -> Result<Arg<U>, E> {
        Ok(match self {
            Self::Null => Arg::Null,
            Self::Bool(flag) => Arg::Bool(*flag),
            Self::Integer(i) => Arg::Integer(*i),
            Self::Real(x) => Arg::Real(*x),
            Self::Text(text) => Arg::Text(text.clone()),
            Self::List(elements) => {
                Arg::List(elements.iter().map(|element| element.try_map(&mut *with)).collect::<Result<_, E>>()?)
            }
            Self::Tensor(tensor) => Arg::Tensor(with(tensor)?),
        })
    }
}
