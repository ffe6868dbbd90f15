//! [`Count`]: how many of n are kept where the share s of them goes.

use crate::choice::choice;

choice! {
    /// Which number is rounded, and how; to nearest is with halves to even.
    Count, "count":
    /// `k = round(n (1 - s))`.
    KeepRound = "keep-round",
    /// `k = n - floor(n s)`.
    RemoveFloor = "remove-floor",
    /// `k = n - ceil(n s)`.
    RemoveCeil = "remove-ceil",
    /// `k = n - round(n s)`.
    RemoveRound = "remove-round",
}

choice! {
    /// The least count that a share may come to.
    Minimum, "minimum":
    Zero = "0",
    /// One is kept of any at all.
    One = "1",
}

impl Count {
    /// k of n, for a share s in [0, 1], formed in f64 as the rule is written.
    ///
    /// ```
    /// use gdstar::select::count::Count;
    /// let kept = |n, s| Count::ALL.iter().map(|count| count.kept(n, s)).collect::<Vec<_>>();
    /// assert_eq!(kept(10, 0.25), [8, 8, 7, 8]);
    /// assert_eq!(kept(10, 0.75), [2, 3, 2, 2]);
    /// assert_eq!(kept(10, 0.9), [1, 1, 1, 1]);
    /// ```
    pub fn kept(self, n: usize, s: f64) -> usize {
        let size = n as f64;
        match self {
            Self::KeepRound => (size * (1.0 - s)).round_ties_even() as usize,
            Self::RemoveFloor => n.saturating_sub((size * s).floor() as usize),
            Self::RemoveCeil => n.saturating_sub((size * s).ceil() as usize),
            Self::RemoveRound => n.saturating_sub((size * s).round_ties_even() as usize),
        }
    }
}

impl Minimum {
    /// A count k of n candidates that is at least this, where there are any.
    pub fn of(self, k: usize, n: usize) -> usize {
        match self {
            Self::Zero => k,
            Self::One => k.max(n.min(1)),
        }
    }
}
