//! [`judge`]: every result of one call, graded.

use super::expected::Claim;
use super::grade::Grade;
use super::overloads::{self, Slip};
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

impl Place {
    /// What it is called in reports, as a record's keys have it.
    pub(super) fn named(&self) -> String {
        match self {
            Self::Result(i) => format!("results[{i}]"),
            Self::Written(Changed::Position(i)) => format!("writes[\"{i}\"]"),
            Self::Written(Changed::Keyword(name)) => format!("writes[{name:?}]"),
            Self::Output(name) => format!("out/{name}"),
            Self::Gradient(name) => format!("grad/{name}"),
        }
    }
}

/// One tensor that a call gave, and how it is graded.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub place: Place,
    /// The tensor's name in the file, where it was recorded.
    pub tensor: Option<String>,
    pub grade: Grade,
}

/// One result: what a correct port may hold, and what the record has.
pub(super) struct Claimed<'a> {
    pub place: Place,
    pub claim: Claim,
    pub value: Option<&'a Value>,
}

/// Grades every result of a call on the operands that were recorded with it; `None` for an overload that is not known.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) or [`Error::Domain`](crate::Error::Domain) naming the operand or the attribute
/// that the op cannot work on.
pub fn judge(call: &Call<Value>) -> Result<Option<Vec<Judged>>> {
    let Some(claimed) = claims(call, None)? else { return Ok(None) };
    let grade = |Claimed { place, claim, value }: Claimed| Judged {
        place,
        tensor: value.map(|value| value.tensor.clone()),
        grade: Grade::of(&claim, value),
    };
    Ok(Some(claimed.into_iter().map(grade).collect()))
}

/// What a correct port may hold for every result of a call, or one that makes a mistake.
pub(super) fn claims(call: &Call<Value>, slip: Option<Slip>) -> Result<Option<Vec<Claimed<'_>>>> {
    let aten = match &call.carried {
        Carried::Aten(aten) => aten,
        Carried::Op(case) => {
            let Some(answer) = overloads::answer_case(&call.op, case, &call.declared, slip)? else { return Ok(None) };
            let outputs = case.outputs.iter().zip(answer.outputs);
            let outputs = outputs.map(|((name, value), claim)| (Place::Output(name.clone()), claim, value.as_ref()));
            let gradients = case.gradients.iter().zip(answer.gradients);
            let gradients =
                gradients.map(|((name, value), claim)| (Place::Gradient(name.clone()), claim, value.as_ref()));
            let all = outputs.chain(gradients);
            return Ok(Some(all.map(|(place, claim, value)| Claimed { place, claim, value }).collect()));
        }
    };
    let Some(overload) = overloads::find(&call.op) else { return Ok(None) };
    let answer = overload.answer_with(aten, &call.declared, slip)?;
    // What works in place may be recorded by its result alone.
    let is_known_by_result = overload.works_in_place() && aten.results.iter().any(Option::is_some);
    let result = |(i, claim): (usize, Claim)| Claimed {
        place: Place::Result(i),
        claim,
        value: aten.results.get(i).and_then(Option::as_ref),
    };
    let results = answer.results.into_iter().enumerate().map(result);
    let written = answer.writes.into_iter().map(|(changed, claim)| {
        let value = aten.writes.get(&changed);
        Claimed { place: Place::Written(changed), claim, value }
    });
    let written = written.filter(|written| written.value.is_some() || !is_known_by_result);
    Ok(Some(results.chain(written).collect()))
}
