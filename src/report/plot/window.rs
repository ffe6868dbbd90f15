//! [`Window`]: which part of the values a panel shows, and what of a curve lies in it.

use super::series::Point;
use crate::method::quantity::Scale;
use crate::report::axis::Axis;

/// The values that a panel shows.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) axis: Axis,
    /// The values between which something is drawn.
    ends: [f64; 2],
}

/// Of so many values at most one lies beyond the axis at each of its ends, and at least one may.
const ONE_OF: usize = 25;

/// Values are left beyond the axis where they would press all others into this part of it; of a logarithmic one, whose decades
/// press less, twice that.
const PRESSED: f64 = 0.1;

/// Fewer values have no outliers.
const FEWEST: usize = 5;

impl Window {
    /// From `low` to `high`, whatever the values.
    pub(super) fn given(scale: Scale, [low, high]: [f64; 2]) -> Self {
        let axis = match scale {
            Scale::Logarithmic => Axis::logarithmic(low, high),
            _ => Axis::linear(low, high),
        };
        Self { axis, ends: [low, high] }
    }

    /// For all values but outliers; `None` if there are none.
    pub(super) fn around(scale: Scale, mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (&low, &high) = (values.first()?, values.last()?);
        let ends = match scale {
            Scale::Percent => [low, high],
            _ => without_outliers(scale, &values),
        };
        Some(Self {
            axis: scale.axis(ends[0], ends[1]),
            ends: if ends == [low, high] { [f64::MIN, f64::MAX] } else { ends },
        })
    }

    /// Whether the value has a place on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.ends[0]..=self.ends[1]).contains(&value)
    }

    /// The farther of two values from the window.
    pub(super) fn farther(&self, a: f64, b: f64) -> f64 {
        let beyond = |value: f64| (value - self.nearest(value)).abs();
        if beyond(b) > beyond(a) { b } else { a }
    }

    /// The nearest value that has one.
    pub(super) fn nearest(&self, value: f64) -> f64 {
        value.max(self.ends[0]).min(self.ends[1])
    }

    /// The stretches of a curve that lie in the window, cut where it leaves it.
    pub(super) fn stretches(&self, points: &[Point<f64>]) -> Vec<Vec<(f64, f64)>> {
        let mut stretches = vec![Vec::new()];
        let mut last: Option<(f64, f64)> = None;
        for &(x, y) in points {
            let Some(y) = y else {
                stretches.push(Vec::new());
                last = None;
                continue;
            };
            let stretch = |stretches: &mut Vec<Vec<(f64, f64)>>, point| {
                if let Some(stretch) = stretches.last_mut() {
                    stretch.push(point);
                }
            };
            if let Some(last) = last {
                let mut crossings: Vec<(f64, f64)> =
                    self.ends.iter().filter_map(|&end| self.crossing(last, (x, y), end)).collect();
                crossings.sort_by(|a, b| a.0.total_cmp(&b.0));
                for crossing in crossings {
                    stretch(&mut stretches, crossing);
                }
            }
            if self.holds(y) {
                stretch(&mut stretches, (x, y));
            } else {
                stretches.push(Vec::new());
            }
            last = Some((x, y));
        }
        stretches.retain(|stretch| !stretch.is_empty());
        stretches
    }

    /// Where the line between two points passes through `end`, strictly between them.
    fn crossing(&self, (x, y): (f64, f64), (to_x, to_y): (f64, f64), end: f64) -> Option<(f64, f64)> {
        let between = (y < end && end < to_y) || (to_y < end && end < y);
        let [from, at, to] = [y, end, to_y].map(|value| self.axis.share(value));
        between.then(|| (x + (at - from) / (to - from) * (to_x - x), end))
    }
}

/// The smallest and the largest value, or the smallest and largest but a few that would press the others together.
fn without_outliers(scale: Scale, sorted: &[f64]) -> [f64; 2] {
    let n = sorted.len();
    let (low, high) = (sorted[0], sorted[n - 1]);
    if n < FEWEST {
        return [low, high];
    }
    let few = (n / ONE_OF).max(1);
    let along = |value: f64| if scale == Scale::Logarithmic { libm::log10(value) } else { value };
    let length = |low: f64, high: f64| along(high) - along(low);
    let pressed = if scale == Scale::Logarithmic { 2.0 * PRESSED } else { PRESSED };
    let cut = |inner: f64| inner > 0.0 && inner < pressed * length(low, high);
    let foot = if scale == Scale::FromZero { low.min(0.0) } else { low };
    let (inner_low, inner_high) = (sorted[few], sorted[n - 1 - few]);
    [
        if cut(length(inner_low, high)) { inner_low } else { low },
        if cut(length(foot, inner_high)) { inner_high } else { high },
    ]
}
