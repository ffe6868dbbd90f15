//! One error type for the whole crate: every variant carries where, what was expected and what was found,
//! and prints as one line.

use crate::nn::state_dict::Mismatch;
use std::path::PathBuf;

/// Shorthand used throughout the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong on input a user controls.
///
/// The library never panics on bad input. [`Error::exit_code`] maps each variant to the process exit code
/// that the command line promises.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Operand shapes (or attributes) an operation cannot work on, found before any arithmetic.
    #[error("{op}: {place}: expected {expected}, found {found}")]
    Shape { op: &'static str, place: String, expected: String, found: String },

    /// A value outside a function's domain (an equation's argument, an option's value).
    #[error("{name}: expected {expected}, found {found}")]
    Domain { name: String, expected: String, found: String },

    /// A file whose content is not what its format promises.
    #[error("{}: {place}: expected {expected}, found {found}", path.display())]
    File { path: PathBuf, place: String, expected: String, found: String },

    /// A file whose tensors are not those of a network.
    #[error("{}: {mismatch}", path.display())]
    StateDict { path: PathBuf, mismatch: Box<Mismatch> },

    /// The operating system refused to read or write.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        path: PathBuf,
        /// What was attempted: `open`, `read`, `write`, `rename`, ...
        action: &'static str,
        source: std::io::Error,
    },

    /// A loss, gradient or method quantity stopped being finite; the run ends, earlier checkpoints stay.
    #[error(
        "epoch {epoch}, batch {batch}: {quantity} is {value}, expected a finite number; a smaller --lr usually helps, \
         and checkpoints of earlier epochs are intact"
    )]
    NonFinite { quantity: String, epoch: usize, batch: usize, value: String },

    /// A download that did not come to its end: the address, file or folder it is about, and what to do.
    #[error("{place}: expected {expected}, found {found}; {remedy}")]
    Fetch { place: String, expected: String, found: String, remedy: String },

    /// The run was stopped from outside (Ctrl-C) after its last complete checkpoint.
    #[error("interrupted at epoch {epoch}; a run with --out continues with --resume")]
    Interrupted { epoch: usize },
}

/// The most of a user's text that a message repeats.
const LONGEST_QUOTE: usize = 240;

/// Text that may come from a user, fit for one line: control characters escaped, the end of long text left out.
pub(crate) fn quoted(text: impl ToString) -> String {
    let text = text.to_string();
    let plain = !text.contains(char::is_control) && text.len() <= LONGEST_QUOTE;
    if plain {
        return text;
    }
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let mut line = String::new();
    for piece in text.chars().map(escape) {
        if line.len() + piece.len() > LONGEST_QUOTE {
            return line + "..";
        }
        line += &piece;
    }
    line
}

impl Error {
    /// A [`Error::Domain`] from anything printable.
    pub fn domain(name: impl Into<String>, expected: impl Into<String>, found: impl ToString) -> Self {
        Self::Domain { name: quoted(name.into()), expected: expected.into(), found: quoted(found) }
    }

    /// A [`Error::Shape`] from anything printable.
    pub fn shape(
        op: &'static str,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Shape { op, place: quoted(place.into()), expected: expected.into(), found: quoted(found.into()) }
    }

    /// A [`Error::File`] from anything printable.
    pub fn file(
        path: impl Into<PathBuf>,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Self {
        Self::File { path: path.into(), place: quoted(place.into()), expected: expected.into(), found: quoted(found) }
    }

    /// A [`Error::NonFinite`] at an epoch and batch.
    pub fn non_finite(quantity: impl Into<String>, (epoch, batch): (usize, usize), value: impl ToString) -> Self {
        Self::NonFinite { quantity: quantity.into(), epoch, batch, value: value.to_string() }
    }

    /// A [`Error::Fetch`] from anything printable. What a server said goes through [`quoted`] first: `found` may name
    /// several addresses and is not cut here.
    pub(crate) fn fetch(
        place: impl ToString,
        expected: impl Into<String>,
        found: impl ToString,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Fetch { place: quoted(place), expected: expected.into(), found: found.to_string(), remedy: remedy.into() }
    }

    /// A [`Error::Io`]; use as `.map_err(Error::io(path, "open"))`.
    pub fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, action, source }
    }

    /// The process exit code: 2 for usage and unreadable input, 1 for a run that failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NonFinite { .. } | Self::Interrupted { .. } | Self::Fetch { .. } => 1,
            Self::Shape { .. } | Self::Domain { .. } | Self::File { .. } | Self::StateDict { .. } | Self::Io { .. } => {
                2
            }
        }
    }
}
