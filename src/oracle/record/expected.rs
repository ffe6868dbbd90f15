//! [`Expected`]: what a correct port may hold for one result of a call.

use super::ball::Ball;
use super::rounding::{Rounding, outwards};
use super::{Changed, unit_roundoff};
use crate::error::{Error, Result};
use crate::scalar::power_of_two;
use ndarray::{ArrayD, IxDyn, Zip};
use safetensors::Dtype;

/// What a correct port may hold for one result, element by element.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// The value in exact arithmetic, rounded to f64 once; what that loses is part of both radii.
    pub truth: ArrayD<f64>,
    /// What rounding is measured by: the sum of the sizes of what is added up, |A||B| for products.
    pub magnitude: ArrayD<f64>,
    /// No correct port is farther from the truth, whatever the order of its sums: beyond is FAIL.
    pub any: ArrayD<f64>,
    /// A correct port is farther from it with a probability below 3e-14 times the element's terms, if its roundings are
    /// independent: beyond is SUSPECT. At most `any`.
    pub likely: ArrayD<f64>,
    /// Where a choice that the record does not declare widened the bound.
    pub narrow: Option<Narrow>,
    /// The unit roundoff that errors are told in; 0 for what is no floating-point number.
    pub unit: f64,
}

/// The bound of the usual choice where a record does not declare which was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Narrow {
    /// As [`Expected::any`], with that choice.
    pub any: ArrayD<f64>,
    /// What would have to be declared for a port beyond it.
    pub undeclared: &'static str,
}

/// Why a result that is not in the record is not judged.
pub(super) const NOT_RECORDED: &str = "not recorded";

/// What is known of one result.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly every claim is one of values")]
pub enum Claim {
    /// These values.
    Values(Expected),
    /// Of this shape, drawn at random.
    Drawn(Vec<usize>, Draw),
    /// Nothing: memory that was not written, or a result that is none in this mode.
    Anything,
    /// More than is known here: why.
    NotJudged(String),
}

/// What is drawn at random.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Draw {
    /// Values 0 and 1, 1 with this probability.
    Flags(f64),
    /// Numbers from the first below the second, each as likely.
    Uniform(f64, f64),
}

impl Draw {
    /// What is drawn that is nearest to x: itself only where it may be drawn.
    pub(super) fn nearest(self, x: f64) -> f64 {
        match self {
            Self::Flags(_) => f64::from(u8::from(x > 0.5)),
            Self::Uniform(low, high) if low <= x && (x < high || low == high) => x,
            Self::Uniform(low, _) => low,
        }
    }

    /// The mean, and how far apart two draws may be.
    pub(super) fn mean_and_range(self) -> (f64, f64) {
        match self {
            Self::Flags(p) => (p, 1.0),
            Self::Uniform(low, high) => (low / 2.0 + high / 2.0, high - low),
        }
    }
}

/// What is known of everything that a call gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// In the schema's order.
    pub results: Vec<Claim>,
    /// Of arguments that the call changed.
    pub writes: Vec<(Changed, Claim)>,
}

impl Answer {
    /// One result, and nothing changed.
    pub fn of(result: Expected) -> Self {
        Self { results: vec![Claim::Values(result)], writes: Vec::new() }
    }

    /// This, where ports that declare nothing may as well be as far off as `wide`.
    pub(super) fn unless_declared(self, wide: Self, undeclared: &'static str) -> Self {
        let either = |narrow: Claim, wide: Claim| match (narrow, wide) {
            (Claim::Values(narrow), Claim::Values(wide)) => Claim::Values(narrow.unless_declared(wide, undeclared)),
            (narrow, _) => narrow,
        };
        let results = self.results.into_iter().zip(wide.results).map(|(narrow, wide)| either(narrow, wide));
        let writes = self.writes.into_iter().zip(wide.writes);
        let writes = writes.map(|((changed, narrow), (_, wide))| (changed, either(narrow, wide)));
        Self { results: results.collect(), writes: writes.collect() }
    }

    /// Results that are not judged, and why.
    pub(super) fn unjudged(results: usize, why: &str) -> Self {
        Self { results: vec![Claim::NotJudged(why.to_string()); results], writes: Vec::new() }
    }

    /// What a call that works in place gave: its result, which is its first argument afterwards.
    pub(super) fn in_place(self) -> Self {
        let writes = self.results.iter().map(|claim| (Changed::Position(0), claim.clone())).collect();
        Self { writes, ..self }
    }
}

impl Expected {
    /// Exactly these values: copies, choices, counts.
    pub(super) fn exactly(truth: ArrayD<f64>) -> Self {
        let zeros = ArrayD::zeros(truth.raw_dim());
        let magnitude = truth.mapv(f64::abs);
        Self { truth, magnitude, any: zeros.clone(), likely: zeros, narrow: None, unit: 0.0 }
    }

