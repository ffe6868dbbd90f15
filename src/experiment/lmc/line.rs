//! The line between two networks: where it is looked at, and what is seen there.

use crate::error::Result;
use crate::json;
use crate::kernel::{Kernel, Scaled, add_to, formula_values};
use crate::method::Options;
use crate::nn::Parameters;
use crate::scalar::Scalar;
use crate::select::path::{BarrierOf, Grid, Interpolation};
use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

/// Which points of the line are looked at, and what of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// T.
    pub points: usize,
    pub grid: Grid,
    pub interpolation: Interpolation,
    pub barrier_of: BarrierOf,
    /// Below which barrier two networks are connected.
    pub threshold: f64,
}

/// What is seen on a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Where: 0 at one end, 1 at the other.
    pub alpha: Vec<f64>,
    /// The mean cross-entropy over the test set; in files null where it is not finite.
    #[serde(deserialize_with = "json::numbers")]
    pub loss: Vec<f64>,
    /// The share of the test set that is not classified rightly, 0 to 1.
    pub error: Vec<f64>,
}

impl Line {
    /// As options of [`lmc`](crate::method::lmc) say.
    ///
    /// # Errors
    /// [`Error::Domain`](crate::Error::Domain) naming a choice that is none.
    pub fn of(options: &Options) -> Result<Self> {
        Ok(Self {
            points: options.count("points").unwrap_or_default(),
            grid: options.name("grid").parse()?,
            interpolation: options.name("interpolation").parse()?,
            barrier_of: options.name("barrier_of").parse()?,
            threshold: options.real("threshold").unwrap_or_default(),
        })
    }

    /// `alpha_i`: `i / (T - 1)` at T points, or `i / T` at the ends of T intervals.
    ///
    /// ```
    /// use gdstar::experiment::lmc::Line;
    /// use gdstar::method::options::Value;
    /// use gdstar::method::{Options, lmc};
    /// use gdstar::select::path::Grid;
    ///
    /// let mut options = Options::of(&lmc::ENTRY);
    /// options.set("points", Value::Count(5));
    /// let line = Line::of(&options)?;
    /// assert_eq!(line.alphas(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// assert_eq!(Line { grid: Grid::Intervals, ..line }.alphas(), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    /// # Ok::<(), gdstar::Error>(())
    /// ```
    pub fn alphas(&self) -> Vec<f64> {
        let (points, intervals) = match self.grid {
            Grid::Points => (self.points, self.points.saturating_sub(1)),
            Grid::Intervals => (self.points + 1, self.points),
        };
        (0..points).map(|i| i as f64 / intervals.max(1) as f64).collect()
    }

    /// `theta_alpha = (1 - alpha) theta_1 + alpha theta_2`, or the mirror image: parameters and running statistics. At an end
    /// it is that network's, bit for bit but for the sign of 0.
    pub fn interpolate<S: Scalar>(&self, one: &Parameters<S>, two: &Parameters<S>, alpha: f64) -> Parameters<S> {
        let (first, second) = match self.interpolation {
            Interpolation::OneToTwo => (one, two),
            Interpolation::TwoToOne => (two, one),
        };
        let mut between = first.clone();
        for (theta, second) in between.iter_mut().zip(second.iter()) {
            let times = |c: f64, w: &ArrayD<S>| formula_values(Kernel::any(), Scaled(c), &mut [w.view().into()]);
            let share = times(alpha, &second.value);
            theta.value = times(1.0 - alpha, &theta.value);
            add_to(Kernel::any(), &mut theta.value, &share);
        }
        between
    }

    /// How far the line rises above the mean of its ends, in what the barrier is measured of.
    pub fn barrier(&self, curve: &Curve) -> f64 {
        match self.barrier_of {
            BarrierOf::Error => barrier(&curve.error),
            BarrierOf::Loss => barrier(&curve.loss),
        }
    }

    /// Whether the two ends are connected.
    pub fn is_stable(&self, curve: &Curve) -> bool {
        self.barrier(curve) < self.threshold
    }
}

impl Curve {
    /// Alg. 3's score: the mean loss.
    pub fn score(&self) -> f64 {
        self.loss.iter().sum::<f64>() / self.loss.len().max(1) as f64
    }

    /// The mean of curves over one grid, point by point; none of none.
    pub fn mean(curves: &[Self]) -> Option<Self> {
        let first = curves.first()?;
        let over = |of: fn(&Self) -> &[f64]| -> Vec<f64> {
            let at = |i: usize| curves.iter().map(|curve| of(curve)[i]).sum::<f64>() / curves.len() as f64;
            (0..first.alpha.len()).map(at).collect()
        };
        Some(Self { alpha: first.alpha.clone(), loss: over(|curve| &curve.loss), error: over(|curve| &curve.error) })
    }
}

/// Of values along a line: `max - (first + last) / 2`.
///
/// ```
/// use gdstar::experiment::lmc::barrier;
/// assert_eq!(barrier(&[1.0, 4.0, 3.0]), 2.0);
/// assert_eq!(barrier(&[2.0, 2.0, 2.0]), 0.0);
/// assert!(barrier(&[1.0, f64::NAN, 3.0]).is_nan());
/// ```
pub fn barrier(values: &[f64]) -> f64 {
    // Once NaN it stays so: nothing is above it.
    let highest = |max: f64, &value: &f64| if value > max || value.is_nan() { value } else { max };
    match (values.first(), values.last()) {
        (Some(first), Some(last)) => values.iter().fold(f64::NEG_INFINITY, highest) - (first + last) / 2.0,
        _ => f64::NAN,
    }
}
