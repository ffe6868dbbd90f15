//! `gdstar check`: every claim, judged on the port's own operands.
//!
//! One walk: the file ([`Trace`]) gives epochs ([`Epoch`]), each claim compares what an epoch records of its result with what
//! a correct port may have computed from what it records of its operands, what it derives is known to the claims after it,
//! and the port's own values are carried on. So an error is one finding and not a cascade, and later, independent errors are
//! found in the same run. The outcomes, with the mistakes that explain them, make the verdict.

use super::altered;
use super::claims::{Batches, CLAIMS, Claim, StepLevel, common_factor, initial, params};
use super::epoch::Epoch;
use super::options::CheckOptions;
use super::outcome::{Cause, NOT_FINITE, Outcome};
use super::report::Report;
use super::run_level::{RunComparison, RunStatistics, compare_runs};
use super::seen::{Carry, Operands, Seen};
use super::steps;
use super::verdict::{Collector, report_on};
use crate::error::{Error, Result};
use crate::kernel::share;
use crate::trace::{self, Opened, Trace};
use std::path::Path;

/// Checks the trace in a file.
///
/// # Errors
/// As [`Trace::open`]; [`crate::Error::File`] for a mask value above 1; [`crate::Error::Domain`] for an ensemble of
/// other runs than the trace's; [`crate::Error::Io`].
pub fn check(path: &Path, options: &CheckOptions) -> Result<Report> {
    check_opened(&trace::open(path)?, options, &mut |_, _| {})
}

/// Checks a trace by whosever rules it follows, telling `progress` how many epochs or steps are judged, of how many.
///
/// # Errors
/// As [`check`]; [`crate::Error::Domain`] for an ensemble beside a trace by steps.
pub fn check_opened(opened: &Opened, options: &CheckOptions, progress: &mut dyn FnMut(usize, usize)) -> Result<Report> {
    match opened {
        Opened::Epochs(trace) => check_observed(trace, options, progress),
        Opened::Steps(trace) if options.ensemble.is_some() => {
            let expected = "a trace by epochs, whose runs end with what the equations are about";
            Err(Error::domain("--ensemble", expected, format!("one of {}", trace.header.method)))
        }
        Opened::Steps(trace) => steps::check(trace, options, progress),
    }
}

/// Checks an open trace.
///
/// # Errors
/// As [`check`], of what is read now.
pub fn check_trace(trace: &Trace, options: &CheckOptions) -> Result<Report> {
    check_observed(trace, options, &mut |_, _| {})
}

/// [`check_trace`], telling `progress` how many epochs are judged, of how many.
///
/// # Errors
/// As [`check_trace`].
pub fn check_observed(trace: &Trace, options: &CheckOptions, progress: &mut dyn FnMut(usize, usize)) -> Result<Report> {
    let declared = trace.header.arithmetic;
    let arithmetic = if options.exact { declared.exactly() } else { declared };
    let mut collector = Collector::default();
    let runs = run_level(trace, options)?;
    let mut carry = Carry::start(trace)?;
    collector.add(initial(&carry, arithmetic), |_| Ok(Vec::new()))?;
    let batches = Batches::of(trace)?;
    collector.warn(batches.warning(trace));
    let total = trace.epochs().count();
    let w = params::DeclaredW::of_epochs(trace);
    collector.warn(w.of_no_model());
    collector.add_of_header(params::judge(&w).0, total);
    let step = StepLevel::run(trace, &declared, options)?;
    let claims: Vec<&dyn Claim> = [&step as &dyn Claim, &batches].into_iter().chain(CLAIMS.iter().copied()).collect();
    let mut next = trace.epochs().next().map(|k| Epoch::load(trace, k, arithmetic)).transpose()?;
    let mut rest = trace.epochs().skip(1);
    let mut done = 0;
    while let Some(epoch) = next {
        carry.arrive(epoch.k);
        // One core reads while the other judges.
        let ahead = rest.next();
        let (loaded, judged) = share::both(
            share::ALWAYS,
            || ahead.map(|k| Epoch::load(trace, k, arithmetic)).transpose(),
            || walk(&claims, &epoch, &carry),
        );
        let (outcomes, known) = judged?;
        let seen = Seen::new(&epoch, &known, &carry);
        for (claim, outcome) in claims.iter().zip(outcomes) {
            collector.add(outcome, |outcome| explain(*claim, &seen, outcome))?;
        }
        carry.advance(epoch, known);
        done += 1;
        progress(done, total);
        next = loaded?;
    }
    Ok(report_on(collector, trace, options, step.told(), runs))
}

/// Judges the claims on an epoch in turn; with the outcomes, all that they derived.
fn walk(claims: &[&dyn Claim], epoch: &Epoch, carry: &Carry) -> Result<(Vec<Outcome>, Operands)> {
    let mut known = Operands::at_start(epoch, carry);
    let mut outcomes = Vec::with_capacity(claims.len());
    for claim in claims {
        let judged = claim.judge(&Seen::new(epoch, &known, carry))?;
        outcomes.push(judged.outcome);
        known = known.with(judged.derived);
    }
    Ok((outcomes, known))
}

/// The mistakes that give the port's values, the most plain first; empty if none of the known ones does.
fn explain(claim: &dyn Claim, seen: &Seen, outcome: &Outcome) -> Result<Vec<Cause>> {
    let Some(first) = outcome.findings.first() else { return Ok(Vec::new()) };
    if !first.got.is_finite() && !first.tensor.ends_with("min_before") {
        return Ok(vec![NOT_FINITE.to_string().into()]);
    }
    let causes: Vec<Cause> = claim.mistakes(seen, outcome)?.into_iter().map(Cause::from).collect();
    if !causes.is_empty() {
        return Ok(causes);
    }
    let altered = altered::causes(claim, seen, outcome)?;
    Ok(if altered.is_empty() { common_factor(outcome, &numbers(seen)) } else { altered })
}

/// Counts by which results may be off.
fn numbers(seen: &Seen) -> Vec<(String, f64)> {
    let hyper = seen.trace.header.hyper;
    let counts = [
        ("the number of batches", seen.trace.batches(seen.k)),
        ("the batch size", seen.trace.header.batch_size.unwrap_or_default()),
        ("the number of weights", seen.trace.weights()),
        ("the number of chunks", hyper.chunks),
        ("the number of epochs", hyper.epochs),
    ];
    counts.into_iter().filter(|(_, n)| *n > 1).map(|(name, n)| (name.to_string(), n as f64)).collect()
}

/// The run level's comparisons; `None` without an ensemble.
fn run_level(trace: &Trace, options: &CheckOptions) -> Result<Option<Vec<RunComparison>>> {
    let Some(ensemble) = &options.ensemble else { return Ok(None) };
    let own = if options.runs.is_empty() { vec![RunStatistics::of_trace(trace)?] } else { options.runs.clone() };
    compare_runs(&own, ensemble, &trace.header).map(Some)
}
