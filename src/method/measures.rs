//! What a run is asked to measure besides its metrics ([`Record`]), and what an epoch's record then has ([`Measured`]).

use crate::choice::choice;
use crate::scalar::Scalar;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

choice! {
    /// What can be measured; no result depends on it.
    Record, "record":
    /// S_F of a dense run (Fig. 3), which then sums G: its steps take a little longer.
    Frobenius = "frobenius",
    /// How G is distributed at the end of an epoch (Fig. 2).
    Histogram = "histogram",
    /// The seconds of each part of an epoch's end (Fig. 7, Table 6).
    Parts = "parts",
    /// The most memory that the process has had so far (Fig. 7, Table 7).
    Memory = "memory",
}

/// What a method measures.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measures {
    pub frobenius: bool,
    pub histogram: bool,
    /// The clock of parts, where they are timed.
    pub clock: Option<fn() -> Duration>,
}

impl Measures {
    /// Those of a list; what time it is, who trains says.
    pub fn of(records: &[Record]) -> Self {
        let has = |record| records.contains(&record);
        Self { frobenius: has(Record::Frobenius), histogram: has(Record::Histogram), clock: None }
    }

    /// Whether it takes G, of a method that itself does not.
    pub fn take_g(&self) -> bool {
        self.frobenius || self.histogram || self.clock.is_some()
    }
}

/// What was measured of an epoch; a key of a record for each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<Histogram>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// In bytes, of the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
}

/// Seconds of the parts of an epoch's end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// Eq. 3 and 4: S_F of G.
    pub s_f: f64,
    /// Alg. 4, with the copy to W_k*.
    pub rewind: f64,
    /// Eq. 5 to 7: the quantile, and which G lie below.
    pub selection: f64,
    /// Alg. 6.
    pub decay: f64,
}

/// How many G lie in each octave: exact, whatever the arithmetic of logarithms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    /// How many are 0.
    pub zeros: usize,
    /// e: the first count is of `2^e <= G < 2^(e + 1)`.
    pub exponent: i32,
    /// One an octave, up to that of the largest.
    pub counts: Vec<usize>,
}

impl Histogram {
    /// That of finite numbers that are not negative.
    ///
    /// ```
    /// use gdstar::method::Histogram;
    /// let histogram = Histogram::of(&[0.0, 0.5, 1.0, 1.5, 4.0]);
    /// assert_eq!(histogram, Histogram { zeros: 1, exponent: -1, counts: vec![1, 2, 0, 1] });
    /// ```
    #[must_use]
    pub fn of<S: Scalar>(g: &[S]) -> Self {
        let mut octaves = BTreeMap::new();
        g.iter().filter(|x| **x != S::ZERO).for_each(|x| *octaves.entry(octave(x.to_f64())).or_insert(0_usize) += 1);
        let zeros = g.len() - octaves.values().sum::<usize>();
        let (Some(&first), Some(&last)) = (octaves.keys().next(), octaves.keys().next_back()) else {
            return Self { zeros, exponent: 0, counts: Vec::new() };
        };
        let counts = (first..=last).map(|e| octaves.get(&e).copied().unwrap_or_default()).collect();
        Self { zeros, exponent: first, counts }
    }
}

/// floor(log2 x) of an x > 0, from its bits.
fn octave(x: f64) -> i32 {
    const BIAS: i32 = 1023;
    match (x.to_bits() >> 52 & 0x7ff) as i32 {
        0 => 63 - x.to_bits().leading_zeros() as i32 - BIAS - 51,
        exponent => exponent - BIAS,
    }
}

/// Times one part after the other.
pub(super) struct Laps {
    clock: Option<fn() -> Duration>,
    since: Duration,
}

impl Laps {
    pub fn start(clock: Option<fn() -> Duration>) -> Self {
        Self { clock, since: clock.map(|clock| clock()).unwrap_or_default() }
    }

    /// Seconds since the last call; 0 without a clock.
    pub fn lap(&mut self) -> f64 {
        let Some(clock) = self.clock else { return 0.0 };
        let now = clock();
        now.saturating_sub(std::mem::replace(&mut self.since, now)).as_secs_f64()
    }
}
