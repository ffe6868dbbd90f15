//! [`Axis`]: where values lie along an axis, and which of them are labelled.

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    Linear,
    /// Linear, labelled at whole numbers only.
    Whole,
    /// By the decimal logarithm; all values are positive.
    Logarithmic,
}

/// An axis from `low` to `high`, with labels at 1, 2 or 5 times powers of ten.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    scale: Scale,
}

/// Room beside the extreme values, as a share of what they span.
const MARGIN: f64 = 0.05;

impl Axis {
    /// For the epochs `first..=last`; one epoch's axis reaches to the next.
    pub(super) fn epochs(first: usize, last: usize) -> Self {
        Self { low: first as f64, high: last.max(first + 1) as f64, scale: Scale::Whole }
    }

    /// For finite values from `low` to `high`, with a margin, also where they are equal.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        let span = if high > low { high - low } else { low.abs().max(1.0) };
        Self { low: low - MARGIN * span, high: high + MARGIN * span, scale: Scale::Linear }
    }

    /// For positive finite values from `low` to `high`, by their logarithm.
    pub(super) fn logarithmic(low: f64, high: f64) -> Self {
        let Self { low, high, .. } = Self::linear(libm::log10(low), libm::log10(high));
        Self { low: libm::exp10(low), high: libm::exp10(high), scale: Scale::Logarithmic }
    }

    /// The value's share of the way from the axis' start to its end.
    fn share(&self, value: f64) -> f64 {
        let along = |x: f64| if self.scale == Scale::Logarithmic { libm::log10(x) } else { x };
        (along(value) - along(self.low)) / (along(self.high) - along(self.low))
    }

    /// At most `most` (but at least 1) labelled values.
    fn ticks(&self, most: usize) -> Vec<f64> {
        if self.scale == Scale::Logarithmic {
            let ticks = self.logarithmic_ticks(most);
            // Within less than a decade there may be none.
            if ticks.len() > 1 {
                return ticks;
            }
        }
        let Some(step) = self.step(most) else { return vec![self.low] };
        let first = (self.low / step).ceil();
        (0..most).map(|i| (first + i as f64) * step).take_while(|&tick| tick <= self.high).collect()
    }

    /// The smallest 1, 2 or 5 times a power of ten that fits into the axis fewer than `most` times; `None` if no
    /// number does, as between infinities.
    fn step(&self, most: usize) -> Option<f64> {
        let raw = (self.high - self.low) / most.saturating_sub(1).max(1) as f64;
        let decade = libm::floor(libm::log10(raw));
        // 10 times, where the quotient of two powers is not exact.
        let mut steps = [1.0, 2.0, 5.0, 10.0].into_iter().map(|unit| unit * libm::exp10(decade));
        let step = steps.find(|&step| step >= raw && step.is_finite())?;
        Some(if self.scale == Scale::Whole { step.max(1.0) } else { step })
    }

    /// 1, 2 and 5 times each power of ten if they are not too many, else the powers, else every second, third, ...
    fn logarithmic_ticks(&self, most: usize) -> Vec<f64> {
        let (first, last) = (libm::floor(libm::log10(self.low)) as i32, libm::ceil(libm::log10(self.high)) as i32);
        let ticks = |units: &[f64], stride: usize| -> Vec<f64> {
            let decades = (first..=last).filter(|decade| decade.rem_euclid(stride as i32) == 0);
            let ticks = decades.flat_map(|decade| units.iter().map(move |unit| unit * libm::exp10(f64::from(decade))));
            ticks.filter(|&tick| tick >= self.low && tick <= self.high).collect()
        };
        let dense = ticks(&[1.0, 2.0, 5.0], 1);
        if dense.len() <= most {
            return dense;
        }
        // f64 has fewer than 700 decades, so a stride is found before they end.
        (1..700).map(|stride| ticks(&[1.0], stride)).find(|ticks| ticks.len() <= most).unwrap_or_default()
    }

    /// A labelled value as text: as many decimals as tell it from its neighbours.
    pub(super) fn label(&self, value: f64, most: usize) -> String {
        let step = if self.scale == Scale::Logarithmic { value } else { self.step(most).unwrap_or(1.0) };
        // The tenth of a unit keeps the logarithm of an inexact power of ten on its side.
        let decimals = -libm::floor(libm::log10(step * 1.01));
        if value != 0.0 && (decimals > 4.0 || value.abs() >= 1e5) {
            return format!("{value:.1e}").replace(".0e", "e");
        }
        format!("{value:.*}", decimals.max(0.0) as usize)
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (start, end): (i32, i32)) -> i32 {
        start + (self.share(*value) * f64::from(end - start)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        self.ticks(hint.max_num_points())
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}
