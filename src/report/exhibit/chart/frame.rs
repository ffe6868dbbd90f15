//! [`Frame`]: where values lie in a chart, its grid, and the words at its edges.

use super::{FONT_SIZE, FRAME_HEIGHT, LETTER, WIDTH, at};
use crate::experiment::exhibit::{self, Chart, Mark, Point};
use crate::report::axis::Axis;
use crate::report::exhibit::label;
use maud::{Markup, html};

pub(super) struct Frame {
    x: Axis,
    y: Axis,
    x_is_log: bool,
    y_is_log: bool,
    /// How many names stand along the horizontal axis; 0 where it has numbers.
    names: usize,
    left: f64,
    top: f64,
    /// Names are too long to stand side by side.
    is_slanted: bool,
    longest_name: f64,
    /// Whether the horizontal axis says what it is of.
    has_label: bool,
}

const RIGHT: f64 = 12.0;

/// Labels along each axis, at most.
const X_LABELS: usize = 6;
const Y_LABELS: usize = 6;

impl Frame {
    pub(super) fn new(chart: &Chart, top: f64) -> Self {
        let names = chart.x.names.len();
        let shown = || chart.series.iter().flat_map(|series| &series.points).filter(|point| shows(chart, point));
        let has_bars = chart.series.iter().any(|series| series.mark == Mark::Bars);
        let base = (has_bars && !chart.y.log).then_some(0.0);
        let ends = |point: &Point| [Some(point.y), point.low, point.high];
        let ys = shown().flat_map(ends).flatten().filter(|&y| fits(&chart.y, y)).chain(base);
        let y = axis(&chart.y, ys.collect());
        let x = if names > 0 { Axis::epochs(0, names - 1) } else { horizontal(chart, shown().map(|point| point.x)) };
        let longest = y.ticks(Y_LABELS).iter().map(|&tick| y.label(tick, Y_LABELS).chars().count()).max().unwrap_or(1);
        let left = (longest as f64 * LETTER + 14.0).max(34.0);
        let name = |name: &String| name.chars().count() as f64 * LETTER;
        let longest_name = chart.x.names.iter().map(name).fold(0.0, f64::max);
        let is_slanted = names > 0 && longest_name + 6.0 > (WIDTH - left - RIGHT) / names as f64;
        let (x_is_log, y_is_log) = (chart.x.log, chart.y.log);
        Self {
            x,
            y,
            x_is_log,
            y_is_log,
            names,
            left,
            top,
            is_slanted,
            longest_name,
            has_label: !label(&chart.x).is_empty(),
        }
    }

    /// The room that the words below the frame take.
    pub(super) fn below(&self) -> f64 {
        let names = if self.is_slanted { 0.66 * self.longest_name + FONT_SIZE } else { 1.5 * FONT_SIZE };
        names + if self.has_label { 1.9 * FONT_SIZE } else { 0.4 * FONT_SIZE }
    }

    pub(super) fn x(&self, value: f64) -> f64 {
        // A name stands in the middle of its share of the axis.
        let value = if self.names > 0 { value + 0.5 } else { value };
        self.left + self.x.share(value) * (WIDTH - RIGHT - self.left)
    }

    /// Kept to the frame.
    pub(super) fn y(&self, value: f64) -> f64 {
        let share = if self.y_is_log && value <= 0.0 { 0.0 } else { self.y.share(value) };
        self.top + (1.0 - share.clamp(0.0, 1.0)) * FRAME_HEIGHT
    }

    /// What bars stand on.
    pub(super) fn foot(&self) -> f64 {
        if self.y_is_log { self.top + FRAME_HEIGHT } else { self.y(0.0) }
    }

    /// Of a name's share of the axis.
    pub(super) fn step(&self) -> f64 {
        (WIDTH - RIGHT - self.left) / self.names.max(1) as f64
    }

    /// The end of the axis.
    pub(super) fn end(&self) -> f64 {
        WIDTH - RIGHT
    }

