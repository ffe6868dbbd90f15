//! [`judge`]: every result of one call, graded.

use super::expected::Claim;
use super::grade::Grade;
use super::overloads;
use super::{Call, Carried, Changed, Value};
use crate::error::Result;

/// Which of a call's tensors is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `results[i]` of an aten call.
    Result(usize),
    /// An argument after the call.
    Written(Changed),
    /// `out/<name>` of an op case.
    Output(String),
    /// `grad/<name>` of an op case.
    Gradient(String),
}

/// One tensor that a call gave, and how it is graded.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub place: Place,
    /// The tensor's name in the file, where it was recorded.
    pub tensor: Option<String>,
    pub grade: Grade,
}

impl Judged {
    fn of(place: Place, claim: &Claim, value: Option<&Value>) -> Self {
        Self { place, tensor: value.map(|value| value.tensor.clone()), grade: Grade::of(claim, value) }
    }
}

/// Grades every result of a call on the operands that were recorded with it; `None` for an overload that is not known.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) or [`Error::Domain`](crate::Error::Domain) naming the operand or the attribute
/// that the op cannot work on.
pub fn judge(call: &Call<Value>) -> Result<Option<Vec<Judged>>> {
    match &call.carried {
        Carried::Aten(aten) => {
            let Some(overload) = overloads::find(&call.op) else { return Ok(None) };
            let answer = overload.answer(aten, &call.declared)?;
            let results = answer.results.iter().enumerate();
            let mut judged: Vec<Judged> = results
                .map(|(i, claim)| Judged::of(Place::Result(i), claim, aten.results.get(i).and_then(Option::as_ref)))
                .collect();
            for (changed, claim) in &answer.writes {
                let value = aten.writes.get(changed);
                // What works in place may be recorded by its result alone.
                let known_by_result =
                    value.is_none() && aten.results.iter().any(Option::is_some) && overload.works_in_place();
                if !known_by_result {
                    judged.push(Judged::of(Place::Written(changed.clone()), claim, value));
                }
            }
            Ok(Some(judged))
        }
        Carried::Op(case) => {
            let Some(answer) = overloads::answer_case(&call.op, case, &call.declared)? else { return Ok(None) };
            let outputs = case.outputs.iter().zip(&answer.outputs);
            let outputs =
                outputs.map(|((name, value), claim)| Judged::of(Place::Output(name.clone()), claim, value.as_ref()));
            let gradients = case.gradients.iter().zip(&answer.gradients);
            let gradients = gradients
                .map(|((name, value), claim)| Judged::of(Place::Gradient(name.clone()), claim, value.as_ref()));
            Ok(Some(outputs.chain(gradients).collect()))
        }
    }
}
