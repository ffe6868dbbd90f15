//! The figures, as SVG that takes its colours from the page.

mod axis;
mod epochs;
mod histogram;
mod life;
mod pixels;
mod rewind;

use crate::run::Live;
use gdstar::{Error, Result};

/// Draws a figure of epoch `k`, for weight `j`.
type Draw = fn(&Live, usize, usize) -> Result<String>;

/// Every figure, in the order of the page.
pub const FIGURES: &[Draw] = &[pixels::draw, rewind::draw, histogram::draw, life::draw];

/// The figure of this place.
///
/// # Errors
/// If there is none; as the figure.
pub fn draw(which: usize, live: &Live, k: usize, j: usize) -> Result<String> {
    let unknown = || Error::domain("figure", format!("a place below {}", FIGURES.len()), which);
    FIGURES.get(which).ok_or_else(unknown)?(live, k, j)
}

/// The frame of a figure that is told in words.
fn svg(width: f64, height: f64, told: &str, inside: &str) -> String {
    format!(r#"<svg viewBox="0 0 {width} {height}" role="img" aria-label="{told}">{inside}</svg>"#)
}
