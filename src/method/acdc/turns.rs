//! [`Turns`]: the steps before which weights are pruned, and before which all are trained again.

use crate::error::{Error, Result};
use crate::method::Setup;
use crate::method::options::Value;

pub const COMPRESS_AT: &str = "compress_at";
pub const DECOMPRESS_AT: &str = "decompress_at";

/// Of a run in percent: the recipe of a hundred epochs.
const COMPRESSIONS: [usize; 8] = [10, 20, 30, 40, 50, 60, 70, 85];
const DECOMPRESSIONS: [usize; 7] = [15, 25, 35, 45, 55, 65, 75];

/// In turn, a compression first.
#[derive(Debug)]
pub struct Turns {
    pub compressions: Vec<usize>,
    pub decompressions: Vec<usize>,
}

impl Turns {
    /// Those that are given, or the recipe's.
    pub fn of(setup: &Setup) -> Self {
        let steps = |key: &str, percent: &[usize]| match setup.options.get(key) {
            Some(Value::List(_)) => setup.options.steps(key, setup.length),
            _ => percent.iter().map(|percent| setup.length.steps().saturating_mul(*percent) / 100).collect(),
        };
        Self { compressions: steps(COMPRESS_AT, &COMPRESSIONS), decompressions: steps(DECOMPRESS_AT, &DECOMPRESSIONS) }
    }

    /// The same, if compressions and decompressions come in turn, the former first.
    ///
    /// # Errors
    /// [`Error::Domain`] if they do not.
    pub fn checked(setup: &Setup) -> Result<Self> {
        let turns = Self::of(setup);
        if turns.alternate() {
            return Ok(turns);
        }
        let Self { compressions, decompressions } = turns;
        let expected = "ascending steps, compressions and decompressions in turn from a compression on";
        let found = format!("compressions at {compressions:?}, decompressions at {decompressions:?}");
        Err(Error::domain("--compress-at and --decompress-at", expected, found))
    }

    fn alternate(&self) -> bool {
        let Self { compressions, decompressions } = self;
        let turns = (0..compressions.len()).flat_map(|i| [compressions.get(i), decompressions.get(i)]);
        let steps: Vec<&usize> = turns.flatten().collect();
        let is_even = (0..=1).contains(&compressions.len().wrapping_sub(decompressions.len()));
        is_even && steps.is_sorted_by(|a, b| a < b)
    }

    /// Whether step `t` is one of them.
    pub fn has(&self, t: usize) -> bool {
        self.compressions.contains(&t) || self.decompressions.contains(&t)
    }
}
