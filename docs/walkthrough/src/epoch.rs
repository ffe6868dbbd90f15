//! [`Epoch`]: what is kept of an epoch.

use gdstar::explain::{Moment, Watched};

/// What became of a weight in an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fate {
    /// It lives, and was left alone.
    Spared = 0,
    /// It was selected, became w* lambda^t, and lives.
    Rewound = 1,
    /// It fell below eps.
    Eliminated = 2,
    /// It had been eliminated before.
    Gone = 3,
}

impl Fate {
    /// Of a weight that was alive or not before, was selected or not, and is alive or not after.
    pub fn of(was_alive: bool, selected: bool, is_alive: bool) -> Self {
        match (was_alive, is_alive, selected) {
            (false, _, _) => Self::Gone,
            (true, false, _) => Self::Eliminated,
            (true, true, true) => Self::Rewound,
            (true, true, false) => Self::Spared,
        }
    }
}

/// An epoch: its numbers, and of every weight what went into its selection and decay. Values as the run has them, in `f32`.
pub struct Epoch {
    pub moment: Moment,
    /// Optimizer steps since the run began.
    pub steps: usize,
    /// G (Eq. 2) `[N]`.
    pub g: Vec<f32>,
    /// W before Alg. 6 `[N]`, and after.
    pub before: Vec<f32>,
    pub after: Vec<f32>,
    /// W_k* `[N]`.
    pub w_star: Vec<f32>,
    pub was_alive: Vec<bool>,
    pub selected: Vec<bool>,
    pub is_alive: Vec<bool>,
}

impl Epoch {
    /// The last epoch that was seen; `None` if none was.
    pub fn of(seen: &Watched, steps: usize) -> Option<Self> {
        // Exact: they are the run's own `f32`.
        let narrow = |values: &[f64]| values.iter().map(|&x| x as f32).collect();
        let whole = &seen.whole;
        Some(Self {
            moment: seen.moments.last()?.clone(),
            steps,
            g: narrow(&whole.g),
            before: narrow(&whole.before),
            after: narrow(&whole.after),
            w_star: narrow(&whole.w_star),
            was_alive: whole.was_alive.clone(),
            selected: whole.selected.clone(),
            is_alive: whole.is_alive.clone(),
        })
    }

    pub fn fate(&self, j: usize) -> Fate {
        Fate::of(self.was_alive[j], self.selected[j], self.is_alive[j])
    }

    /// A byte a weight.
    pub fn fates(&self) -> Vec<u8> {
        (0..self.g.len()).map(|j| self.fate(j) as u8).collect()
    }

    /// How many weights met this fate.
    pub fn count(&self, fate: Fate) -> usize {
        (0..self.g.len()).filter(|&j| self.fate(j) == fate).count()
    }

    /// A weight that it eliminates, else one that it rewinds, else the first.
    pub fn telling(&self) -> usize {
        let first = |fate| (0..self.g.len()).find(|&j| self.fate(j) == fate);
        first(Fate::Eliminated).or_else(|| first(Fate::Rewound)).unwrap_or(0)
    }
}
