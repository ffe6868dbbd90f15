//! [`Panel`]: one quantity of all series.

use super::series::{Point, Series, over_seeds};
use super::window::Window;
use super::{Against, Area, FONT_SIZE, FRAME, GRID, LEFT_LABELS, MARGIN, Quantity, TEXT, View, undrawn};
use crate::error::Result;
use crate::paper::reading::RewindCopy;
use crate::paper::rewind::RewindPoint;
use crate::report::axis::Axis;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A quantity and the part of its values that is shown.
pub(super) struct Panel {
    quantity: Quantity,
    window: Window,
    /// How many values lie beyond the axis although nobody asked for its ends, and the farthest of them.
    beyond: Option<(usize, f64)>,
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Above the frame, in pixels: room for a word on what is beyond the axis.
const ABOVE: u32 = 20;

impl Panel {
    /// With the given ends of the axis, or with ends for the values; `None` if there are none.
    pub(super) fn new(quantity: Quantity, given: Option<[f64; 2]>, series: &[Series], view: View) -> Option<Self> {
        let runs = series.iter().flat_map(|series| series.values(quantity, view));
        let values: Vec<f64> = runs.flatten().filter_map(|(_, y)| y).collect();
        let Some(ends) = given else {
            let window = Window::around(quantity.scale(), values.clone())?;
            let mut beyond = None;
            for value in values.into_iter().filter(|&value| !window.holds(value)) {
                let (count, far) = beyond.unwrap_or((0, value));
                beyond = Some((count + 1, window.farther(far, value)));
            }
            return Some(Self { quantity, window, beyond });
        };
        let window = Window::given(quantity.scale(), ends);
        (!values.is_empty()).then_some(Self { quantity, window, beyond: None })
    }

    /// Whether running minima are marked.
    pub(super) fn has_minima(&self, view: View) -> bool {
        self.quantity.has_minima() && view.against == Against::Epochs
    }

    pub(super) fn draw(&self, area: &Area, series: &[Series], view: View, x: &Axis) -> Result<()> {
        let mut chart = self.frame(area, view, x)?;
        for one in series {
            let runs = one.values(self.quantity, view);
            match view.against {
                Against::Epochs => self.draw_curve(&mut chart, one, &runs)?,
                Against::Sparsity => self.draw_dots(&mut chart, one, 2, runs.into_iter().flatten())?,
            }
            if self.has_minima(view) && !one.has_band() {
                // Of the whole run, whatever part of it is shown.
                for run in one.values(self.quantity, View { epochs: None, ..view }) {
                    let minima = running_minima(&run)?.into_iter().filter(|&(k, _)| view.shows(k as usize));
                    self.draw_dots(&mut chart, one, 3, minima.map(|(k, y)| (k, Some(y))))?;
                }
            }
        }
        match self.beyond {
            Some(beyond) => tell_beyond(area, beyond),
            None => Ok(()),
        }
    }

    fn frame<'a, 'b>(&self, area: &'a Area<'b>, view: View, x: &Axis) -> Result<Chart<'a, 'b>> {
        let (width, height) = area.dim_in_pixel();
        // A label and room around it.
        let (x_labels, y_labels) = (width as usize / 75, height as usize / 35);
        let y = &self.window.axis;
        let mut chart = ChartBuilder::on(area)
            .margin_top(ABOVE)
            .margin_left(MARGIN)
            .margin_right(MARGIN)
            .x_label_area_size(46)
            .y_label_area_size(LEFT_LABELS)
            .build_cartesian_2d(x.clone(), y.clone())
            .map_err(undrawn)?;
        let text = ("sans-serif", FONT_SIZE).into_font().color(&TEXT);
        chart
            .configure_mesh()
            .x_labels(x_labels)
            .y_labels(y_labels)
            .x_label_formatter(&|&k| x.label(k, x_labels))
            .y_label_formatter(&|&value| y.label(value, y_labels))
            .max_light_lines(1)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(FRAME)
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_desc(view.against.label())
            .y_desc(self.quantity.label())
            .draw()
            .map_err(undrawn)?;
        Ok(chart)
    }

    /// A run's curve; of several, their mean's, and a band from the smallest to the largest.
    fn draw_curve(&self, chart: &mut Chart, series: &Series, runs: &[Vec<Point<f64>>]) -> Result<()> {
        let (mean, band) = over_seeds(runs);
        if series.has_band() {
            for stretch in band.split(|(_, ends)| ends.is_none()) {
                let edge =
                    |i: usize| stretch.iter().filter_map(move |&(x, ends)| Some((x, self.window.nearest(ends?[i]))));
                let outline: Vec<(f64, f64)> = edge(0).chain(edge(1).collect::<Vec<_>>().into_iter().rev()).collect();
                let filled = Polygon::new(outline, series.colour.mix(0.2).filled());
                chart.draw_series(std::iter::once(filled)).map_err(undrawn)?;
            }
        }
        for points in self.window.stretches(&mean) {
            let style = series.colour.stroke_width(2);
            match (points.as_slice(), series.dashes) {
                (&[point], _) => chart.draw_series(std::iter::once(Circle::new(point, 2, series.colour.filled()))),
                (_, None) => chart.draw_series(LineSeries::new(points, style)),
                (_, Some((dash, gap))) => chart.draw_series(DashedLineSeries::new(points, dash, gap, style)),
            }
            .map_err(undrawn)?;
        }
        Ok(())
    }

    /// The points in the window as dots.
    fn draw_dots(
        &self,
        chart: &mut Chart,
        series: &Series,
        radius: u32,
        points: impl Iterator<Item = Point<f64>>,
    ) -> Result<()> {
        let points = points.filter_map(|(x, y)| Some((x, y.filter(|&y| self.window.holds(y))?)));
        let dots = points.map(|point| Circle::new(point, radius, series.colour.filled()));
        chart.draw_series(dots).map_err(undrawn).map(|_| ())
    }
}

/// Says above the frame what the axis leaves out.
fn tell_beyond(area: &Area, (count, farthest): (usize, f64)) -> Result<()> {
    let values = if count == 1 { "value" } else { "values" };
    let words = format!("{count} {values} beyond the axis, the farthest {farthest:.3e}");
    let text = ("sans-serif", FONT_SIZE).into_font().color(&TEXT);
    let right = area.dim_in_pixel().0.saturating_sub(MARGIN) as i32;
    let style = text.pos(Pos::new(HPos::Right, VPos::Center));
    area.draw_text(&words, &style, (right, ABOVE as i32 / 2)).map_err(undrawn)
}

/// The epochs at which Alg. 4 finds a new minimum of S_F, and its value there.
fn running_minima(values: &[Point<f64>]) -> Result<Vec<(f64, f64)>> {
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
