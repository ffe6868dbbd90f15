//! [`Grade`]: how a port's result lies to what a correct port may hold.

use super::expected::{Claim, Draw, Expected, NOT_RECORDED};
use super::rounding::LAMBDA;
use super::{Value, unit_roundoff};
use ndarray::ArrayD;

/// One result of a call, held against what a correct port may hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Grade {
    Measured(Measured),
    /// Another shape than a correct port's.
    Misshapen {
        expected: Vec<usize>,
        found: Vec<usize>,
    },
    /// It may hold anything.
    Free,
    /// Not recorded, or not known: why.
    NotJudged(String),
}

/// An element outside of its bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlier {
    pub index: Vec<usize>,
    pub got: f64,
    /// What a correct port may hold.
    pub low: f64,
    pub high: f64,
}

/// Counts and sizes of the errors of one result's elements.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    pub elements: usize,
    /// FAIL: no correct port is there, whatever the order of its sums.
    pub outside: usize,
    /// SUSPECT: a correct port is hardly ever there.
    pub unlikely: usize,
    /// Only inside what a choice allows that the record does not declare, and which.
    pub undeclared: Option<(usize, &'static str)>,
    /// Elements that nothing bounds in this arithmetic.
    pub unbounded: usize,
    /// The largest r = error / (u |A||B|); 0 where everything is exact, infinite where only an exact result is right.
    pub worst: f64,
    /// The median of the bound in the same unit: how tight it was; 0 where only the exact result is right.
    pub tightness: f64,
    /// The first element outside, or else the first that is unlikely, or undeclared.
    pub first: Option<Outlier>,
    /// Every error is the same fraction of the truth: got / truth.
    pub factor: Option<f64>,
}

impl Measured {
    /// Whether every element is where correct ports are.
    pub fn passes(&self) -> bool {
        self.outside == 0 && self.unlikely == 0 && self.undeclared.is_none() && self.unbounded == 0
    }
}

impl Grade {
    /// Of a recorded result, if it was.
    pub(super) fn of(claim: &Claim, value: Option<&Value>) -> Self {
        match (claim, value) {
            (Claim::Anything, _) => Self::Free,
            (Claim::NotJudged(why), _) => Self::NotJudged(why.clone()),
            (_, None) => Self::NotJudged(NOT_RECORDED.to_string()),
            (Claim::Values(expected), Some(value)) => measure(expected, &value.array),
            (Claim::Drawn(shape, draw), Some(value)) => drawn(shape, *draw, value),
        }
    }
}

/// Numbers that were drawn: each where draws may be, and their mean where that of n draws hardly ever is not. Of n
/// independent numbers of range d, the mean is farther than t from its expectation with a probability of at most
/// `2 exp(-2 n t^2 / d^2)` (Hoeffding, "Probability inequalities for sums of bounded random variables", 1963), which at
/// `t = LAMBDA d / (2 sqrt n)` is that of a sum beyond its likely bound. Numbers of few digits, cut and not rounded, are
/// half a unit of the range off in the mean.
fn drawn(shape: &[usize], draw: Draw, value: &Value) -> Grade {
    let got = &value.array;
    if got.shape() != shape {
        return Grade::Misshapen { expected: shape.to_vec(), found: got.shape().to_vec() };
    }
    let grade = measure(&Expected::exactly(got.mapv(|x| draw.nearest(x))), got);
    let (Grade::Measured(measured), n) = (&grade, got.len() as f64) else { return grade };
    let ((expected, range), mean) = (draw.mean_and_range(), got.sum() / n);
    let radius = (LAMBDA / (2.0 * n.sqrt()) + unit_roundoff(value.dtype).unwrap_or(0.0)) * range;
    if got.is_empty() || measured.outside > 0 || (mean - expected).abs() <= radius {
        return grade;
    }
    let first = Outlier { index: Vec::new(), got: mean, low: expected - radius, high: expected + radius };
    Grade::Measured(Measured { unlikely: got.len(), first: Some(first), ..measured.clone() })
}

/// How far `got` is from where a number that has no bound of its own must be: not a number or infinite where the truth is.
fn error(truth: f64, got: f64) -> f64 {
    if truth.is_finite() {
        return (got - truth).abs();
    }
    let same = got == truth || (got.is_nan() && truth.is_nan());
    if same { 0.0 } else { f64::INFINITY }
}

