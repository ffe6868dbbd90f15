//! The walk over a trace's steps: every result is compared, and a wrong one explained.

use super::desk::{Desk, Job};
use super::explain::{Part, explain};
use super::pages::page;
use super::rules::Rules;
use super::state::{Left, Whole};
use crate::error::Result;
use crate::oracle::claims::params::{self, DeclaredW};
use crate::oracle::options::CheckOptions;
use crate::oracle::outcome::Outcome;
use crate::oracle::report::{self, Level, Report};
use crate::oracle::verdict::{About, Collector};
use crate::trace::StepTrace;

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
    let (rules, unknown) = Rules::read(trace, &page.facts, options.exact)?;
    let nothing = Whole::default();
    let start = Left::NOTHING;
    let open = Opener { trace };
    (page.fits)(&open.desk(&rules, &nothing, &start, None))?;
    let mut collector = Collector::default();
    let total = trace.steps().count();
    if page.facts.has_w {
        let w = DeclaredW::of_steps(trace, rules.label("carry"), rules.prunable);
        collector.warn(w.of_no_model());
        let (outcome, warning) = params::judge(&w);
        collector.add_of_header(outcome, total);
        collector.warn(warning);
    }
    let begin = |rules: &Rules| {
        let mut desk = open.desk(rules, &nothing, &start, None);
        let whole = (page.begin)(&mut desk)?;
        Ok((whole, outcomes(desk)))
    };
    let (whole, outcomes) = begin(&rules)?;
    collect(&mut collector, trace, &rules, outcomes, &|rules| begin(rules).map(|(_, outcomes)| outcomes))?;
    let mut left = Left::at_start(&open.desk(&rules, &whole, &start, None));
    for (done, t) in trace.steps().enumerate() {
        let walk = |rules: &Rules| {
            let mut desk = open.desk(rules, &whole, &left, Some(t));
            let after = (page.step)(&mut desk)?;
            Ok((after, self::outcomes(desk)))
        };
        let (after, outcomes) = walk(&rules)?;
        collect(&mut collector, trace, &rules, outcomes, &|rules| walk(rules).map(|(_, outcomes)| outcomes))?;
        left = after;
        progress(done + 1, total);
    }
    let end = |rules: &Rules| {
        let mut desk = open.desk(rules, &whole, &left, None);
        (page.end)(&mut desk)?;
        Ok(self::outcomes(desk))
    };
    collect(&mut collector, trace, &rules, end(&rules)?, &end)?;
    Ok(collector.report(About {
        file: trace.path().display().to_string(),
        producer: trace.header.producer.clone(),
        count: total,
        events: "steps",
        names: page.facts.labels,
        warnings: warnings(trace, unknown),
        levels: &|checked| levels(checked, options),
        inconclusive: Vec::new(),
        differs: false,
        sample: None,
    }))
}

/// Opens steps of a trace for a check.
pub(super) struct Opener<'a> {
    pub(super) trace: &'a StepTrace,
}

impl<'a> Opener<'a> {
    pub(super) fn desk<'b>(&self, rules: &'b Rules, whole: &'b Whole, left: &'b Left, t: Option<usize>) -> Desk<'b>
    where
        'a: 'b,
    {
        Desk { trace: self.trace, rules, whole, left, t, job: Job::Check(Vec::new()) }
    }
}

/// The outcomes in the method's order.
pub(super) fn outcomes(desk: Desk) -> Vec<Outcome> {
    let labels = desk.rules.facts.labels;
    let Job::Check(mut outcomes) = desk.job else { return Vec::new() };
    outcomes.sort_by_key(|outcome| labels.iter().position(|label| *label == outcome.label.equation));
    outcomes
}

/// Takes outcomes; where one has findings, the part is judged again under every suspicion.
fn collect(
    collector: &mut Collector,
    trace: &StepTrace,
    rules: &Rules,
    outcomes: Vec<Outcome>,
    part: Part,
) -> Result<()> {
    for outcome in outcomes {
        collector.add(outcome, |outcome| explain(trace, rules, outcome, part))?;
    }
    Ok(())
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
    let tensors = report::first(
        trace.unknown(),
        |name| format!("tensor `{name}` is not one of the method's"),
        |more| format!("{more} more tensors are not the method's"),
    );
    let has = |name: &String| trace.parameters().iter().any(|parameter| parameter.name == *name);
    let no_decay = trace.header.optimizer.no_decay.iter().filter(|name| !has(name));
    let no_decay = no_decay.map(|name| format!("`no_decay` names `{name}`, of which the trace has no tensor"));
    keys.chain(tensors).chain(no_decay).collect()
}
