//! `gdstar exercise`.

use crate::console;
use crate::error::{Error, Result};
use crate::explain::exercise::{all, find, grade};
use crate::output::{self, write_atomically};
use crate::report::wrapped;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// An equation of the paper, or another method's rule, to mend or to write in NumPy, graded by the oracle.
///
/// `gdstar exercise` lists them: equations by number (eq6), methods by name (rigl). `gdstar exercise eq6` writes eq6.py, a small
/// function with a slip in it (--variant 2 another one, 0 one that is yours to write); `gdstar exercise check eq6.py` runs it on
/// the operands of a real run on the digits, and has the oracle judge what it returns: PASS, or the first number that is wrong,
/// what it may be, and which known mistake gives it. That takes Python 3 with NumPy.
#[derive(Debug, clap::Args)]
pub struct ExerciseArgs {
    /// An exercise, or `check` with the file to be graded
    #[arg(value_name = "EXERCISE|check")]
    what: Option<String>,
    /// The file to be graded
    #[arg(value_name = "FILE.py", required_if_eq("what", "check"))]
    file: Option<PathBuf>,
    /// Which slip: from 1; 0 for a function that is yours to write
    #[arg(long, value_name = "N", default_value_t = 1)]
    variant: usize,
    /// Where to write the file [default: the exercise's name in this folder]
    #[arg(long, value_name = "FILE.py")]
    out: Option<PathBuf>,
    /// The Python that runs it
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
}

pub fn run(args: &ExerciseArgs) -> Result<ExitCode> {
    match (args.what.as_deref(), &args.file) {
        (None, _) => list()?,
        (Some("check"), Some(file)) => return check(args, file),
        (Some(_), Some(file)) => {
            return Err(Error::domain(
                "FILE.py",
                "nothing (a file is given to `gdstar exercise check`)",
                file.display(),
            ));
        }
        (Some(name), None) => hand_out(args, name)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list() -> Result<()> {
    let lines = all().map(|exercise| {
        wrapped(&format!("{:<12} {} {} slips ({})", exercise.name, exercise.task, exercise.slips.len(), exercise.title))
    });
    console::print_line(lines.collect::<Vec<_>>().join("\n"))
}

fn hand_out(args: &ExerciseArgs, name: &str) -> Result<()> {
    let exercise = find(name)?;
    let text = exercise.hand_out(args.variant)?;
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.py")));
    if path.exists() {
        return Err(Error::file(
            &path,
            "file",
            "none, which may be your work (remove it, or choose another --out)",
            "one",
        ));
    }
    output::check("--out", &path, &[] as &[PathBuf])?;
    write_atomically(&path, |out| out.write_all(text.as_bytes()))?;
    console::print_line(format_args!(
        "{}: {}\nMend the function, then: gdstar exercise check {}",
        path.display(),
        if args.variant == 0 { "a function that is yours to write" } else { "a function with a slip in it" },
        path.display()
    ))
}

fn check(args: &ExerciseArgs, file: &Path) -> Result<ExitCode> {
    let grade = grade(file, &args.python)?;
    let Some(wrong) = grade.wrong else {
        console::print_line(format_args!(
            "PASS  {}: every number is one that a correct port computes",
            grade.exercise
        ))?;
        return Ok(ExitCode::SUCCESS);
    };
    let cause = wrong.likely_cause.as_deref().unwrap_or("no known mistake gives this value");
    let text = format!(
        "FAIL  {}: {} wrong numbers, the first in {}{:?}: got {:e}, expected {:e} to {:e}\n{cause}",
        grade.exercise, grade.total, wrong.tensor, wrong.index, wrong.got, wrong.expected_low, wrong.expected_high
    );
    console::print_line(wrapped(&text))?;
    Ok(ExitCode::FAILURE)
}
