//! `gdstar check`: holds a port's trace against the reference.

use super::progress_bar;
use crate::console;
use crate::error::{Result, in_one_line};
use crate::oracle::{CheckOptions, Ensemble, Finding, Report, RunStatistics, Verdict, check_opened};
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
        console::print(text(&report))?;
    }
    Ok(ExitCode::from(report.verdict.exit_code()))
}

/// The report for people.
fn text(report: &Report) -> String {
    let verdict = style(report.verdict);
    let verdict = match report.verdict {
        Verdict::Pass => verdict.green(),
        Verdict::Fail => verdict.red(),
        Verdict::Inconclusive => verdict.yellow(),
    };
    let mut lines = vec![format!("{}  {}  ({})", verdict.bold(), report.file, report.producer)];
    lines.extend(report.inconclusive.iter().map(|reason| format!("  because {reason}")));
    if let Some(first) = report.findings.first() {
        lines.push(String::new());
        lines.push(format!("first divergence: {}{}", event(first), describe(first)));
        lines.push(format!("{} finding(s) in all:", report.findings_total));
        for (equation, count) in &report.findings_by_equation {
            let of_equation = report.findings.iter().find(|finding| finding.equation == *equation);
            let place = match of_equation {
                Some(finding) if finding == first => ", the first divergence among them".to_string(),
                Some(finding) => format!(", the first in {}{}", event(finding), describe(finding)),
                None => String::new(),
            };
            lines.push(format!("  {equation}: {count}{place}"));
        }
    }
    lines.push(String::new());
    lines.push(format!(
        "checked: {} ({} numbers in {} {})",
        if report.checked.is_empty() { "nothing".to_string() } else { report.checked.join(" ") },
        report.compared,
        report.epochs,
        report.events
    ));
    let taken = if report.ambiguous > 0 { ", taken as the port took them" } else { "" };
    lines.push(format!("ambiguous: {} of {} decisions{taken}", report.ambiguous, report.decisions));
    for left_out in &report.not_checked {
        let place = match left_out.epochs == report.epochs {
            true => "everywhere".to_string(),
            false => format!("in some {}", report.events),
        };
        lines.push(format!("not checked, {place}: {}: {}", left_out.equation, left_out.reason));
    }
    for level in &report.levels {
        let checked = if level.checked { "" } else { "not checked: " };
        lines.push(format!("level {}: {checked}{}", level.name, level.status));
    }
    lines.extend(report.warnings.iter().map(|warning| format!("warning: {warning}")));
    // Names are the file's.
    lines.iter().map(|line| in_one_line(line) + "\n").collect()
}

/// Where in the run a finding is.
fn event(finding: &Finding) -> String {
    match (finding.epoch, finding.step) {
        (Some(k), _) => format!("epoch {k}, "),
        (None, Some(t)) => format!("step {t}, "),
        (None, None) => String::new(),
    }
}

/// A finding in a line.
fn describe(finding: &Finding) -> String {
    let cause = finding.likely_cause.as_deref().unwrap_or("no known mistake gives this value");
    format!(
        "{} in {}{:?}: got {:e}, expected {:e} .. {:e} ({:.3e} ulp away): {cause}",
        finding.equation,
        finding.tensor,
        finding.index,
        finding.got,
        finding.expected_low,
        finding.expected_high,
        finding.ulps
    )
}
