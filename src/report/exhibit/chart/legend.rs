//! [`Legend`]: which series is which, above the frame.

use super::marks::shape;
use super::{FONT_SIZE, LETTER, Style, WIDTH, at};
use crate::experiment::exhibit::{Chart, Mark, Origin};
use maud::{Markup, html};

/// Where each series' entry stands; none where one series says nothing that the title does not.
pub(super) struct Legend {
    /// The series, its words, and its place: x and line.
    entries: Vec<(usize, String, (f64, usize))>,
    lines: usize,
}

const LINE: f64 = 1.5 * FONT_SIZE;
/// Of the sample before the words, and the room after them.
const SAMPLE: f64 = 28.0;
const GAP: f64 = 14.0;

impl Legend {
    pub(super) fn new(chart: &Chart) -> Self {
        let mut entries = Vec::new();
        let (mut x, mut line) = (2.0, 0);
        let shown = chart.series.iter().enumerate().filter(|(_, series)| !series.points.is_empty());
        for (index, series) in shown {
            let is_paper = series.origin == Origin::Paper && !series.name.to_lowercase().contains("paper");
            let words = if is_paper { format!("{} (paper)", series.name) } else { series.name.clone() };
            let width = SAMPLE + words.chars().count() as f64 * LETTER + GAP;
            if x + width > WIDTH + GAP && x > 2.0 {
                (x, line) = (2.0, line + 1);
            }
            entries.push((index, words, (x, line)));
            x += width;
        }
        if entries.len() < 2 && chart.series.iter().all(|series| series.origin == Origin::Ours) {
            entries.clear();
        }
        let lines = if entries.is_empty() { 0 } else { line + 1 };
        Self { entries, lines }
    }

    pub(super) fn height(&self) -> f64 {
        self.lines as f64 * LINE + 4.0
    }

    pub(super) fn draw(&self, chart: &Chart) -> Markup {
        html! {
            @for (index, words, (x, line)) in &self.entries {
                @let style = Style::of(chart, *index);
                @let middle = (*line as f64 + 0.55) * LINE;
                g class=(style.class()) color=(style.hex()) { (sample(chart.series[*index].mark, (*x, middle), style)) }
                text fill="currentColor" x=(at(x + SAMPLE)) y=(at(middle + 0.35 * FONT_SIZE)) { (words) }
            }
        }
    }
}

fn sample(mark: Mark, (x, y): (f64, f64), style: Style) -> Markup {
    let middle = x + SAMPLE / 2.0 - 3.0;
    let dashes = style.is_paper.then_some("6 4");
    html! {
        @match mark {
            Mark::Line | Mark::Steps => {
                path d={ "M" (at(x)) " " (at(y)) "h22" } stroke="currentColor" stroke-width="2" stroke-dasharray=[dashes] {}
                @if style.has_shapes { (shape(style.shape, (middle, y), style.is_paper)) }
            }
            Mark::Points => (shape(style.shape, (middle, y), style.is_paper)),
            Mark::Bars => {
                rect x=(at(middle - 6.0)) y=(at(y - 5.0)) width="12" height="10" fill="currentColor" stroke="currentColor"
                    fill-opacity=(if style.is_paper { "0.12" } else { "0.75" }) stroke-dasharray=[dashes.map(|_| "3 2")] {}
            }
        }
    }
}
