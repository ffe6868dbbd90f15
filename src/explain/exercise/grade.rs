//! [`grade`]: a student's function on a real run's operands, judged by the oracle.

use super::sheet::Sheet;
use super::{Exercise, MARK, find};
use crate::error::{Error, Result, quoted};
use crate::input::{self, Kind};
use crate::oracle::{CheckOptions, Finding, check};
use crate::output::NewFolder;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a function may take: what is asked of it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the oracle says of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    pub exercise: &'static str,
    /// How many numbers of it were compared.
    pub compared: usize,
    /// The first number that no correct function returns, if there is any; its cause, where it is a known mistake.
    pub wrong: Option<Finding>,
    /// How many such numbers there are.
    pub total: usize,
}

/// Runs the function in a file that was handed out, by `python`, and has the oracle judge what it returns.
///
/// # Errors
/// [`Error::File`] naming the file and its line where it is no exercise, does not run, takes longer than a minute, or returns
/// something of another shape than is asked for.
pub fn grade(file: &Path, python: &str) -> Result<Grade> {
    let exercise = of_file(file)?;
    // Never completed: what is in it is gone with it, however the process ends.
    let desk = NewFolder::beside(&std::env::temp_dir().join("exercise"))?;
    let desk = |name: &str| desk.path().join(name);
    let sheet = Sheet::open(exercise, &exercise.lesson.trace(&desk("run"), exercise.takes)?)?;
    let (given, returned) = (desk("given.safetensors"), desk("returned.safetensors"));
    sheet.lay_out(&given)?;
    call(file, python, [&given, &returned], &desk("said.txt"))?;
    let graded = desk("graded.safetensors");
    sheet.put_back((file, &returned), &graded)?;
    let report = check(&graded, &CheckOptions::default())?;
    // What follows from a wrong result is another rule's, and not this function's.
    let is_own = |label: &str| exercise.labels.contains(&label);
    let own = |finding: &&Finding| is_own(finding.equation);
    let totals = report.findings_by_equation.iter().filter(|(label, _)| is_own(label));
    Ok(Grade {
        exercise: exercise.name,
        compared: report.compared,
        wrong: report.findings.iter().find(own).cloned(),
        total: totals.map(|(_, total)| total).sum(),
    })
}

/// The exercise that a file's first line names.
fn of_file(file: &Path) -> Result<&'static Exercise> {
    let text = input::read_text(file, Kind::List)?;
    let first = text.lines().next().unwrap_or_default();
    let Some(name) = first.strip_prefix(MARK) else {
        let expected = "`# gdstar exercise NAME`, as `gdstar exercise NAME` writes it";
        return Err(Error::file(file, "line 1", expected, quoted(first)));
    };
    find(name.trim())
}

/// Runs the file; what it says on standard error goes to `said`, which no amount of it fills as a pipe is filled.
fn call(file: &Path, python: &str, arguments: [&Path; 2], said: &Path) -> Result<()> {
    let stderr = File::create(said).map_err(Error::io(said, "create"))?;
    let mut command = Command::new(python);
    command.arg(file).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    let mut child = command.spawn().map_err(|error| {
        Error::domain("--python", "a Python 3 with NumPy that can be started", format!("`{python}` ({error})"))
    })?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(Error::io(file, "run"))? {
            break status;
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Error::file(file, "function", "to return within a minute", "that it still runs"));
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    if status.success() {
        return Ok(());
    }
    let told = input::read_text(said, Kind::List).unwrap_or_default();
    let last = told.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing on standard error");
    Err(Error::file(file, "function", "to return its results", quoted(last)))
}
