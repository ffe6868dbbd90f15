//! [`Place`]: one weight of a network, as it is written: `fc1[3,17]`.

use crate::error::{Error, Result};
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::weights::WeightSet;
use std::fmt;

/// A weight of W.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The parameter, `fc1.weight`.
    pub parameter: String,
    pub index: Vec<usize>,
    /// Its position in the flattened W.
    pub flat: usize,
}

impl Place {
    /// The weight that `text` names: a parameter, or what stands before its `.weight`, and an index an axis.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the parameters of W, or the shape of the one that is named.
    pub fn parse<S: Scalar>(text: &str, parameters: &Parameters<S>, w: &WeightSet) -> Result<Self> {
        let option = "--weight";
        let example = "a layer and an index an axis, as fc1[3,17]";
        let (name, index) = text
            .strip_suffix(']')
            .and_then(|text| text.split_once('['))
            .ok_or_else(|| Error::domain(option, example, format!("`{text}`")))?;
        let index: Vec<usize> = index
            .split(',')
            .map(|i| i.trim().parse().map_err(|_| Error::domain(option, example, format!("`{text}`"))))
            .collect::<Result<_>>()?;
        let of_w = || w.segments().iter().map(|segment| (segment, &parameters[segment.parameter]));
        let is_named = |parameter: &str| parameter == name || parameter.strip_suffix(".weight") == Some(name);
        let Some((segment, parameter)) = of_w().find(|(_, parameter)| is_named(&parameter.name)) else {
            let names: Vec<&str> = of_w().map(|(_, parameter)| parameter.name.as_str()).collect();
            return Err(Error::domain(option, format!("a parameter of W: {}", names.join(", ")), format!("`{name}`")));
        };
        let shape = parameter.value.shape();
        if index.len() != shape.len() || index.iter().zip(shape).any(|(i, extent)| i >= extent) {
            let expected = format!("an index within {}, whose shape is {shape:?}", parameter.name);
            return Err(Error::domain(option, expected, format!("{index:?}")));
        }
        let within = index.iter().zip(shape).fold(0, |flat, (&i, &extent)| flat * extent + i);
        Ok(Self { parameter: parameter.name.clone(), index, flat: segment.range.start + within })
    }

    /// The weight at a position of the flattened W; `None` beyond its end.
    pub fn at<S: Scalar>(flat: usize, parameters: &Parameters<S>, w: &WeightSet) -> Option<Self> {
        let segment = w.segments().iter().find(|segment| segment.range.contains(&flat))?;
        let parameter = &parameters[segment.parameter];
        let mut rest = flat - segment.range.start;
        let mut index: Vec<usize> = parameter
            .value
            .shape()
            .iter()
            .rev()
            .map(|&extent| {
                let i = rest % extent;
                rest /= extent;
                i
            })
            .collect();
        index.reverse();
        Some(Self { parameter: parameter.name.clone(), index, flat })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layer = self.parameter.strip_suffix(".weight").unwrap_or(&self.parameter);
        let index: Vec<String> = self.index.iter().map(ToString::to_string).collect();
        write!(f, "{layer}[{}]", index.join(","))
    }
}
