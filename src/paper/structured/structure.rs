//! Which weights form a group.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Which weights stand or fall together. As text: `channels`, `4x4`, `2:4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Structure {
    /// All weights of one output channel: one row of the weight matrix.
    OutputChannels,
    /// Blocks of `height` rows and `width` columns of the weight matrix, from its first corner. Where a side is no
    /// multiple, the blocks at the far edge are smaller (the paper is silent; so every weight is in one block).
    Blocks { height: usize, width: usize },
    /// Of every `of` consecutive inputs `keep` are kept, for each output channel and kernel tap by itself.
    ///
    /// A last run of `r < of` inputs keeps `min(keep, r)`. Parameters without an input axis keep everything.
    Pattern { keep: usize, of: usize },
}

impl std::str::FromStr for Structure {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let pair = |separator| {
            let (a, b): (&str, &str) = text.split_once(separator)?;
            Some((a.parse().ok()?, b.parse().ok()?))
        };
        match (text, pair('x'), pair(':')) {
            ("channels", ..) => Ok(Self::OutputChannels),
            (_, Some((height, width)), _) if height > 0 && width > 0 => Ok(Self::Blocks { height, width }),
            (_, _, Some((keep, of))) if 0 < keep && keep <= of => Ok(Self::Pattern { keep, of }),
            _ => Err(Error::domain(
                "structure",
                "channels | HEIGHTxWIDTH | KEEP:OF with 0 < KEEP <= OF",
                format!("`{text}`"),
            )),
        }
    }
}

impl std::fmt::Display for Structure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutputChannels => f.write_str("channels"),
            Self::Blocks { height, width } => write!(f, "{height}x{width}"),
            Self::Pattern { keep, of } => write!(f, "{keep}:{of}"),
        }
    }
}

impl TryFrom<String> for Structure {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Structure> for String {
    fn from(structure: Structure) -> Self {
        structure.to_string()
    }
}

impl Structure {
    /// How many groups the weights of a parameter of this shape form; blocks and patterns as [`groups`] takes them.
    pub fn count(self, shape: &[usize]) -> usize {
        let Matrix { out, inputs, taps } = Matrix::of(shape);
        match self {
            Self::OutputChannels => out,
            Self::Blocks { height, width } => out.div_ceil(height) * (inputs * taps).div_ceil(width),
            Self::Pattern { of, .. } => out * inputs.div_ceil(of) * taps,
        }
    }
}

/// A parameter as its weight matrix: rows, and columns that are the taps of inputs.
struct Matrix {
    out: usize,
    inputs: usize,
    taps: usize,
}

impl Matrix {
    fn of(shape: &[usize]) -> Self {
        let extent = |axis| shape.get(axis).copied().unwrap_or(1);
        Self { out: extent(0), inputs: extent(1), taps: shape.iter().skip(2).product() }
    }
}

/// The group of every weight of a parameter of this shape, counted from 0, and how many groups there are: rows for
/// [`Structure::OutputChannels`], blocks in row-major order for [`Structure::Blocks`], runs of `of` inputs for
/// [`Structure::Pattern`].
///
/// # Errors
/// [`Error::Domain`] if a block has no area or a pattern is not `0 < keep <= of`.
///
/// ```
/// use gdstar::paper::structured::{Structure, groups};
/// // a 3x3 matrix in 2x2 blocks: 0 0 1 / 0 0 1 / 2 2 3
/// let blocks = Structure::Blocks { height: 2, width: 2 };
/// assert_eq!(groups(&[3, 3], blocks)?, (vec![0, 0, 1, 0, 0, 1, 2, 2, 3], 4));
/// # Ok::<(), gdstar::Error>(())
/// ```
pub fn groups(shape: &[usize], structure: Structure) -> Result<(Vec<usize>, usize)> {
    let Matrix { out, inputs, taps } = Matrix::of(shape);
    let rest = inputs * taps;
    let weights = (0..out).flat_map(|row| (0..rest).map(move |column| (row, column)));
    match structure {
        Structure::OutputChannels => Ok((weights.map(|(row, _)| row).collect(), structure.count(shape))),
        Structure::Blocks { height, width } if height > 0 && width > 0 => {
            let across = rest.div_ceil(width);
            let ids = weights.map(|(row, column)| row / height * across + column / width).collect();
            Ok((ids, structure.count(shape)))
        }
        Structure::Pattern { keep, of } if 0 < keep && keep <= of => {
            let runs = inputs.div_ceil(of);
            let ids = weights.map(|(row, column)| (row * runs + column / taps / of) * taps + column % taps).collect();
            Ok((ids, structure.count(shape)))
        }
        _ => Err(Error::domain("structure", "blocks with an area, patterns with 0 < keep <= of", structure)),
    }
}
