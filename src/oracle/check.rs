//! `gdstar check`: every equation, judged on the port's own operands.
//!
//! An epoch is read ([`epoch::Epoch`]), each equation compares what the trace records of its result with what a correct
//! port may have computed from what the trace records of its operands, and the port's own values are carried on. So an
//! error is one finding and not a cascade, and later, independent errors are found in the same run.

mod batches;
mod clip;
mod decay;
mod epoch;
mod fate;
mod field;
mod gradients;
mod norms;
mod optimizer;
mod outcome;
mod prunable;
mod quantile;
mod rewind;
mod role;
mod schedule;
mod selection;
mod squares;
mod step_level;
mod verdict;
mod within;

pub(crate) use clip::{Clipping, norms as gradient_norms};
pub(crate) use epoch::{Carry, Epoch};
pub(crate) use field::Field;
pub(crate) use gradients::gradient_name;
pub(crate) use optimizer::{Descent, Rule};
pub(crate) use outcome::{Outcome, Stage};
pub(crate) use quantile::{exact_quantile, set as quantile_set};
pub(crate) use schedule::exact_rate;

use crate::error::Result;
use crate::oracle::dictionary;
use crate::oracle::report::Report;
use crate::oracle::run_level::{Ensemble, RunComparison, RunStatistics, compare_runs};
use crate::trace::Trace;
use std::path::Path;
use step_level::StepLevel;
use verdict::Collector;

/// What to check and how.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Every result must be the exact one: for the cases in which nothing rounds.
    pub exact: bool,
    /// Losses and gradients that the reference does not get are findings even if no loss at all agrees, which speaks for
    /// other samples.
    pub insist: bool,
    /// Losses and gradients are not recomputed: the method is judged on the port's own.
    pub without_step: bool,
    /// Reference runs that the run level compares with; none: it is left out.
    pub ensemble: Option<Ensemble>,
    /// What the port's runs ended with; none: the trace's own last epoch.
    pub runs: Vec<RunStatistics>,
}

/// Checks the trace in a file.
///
/// # Errors
/// As [`Trace::open`]; [`crate::Error::File`] for a mask value above 1; [`crate::Error::Domain`] for an ensemble of
/// other runs than the trace's; [`crate::Error::Io`].
pub fn check(path: &Path, options: &CheckOptions) -> Result<Report> {
    check_trace(&Trace::open(path)?, options)
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
    let mut collector = Collector::default();
    let runs = run_level(trace, options)?;
    let mut carry = Carry::start(trace, options, &mut collector)?;
    let arithmetic = carry.arithmetic;
    let distinct = batches::distinct_samples(trace)?;
    collector.warn(batches::warning(trace, distinct));
    collector.add_of_header(prunable::params(trace), trace.epochs().count());
    let step = StepLevel::run(trace, &trace.header.arithmetic, options)?;
    let mut next = trace.epochs().next().map(|k| Epoch::load(trace, k, arithmetic)).transpose()?;
    let mut rest = trace.epochs().skip(1);
    let (mut done, total) = (0, trace.epochs().count());
    while let Some(mut epoch) = next {
        // One core reads while the other judges.
        let ahead = rest.next();
        let (loaded, judged) =
            rayon::join(|| ahead.map(|k| Epoch::load(trace, k, arithmetic)).transpose(), || epoch.check(&mut carry));
        collector.add(step.outcome(epoch.k, &arithmetic), |_| Ok(Vec::new()))?;
        collector.add(batches::last_batch(&epoch, distinct), |outcome| dictionary::explain(outcome, &epoch, &carry))?;
        for outcome in judged? {
            collector.add(outcome, |outcome| dictionary::explain(outcome, &epoch, &carry))?;
        }
        carry.advance(epoch);
        done += 1;
        progress(done, total);
        next = loaded?;
    }
    Ok(collector.report(trace, options, step.told(), runs))
}

/// The run level's comparisons; `None` without an ensemble.
fn run_level(trace: &Trace, options: &CheckOptions) -> Result<Option<Vec<RunComparison>>> {
    let Some(ensemble) = &options.ensemble else { return Ok(None) };
    let own = if options.runs.is_empty() { vec![RunStatistics::of_trace(trace)?] } else { options.runs.clone() };
    compare_runs(&own, ensemble, &trace.header).map(Some)
}
