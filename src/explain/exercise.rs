//! Exercises: a rule as a NumPy function with a slip or a gap, and the oracle as the one that grades it.
//!
//! What the function is given are the operands of a real run, event by event; what it returns takes the place of the run's own
//! results in its trace, and the oracle judges that trace: with the bounds of the arithmetic, and with its list of known
//! mistakes.

mod equations;
mod grade;
mod lesson;
mod methods;
mod sheet;

pub use grade::{Grade, grade};
pub use lesson::Lesson;

use crate::error::{Error, Result};

/// One rule to be mended or written.
pub struct Exercise {
    /// As findings name the equation, `eq6`, or as `--method` names the method, `rigl`.
    pub name: &'static str,
    /// What it is called in print: `Eq. 6 of the paper`, `RigL`.
    pub title: &'static str,
    /// Its chapter, from `docs/`.
    pub chapter: &'static str,
    /// What the function computes, in a sentence or two.
    pub task: &'static str,
    /// The run whose operands it is given.
    pub lesson: Lesson,
    /// What the function is called for.
    pub calls: Calls,
    /// Whether the file brings a function that selects.
    pub selects: bool,
    /// Its arguments, in order.
    pub takes: &'static [(&'static str, Given)],
    /// The quantities of the trace that it returns, in order.
    pub gives: &'static [&'static str],
    /// Under which of the oracle's labels these are judged.
    pub labels: &'static [&'static str],
    /// Bodies with a slip each.
    pub slips: &'static [Planted],
}

/// A body of the function that is wrong.
pub struct Planted {
    pub body: &'static str,
    /// Words in which the oracle names the mistake.
    pub told: &'static str,
}

const fn planted(body: &'static str, told: &'static str) -> Planted {
    Planted { body, told }
}

/// What a function is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Each event: an epoch, a step, a level; what has an entry a weight is flat, all of W.
    Event,
    /// Each layer of each event; what has an entry a weight has the layer's shape.
    Layer,
}

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A quantity of the event: a number, a list, or an entry a weight; flags are Booleans.
    Of(&'static str),
    /// A quantity that the run has once, an entry a weight.
    Once(&'static str),
    /// The layer's entry of a list.
    Entry(&'static str),
    /// One number of every event so far.
    History(&'static str),
    /// The gradients of the epoch's batches, `[N_k, N]`.
    Gradients,
    /// k of an epoch, t of a step.
    Event,
    /// A hyper-parameter.
    Hyper(&'static str),
}

/// What stands in a handed out file after the function.
const HARNESS: &str = include_str!("exercise/harness.py");
/// And before it, where it selects.
const LARGEST: &str = include_str!("exercise/largest.py");
/// The body of a function that is to be written.
const GAP: &str = "raise NotImplementedError(\"yours to write\")";
/// How a file says which exercise it is.
const MARK: &str = "# gdstar exercise ";

/// All of them: the paper's equations in the order of an epoch, then other methods.
pub fn all() -> impl Iterator<Item = &'static Exercise> {
    equations::EXERCISES.iter().chain(methods::all())
}

/// The exercise of this name.
///
/// # Errors
/// [`Error::Domain`] naming those that there are.
pub fn find(name: &str) -> Result<&'static Exercise> {
    let names = || all().map(|exercise| exercise.name).collect::<Vec<_>>().join(", ");
    let found = all().find(|exercise| exercise.name == name);
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
                .map(|planted| planted.body)
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
            "{MARK}{name}\n\"\"\"{title}: mend or write the function, then\n\n    gdstar exercise check FILE\n\"\"\"\n\
             import numpy as np\n\n\n{before}def {function}({arguments}):\n    \"\"\"\n{task}\n    \"\"\"\n{body}\n\n{HARNESS}",
            name = self.name,
            title = self.title,
            before = if self.selects { LARGEST } else { "" },
            function = self.name.replace('-', "_"),
            arguments = arguments.join(", "),
        )
    }
}
