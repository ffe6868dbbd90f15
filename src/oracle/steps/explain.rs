//! What explains a finding: the altered rules under which a port's values are what they should be.

use super::rules::Rules;
use super::suspicion::{Suspicion, last_resorts, misreadings, retuned, spared, suspicions};
use crate::error::Result;
use crate::oracle::claims::common_factor;
use crate::oracle::outcome::{Cause, MOST_TRIED, NOT_FINITE, Outcome, Worth};
use crate::trace::StepTrace;

/// What is judged under some rules.
pub(super) type Part<'a> = &'a dyn Fn(&Rules) -> Result<Vec<Outcome>>;

/// The suspicions under which all of a label's results are what they should be; where there is none, what else can be said.
pub(super) fn explain(trace: &StepTrace, rules: &Rules, outcome: &Outcome, part: Part) -> Result<Vec<Cause>> {
    let Some(first) = outcome.findings.first() else { return Ok(Vec::new()) };
    if !first.got.is_finite() {
        return Ok(vec![NOT_FINITE.to_string().into()]);
    }
    // As much is to be compared, but for the numbers of flags, one a parameter, that only open decisions have.
    let enough = outcome.compared.saturating_sub(trace.parameters().len());
    let under = |suspicion: &Suspicion| {
        let own = part(&suspicion.rules).ok()?.into_iter().find(|other| other.label == outcome.label)?;
        (own.total == 0 && own.compared > 0).then_some(own)
    };
    let explains = |suspicion: &Suspicion, enough: usize| under(suspicion).is_some_and(|own| own.compared >= enough);
    let told = |all: Vec<Suspicion>, worth: Worth| -> Vec<Cause> {
        all.into_iter().map(|suspicion| Cause { told: suspicion.told, worth }).collect()
    };
    let causes: Vec<Suspicion> = suspicions(rules).into_iter().filter(|of| explains(of, enough)).collect();
    if !causes.is_empty() {
        return if outcome.label.equation.ends_with(".when") {
            on_schedule(trace, causes)
        } else {
            Ok(told(causes, Worth::Specific))
        };
    }
    if outcome.label.equation.ends_with(".carry") {
        return Ok(vec![changed_between(outcome).into()]);
    }
    // What leaves more decisions open explains anything.
    let fits = |suspicion: &Suspicion| {
        under(suspicion).is_some_and(|own| own.compared >= enough && own.ambiguous <= outcome.ambiguous)
    };
    let entries: usize = trace.parameters().iter().map(|parameter| parameter.range.len()).sum();
    let more = if entries <= MOST_TRIED { misreadings(rules) } else { Vec::new() };
    let tried: Vec<Suspicion> = retuned(rules).into_iter().chain(more).filter(fits).collect();
    if !tried.is_empty() {
        return Ok(told(tried, Worth::IfEverywhere));
    }
    let factor = common_factor(outcome, &rules.numbers());
    if !factor.is_empty() {
        return Ok(factor);
    }
    let causes: Vec<Suspicion> = last_resorts(rules).into_iter().filter(|of| explains(of, enough)).collect();
    if !causes.is_empty() {
        return Ok(told(causes, Worth::IfEverywhere));
    }
    let other = spared(rules, &first.tensor);
    let is_one_of_several = first.tensor.matches('/').count() > 2;
    Ok(if is_one_of_several && explains(&other, 0) { told(vec![other], Worth::IfEverywhere) } else { Vec::new() })
}

/// Of suspicions about when updates are due those that agree with the whole trace; where none does, each is told as one of this step
/// alone.
fn on_schedule(trace: &StepTrace, causes: Vec<Suspicion>) -> Result<Vec<Cause>> {
    let mut updated = Vec::new();
    for t in trace.steps() {
        if let Some(flags) = trace.flags(&format!("step/{t}/updated"))? {
            updated.push((t, flags.first() == Some(&true)));
        }
    }
    let agrees = |suspicion: &&Suspicion| updated.iter().all(|&(t, flag)| suspicion.rules.is_due(t) == flag);
    let agreeing: Vec<Cause> = causes.iter().filter(agrees).map(|suspicion| suspicion.told.clone().into()).collect();
    let here =
        |suspicion: Suspicion| Cause::from(format!("{} (at this step; not at all of the others)", suspicion.told));
    Ok(if agreeing.is_empty() { causes.into_iter().map(here).collect() } else { agreeing })
}

/// What may have happened to an operand between two steps.
fn changed_between(outcome: &Outcome) -> String {
    let Some(first) = outcome.findings.first() else { return String::new() };
    let all = |holds: &dyn Fn(f64, f64) -> bool| outcome.findings.iter().all(|of| holds(of.got, of.expected_low));
    let quantity = first.tensor.split('/').nth(2).unwrap_or_default();
    let close = |got: f64, expected: f64| (got - expected).abs() <= expected.abs() / 128.0;
    let how = match quantity {
        "mask_before" => "as if the mask were formed anew: of the weights that are not 0, or of another step",
        _ if all(&|got, _| got == 0.0) => "it is reset to 0",
        _ if all(&|_, expected| expected == 0.0) => "what the mask holds at 0 moves",
        _ if all(&close) => "it is rounded: to half precision or bfloat16, or through a file",
        _ => "something moves it outside of the step",
    };
    format!("`{quantity}` changed between the steps, where the step before left something else: {how}")
}