    pub(super) fn shows(&self, point: &Point) -> bool {
        let fits =
            |log: bool, value: f64| if log { Axis::shows_logarithmically(value) } else { Axis::shows_linearly(value) };
        fits(self.x_is_log, point.x) && fits(self.y_is_log, point.y)
    }

    pub(super) fn draw(&self, chart: &Chart) -> Markup {
        let (bottom, right) = (self.top + FRAME_HEIGHT, WIDTH - RIGHT);
        let middle = f64::midpoint(self.left, right);
        html! {
            g class="line" color="#dcdcdc" stroke="currentColor" fill="none" {
                @for tick in self.y.ticks(Y_LABELS) {
                    path d={ "M" (at(self.left)) " " (at(self.y(tick))) "H" (at(right)) } {}
                }
                @if self.names == 0 {
                    @for tick in self.x.ticks(X_LABELS) {
                        path d={ "M" (at(self.x(tick))) " " (at(bottom)) "v5" } {}
                    }
                }
            }
            path d={ "M" (at(self.left)) " " (at(bottom)) "H" (at(right)) } class="soft" color="#5c5c5c"
                stroke="currentColor" {}
            g class="soft" color="#5c5c5c" fill="currentColor" {
                text x="2" y=(at(self.top - 0.7 * FONT_SIZE)) { (label(&chart.y)) @if chart.y.log { ", logarithmic" } }
                @for tick in self.y.ticks(Y_LABELS) {
                    text x=(at(self.left - 7.0)) y=(at(self.y(tick) + 0.35 * FONT_SIZE)) text-anchor="end" {
                        (minus(&self.y.label(tick, Y_LABELS)))
                    }
                }
                @if self.names == 0 {
                    @for tick in self.x.ticks(X_LABELS) {
                        text x=(at(self.x(tick))) y=(at(bottom + 1.5 * FONT_SIZE)) text-anchor="middle" {
                            (minus(&self.x.label(tick, X_LABELS)))
                        }
                    }
                }
                @for (place, name) in chart.x.names.iter().enumerate() {
                    @let (x, y) = (at(self.x(place as f64)), at(bottom + 1.4 * FONT_SIZE));
                    @if self.is_slanted {
                        text x=(x) y=(y) text-anchor="end" transform={ "rotate(-40 " (x) " " (y) ")" } { (name) }
                    } @else {
                        text x=(x) y=(y) text-anchor="middle" { (name) }
                    }
                }
                text x=(at(middle)) y=(at(bottom + self.below() - 0.5 * FONT_SIZE)) text-anchor="middle" {
                    (label(&chart.x)) @if chart.x.log { ", logarithmic" }
                }
            }
        }
    }
}

/// Whether both axes can show the point.
fn shows(chart: &Chart, point: &Point) -> bool {
    fits(&chart.x, point.x) && fits(&chart.y, point.y)
}

fn fits(axis: &exhibit::Axis, value: f64) -> bool {
    if axis.log { Axis::shows_logarithmically(value) } else { Axis::shows_linearly(value) }
}

/// An axis for all of these values.
fn axis(axis: &exhibit::Axis, values: Vec<f64>) -> Axis {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match (axis.log, values.is_empty()) {
        (true, true) => Axis::logarithmic(0.1, 1.0),
        (true, false) => Axis::logarithmic(low, high),
        (false, true) => Axis::linear(0.0, 1.0),
        (false, false) => Axis::linear(low, high),
    }
}

/// The same where what is shown are whole numbers, such as epochs: labelled at these only.
fn horizontal(chart: &Chart, values: impl Iterator<Item = f64>) -> Axis {
    let values: Vec<f64> = values.collect();
    let is_whole = |x: &f64| x.fract() == 0.0 && (0.0..1e6).contains(x);
    let ends = values.iter().copied().reduce(f64::min).zip(values.iter().copied().reduce(f64::max));
    match ends {
        Some((low, high)) if !chart.x.log && low < high && values.iter().all(is_whole) => {
            Axis::epochs(low as usize, high as usize)
        }
        _ => axis(&chart.x, values),
    }
}

/// With a minus as it is printed.
fn minus(label: &str) -> String {
    label.replace('-', "\u{2212}")
}
