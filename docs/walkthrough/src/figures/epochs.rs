//! [`Epochs`]: what figures over the epochs have in common.

use super::axis::{Log, power};
use super::svg;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 624.0;
/// Where a figure's inside begins and ends.
pub const TOP: f64 = 24.0;
pub const BOTTOM: f64 = 256.0;

/// Epochs to the right, and something on a logarithmic scale upwards.
pub struct Epochs {
    pub y: Log,
    last: usize,
}

impl Epochs {
    /// Of a run of so many epochs.
    pub fn new(epochs: usize, values: impl Iterator<Item = f64>) -> Self {
        Self { y: Log::around(values, BOTTOM, TOP), last: epochs.max(2) - 1 }
    }

    /// Where an epoch lies.
    pub fn x(&self, k: usize) -> f64 {
        LEFT + 8.0 + k as f64 / self.last as f64 * (RIGHT - LEFT - 8.0)
    }

    /// Powers of ten on the left, every tenth epoch below, and what is shown above.
    pub fn frame(&self, shown: &str) -> String {
        let mut inside = String::new();
        for exponent in self.y.powers() {
            let at = self.y.at(10_f64.powi(exponent));
            inside += &format!(r#"<path class="grid" d="M{LEFT} {at:.1}H{RIGHT}"/>"#);
            inside += &power(LEFT - 6.0, at + 4.0, "end", exponent);
        }
        for tick in (0..=self.last).step_by(10) {
            let (x, y) = (self.x(tick), BOTTOM + 20.0);
            inside += &format!(r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{tick}</text>"#);
        }
        inside += &format!(r#"<text x="{RIGHT}" y="{}" text-anchor="end">epoch k</text>"#, HEIGHT - 6.0);
        inside + &format!(r#"<text x="{LEFT}" y="14">{shown}</text>"#)
    }

    /// A line across, with a name at its end.
    pub fn level(&self, class: &str, value: f64, name: &str) -> String {
        let y = self.y.at(value);
        format!(
            r#"<path class="{class}" d="M{LEFT} {y:.1}H{RIGHT}"/><text class="strong" x="{RIGHT}" y="{:.1}" text-anchor="end">{name}</text>"#,
            y - 5.0
        )
    }

    /// The figure with this inside.
    pub fn svg(&self, told: &str, inside: &str) -> String {
        svg(WIDTH, HEIGHT, told, inside)
    }
}
