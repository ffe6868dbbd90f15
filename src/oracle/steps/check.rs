//! The walk over a trace's steps: every result is compared, and a wrong one explained.

use super::desk::{Desk, Job};
use super::left::Left;
use super::page::page;
use super::rules::Rules;
use super::slips::{Suspicion, suspicions};
use super::whole::Whole;
use crate::error::Result;
use crate::oracle::claims::common_factor;
use crate::oracle::options::CheckOptions;
use crate::oracle::outcome::Outcome;
use crate::oracle::report::{Level, Report};
use crate::oracle::verdict::{About, Collector};
use crate::trace::StepTrace;

/// What is judged under some rules.
type Part<'a> = &'a dyn Fn(&Rules) -> Result<Vec<Outcome>>;

/// Checks an open trace, telling `progress` how many steps are judged, of how many.
///
/// # Errors
/// [`crate::Error::File`] naming the header's key or the tensor that is not as it should be; [`crate::Error::Io`].
pub(crate) fn check(
    trace: &StepTrace,
    options: &CheckOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Report> {
    let page = page(trace.header.method);
    let (rules, unknown) = Rules::read(trace, page, options.exact)?;
    let nothing = Whole::default();
    let start = Left::NOTHING;
    let open = Opener { trace };
    (page.fits)(&open.desk(&rules, &nothing, &start, None))?;
    let mut collector = Collector::default();
    let begin = |rules: &Rules| {
        let mut desk = open.desk(rules, &nothing, &start, None);
        let whole = (page.begin)(&mut desk)?;
        Ok((whole, outcomes(desk)))
    };
    let (whole, outcomes) = begin(&rules)?;
    collect(&mut collector, &rules, outcomes, &|rules| begin(rules).map(|(_, outcomes)| outcomes))?;
    let total = trace.steps().count();
    let mut left = Left::at_start(&open.desk(&rules, &whole, &start, None));
    for (done, t) in trace.steps().enumerate() {
        let walk = |rules: &Rules| {
            let mut desk = open.desk(rules, &whole, &left, Some(t));
            let after = (page.step)(&mut desk)?;
            Ok((after, self::outcomes(desk)))
        };
        let (after, outcomes) = walk(&rules)?;
        collect(&mut collector, &rules, outcomes, &|rules| walk(rules).map(|(_, outcomes)| outcomes))?;
        left = after;
        progress(done + 1, total);
    }
    let end = |rules: &Rules| {
        let mut desk = open.desk(rules, &whole, &left, None);
        (page.end)(&mut desk)?;
        Ok(self::outcomes(desk))
    };
    collect(&mut collector, &rules, end(&rules)?, &end)?;
    Ok(collector.report(About {
        file: trace.path().display().to_string(),
        producer: trace.header.producer.clone(),
        count: total,
        events: "steps",
        names: page.labels,
        warnings: warnings(trace, unknown),
        levels: &|checked| levels(checked, options),
        inconclusive: Vec::new(),
        differs: false,
    }))
}

/// Opens steps of a trace for a check.
struct Opener<'a> {
    trace: &'a StepTrace,
}

impl<'a> Opener<'a> {
    fn desk<'b>(&self, rules: &'b Rules, whole: &'b Whole, left: &'b Left, t: Option<usize>) -> Desk<'b>
    where
        'a: 'b,
    {
        Desk { trace: self.trace, rules, whole, left, t, job: Job::Check(Vec::new()) }
    }
}

/// The outcomes in the method's order.
fn outcomes(desk: Desk) -> Vec<Outcome> {
    let labels = desk.rules.page.labels;
    let Job::Check(mut outcomes) = desk.job else { return Vec::new() };
    outcomes.sort_by_key(|outcome| labels.iter().position(|label| *label == outcome.label.equation));
    outcomes
}

/// Takes outcomes; where one has findings, the part is judged again under every suspicion.
fn collect(collector: &mut Collector, rules: &Rules, outcomes: Vec<Outcome>, part: Part) -> Result<()> {
    for outcome in outcomes {
        collector.add(outcome, |outcome| Ok(explain(rules, outcome, part)))?;
    }
    Ok(())
}

/// The suspicions under which all of a label's results are what they should be.
fn explain(rules: &Rules, outcome: &Outcome, part: Part) -> Vec<String> {
    let Some(first) = outcome.findings.first() else { return Vec::new() };
    if !first.got.is_finite() {
        return vec!["not finite: an overflow, a division 0 / 0, or memory that was never written".to_string()];
    }
    let explains = |suspicion: &Suspicion| {
        let Ok(outcomes) = part(&suspicion.rules) else { return false };
        let own = outcomes.iter().find(|other| other.label == outcome.label);
        own.is_some_and(|own| own.total == 0 && own.compared > 0)
    };
    let causes: Vec<String> = suspicions(rules).into_iter().filter(explains).map(|suspicion| suspicion.told).collect();
    match causes.is_empty() {
        true if outcome.label.equation.ends_with(".carry") => vec![changed_between(outcome)],
        true => common_factor(outcome),
        false => causes,
    }
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

fn levels(checked: &[&'static str], options: &CheckOptions) -> Vec<Level> {
    let names = if checked.is_empty() { "nothing is recorded".to_string() } else { checked.join(" ") };
    let exact =
        if options.exact { names.clone() } else { "needs --exact, for results that nothing rounds".to_string() };
    let level = |name, checked, status| Level { name, checked, status };
    vec![level("exact", options.exact && !checked.is_empty(), exact), level("method", !checked.is_empty(), names)]
}

fn warnings(trace: &StepTrace, unknown: Vec<String>) -> Vec<String> {
    let keys = trace.header.unknown.iter().cloned().chain(unknown);
    let keys = keys.map(|key| format!("header key `{key}` is not one of the format's"));
    let tensors = trace.unknown().iter().map(|name| format!("tensor `{name}` is not one of the method's"));
    let has = |name: &String| trace.parameters().iter().any(|parameter| parameter.name == *name);
    let no_decay = trace.header.optimizer.no_decay.iter().filter(|name| !has(name));
    let no_decay = no_decay.map(|name| format!("`no_decay` names `{name}`, of which the trace has no tensor"));
    keys.chain(tensors).chain(no_decay).collect()
}
