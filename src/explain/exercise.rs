//! Exercises: an equation as a NumPy function with a slip or a gap, and the oracle as the one that grades it.
//!
//! What the function is given are the operands of a real run, epoch by epoch; what it returns takes the place of the run's own
//! results in its trace, and the oracle judges that trace: with the bounds of the arithmetic, and with its list of known
//! mistakes.

mod grade;
mod list;

pub use grade::{Grade, grade};
pub use list::EXERCISES;

use crate::error::{Error, Result};

/// One equation to be mended or written.
pub struct Exercise {
    /// As findings name the equation: `eq6`.
    pub name: &'static str,
    /// As [`crate::paper::EQUATIONS`] does.
    pub number: &'static str,
    /// What the function computes, in a sentence or two.
    pub task: &'static str,
    /// Its arguments, in order.
    pub takes: &'static [(&'static str, Given)],
    /// What it returns, in order.
    pub gives: &'static [Wanted],
    /// Bodies with a slip each.
    pub slips: &'static [&'static str],
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A number a weight: a quantity of the epoch, flattened.
    PerWeight(&'static str),
    /// A flag a weight.
    Flags(&'static str),
    /// One number of the epoch.
    Number(&'static str),
    /// As many as there are chunks.
    Numbers(&'static str),
    /// One number of every epoch so far.
    History(&'static str),
    /// The gradients of the epoch's batches, `[N_k, N]`.
    Gradients,
    /// k.
    Epoch,
    /// A hyper-parameter.
    Hyper(&'static str),
}

/// What a returned value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    PerWeight(&'static str),
    Flags(&'static str),
    Number(&'static str),
    Numbers(&'static str),
    Count(&'static str),
}

/// What stands in a handed out file after the function.
const HARNESS: &str = include_str!("exercise/harness.py");
/// The body of a function that is to be written.
const GAP: &str = "raise NotImplementedError(\"yours to write\")";
/// How a file says which exercise it is.
const MARK: &str = "# gdstar exercise ";

/// The exercise of this name.
///
/// # Errors
/// [`Error::Domain`] naming those that there are.
pub fn find(name: &str) -> Result<&'static Exercise> {
    let names = || EXERCISES.iter().map(|exercise| exercise.name).collect::<Vec<_>>().join(", ");
    let found = EXERCISES.iter().find(|exercise| exercise.name == name);
    found.ok_or_else(|| Error::domain("EXERCISE", names(), format!("`{name}`")))
}

impl Exercise {
    /// The text of the Python file with slip number `variant`, from 1; with 0 the one whose function is to be written.
    ///
    /// # Errors
    /// [`Error::Domain`] if there is no such slip.
    pub fn hand_out(&self, variant: usize) -> Result<String> {
        let body = match variant {
            0 => GAP,
            _ => self
                .slips
                .get(variant - 1)
                .copied()
                .ok_or_else(|| Error::domain("--variant", format!("0 (a gap) to {}", self.slips.len()), variant))?,
        };
        Ok(self.with_body(body))
    }

    /// The file with this body of the function.
    pub fn with_body(&self, body: &str) -> String {
        let arguments: Vec<&str> = self.takes.iter().map(|(name, _)| *name).collect();
        let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
        let task =
            textwrap::fill(self.task, textwrap::Options::new(96).initial_indent("    ").subsequent_indent("    "));
        format!(
            "{MARK}{name}\n\"\"\"{number} of the paper: mend or write the function, then\n\n    gdstar exercise check FILE\n\"\"\"\n\
             import numpy as np\n\n\ndef {name}({arguments}):\n    \"\"\"\n{task}\n    \"\"\"\n{body}\n\n{HARNESS}",
            name = self.name,
            number = self.number,
            arguments = arguments.join(", "),
        )
    }
}
