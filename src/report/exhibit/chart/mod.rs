//! [`svg`]: a chart as a picture whose words can be read at any width, in light and in dark surroundings and on paper.
//!
//! Drawn here and not by the library that draws [`plot`](crate::report::plot()): colours must follow the page's, shapes have
//! titles, and words take the page's own font.

mod frame;
mod legend;
mod marks;

use crate::experiment::exhibit::{Chart, Mark, Origin, Series};
use frame::Frame;
use maud::{Markup, html};

/// Okabe and Ito's colours for readers with any colour vision, without yellow, which is faint on white, and the two that are
/// nearest to it darker. The last is the ink itself.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#3f9fd8", "#b87f00", "#222222"];

/// The colours as style, on dark ground the same hues, lighter: shapes take them from the class of their group.
pub(in crate::report) const PALETTE: &str = "\
:root{color-scheme:light dark;--ink:light-dark(#222222,#dddddd);--soft:light-dark(#5c5c5c,#a6a6a6);\
--line:light-dark(#dcdcdc,#3c3c3c);--ground:light-dark(#ffffff,#16181b)}\
.chart{color:var(--ink)}.chart .soft{color:var(--soft)}.chart .line{color:var(--line)}.chart .ground{color:var(--ground)}\
.chart .s0{color:light-dark(#0072b2,#5aaee0)}.chart .s1{color:light-dark(#d55e00,#f58a3c)}\
.chart .s2{color:light-dark(#009e73,#33c79b)}.chart .s3{color:light-dark(#cc79a7,#e3a3c6)}\
.chart .s4{color:light-dark(#3f9fd8,#8fd0f5)}.chart .s5{color:light-dark(#b87f00,#f0b840)}\
.chart .s6{color:light-dark(#222222,#dddddd)}";

/// Of the picture, in its own units; it is drawn as wide as there is room.
const WIDTH: f64 = 460.0;
/// Of the frame with the marks in it.
const FRAME_HEIGHT: f64 = 225.0;
const FONT_SIZE: f64 = 12.5;
/// Of a letter on average, with room to spare.
const LETTER: f64 = 7.0;

/// How a series is told from the others.
#[derive(Debug, Clone, Copy)]
struct Style {
    /// Its place among [`COLOURS`].
    colour: usize,
    /// A circle, a square, a triangle, a diamond.
    shape: usize,
    /// The paper's: dashed and hollow.
    is_paper: bool,
    /// A line with shapes on it, where colours are used up.
    has_shapes: bool,
}

impl Style {
    fn of(chart: &Chart, index: usize) -> Self {
        let series = &chart.series[index];
        let ours = |other: &&Series| other.origin == Origin::Ours;
        // The paper's number for what we have run too has our colour.
        let place = |name: &str| chart.series.iter().position(|other| other.name == name && ours(&other));
        let distinct = match series.origin {
            Origin::Paper => place(&series.name).unwrap_or(index),
            Origin::Ours => index,
        };
        let before = |i: usize| chart.series[..i].iter().filter(ours).count();
        let number = if ours(&series) || distinct != index { before(distinct) } else { index };
        Self {
            colour: number % COLOURS.len(),
            shape: number % 4,
            is_paper: series.origin == Origin::Paper,
            has_shapes: number >= COLOURS.len(),
        }
    }

    fn class(self) -> String {
        format!("s{}", self.colour)
    }

    /// For programs that know no style sheets.
    fn hex(self) -> &'static str {
        COLOURS[self.colour]
    }
}

/// The chart as an `svg` element of a page that has the palette.
pub fn drawing(chart: &Chart) -> Markup {
    element(chart, None)
}

/// The chart as an SVG document.
pub fn svg(chart: &Chart) -> String {
    element(chart, Some(PALETTE)).into_string() + "\n"
}

fn element(chart: &Chart, style: Option<&str>) -> Markup {
    let legend = legend::Legend::new(chart);
    let above = legend.height() + 1.6 * FONT_SIZE;
    let frame = Frame::new(chart, above);
    let height = above + FRAME_HEIGHT + frame.below();
    let view = format!("0 0 {WIDTH} {height:.0}");
    html! {
        svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox=(view) role="img" aria-label=(described(chart))
            color="#222222" font-family="system-ui, sans-serif" font-size=(FONT_SIZE) {
            title { (chart.title) }
            @if let Some(style) = style {
                desc { (chart.alt) }
                style { (style) }
                rect class="ground" color="#ffffff" fill="currentColor" width="100%" height="100%" {}
            }
            (legend.draw(chart))
            (frame.draw(chart))
            @for (index, series) in chart.series.iter().enumerate() {
                @let style = Style::of(chart, index);
                g class=(style.class()) color=(style.hex()) {
                    @match series.mark {
                        Mark::Line | Mark::Steps => (marks::line(&frame, series, style)),
                        Mark::Points => (marks::points(&frame, chart, series, style)),
                        Mark::Bars => (marks::bars(&frame, chart, index, style)),
                    }
                }
            }
            @if chart.series.iter().all(|series| series.points.is_empty()) {
                text class="soft" color="#5c5c5c" fill="currentColor" x=(WIDTH / 2.0) y=(above + FRAME_HEIGHT / 2.0)
                    text-anchor="middle" { "nothing has been run yet" }
            }
        }
    }
}

fn described(chart: &Chart) -> String {
    if chart.alt.is_empty() { chart.title.clone() } else { format!("{}. {}", chart.title, chart.alt) }
}

/// A coordinate: a tenth of a unit is finer than a screen.
fn at(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_string)
}
