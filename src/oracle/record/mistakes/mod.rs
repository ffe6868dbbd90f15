//! The fault dictionary of ops: what a port did that would give the result that it has.
//!
//! Each entry is the judge once more under an altered op: a mistake of the op's own ([`Slip`](super::overloads::Slip)), an
//! arithmetic that was not declared, an operand or the result laid out, turned, shifted or cut otherwise, a term that is
//! left out. It is named only if the whole result is then where a correct port's would be.

mod altered;
mod numbers;
mod operands;
mod pattern;
mod terms;
mod whole;

use super::expected::{Claim, Expected};
use super::grade::{Grade, measure};
use super::judge::{Place, claims};
use super::overloads::{SLIPS, Slip};
use super::{Call, Declared, Value};
use crate::error::Result;
use crate::scalar::power_of_two;
use ndarray::ArrayD;

/// A result that is not where correct ports are.
struct Found<'a> {
    call: &'a Call<Value>,
    place: &'a Place,
    expected: Expected,
    got: &'a ArrayD<f64>,
}

/// What the port did that would give the result at `place`, if the dictionary has it; what it looks like if not.
///
/// # Errors
/// As [`judge`](super::judge).
pub fn explain(call: &Call<Value>, place: &Place) -> Result<Option<String>> {
    let Some(all) = claims(call, None)? else { return Ok(None) };
    let here = all.into_iter().find(|claimed| claimed.place == *place);
    let Some((Claim::Values(expected), Some(value))) = here.map(|claimed| (claimed.claim, claimed.value)) else {
        return Ok(None);
    };
    if expected.shape() != value.array.shape() {
        return Ok(None);
    }
    let found = Found { call, place, expected, got: &value.array };
    let by_slip = || {
        SLIPS
            .iter()
            .filter(|(_, ops, _)| call.op.contains(ops))
            .find_map(|(slip, _, said)| found.by_slip(*slip).then(|| said.to_string()))
    };
    let explained = by_slip()
        .or_else(|| operands::labels(&found))
        .or_else(|| whole::explain(&found))
        .or_else(|| numbers::another_eps(&found))
        .or_else(|| whole::sibling(&found))
        .or_else(|| terms::explain(&found))
        .or_else(|| found.by_arithmetic())
        .or_else(|| whole::gated(&found))
        .or_else(|| altered::of_result(&found))
        .or_else(|| operands::explain(&found))
        .or_else(|| pattern::describe(&found));
    Ok(explained)
}

/// One element of so many has to be off that another arithmetic is named.
const TOUCHED: usize = 10;

/// What makes another declaration of one.
type Declare = fn(Declared) -> Declared;

/// Ports whose arithmetic is another than the record declares.
const ARITHMETICS: &[(Declare, &str)] = &[
    (
        |d| Declared { tf32: true, ..d },
        "within TF32's bounds: operands are rounded to 11 digits, and `tf32` is not declared",
    ),
    (
        |d| Declared { u_in: Some(power_of_two(-8)), ..d },
        "within bfloat16's bounds: operands are rounded to 8 digits, and `u_in` is not declared",
    ),
    (
        |d| Declared { u_acc: Some(power_of_two(-24)), u_out: Some(power_of_two(-24)), ..d },
        "within single precision's bounds, in a result of f64",
    ),
    (
        |d| Declared { u_acc: Some(power_of_two(-11)), ..d },
        "sums are formed in half precision, and `u_acc` is not declared",
    ),
    (|d| Declared { u_acc: Some(power_of_two(-8)), ..d }, "sums are formed in bfloat16, and `u_acc` is not declared"),
];

impl<'a> Found<'a> {
    /// Whether a port that may hold `altered` may hold what was recorded.
    fn is(&self, altered: &Expected) -> bool {
        matches!(measure(altered, self.got), Grade::Measured(m) if m.outside == 0 && m.unlikely == 0 && m.unbounded == 0)
    }

    /// What may stand at the same place of an altered call, or of a port that makes a mistake.
    fn altered(&self, call: &Call<Value>, slip: Option<Slip>) -> Option<Expected> {
        let all = claims(call, slip).ok()??;
        all.into_iter().find(|claimed| claimed.place == *self.place).and_then(|claimed| match claimed.claim {
            Claim::Values(expected) => Some(expected),
            _ => None,
        })
    }

    fn by_slip(&self, slip: Slip) -> bool {
        self.altered(self.call, Some(slip)).is_some_and(|altered| self.is(&altered))
    }

    /// An arithmetic that would allow it, where that still tells: what is a bound of the result's own size allows
    /// anything. Coarser numbers touch nearly every element: where few are off, it is something else.
    fn by_arithmetic(&self) -> Option<String> {
        let rounded = self.expected.magnitude.iter().filter(|&&size| size > 0.0).count();
        if self.elements().len() * TOUCHED < rounded {
            return None;
        }
        let said = ARITHMETICS.iter().find(|(of, _)| {
            let call = Call { declared: of(self.call.declared), ..self.call.clone() };
            self.altered(&call, None).is_some_and(|altered| tells(&altered) && self.is(&altered))
        });
        said.map(|(_, said)| said.to_string())
    }

    /// The elements that are outside, or unlikely, by their place in row-major order.
    fn elements(&self) -> Vec<usize> {
        let radii = self.expected.any.iter().zip(&self.expected.likely);
        let elements = self.got.iter().zip(&self.expected.truth).zip(radii).enumerate();
        let is_right = |got: f64, truth: f64, radius: f64| {
            (got - truth).abs() <= radius || got == truth || (got.is_nan() && truth.is_nan())
        };
        let off = elements.filter(|(_, ((got, truth), (any, likely)))| !is_right(**got, **truth, any.min(**likely)));
        off.map(|(at, _)| at).collect()
    }
}

/// Whether most bounds are small beside what they bound.
fn tells(expected: &Expected) -> bool {
    let elements = expected.truth.iter().zip(&expected.any).zip(&expected.magnitude);
    let small = elements.filter(|((truth, any), magnitude)| **any <= truth.abs() / 4.0 || **magnitude == 0.0).count();
    2 * small > expected.truth.len()
}