    /// Copies of an operand's values: exact, unless the result's type has fewer digits, which rounds each once.
    pub(super) fn copied(rounding: &Rounding, truth: ArrayD<f64>, from: Dtype, to: Dtype) -> Self {
        if unit_roundoff(to) <= unit_roundoff(from) {
            return Self::exactly(truth);
        }
        let shape = truth.shape().to_vec();
        let rounded = |x: f64| Ball::exact(x).off_by(rounding.out * x.abs() + rounding.out_underflow);
        let balls = truth.iter().map(|&x| (if is_held(to, x) { Ball::exact(x) } else { rounded(x) }, x.abs()));
        // The one rounding is charged here; to a type as fine as sums are, nothing else would charge it.
        Self::settled(&Rounding { out: 0.0, ..*rounding }, &shape, balls).in_units_of(rounding)
    }

    /// What is stored of `balls`, each with its magnitude, row-major; as many as `shape` holds.
    pub(super) fn settled(rounding: &Rounding, shape: &[usize], balls: impl IntoIterator<Item = (Ball, f64)>) -> Self {
        let zeros = ArrayD::zeros(IxDyn(shape));
        let mut expected = Self {
            truth: zeros.clone(),
            magnitude: zeros.clone(),
            any: zeros.clone(),
            likely: zeros,
            narrow: None,
            unit: rounding.unit(),
        };
        let elements = expected.truth.iter_mut().zip(&mut expected.magnitude);
        let radii = expected.any.iter_mut().zip(&mut expected.likely);
        for (((truth, magnitude), (any, likely)), (ball, size)) in elements.zip(radii).zip(balls) {
            let stored = store(rounding, ball);
            *truth = stored.centre.hi();
            *magnitude = size;
            (*any, *likely) = (stored.any, stored.likely.min(stored.any));
        }
        expected
    }

    /// This, where ports that declare nothing may as well be as far off as `wide`, whose truth is the same.
    pub(super) fn unless_declared(self, wide: Self, undeclared: &'static str) -> Self {
        if self.any == wide.any {
            return self;
        }
        let any = Zip::from(&wide.any).and(&self.any).map_collect(|a, b| a.max(*b));
        let narrow = self.narrow.or(Some(Narrow { any: self.any, undeclared }));
        Self { truth: self.truth, magnitude: self.magnitude, any, likely: self.likely, narrow, unit: self.unit }
    }

    /// Every element times an exact factor, which rounds once more.
    pub(super) fn times(self, rounding: &Rounding, factor: f64) -> Self {
        if factor == 1.0 {
            return self;
        }
        let u = rounding.operations.stored.max(rounding.out);
        let scaled = |radius: &ArrayD<f64>| {
            Zip::from(radius)
                .and(&self.truth)
                .map_collect(|r, truth| outwards((r + 2.0 * u * (truth.abs() + r)) * factor.abs()))
        };
        let (any, likely) = (scaled(&self.any), scaled(&self.likely));
        let narrow = self.narrow.as_ref().map(|n| Narrow { any: scaled(&n.any), undeclared: n.undeclared });
        let [truth, magnitude] = [&self.truth * factor, &self.magnitude * factor.abs()];
        Self { truth, magnitude, any, likely, narrow, unit: self.unit }
    }

    /// The same elements in another shape of as many.
    pub(super) fn reshaped(self, shape: &[usize]) -> Result<Self> {
        let reshape = |x: ArrayD<f64>| {
            let found = format!("shape {:?}", x.shape());
            let flat = x.as_standard_layout().into_owned().into_shape_with_order(IxDyn(shape));
            flat.map_err(|_| Error::shape("record", "result", format!("as many elements as {shape:?}"), found))
        };
        let narrow = match self.narrow {
            Some(Narrow { any, undeclared }) => Some(Narrow { any: reshape(any)?, undeclared }),
            None => None,
        };
        Ok(Self {
            truth: reshape(self.truth)?,
            magnitude: reshape(self.magnitude)?,
            any: reshape(self.any)?,
            likely: reshape(self.likely)?,
            narrow,
            unit: self.unit,
        })
    }

    fn in_units_of(self, rounding: &Rounding) -> Self {
        Self { unit: rounding.unit(), ..self }
    }

    pub fn shape(&self) -> &[usize] {
        self.truth.shape()
    }
}

/// Whether a type holds `x` without rounding, told by its digits; small numbers, of which a type has fewer, are not told.
fn is_held(dtype: Dtype, x: f64) -> bool {
    let (digits, least) = match dtype {
        Dtype::F32 => (24, power_of_two(-126)),
        Dtype::BF16 => (8, power_of_two(-126)),
        Dtype::F16 => (11, power_of_two(-14)),
        _ => return true,
    };
    x == 0.0 || (x.abs() >= least && x.to_bits().trailing_zeros() >= 53 - digits)
}

/// A ball after its number was rounded to the result's type (once more, where it was formed in finer numbers), and with
/// what f64 loses of the centre.
fn store(rounding: &Rounding, ball: Ball) -> Ball {
    let operations = &rounding.operations;
    let ball = if rounding.out > operations.stored {
        ball.off_by(rounding.out * ball.size() + rounding.out_underflow)
    } else {
        ball
    };
    let ball = if ball.centre.lo() == 0.0 { ball } else { ball.off_by(power_of_two(-53) * ball.centre.hi().abs()) };
    Ball { any: outwards(ball.any), likely: outwards(ball.likely), ..ball }
}
