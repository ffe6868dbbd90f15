//! [`plot`]: runs as curves over epochs, in the form of the paper's Fig. 3, or what their epochs cost against sparsity.

mod axis;

use super::StoredRun;
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::paper::reading::RewindCopy;
use crate::paper::rewind::RewindPoint;
use crate::train::EpochRecord;
use axis::Axis;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

choice! {
    /// What the figure's panels have along the horizontal axis.
    Against, "against":
    /// k: how a run goes.
    Epochs = "epochs",
    /// The share of weights that were eliminated while the epoch was trained: what it then costs.
    Sparsity = "sparsity",
}

/// One quantity of the epochs.
struct Panel {
    label: &'static str,
    value: fn(&EpochRecord) -> Option<f64>,
    /// The axis for values between these bounds.
    axis: fn(f64, f64) -> Axis,
    /// What the axis can show.
    drawable: fn(f64) -> bool,
    /// Whether running minima are marked.
    minima: bool,
}

const OVER_EPOCHS: [Panel; 4] = [
    Panel { label: "S_F", value: |r| r.frobenius, axis: Axis::linear, drawable: Axis::shows_linearly, minima: true },
    Panel {
        label: "test accuracy (%)",
        value: |r| Some(100.0 * r.test_accuracy),
        axis: Axis::linear,
        drawable: Axis::shows_linearly,
        minima: false,
    },
    Panel {
        label: "sparsity (%)",
        value: |r| Some(100.0 * r.sparsity),
        // The whole scale, whatever part of it the runs cover.
        axis: |low, high| Axis::linear(low.min(0.0), high.max(100.0)),
        drawable: Axis::shows_linearly,
        minima: false,
    },
    Panel {
        label: "training loss",
        value: |r| Some(r.loss),
        axis: Axis::logarithmic,
        drawable: Axis::shows_logarithmically,
        minima: false,
    },
];

const AGAINST_SPARSITY: [Panel; 3] = [
    Panel::cost("time per epoch (s)", |r| Some(r.seconds)),
    Panel::cost("effective GFLOP per epoch", |r| Some(r.effective_flops? as f64 / 1e9)),
    Panel::cost("weights and what follows them (MiB)", |r| Some(r.bytes? as f64 / f64::from(1 << 20))),
];

/// Okabe and Ito's colours for readers with any colour vision, without the yellow, which is faint on white.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 0, 0),
];
const TEXT: RGBColor = RGBColor(40, 40, 40);
const FRAME: RGBColor = RGBColor(120, 120, 120);
const GRID: RGBColor = RGBColor(225, 225, 225);

// In pixels of the figure.
const WIDTH: u32 = 1000;
const PANEL_HEIGHT: u32 = 250;
const LEGEND_LINE: u32 = 22;
const MARGIN: u32 = 20;
const LEFT_LABELS: u32 = 80;
const FONT_SIZE: u32 = 16;

