//! [`Legend`]: what all runs share, and a line or more a series.

use super::series::Series;
use super::{Area, FONT_SIZE, LEFT_LABELS, MARGIN, TEXT, undrawn};
use crate::error::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const LINE_HEIGHT: u32 = 22;
/// Of a sample of the series' line, and the room between it and its words.
const SAMPLE: u32 = 36;
const GAP: u32 = 10;
/// A character's width as a share of the font's size, in fonts that run wide: no viewer's letters are to be cut off.
const CHARACTER: f64 = 0.6;

/// The words above the panels, broken into lines.
pub(super) struct Legend<'a> {
    title: Vec<String>,
    series: Vec<(&'a Series<'a>, Vec<String>)>,
    notes: Vec<String>,
}

impl<'a> Legend<'a> {
    /// For a figure of this width.
    pub(super) fn new(width: u32, title: &str, series: &'a [Series<'a>], notes: &[&str]) -> Self {
        let lines = |text: &str, left: u32| -> Vec<String> {
            let room = width.saturating_sub(left + MARGIN);
            let characters = (f64::from(room) / (CHARACTER * f64::from(FONT_SIZE))) as usize;
            textwrap::wrap(text, characters.max(1)).into_iter().map(|line| line.into_owned()).collect()
        };
        let labels = series.iter().map(|series| (series, lines(&series.label, words_left())));
        Self {
            title: lines(title, left()),
            series: labels.collect(),
            notes: notes.iter().flat_map(|note| lines(note, left())).collect(),
        }
    }

    pub(super) fn height(&self) -> u32 {
        let labels: usize = self.series.iter().map(|(_, lines)| lines.len()).sum();
        (self.title.len() + labels + self.notes.len()) as u32 * LINE_HEIGHT + 2 * MARGIN
    }

    pub(super) fn draw(&self, area: &Area) -> Result<()> {
        let style = ("sans-serif", FONT_SIZE).into_font().color(&TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        let mut y = (MARGIN + LINE_HEIGHT / 2) as i32;
        let mut write = |lines: &[String], x: u32| -> Result<i32> {
            let first = y;
            for line in lines {
                area.draw_text(line, &style, (x as i32, y)).map_err(undrawn)?;
                y += LINE_HEIGHT as i32;
            }
            Ok(first)
        };
        write(&self.title, left())?;
        for (series, label) in &self.series {
            let y = write(label, words_left())?;
            draw_sample(area, series, y)?;
        }
        write(&self.notes, left())?;
        Ok(())
    }
}

fn left() -> u32 {
    MARGIN + LEFT_LABELS
}

fn words_left() -> u32 {
    left() + SAMPLE + GAP
}

/// A piece of the series' line, on its band where it has one.
fn draw_sample(area: &Area, series: &Series, y: i32) -> Result<()> {
    let (from, to) = (left() as i32, (left() + SAMPLE) as i32);
    let ends = [(from, y), (to, y)];
    if series.has_band() {
        let band = Rectangle::new([(from, y - 6), (to, y + 6)], series.colour.mix(0.2).filled());
        area.draw(&band).map_err(undrawn)?;
    }
    let style = series.colour.stroke_width(3);
    match series.dashes {
        None => area.draw(&PathElement::new(ends, style)).map_err(undrawn),
        Some((dash, gap)) => {
            area.draw(&plotters::element::DashedPathElement::new(ends, dash, gap, style)).map_err(undrawn)
        }
    }
}
