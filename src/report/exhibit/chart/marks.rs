//! Lines, steps, points and bars.

use super::frame::Frame;
use super::{Style, at};
use crate::experiment::exhibit::{Chart, Mark, Point, Series};
use crate::report::exhibit::data::name_at;
use maud::{Markup, html};

/// More points than these of one line cannot be told apart: of each stretch of them the lowest and the highest are drawn.
const FINEST: usize = 1000;

/// A line or steps, on a band where there is one.
pub(super) fn line(frame: &Frame, series: &Series, style: Style) -> Markup {
    let stretches: Vec<Vec<Point>> = stretches(frame, &series.points).into_iter().map(|s| thinned(&s)).collect();
    let bands = stretches.iter().filter_map(|stretch| band(frame, stretch, series.mark));
    let dashes = style.is_paper.then_some("6 4");
    html! {
        @for band in bands {
            path d=(band) fill="currentColor" fill-opacity="0.18" {}
        }
        @for stretch in &stretches {
            @if let [point] = stretch.as_slice() {
                (shape(0, (frame.x(point.x), frame.y(point.y)), style.is_paper))
            } @else {
                path d=(path(frame, stretch, series.mark)) fill="none" stroke="currentColor" stroke-width="1.8"
                    stroke-linejoin="round" stroke-dasharray=[dashes] {}
            }
        }
        @if style.has_shapes {
            @for point in stretches.iter().flat_map(|stretch| stretch.iter().step_by(stretch.len().div_ceil(8).max(1))) {
                (shape(style.shape, (frame.x(point.x), frame.y(point.y)), style.is_paper))
            }
        }
    }
}

/// A shape a point, with a whisker where it has ends, and what it is when it is pointed at.
pub(super) fn points(frame: &Frame, chart: &Chart, series: &Series, style: Style) -> Markup {
    html! {
        @for point in series.points.iter().filter(|point| frame.shows(point)) {
            @let (x, y) = (frame.x(point.x), frame.y(point.y));
            g {
                title { (told(chart, series, point)) }
                (whisker(frame, x, point))
                (shape(style.shape, (x, y), style.is_paper))
            }
        }
    }
}

/// Bars from the foot: beside those of the other series on an axis of names, else from each x to the next.
pub(super) fn bars(frame: &Frame, chart: &Chart, index: usize, style: Style) -> Markup {
    let series = &chart.series[index];
    let is_bars = |series: &&Series| series.mark == Mark::Bars;
    let (all, before) =
        (chart.series.iter().filter(is_bars).count(), chart.series[..index].iter().filter(is_bars).count());
    let share = 0.84 * frame.step() / all.max(1) as f64;
    let shown: Vec<&Point> = series.points.iter().filter(|point| frame.shows(point)).collect();
    let sides = |place: usize| {
        let x = frame.x(shown[place].x);
        if !chart.x.names.is_empty() {
            let left = x - 0.42 * frame.step() + before as f64 * share;
            return (left, (0.94 * share).max(1.0));
        }
        let next = match (shown.get(place + 1), place.checked_sub(1)) {
            (Some(next), _) => frame.x(next.x),
            // The last is as wide as the one before it.
            (None, Some(previous)) => (2.0 * x - frame.x(shown[previous].x)).min(frame.end()),
            (None, None) => (x + 20.0).min(frame.end()),
        };
        (x, (next - x).max(0.5))
    };
    // Bars of several series that stand in one place show those behind them.
    let own = if chart.x.names.is_empty() && all > 1 { "0.3" } else { "0.75" };
    let (opacity, dashes) = if style.is_paper { ("0.12", Some("4 3")) } else { (own, None) };
    html! {
        @for (place, point) in shown.iter().enumerate() {
            @let (left, width) = sides(place);
            @let (foot, y) = (frame.foot(), frame.y(point.y));
            g {
                title { (told(chart, series, point)) }
                rect x=(at(left)) y=(at(y.min(foot))) width=(at(width)) height=(at((foot - y).abs())) fill="currentColor"
                    fill-opacity=(opacity) stroke="currentColor" stroke-dasharray=[dashes] {}
                (whisker(frame, left + width / 2.0, point))
            }
        }
    }
}