/// The figure as an SVG document, each run in its colour, named in the legend. Over epochs: stacked panels over the same
/// k, with S_F (Eq. 4) and dots at its running minima (Alg. 4) as in Fig. 3, test accuracy in %, sparsity in %, and mean
/// training loss on a logarithmic scale, one line per run. Against sparsity: a dot per epoch, for its seconds, its
/// effective FLOPs and its bytes ([`EpochRecord`]). Values that a run does not have (a dense run computes no S_F) or that an axis
/// cannot show leave a gap, a value between gaps is a small dot, and a panel without values is left out.
///
/// # Errors
/// [`Error::Domain`] if there are no runs or more than there are colours to tell apart, if no run has completed an
/// epoch, or if a recorded S_F is negative.
pub fn plot(runs: &[StoredRun], against: Against) -> Result<String> {
    if runs.is_empty() || runs.len() > COLOURS.len() {
        let expected = format!("1 to {} runs, as many as colours can tell apart", COLOURS.len());
        return Err(Error::domain("plot", expected, runs.len()));
    }
    let epochs = || runs.iter().flat_map(|run| &run.records).map(|record| record.epoch);
    let (Some(first), Some(last)) = (epochs().min(), epochs().max()) else {
        return Err(Error::domain("plot", "a run with a completed epoch", "none"));
    };
    let (x, panels) = match against {
        Against::Epochs => (Axis::epochs(first, last), &OVER_EPOCHS[..]),
        Against::Sparsity => (Axis::linear(0.0, 100.0), &AGAINST_SPARSITY[..]),
    };
    let panels: Vec<(&Panel, Axis)> = panels.iter().filter_map(|panel| Some((panel, panel.axis_for(runs)?))).collect();
    let legend_lines = runs.len() as u32 + 1 + u32::from(panels.iter().any(|(panel, _)| panel.minima));
    let legend_height = legend_lines * LEGEND_LINE + 2 * MARGIN;
    let height = legend_height + panels.len() as u32 * PANEL_HEIGHT + MARGIN;

    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE).map_err(undrawn)?;
    let (legend, rest) = root.split_vertically(legend_height);
    draw_legend(&legend, runs, legend_lines as usize > runs.len() + 1)?;
    let areas = rest.margin(0, MARGIN, 0, 0).split_evenly((panels.len(), 1));
    for (area, (panel, y)) in areas.iter().zip(&panels) {
        panel.draw(area, runs, against, (&x, y))?;
    }
    root.present().map_err(undrawn)?;
    drop((legend, rest, areas, root));
    Ok(svg)
}

/// The figure is drawn into memory, where nothing but the drawing itself can fail.
fn undrawn(error: impl std::fmt::Display) -> Error {
    Error::domain("plot", "a figure that can be drawn", error)
}

/// A title that says what all runs share, and a line per run.
fn draw_legend(area: &Area, runs: &[StoredRun], with_minima: bool) -> Result<()> {
    let text = ("sans-serif", FONT_SIZE).into_font().color(&TEXT);
    let at = |line: usize| (MARGIN + LEGEND_LINE * line as u32 + LEGEND_LINE / 2) as i32;
    let left = (MARGIN + LEFT_LABELS) as i32;
    let write = |words: &str, x: i32, line: usize| {
        area.draw_text(words, &text.pos(Pos::new(HPos::Left, VPos::Center)), (x, at(line))).map_err(undrawn)
    };
    let what = |run: &StoredRun| format!("{} on {}", run.config.model, run.config.data);
    let shared = runs.first().map(what).filter(|shared| runs.iter().all(|run| what(run) == *shared));
    write(shared.as_deref().unwrap_or("several networks or data sets"), left, 0)?;
    for (i, (run, colour)) in runs.iter().zip(COLOURS).enumerate() {
        let sample = vec![(left, at(i + 1)), (left + 30, at(i + 1))];
        area.draw(&PathElement::new(sample, colour.stroke_width(3))).map_err(undrawn)?;
        let own = if shared.is_none() { format!("{}: ", what(run)) } else { String::new() };
        write(&(own + &name(run)?), left + 40, i + 1)?;
    }
    if with_minima {
        write("dots: running minima of S_F", left, runs.len() + 1)?;
    }
    Ok(())
}

/// `gdstar, seed 0`, with what departs from the paper's settings and how far a run under way is.
fn name(run: &StoredRun) -> Result<String> {
    let mut parts = vec![run.config.method.to_string(), format!("seed {}", run.config.seed)];
    parts.extend(run.departures()?);
    if !run.is_finished() {
        parts.push(format!("{} epochs", run.progress()));
    }
    Ok(parts.join(", "))
}

impl Panel {
    /// A quantity that is 0 for an epoch that costs nothing.
    const fn cost(label: &'static str, value: fn(&EpochRecord) -> Option<f64>) -> Self {
        let axis = |_: f64, high: f64| Axis::linear(0.0, high);
        Self { label, value, axis, drawable: Axis::shows_linearly, minima: false }
    }

