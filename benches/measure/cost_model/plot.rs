//! The figure of measured and predicted steps.

use gdstar::{Error, Result};
use plotters::prelude::*;

const SIZE: u32 = 600;
const FONT: (&str, u32) = ("sans-serif", 16);
/// By the order of thread counts; Okabe and Ito's, for readers with any colour vision.
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115)];

/// Points `(threads, measured, predicted)` in seconds on logarithmic axes, and the line on which both are equal.
pub fn measured_against_predicted(points: &[(usize, f64, f64)]) -> Result<String> {
    let seconds = || points.iter().flat_map(|&(_, measured, predicted)| [measured, predicted]);
    let (low, high) = seconds().fold((f64::INFINITY, 0.0_f64), |(low, high), s| (low.min(s), high.max(s)));
    let (low, high) = (low / 2.0, high * 2.0);
    let mut svg = String::new();
    draw(&mut svg, points, low, high).map_err(|error| Error::domain("figure", "one that can be drawn", error))?;
    Ok(svg)
}

fn draw(
    svg: &mut String,
    points: &[(usize, f64, f64)],
    low: f64,
    high: f64,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, (SIZE, SIZE)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(20)
        .x_label_area_size(46)
        .y_label_area_size(80)
        .build_cartesian_2d((low..high).log_scale(), (low..high).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("measured seconds a step")
        .y_desc("predicted seconds a step")
        .label_style(FONT)
        .axis_desc_style(FONT)
        .max_light_lines(1)
        .draw()?;
    chart.draw_series(LineSeries::new([(low, low), (high, high)], BLACK.mix(0.5)))?;
    let mut threads: Vec<usize> = points.iter().map(|point| point.0).collect();
    threads.dedup();
    for (&count, colour) in threads.iter().zip(COLOURS.iter().cycle()) {
        let own = points.iter().filter(|point| point.0 == count);
        chart
            .draw_series(own.map(|&(_, measured, predicted)| Circle::new((measured, predicted), 4, colour.filled())))?
            .label(format!("{count} threads"))
            .legend(|(x, y)| Circle::new((x + 10, y), 4, colour.filled()));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(FONT)
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}