/// Of four shapes one; hollow for the paper's.
pub(super) fn shape(kind: usize, (x, y): (f64, f64), is_hollow: bool) -> Markup {
    let fill = if is_hollow { "none" } else { "currentColor" };
    let (x_at, y_at) = (at(x), at(y));
    let outline = match kind % 4 {
        0 => {
            return html! { circle cx=(x_at) cy=(y_at) r="3.8" fill=(fill) stroke="currentColor" stroke-width="1.6" {} };
        }
        1 => "m-3.5-3.5h7v7h-7z",
        2 => "m0-4.6 4.4 7.8h-8.8z",
        _ => "m0-5 4.4 5-4.4 5-4.4-5z",
    };
    html! { path d={ "M" (x_at) " " (y_at) (outline) } fill=(fill) stroke="currentColor" stroke-width="1.6" {} }
}

fn whisker(frame: &Frame, x: f64, point: &Point) -> Markup {
    let (Some(low), Some(high)) = (point.low, point.high) else { return html! {} };
    let (low, high) = (at(frame.y(low)), at(frame.y(high)));
    let (left, right) = (at(x - 3.0), at(x + 3.0));
    html! {
        path d={ "M" (at(x)) " " (low) "V" (high) "M" (left) " " (low) "H" (right) "M" (left) " " (high) "H" (right) }
            fill="none" stroke="currentColor" stroke-width="1.2" {}
    }
}

/// A point in words.
fn told(chart: &Chart, series: &Series, point: &Point) -> String {
    let x = name_at(chart, point.x).map_or_else(|| format!("{}", point.x), str::to_string);
    let unit = chart.y.unit.as_deref().unwrap_or_default();
    let ends = match (point.low, point.high) {
        (Some(low), Some(high)) => format!(" ({} to {})", digits(low), digits(high)),
        _ => String::new(),
    };
    format!("{}, {x}: {} {unit}{ends}", series.name, digits(point.y))
}

/// Five digits, which a reader may want of a point.
fn digits(value: f64) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
        let decimals = (4.0 - libm::floor(libm::log10(value.abs().max(1.0)))).max(0.0) as usize;
        return format!("{value:.decimals$}");
    }
    format!("{value:.3e}")
}

/// The parts between points that the axes cannot show.
fn stretches(frame: &Frame, points: &[Point]) -> Vec<Vec<Point>> {
    points.split(|point| !frame.shows(point)).filter(|part| !part.is_empty()).map(<[Point]>::to_vec).collect()
}

fn thinned(points: &[Point]) -> Vec<Point> {
    if points.len() <= FINEST {
        return points.to_vec();
    }
    let extremes = |stretch: &[Point]| {
        let by = |a: &usize, b: &usize| stretch[*a].y.total_cmp(&stretch[*b].y);
        let (low, high) = ((0..stretch.len()).min_by(by), (0..stretch.len()).max_by(by));
        let mut kept: Vec<usize> = low.into_iter().chain(high).collect();
        kept.sort_unstable();
        kept.dedup();
        kept.into_iter().map(|i| stretch[i]).collect::<Vec<_>>()
    };
    points.chunks((2 * points.len()).div_ceil(FINEST)).flat_map(extremes).collect()
}

fn path(frame: &Frame, points: &[Point], mark: Mark) -> String {
    let mut path = String::new();
    for (place, point) in points.iter().enumerate() {
        let (x, y) = (at(frame.x(point.x)), at(frame.y(point.y)));
        path += &match (place, mark) {
            (0, _) => format!("M{x} {y}"),
            (_, Mark::Steps) => format!("H{x}V{y}"),
            _ => format!("L{x} {y}"),
        };
    }
    path
}

/// The area between the ends, where there are ends.
fn band(frame: &Frame, points: &[Point], mark: Mark) -> Option<String> {
    let edge = |end: fn(&Point) -> Option<f64>| -> Vec<Point> {
        points.iter().filter_map(|point| Some(Point::new(point.x, end(point)?))).collect()
    };
    let (low, high) = (edge(|point| point.low), edge(|point| point.high));
    if low.len() < 2 || low.len() != high.len() {
        return None;
    }
    let above = path(frame, &high, mark);
    // Back along the other edge: steps too, whose corners then lie at the earlier x.
    let mut below = String::new();
    for (place, point) in low.iter().enumerate().rev() {
        let (x, y) = (at(frame.x(point.x)), at(frame.y(point.y)));
        below += &match (place + 1 == low.len(), mark) {
            (false, Mark::Steps) => format!("V{y}H{x}"),
            _ => format!("L{x} {y}"),
        };
    }
    Some(format!("{above}{below}Z"))
}
