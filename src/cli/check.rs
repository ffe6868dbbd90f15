//! `gdstar check`: holds a port's trace against the reference.

use super::progress_bar;
use crate::console;
use crate::error::Result;
use crate::oracle::{CheckOptions, Ensemble, Report, RunStatistics, Verdict, check_opened};
use crate::trace;
use ::console::style;
use std::path::PathBuf;
use std::process::ExitCode;

/// Check a port's trace, equation by equation.
///
/// Each equation is judged on the port's own recorded operands, within bounds that follow from the arithmetic it
/// declares, so that one mistake is one finding. The report names the first equation that no correct port computes so,
/// the element, the bound, and the known mistake that gives the port's value. docs/porting.md shows how to write a
/// trace; docs/oracle.md says what a PASS proves.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 PASS; 1 FAIL; 2 wrong usage or an unreadable trace; 3 INCONCLUSIVE.")]
pub struct CheckArgs {
    /// The trace, format gdstar-trace/1
    #[arg(value_name = "PORT.safetensors")]
    trace: PathBuf,
    /// Print the report as one JSON object
    #[arg(long)]
    json: bool,
    /// Require every result to be the exact one: for the cases in golden/exact, in which nothing rounds
    #[arg(long)]
    exact: bool,
    /// Where model and dataset are built in, losses and gradients that the reference does not get are findings even if
    /// most disagree (without this, another split or normalisation of the data may be why: INCONCLUSIVE)
    #[arg(long)]
    insist: bool,
    /// Leave losses and gradients unchecked: the method alone, on the port's own gradients
    #[arg(long, conflicts_with = "insist")]
    without_step: bool,
    /// Compare what the run ends with to these reference runs: folders of `gdstar train --out`, of the trace's own
    /// settings and at least three seeds
    #[arg(long, value_name = "RUN", num_args = 1..)]
    ensemble: Vec<PathBuf>,
    /// The port's runs to compare with the ensemble, as metrics.jsonl, run folders or traces [default: the trace's own
    /// last epoch]
    #[arg(long, value_name = "RUN", num_args = 1.., requires = "ensemble")]
    runs: Vec<PathBuf>,
}

/// Runs the subcommand; the exit code is the verdict's.
///
/// # Errors
/// Those of [`check`](crate::oracle::check).
pub fn run(args: &CheckArgs) -> Result<ExitCode> {
    let options = CheckOptions {
        exact: args.exact,
        insist: args.insist,
        without_step: args.without_step,
        ensemble: if args.ensemble.is_empty() { None } else { Some(Ensemble::read(&args.ensemble)?) },
        runs: RunStatistics::read_all(&args.runs)?,
    };
    let bar = progress_bar("epoch");
    let report = check_opened(&trace::open(&args.trace)?, &options, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let report = report?;
    if args.json {
        console::print_line(report.to_json())?;
    } else {
        console::print(coloured(&report))?;
    }
    Ok(ExitCode::from(report.verdict.exit_code()))
}

/// The report for people, its verdict in colour.
fn coloured(report: &Report) -> String {
    let (text, name) = (report.to_string(), report.verdict.name());
    let verdict = match report.verdict {
        Verdict::Pass => style(name).green(),
        Verdict::Fail => style(name).red(),
        Verdict::Inconclusive => style(name).yellow(),
    };
    text.replacen(name, &verdict.bold().to_string(), 1)
}
