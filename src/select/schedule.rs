//! When a method acts, and how much: clocks, grids of due steps, and values that follow a course.

use crate::choice::choice;

choice! {
    /// What a schedule counts at the step of index t.
    Clock, "clock":
    /// Optimizer steps completed when the update happens: t + 1 after the step, t before it or in its place.
    Completed = "completed",
    /// t.
    Index = "index",
    /// Due by t, value by t + 1.
    IndexPlusOne = "index+1",
}

choice! {
    /// Which c are on the grid.
    UpdateGrid, "update_grid":
    /// Those with (c - t_0) mod D = 0.
    FromStart = "from-start",
    /// Those with c mod D = 0.
    Multiples = "multiples",
}

choice! {
    /// Whether t_1 itself is still within.
    LastUpdate, "last_update":
    /// c <= t_1.
    Inclusive = "inclusive",
    /// c < t_1.
    Exclusive = "exclusive",
}

choice! {
    /// The course of the share that is dropped.
    DropSchedule, "drop_schedule":
    Cosine = "cosine",
    Constant = "constant",
    Power = "power",
}

/// When updates are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// t_0.
    pub start: usize,
    /// D, at least 1.
    pub every: usize,
    /// t_1; without one there is no last update.
    pub end: Option<usize>,
    pub grid: UpdateGrid,
    pub last: LastUpdate,
}

impl Due {
    /// Whether an update is due at c.
    ///
    /// ```
    /// use gdstar::select::schedule::{Due, LastUpdate, UpdateGrid};
    /// let from = Due { start: 3, every: 4, end: Some(11), grid: UpdateGrid::FromStart, last: LastUpdate::Inclusive };
    /// let due = |due: Due| (0..20).filter(|&c| due.is_at(c)).collect::<Vec<_>>();
    /// assert_eq!(due(from), [3, 7, 11]);
    /// assert_eq!(due(Due { last: LastUpdate::Exclusive, ..from }), [3, 7]);
    /// assert_eq!(due(Due { grid: UpdateGrid::Multiples, end: None, ..from }), [4, 8, 12, 16]);
    /// ```
    pub fn is_at(self, c: usize) -> bool {
        let on_grid = match self.grid {
            UpdateGrid::FromStart => c.checked_sub(self.start).is_some_and(|since| since.is_multiple_of(self.every)),
            UpdateGrid::Multiples => c.is_multiple_of(self.every),
        };
        c >= self.start && on_grid && self.end.is_none_or(|end| self.last.is_within(c, end))
    }
}

impl LastUpdate {
    /// Whether c is not after the end.
    pub fn is_within(self, c: usize, end: usize) -> bool {
        match self {
            Self::Inclusive => c <= end,
            Self::Exclusive => c < end,
        }
    }
}

/// `s_f + (s_i - s_f) (1 - x)^3`, x = (c - t_0) / (t_1 - t_0) clamped to [0, 1], and 1 where t_1 = t_0 (Zhu & Gupta 2017).
///
/// ```
/// use gdstar::select::schedule::cubic;
/// let course = [10, 20, 30, 40].map(|c| cubic((0.0, 0.75), c, (20, 40)));
/// assert_eq!(course, [0.0, 0.0, 0.65625, 0.75]);
/// ```
pub fn cubic((s_i, s_f): (f64, f64), c: usize, (start, end): (usize, usize)) -> f64 {
    let left = 1.0 - fraction(c.saturating_sub(start), end.saturating_sub(start));
    s_f + (s_i - s_f) * (left * left * left)
}

/// `f_min + (f_0 - f_min) / 2 (1 + cos(pi c / T))`, c at most T, and c / T = 1 where T = 0.
///
/// ```
/// use gdstar::select::schedule::cosine;
/// assert_eq!([0, 50, 100, 200].map(|c| cosine((0.5, 0.0), c, 100)), [0.5, 0.25, 0.0, 0.0]);
/// ```
pub fn cosine((f_0, f_min): (f64, f64), c: usize, end: usize) -> f64 {
    let x = fraction(c, end);
    f_min + 0.5 * (f_0 - f_min) * (1.0 + libm::cos(std::f64::consts::PI * x))
}

/// `f_0 (1 - c / T)^b`, c at most T.
///
/// ```
/// use gdstar::select::schedule::power;
/// assert_eq!([0, 50, 100].map(|c| power(0.5, c, 100, 2.0)), [0.5, 0.125, 0.0]);
/// ```
pub fn power(f_0: f64, c: usize, end: usize, b: f64) -> f64 {
    f_0 * libm::pow(1.0 - fraction(c, end), b)
}

/// c / T in [0, 1]; 1 where T = 0.
fn fraction(c: usize, end: usize) -> f64 {
    if c >= end { 1.0 } else { c as f64 / end as f64 }
}
