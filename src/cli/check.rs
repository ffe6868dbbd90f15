//! `gdstar check`: holds what a port recorded against the reference.

use super::{choice, progress_bar, terminal_columns};
use crate::console;
use crate::error::Result;
use crate::oracle::{CheckOptions, Checked, Ensemble, Reach, RunStatistics, Verdict, check_file};
use crate::report::fitted;
use crate::tensor_file::TensorFile;
use ::console::style;
use std::path::PathBuf;
use std::process::ExitCode;

/// Check a port's trace, equation by equation, or its record of single ops.
///
/// Each equation is judged on the port's own recorded operands, within bounds that follow from the arithmetic it
/// declares, so that one mistake is one finding. The report names the first equation that no correct port computes so,
/// the element, the bound, and the known mistake that gives the port's value. docs/porting.md shows how to write a
/// trace; docs/oracle.md says what a PASS proves. A record (docs/records.md) holds ops of real training steps, each with its
/// operands: they are judged one by one, and how they hang together bit by bit. A trace and a record may lie in one file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 PASS; 1 FAIL; 2 wrong usage or an unreadable trace; 3 INCONCLUSIVE.")]
pub struct CheckArgs {
    /// The trace, format gdstar-trace/1, or the record, format gdstar-ops/1, or both in one file
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
    /// How much of the file to judge: the method's equations on the port's own gradients; these, and losses and gradients;
    /// or the record of single ops alone [default: all that the file holds]
    #[arg(long, value_parser = choice::<Reach>())]
    level: Option<Reach>,
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
        reach: args.level,
        steps_by_ops: 0,
        ensemble: if args.ensemble.is_empty() { None } else { Some(Ensemble::read(&args.ensemble)?) },
        runs: RunStatistics::read_all(&args.runs)?,
    };
    let bar = progress_bar("epoch");
    let checked = check_file(TensorFile::open_packed(&args.trace)?, &options, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let checked = checked?;
    if args.json {
        console::print_line(checked.to_json())?;
    } else {
        console::print(coloured(&checked))?;
    }
    Ok(ExitCode::from(checked.verdict().exit_code()))
}

/// The reports for people, the verdict of each in colour.
fn coloured(checked: &Checked) -> String {
    let parts = [
        checked.trace.as_ref().map(|report| (report.to_string(), report.verdict)),
        checked.record.as_ref().map(|report| (report.to_string(), report.verdict)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().map(|(text, verdict)| in_colour(&text, verdict)).collect();
    parts.join("\n")
}

/// On a terminal no line is wider than it; elsewhere each finding is one line.
fn in_colour(text: &str, verdict: Verdict) -> String {
    let text = terminal_columns().map_or_else(|| text.to_string(), |columns| fitted(text, columns));
    let coloured = match verdict {
        Verdict::Pass => style(verdict.name()).green(),
        Verdict::Fail => style(verdict.name()).red(),
        Verdict::Inconclusive => style(verdict.name()).yellow(),
    };
    text.replacen(verdict.name(), &coloured.bold().to_string(), 1)
}
