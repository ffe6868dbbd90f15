//! [`Quantity`]: what a method tells of an epoch, declared once for metrics, progress, plots and traces; [`Numbers`]: those
//! of an epoch that are one number.

use super::METHODS;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A quantity of an epoch. One is itself and no other: it is declared as a `static`.
#[derive(Debug)]
pub struct Quantity {
    pub kind: Kind,
    /// Its key in `metrics.jsonl`, if it is one number that belongs there.
    pub key: Option<&'static str>,
    /// Its tensor in traces, `epoch/<k>/<tensor>`.
    pub tensor: Option<&'static str>,
    /// Where it is defined.
    pub source: &'static str,
    /// How the story of a run shows it.
    pub column: Option<Column>,
    /// How plots show it.
    pub axis: Option<Axis>,
    /// What the summary of a run says of it.
    pub remark: Option<Remark>,
}

/// What a quantity consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One number.
    Real,
    /// One count.
    Count,
    /// A number for each of some parts.
    Reals,
    /// A count for each of some parts.
    Counts,
    /// A flag for each of some parts.
    FlagList,
    /// An array of each linear and convolution layer, no larger than its inputs and outputs in a batch or its weights.
    OfLayers,
    /// One of these names.
    Name(&'static [&'static str]),
    /// A number a weight.
    PerWeight,
    /// A flag a weight.
    Flags,
}

/// A column of the story.
#[derive(Debug)]
pub struct Column {
    pub heading: &'static str,
    /// In characters.
    pub width: usize,
    pub format: Format,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Integer,
    /// With so many decimals.
    Decimals(usize),
    /// `1.234e-5`, with so many decimals.
    Scientific(usize),
    /// As it is.
    Name,
}

/// What is said of a count when a run is over.
#[derive(Debug)]
pub enum Remark {
    /// At the end of which epochs it named the epoch itself: that this had moved.
    Moved(&'static str),
    /// From which epoch on it was 0: what then was so, and why, where the other quantity was 0 too while weights were left.
    Ceased { so: &'static str, because: (&'static Quantity, &'static str) },
}

/// An axis for a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    pub label: &'static str,
    pub scale: Scale,
    /// Whether dots mark its running minima, as in Fig. 3.
    pub minima: bool,
}

/// How values lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    Linear,
    /// Linear, from 0, for what costs nothing where it is 0.
    FromZero,
    /// Linear, the whole of 0 to 100 whatever part of it the runs cover.
    Percent,
    Logarithmic,
}

impl Quantity {
    /// One that traces alone hold.
    pub const fn traced(tensor: &'static str, kind: Kind, source: &'static str) -> Self {
        Self { tensor: Some(tensor), ..Self::new(kind, source) }
    }

    /// One that metrics alone hold.
    pub const fn measured(key: &'static str, kind: Kind, source: &'static str) -> Self {
        Self { key: Some(key), ..Self::new(kind, source) }
    }

    const fn new(kind: Kind, source: &'static str) -> Self {
        Self { kind, key: None, tensor: None, source, column: None, axis: None, remark: None }
    }
}

impl Format {
    /// The number in this form.
    pub fn show(self, number: Number) -> String {
        match (self, number) {
            (_, Number::Name(name)) => name.to_string(),
            (Self::Integer, Number::Count(n)) => n.to_string(),
            (Self::Integer, Number::Real(x)) => format!("{x:.0}"),
            (Self::Decimals(d), x) => format!("{:.d$}", x.as_f64()),
            (Self::Scientific(d), x) => format!("{:.d$e}", x.as_f64()),
            (Self::Name, x) => x.as_f64().to_string(),
        }
    }
}

/// One number of an epoch, or a name in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Count(usize),
    Real(f64),
    Name(&'static str),
}

impl Number {
    /// NaN for a name.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Count(n) => n as f64,
            Self::Real(x) => x,
            Self::Name(_) => f64::NAN,
        }
    }
}

/// The numbers that a method tells of an epoch, by their keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Numbers(BTreeMap<&'static str, Number>);

impl Numbers {
    /// The number under this key, if there is one.
    pub fn get(&self, key: &str) -> Option<Number> {
        self.0.get(key).copied()
    }

    /// A real number; a count as one.
    pub fn real(&self, key: &str) -> Option<f64> {
        self.get(key).map(Number::as_f64).filter(|x| !x.is_nan())
    }

    /// A count.
    pub fn count(&self, key: &str) -> Option<usize> {
        match self.get(key) {
            Some(Number::Count(n)) => Some(n),
            _ => None,
        }
    }

    /// Sets a number.
    pub fn set(&mut self, key: &'static str, number: Number) {
        self.0.insert(key, number);
    }
}

impl FromIterator<(&'static str, Number)> for Numbers {
    fn from_iter<I: IntoIterator<Item = (&'static str, Number)>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

/// Every quantity of [`METHODS`] that metrics hold, in the order in which they are declared, each once.
pub fn measured() -> Vec<&'static Quantity> {
    let mut all: Vec<&'static Quantity> = Vec::new();
    for &quantity in METHODS.iter().flat_map(|method| method.entry().quantities) {
        if quantity.key.is_some() && !all.iter().any(|known| known.key == quantity.key) {
            all.push(quantity);
        }
    }
    all
}

/// As the keys of a record: those that the run's method has no number for are `null`.
impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys = measured().into_iter().filter_map(|quantity| quantity.key);
        let mut map = serializer.serialize_map(None)?;
        for key in keys {
            match self.get(key) {
                Some(Number::Count(n)) => map.serialize_entry(key, &n)?,
                Some(Number::Real(x)) => map.serialize_entry(key, &x)?,
                Some(Number::Name(name)) => map.serialize_entry(key, name)?,
                None => map.serialize_entry(key, &())?,
            }
        }
        map.end()
    }
}

/// What of a record's keys is a method's quantity.
impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Numbers;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("the quantities of an epoch")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Numbers, A::Error> {
                let (known, mut numbers) = (measured(), Numbers::default());
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    let Some(quantity) = known.iter().find(|quantity| quantity.key == Some(&key)) else { continue };
                    if value.is_null() {
                        continue;
                    }
                    let (number, expected) = match quantity.kind {
                        Kind::Count => (count(&value).map(Number::Count), "a count"),
                        Kind::Name(names) => {
                            (names.iter().find(|name| value == **name).map(|name| Number::Name(name)), "a name")
                        }
                        _ => (value.as_f64().map(Number::Real), "a number"),
                    };
                    let found = || A::Error::custom(format!("`{key}`: expected {expected} or null, found {value}"));
                    numbers.set(quantity.key.unwrap_or_default(), number.ok_or_else(found)?);
                }
                Ok(numbers)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

fn count(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|n| usize::try_from(n).ok())
}