/// Where one element lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Likely,
    Unbounded,
    Undeclared,
    Unlikely,
    Outside,
}

/// Compares every element. Whatever is no number is outside.
pub(super) fn measure(expected: &Expected, got: &ArrayD<f64>) -> Grade {
    if expected.shape() != got.shape() {
        return Grade::Misshapen { expected: expected.shape().to_vec(), found: got.shape().to_vec() };
    }
    let mut measured = Measured { elements: got.len(), ..Measured::default() };
    let mut tightness = Vec::with_capacity(got.len());
    let (mut undeclared, mut worst_place) = (0, Place::Likely);
    let narrow = expected.narrow.as_ref();
    let mut narrows = narrow.map(|narrow| narrow.any.iter());
    let truths = expected.truth.iter().zip(&expected.magnitude).zip(expected.any.iter().zip(&expected.likely));
    for ((index, &got), ((&truth, &magnitude), (&any, &likely))) in got.indexed_iter().zip(truths) {
        let narrow = narrows.as_mut().and_then(Iterator::next).copied().unwrap_or(any);
        let finite = truth.is_finite();
        let (any, likely, narrow) = if finite { (any, likely, narrow) } else { (0.0, 0.0, 0.0) };
        let error = error(truth, got);
        // Not a number is within nothing.
        let within = |radius: f64| error <= radius;
        let place = if !within(any) {
            Place::Outside
        } else if !within(narrow) {
            if any == f64::INFINITY { Place::Unbounded } else { Place::Undeclared }
        } else if narrow == f64::INFINITY {
            Place::Unbounded
        } else if !within(likely) {
            Place::Unlikely
        } else {
            Place::Likely
        };
        match place {
            Place::Outside => measured.outside += 1,
            Place::Unlikely => measured.unlikely += 1,
            Place::Undeclared => undeclared += 1,
            Place::Unbounded => measured.unbounded += 1,
            Place::Likely => {}
        }
        if place > worst_place {
            worst_place = place;
            let radius = match place {
                Place::Unlikely => likely,
                Place::Undeclared => narrow,
                _ => any,
            };
            let index = (0..ndarray::Dimension::ndim(&index)).map(|axis| index[axis]).collect();
            measured.first = Some(Outlier { index, got, low: truth - radius, high: truth + radius });
        }
        let scale = expected.unit * magnitude;
        let ratio = |x: f64| if x == 0.0 { 0.0 } else { x / scale };
        let r = ratio(error);
        // Not a number is worse than any ratio; `max` would pass over it.
        measured.worst = measured.worst.max(if r.is_nan() { f64::INFINITY } else { r });
        if finite && magnitude > 0.0 {
            tightness.push(ratio(any));
        }
    }
    if undeclared > 0 {
        measured.undeclared = narrow.map(|narrow| (undeclared, narrow.undeclared));
    }
    measured.tightness = median(tightness);
    if measured.outside > 0 {
        measured.factor = common_factor(expected, got);
    }
    Grade::Measured(measured)
}

fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The factor by which every element is larger than it should be, if there is one within their bounds and it is not 1.
fn common_factor(expected: &Expected, got: &ArrayD<f64>) -> Option<f64> {
    let elements = || expected.truth.iter().zip(got).zip(&expected.any);
    // The element that tells the factor best.
    let ((truth, got), radius) = elements().max_by(|((a, _), ra), ((b, _), rb)| {
        let digits = |x: f64, r: f64| x.abs() - r;
        digits(**a, **ra).total_cmp(&digits(**b, **rb))
    })?;
    let factor = got / truth;
    // One that a rounding could be is none.
    let is_told = (got - truth).abs() > 2.0 * radius;
    if !(factor.is_finite() && factor != 1.0 && factor != 0.0 && is_told) {
        return None;
    }
    // Off by the radius at both ends, scaled as the numbers are; and by what the factor itself is off by.
    let own = expected.unit.max(f64::EPSILON) * 4.0;
    let holds = elements().all(|((&truth, &got), &any)| {
        let radius = any * factor.abs().max(1.0) * 2.0 + own * (truth * factor).abs();
        (got - factor * truth).abs() <= radius
    });
    holds.then_some(factor)
}
