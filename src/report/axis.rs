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

/// An axis with labels at 1, 2 or 5 times powers of ten.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    /// Where it starts and ends: values, or their decimal logarithms.
    low: f64,
    high: f64,
    scale: Scale,
}

/// Room beside the extreme values, as a share of what they span.
const MARGIN: f64 = 0.05;

/// Far beyond what trains, and far enough inside f64's range for differences and margins to be finite.
const LARGEST: f64 = 1e250;

/// A smaller span, relative to the values, is drawn as none: labels of a few digits could not tell its ends apart.
const NARROWEST: f64 = 1e-6;

impl Axis {
    /// Whether a linear axis can show this value: it is finite, and no larger than anything that trains.
    pub(super) fn shows_linearly(value: f64) -> bool {
        value.abs() <= LARGEST
    }

    /// Whether a logarithmic axis can show this value: as [`Axis::shows_linearly`], and above 0.
    pub(super) fn shows_logarithmically(value: f64) -> bool {
        (1.0 / LARGEST..=LARGEST).contains(&value)
    }

    /// For the epochs `first..=last`; it reaches to the next, so that one epoch has an axis too.
    pub(super) fn epochs(first: usize, last: usize) -> Self {
        Self { low: first as f64, high: last as f64 + 1.0, scale: Scale::Whole }
    }

    /// For values from `low` to `high`, with a margin, also where they are equal.
    pub(super) fn linear(low: f64, high: f64) -> Self {
        let size = low.abs().max(high.abs());
        let span = match high - low {
            span if span > NARROWEST * size => span,
            _ if size > 0.0 => size,
            _ => 1.0,
        };
        Self { low: low - MARGIN * span, high: high + MARGIN * span, scale: Scale::Linear }
    }

    /// For positive values from `low` to `high`, by their logarithm.
    pub(super) fn logarithmic(low: f64, high: f64) -> Self {
        Self { scale: Scale::Logarithmic, ..Self::linear(libm::log10(low), libm::log10(high)) }
    }

    /// The value's share of the way from the axis' start to its end.
    pub(super) fn share(&self, value: f64) -> f64 {
        let along = if self.scale == Scale::Logarithmic { libm::log10(value) } else { value };
        (along - self.low) / (self.high - self.low)
    }

    /// The values at the axis' start and end.
    fn ends(&self) -> (f64, f64) {
        let value = |along: f64| if self.scale == Scale::Logarithmic { libm::exp10(along) } else { along };
        (value(self.low), value(self.high))
    }

    /// At most `most` (but at least 1) labelled values.
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        if let Some(ticks) = self.logarithmic_ticks(most) {
            return ticks;
        }
        let (low, high) = self.ends();
        let Some(step) = self.step(most) else { return vec![low] };
        let first = (low / step).ceil();
        (0..most).map(|i| (first + i as f64) * step).take_while(|&tick| tick <= high).collect()
    }

    /// The smallest 1, 2 or 5 times a power of ten that fits into the axis fewer than `most` times; `None` if the axis
    /// is too short for f64 to divide.
    fn step(&self, most: usize) -> Option<f64> {
        let (low, high) = self.ends();
        let raw = (high - low) / most.saturating_sub(1).max(1) as f64;
        let decade = libm::floor(libm::log10(raw));
        // 10 is needed where 5 times the power falls short of the quotient.
        let mut steps = [1.0, 2.0, 5.0, 10.0].into_iter().map(|unit| unit * libm::exp10(decade));
        let step = steps.find(|&step| step >= raw && step > 0.0)?;
        Some(if self.scale == Scale::Whole { step.max(1.0) } else { step })
    }

    /// 1, 2 and 5 times each power of ten if they are not too many, else the powers, else every second, third, ...
    /// `None` on a linear axis, and where fewer than two of them lie on the axis: it is then labelled as a linear one.
    fn logarithmic_ticks(&self, most: usize) -> Option<Vec<f64>> {
        if self.scale != Scale::Logarithmic {
            return None;
        }
        let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
        let (low, high) = self.ends();
        let ticks = |units: &[f64], stride: usize| -> Vec<f64> {
            let decades = (first..=last).filter(|decade| decade.rem_euclid(stride as i32) == 0);
            let ticks = decades.flat_map(|decade| units.iter().map(move |unit| unit * libm::exp10(f64::from(decade))));
            ticks.filter(|&tick| tick >= low && tick <= high).collect()
        };
        // The axis has at most this many decades: a stride over all of them leaves one.
        let strides = 1..=last.abs_diff(first) as usize + 1;
        let mut from_dense_to_sparse =
            std::iter::once(ticks(&[1.0, 2.0, 5.0], 1)).chain(strides.map(|stride| ticks(&[1.0], stride)));
        from_dense_to_sparse.find(|ticks| ticks.len() <= most).filter(|ticks| ticks.len() > 1)
    }

    /// A labelled value as text: as many decimals as tell it from its neighbours.
    pub(super) fn label(&self, value: f64, most: usize) -> String {
        let own = self.logarithmic_ticks(most).map(|_| value);
        let step = own.or_else(|| self.step(most)).unwrap_or(1.0);
        // One per cent keeps the logarithm of an inexact power of ten on its side.
        let magnitude = |x: f64| libm::floor(libm::log10(1.01 * x.abs()));
        let decimals = -magnitude(step);
        if value != 0.0 && (decimals > 4.0 || value.abs() >= 1e6) {
            let digits = (magnitude(value) + decimals).max(0.0) as usize;
            return format!("{value:.digits$e}");
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
        let (low, high) = self.ends();
        low..high
    }
}
