//! [`Minima`]: where S_F took a new running minimum, which is where Alg. 4 moves the rewind point.

use crate::train::EpochRecord;
use std::cmp::Reverse;

/// The epochs of new running minima of S_F, of a run; none without the first epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Minima {
    /// Each with its S_F.
    pub epochs: Vec<(usize, f64)>,
    /// Of the run's last epoch.
    end: usize,
}

/// Of a run that records S_F; whatever it rewinds to.
pub fn minima(run: &[EpochRecord]) -> Option<Minima> {
    let mut epochs: Vec<(usize, f64)> = Vec::new();
    for record in run {
        let s_f = record.numbers.real("frobenius")?;
        if epochs.last().is_none_or(|&(_, minimum)| s_f < minimum) {
            epochs.push((record.epoch, s_f));
        }
    }
    let end = run.last()?.epoch;
    (!epochs.is_empty()).then_some(Minima { epochs, end })
}

impl Minima {
    /// The epoch of the least S_F: k* at the end.
    pub fn last(&self) -> usize {
        self.epochs.last().map_or(0, |&(epoch, _)| epoch)
    }

    /// From where on the minimum stood longest, and for how many epochs.
    pub fn longest_stand(&self) -> (usize, usize) {
        let starts = self.epochs.iter().map(|&(epoch, _)| epoch);
        let ends = starts.clone().skip(1).chain([self.end + 1]);
        let stands = starts.zip(ends).map(|(from, to)| (from, to - from - 1));
        // Of equally long ones the first.
        stands.min_by_key(|&(_, epochs)| Reverse(epochs)).unwrap_or((0, 0))
    }
}
