//! [`Place`]: what a tensor's name says.

/// Quantities of an epoch with a float for every entry of a parameter, and whether W's parameters alone have it.
const PARAMETER_FLOATS: &[(&str, bool)] =
    &[("weights_before", false), ("G", true), ("rewind", false), ("weights_after", false)];
/// Quantities of an epoch with a flag for every weight.
const FLAGS: &[&str] = &["mask_before", "selected", "mask"];
/// Quantities of an epoch that are one float.
const SCALAR_FLOATS: &[&str] = &["S_abs", "S_sq", "S_F", "min_before", "alpha", "tau"];
/// Quantities of an epoch that are one integer.
const SCALAR_INTEGERS: &[&str] = &["k_star", "t"];

/// What a tensor's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Initial {
        parameter: &'a str,
    },
    /// Which coordinates a sample has.
    Coordinates {
        parameter: &'a str,
    },
    Indices {
        k: usize,
        i: usize,
    },
    Input {
        k: usize,
        i: usize,
    },
    Labels {
        k: usize,
        i: usize,
    },
    Loss {
        k: usize,
        i: usize,
    },
    Gradient {
        k: usize,
        i: usize,
        parameter: &'a str,
    },
    Within {
        k: usize,
        i: usize,
        parameter: &'a str,
    },
    Parameter {
        k: usize,
        quantity: &'static str,
        parameter: &'a str,
    },
    Flags {
        k: usize,
        parameter: &'a str,
    },
    ScalarFloat {
        k: usize,
    },
    ScalarInteger {
        k: usize,
    },
    Quantiles {
        k: usize,
    },
    Draw {
        k: usize,
    },
}

impl<'a> Place<'a> {
    /// The place of a name, if the format has it; a parameter has a name of at least one character.
    pub(super) fn of(name: &'a str) -> Option<Self> {
        Self::parse(name).filter(|place| place.parameter().is_none_or(|(parameter, _)| !parameter.is_empty()))
    }

    fn parse(name: &'a str) -> Option<Self> {
        if let Some(parameter) = name.strip_prefix("init/") {
            return Some(Self::Initial { parameter });
        }
        if let Some(parameter) = name.strip_prefix("sample/") {
            return Some(Self::Coordinates { parameter });
        }
        let (k, rest) = name.strip_prefix("epoch/")?.split_once('/')?;
        let k = count(k)?;
        if let Some(rest) = rest.strip_prefix("batch/") {
            let (i, rest) = rest.split_once('/')?;
            let i = count(i)?;
            return match rest {
                "indices" => Some(Self::Indices { k, i }),
                "input" => Some(Self::Input { k, i }),
                "labels" => Some(Self::Labels { k, i }),
                "loss" => Some(Self::Loss { k, i }),
                _ => match rest.split_once('/')? {
                    ("grad", parameter) => Some(Self::Gradient { k, i, parameter }),
                    ("weights", parameter) => Some(Self::Within { k, i, parameter }),
                    _ => None,
                },
            };
        }
        if let Some((quantity, parameter)) = rest.split_once('/') {
            if let Some((quantity, _)) = PARAMETER_FLOATS.iter().find(|(known, _)| *known == quantity) {
                return Some(Self::Parameter { k, quantity, parameter });
            }
            return FLAGS.contains(&quantity).then_some(Self::Flags { k, parameter });
        }
        match rest {
            "chunk_quantiles" => Some(Self::Quantiles { k }),
            "draw" => Some(Self::Draw { k }),
            _ if SCALAR_FLOATS.contains(&rest) => Some(Self::ScalarFloat { k }),
            _ if SCALAR_INTEGERS.contains(&rest) => Some(Self::ScalarInteger { k }),
            _ => None,
        }
    }

    pub(super) fn epoch(self) -> Option<usize> {
        match self {
            Self::Initial { .. } | Self::Coordinates { .. } => None,
            Self::Indices { k, .. }
            | Self::Input { k, .. }
            | Self::Labels { k, .. }
            | Self::Loss { k, .. }
            | Self::Gradient { k, .. }
            | Self::Within { k, .. }
            | Self::Parameter { k, .. }
            | Self::Flags { k, .. }
            | Self::ScalarFloat { k }
            | Self::ScalarInteger { k }
            | Self::Quantiles { k }
            | Self::Draw { k } => Some(k),
        }
    }

    /// The parameter whose shape the tensor has, and whether only W's parameters can have such a tensor.
    pub(super) fn parameter(self) -> Option<(&'a str, bool)> {
        match self {
            Self::Initial { parameter }
            | Self::Coordinates { parameter }
            | Self::Gradient { parameter, .. }
            | Self::Within { parameter, .. } => Some((parameter, false)),
            Self::Parameter { quantity, parameter, .. } => {
                let prunable = PARAMETER_FLOATS.iter().any(|(known, prunable)| *known == quantity && *prunable);
                Some((parameter, prunable))
            }
            Self::Flags { parameter, .. } => Some((parameter, true)),
            _ => None,
        }
    }
}

/// A number without sign or leading zeros, of a size that arithmetic on it cannot overflow.
pub(in crate::trace) fn count(digits: &str) -> Option<usize> {
    let canonical = digits == "0" || (!digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()));
    let value = digits.parse::<u32>().ok().filter(|_| canonical)?;
    usize::try_from(value).ok()
}
