//! [`plot`]: runs as curves over epochs, in the form of the paper's Fig. 3, or what their epochs cost against sparsity.

mod legend;
mod panel;
mod quantity;
mod series;
mod window;

pub use quantity::Quantity;

use super::axis::Axis;
use super::distinction::Distinction;
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::train::StoredRun;
use legend::Legend;
use panel::Panel;
use plotters::coord::Shift;
use plotters::prelude::*;
use series::Series;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

choice! {
    /// What the figure's panels have along the horizontal axis.
    Against, "against":
    /// k: how a run goes.
    Epochs = "epochs",
    /// The share of weights that were eliminated while the epoch was trained: what it then costs.
    Sparsity = "sparsity",
}

choice! {
    /// How runs are drawn that differ in their seed alone.
    Seeds, "seeds":
    /// The mean of their values, on a band from the smallest to the largest.
    Together = "together",
    /// Each by itself.
    Apart = "apart",
}

/// What is drawn of the runs, and how large.
#[derive(Debug, Clone, Default)]
pub struct PlotOptions {
    pub against: Against,
    /// A panel each, in this order; without any, S_F, accuracy, sparsity and loss over epochs, or the costs against
    /// sparsity.
    pub quantities: Vec<Quantity>,
    pub seeds: Seeds,
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels, of the whole figure.
    pub height: Option<u32>,
    /// The first and the last epoch to draw.
    pub epochs: Option<[usize; 2]>,
    /// The ends of a quantity's axis, in its label's unit.
    pub ranges: Vec<(Quantity, [f64; 2])>,
}

/// Which epochs lie where along the horizontal axis.
#[derive(Debug, Clone, Copy)]
struct View {
    against: Against,
    epochs: Option<[usize; 2]>,
}

impl View {
    fn shows(self, epoch: usize) -> bool {
        self.epochs.is_none_or(|[first, last]| (first..=last).contains(&epoch))
    }
}

const TEXT: RGBColor = RGBColor(40, 40, 40);
const FRAME: RGBColor = RGBColor(120, 120, 120);
const GRID: RGBColor = RGBColor(225, 225, 225);

// In pixels of the figure.
const WIDTH: u32 = 1000;
const PANEL_HEIGHT: u32 = 250;
const MARGIN: u32 = 20;
const LEFT_LABELS: u32 = 80;
const FONT_SIZE: u32 = 16;
/// What can still be read, and what a viewer still opens.
const WIDTHS: std::ops::RangeInclusive<u32> = 400..=10_000;
const LOWEST_PANEL: u32 = 120;
const HIGHEST: u32 = 20_000;

/// The figure as an SVG document: what all runs share, what tells each from the others, and a panel a quantity. Over
/// epochs: a curve a run, or the mean over seeds with a band from the smallest to the largest, and dots at the running
/// minima of S_F (Alg. 4) as in Fig. 3. Against sparsity: a dot per epoch. Values that a run does not have (a dense run
/// computes no S_F) or that an axis cannot show leave a gap, a value between gaps is a small dot, and a panel without
/// values is left out. Where a few values would press all others into a tenth of the axis, it leaves them out and says so.
///
/// # Errors
/// [`Error::Domain`] if there are no runs or more than can be told apart, if no run has completed an epoch (that is to be
/// drawn), if an option has no meaning, or if a recorded S_F is negative.
pub fn plot(runs: &[StoredRun], options: &PlotOptions) -> Result<String> {
    let distinction = Distinction::of(runs)?;
    let series = Series::of(runs, options.seeds, &distinction)?;
    let view = View { against: options.against, epochs: options.epochs };
    let epochs = || runs.iter().flat_map(|run| &run.records).map(|record| record.epoch).filter(|&k| view.shows(k));
    let (Some(first), Some(last)) = (epochs().min(), epochs().max()) else {
        return Err(Error::domain("plot", "a run with a completed epoch", "none"));
    };
    let x = match options.against {
        Against::Epochs => Axis::epochs(first, last),
        Against::Sparsity => Axis::linear(0.0, 100.0),
    };
    let panels = panels(&series, view, options)?;
    let mut notes = Vec::new();
    if series.iter().any(Series::has_band) && view.against == Against::Epochs {
        notes.push("bands: from the smallest to the largest of the seeds; lines: their mean");
    }
    if panels.iter().any(|panel| panel.has_minima(view)) && series.iter().any(|series| !series.has_band()) {
        notes.push("dots: running minima of S_F");
    }
    let width = options.width.unwrap_or(WIDTH);
    if !WIDTHS.contains(&width) {
        return Err(Error::domain("--width", format!("{} to {} pixels", WIDTHS.start(), WIDTHS.end()), width));
    }
    let legend = Legend::new(width, &distinction.shared(), &series, &notes);
    let height = height(options.height, legend.height() + MARGIN, panels.len() as u32)?;

    let mut svg = String::new();
    let root = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
    root.fill(&WHITE).map_err(undrawn)?;
    let (above, rest) = root.split_vertically(legend.height());
    legend.draw(&above)?;
    let areas = rest.margin(0, MARGIN, 0, 0).split_evenly((panels.len(), 1));
    for (area, panel) in areas.iter().zip(&panels) {
        panel.draw(area, &series, view, &x)?;
    }
    root.present().map_err(undrawn)?;
    drop((above, rest, areas, root));
    Ok(svg)
}

/// The quantities that have values.
fn panels(series: &[Series], view: View, options: &PlotOptions) -> Result<Vec<Panel>> {
    let defaults: &[&str] = match options.against {
        Against::Epochs => &["frobenius", "test_accuracy", "sparsity", "loss"],
        Against::Sparsity => &["seconds", "effective_flops", "bytes"],
    };
    let all = Quantity::all();
    let defaults = defaults.iter().filter_map(|key| all.iter().find(|quantity| quantity.name() == *key).copied());
    let quantities: Vec<Quantity> =
        if options.quantities.is_empty() { defaults.collect() } else { options.quantities.clone() };
    for (quantity, [low, high]) in &options.ranges {
        let scale = quantity.scale();
        if !(low < high && scale.shows(*low) && scale.shows(*high)) {
            let expected = format!("{quantity}=LOW:HIGH, two numbers that its axis can show, the smaller first");
            return Err(Error::domain("--range", expected, format!("{low}:{high}")));
        }
    }
    let given = |quantity| options.ranges.iter().find(|(of, _)| *of == quantity).map(|(_, ends)| *ends);
    let panel = |&quantity: &Quantity| Panel::new(quantity, given(quantity), series, view);
    let panels: Vec<Panel> = quantities.iter().filter_map(panel).collect();
    if panels.is_empty() {
        let wanted: Vec<&str> = quantities.iter().map(|quantity| quantity.name()).collect();
        return Err(Error::domain("plot", "a quantity that some run has", wanted.join(", ")));
    }
    Ok(panels)
}

/// The figure's height, with `fixed` pixels of it beside the panels.
fn height(given: Option<u32>, fixed: u32, panels: u32) -> Result<u32> {
    let height = given.unwrap_or(fixed + panels * PANEL_HEIGHT);
    let lowest = fixed + panels * LOWEST_PANEL;
    if (lowest..=HIGHEST.max(lowest)).contains(&height) || given.is_none() {
        return Ok(height);
    }
    Err(Error::domain(
        "--height",
        format!("{lowest} to {} pixels for these panels and runs", HIGHEST.max(lowest)),
        height,
    ))
}

/// The figure is drawn into memory, where nothing but the drawing itself can fail.
fn undrawn(error: impl std::fmt::Display) -> Error {
    Error::domain("plot", "a figure that can be drawn", error)
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