    /// The run's values, `None` where there is nothing to draw.
    fn values(&self, run: &StoredRun) -> Vec<Option<f64>> {
        run.records.iter().map(|r| (self.value)(r).filter(|&x| (self.drawable)(x))).collect()
    }

    /// The axis for all runs' values; `None` if there are none.
    fn axis_for(&self, runs: &[StoredRun]) -> Option<Axis> {
        let values = runs.iter().flat_map(|run| self.values(run)).flatten();
        let (low, high) = values.map(|x| (x, x)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        Some((self.axis)(low, high))
    }

    fn draw(&self, area: &Area, runs: &[StoredRun], against: Against, (x, y): (&Axis, &Axis)) -> Result<()> {
        const X_LABELS: usize = 13;
        const Y_LABELS: usize = 7;
        let mut chart = ChartBuilder::on(area)
            .margin_top(8)
            .margin_left(MARGIN)
            .margin_right(MARGIN)
            .x_label_area_size(46)
            .y_label_area_size(LEFT_LABELS)
            .build_cartesian_2d(x.clone(), y.clone())
            .map_err(undrawn)?;
        let text = ("sans-serif", FONT_SIZE).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .x_labels(X_LABELS)
            .y_labels(Y_LABELS)
            .x_label_formatter(&|&k| x.label(k, X_LABELS))
            .y_label_formatter(&|&value| y.label(value, Y_LABELS))
            .max_light_lines(1)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(FRAME)
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_desc(against.label())
            .y_desc(self.label)
            .draw()
            .map_err(undrawn)?;
        for (run, colour) in runs.iter().zip(COLOURS) {
            let points: Vec<(f64, Option<f64>)> = against.places(run).into_iter().zip(self.values(run)).collect();
            for stretch in points.split(|(_, value)| value.is_none()) {
                let points: Vec<_> = stretch.iter().filter_map(|&(x, value)| Some((x, value?))).collect();
                if against == Against::Sparsity || points.len() == 1 {
                    let dots = points.into_iter().map(|point| Circle::new(point, 2, colour.filled()));
                    chart.draw_series(dots).map_err(undrawn)?;
                } else if !points.is_empty() {
                    chart.draw_series(LineSeries::new(points, colour.stroke_width(2))).map_err(undrawn)?;
                }
            }
            if self.minima {
                let dots = running_minima(&points)?.into_iter().map(|point| Circle::new(point, 3, colour.filled()));
                chart.draw_series(dots).map_err(undrawn)?;
            }
        }
        Ok(())
    }
}

impl Against {
    fn label(self) -> &'static str {
        match self {
            Self::Epochs => "epoch k",
            Self::Sparsity => "sparsity during the epoch (%)",
        }
    }

    /// Where each epoch of the run lies along the axis.
    fn places(self, run: &StoredRun) -> Vec<f64> {
        match self {
            Self::Epochs => run.records.iter().map(|record| record.epoch as f64).collect(),
            // A record's own sparsity is that of its epoch's end.
            Self::Sparsity => std::iter::once(0.0).chain(run.records.iter().map(|r| 100.0 * r.sparsity)).collect(),
        }
    }
}

/// The epochs at which Alg. 4 finds a new minimum of S_F, and its value there.
fn running_minima(values: &[(f64, Option<f64>)]) -> Result<Vec<(f64, f64)>> {
    // Alg. 4 without weights to capture.
    let mut rewind = RewindPoint::new(RewindCopy::Alias, &[]);
    let mut minima = Vec::new();
    for (i, &(k, frobenius)) in values.iter().enumerate() {
        if let Some(frobenius) = frobenius
            && rewind.observe(i, frobenius, &[])?
        {
            minima.push((k, frobenius));
        }
    }
    Ok(minima)
}
