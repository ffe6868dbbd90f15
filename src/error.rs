//! One error type for the whole crate: every variant carries where, what was expected and what was found,
//! and prints as one line of bounded length, whatever a file or an option holds.

#[cfg(feature = "cuda")]
mod device;
mod state_dict;

#[cfg(feature = "cuda")]
pub use device::DeviceError;
pub use state_dict::{Misnamed, Misshapen, StateDictMismatch};
pub(crate) use state_dict::{code, first};

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// Shorthand used throughout the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong on input a user controls.
///
/// The library never panics on bad input. [`Error::exit_code`] maps each variant to the process exit code
/// that the command line promises.
#[derive(Debug)]
pub enum Error {
    /// Operand shapes (or attributes) an operation cannot work on, found before any arithmetic.
    Shape { op: &'static str, place: String, expected: String, found: String },

    /// A value outside a function's domain (an equation's argument, an option's value).
    Domain { name: String, expected: String, found: String },

    /// A file whose content is not what its format promises.
    File { path: PathBuf, place: String, expected: String, found: String },

    /// A file whose tensors are not those of a network.
    StateDict { path: PathBuf, mismatch: Box<StateDictMismatch> },

    /// The operating system refused to read or write.
    Io {
        path: PathBuf,
        /// What was attempted: `open`, `read`, `write`, `rename`, ...
        action: &'static str,
        source: io::Error,
    },

    /// Standard output cannot be written.
    Output { source: io::Error },

    /// A loss, gradient or method quantity stopped being finite; the run ends, earlier checkpoints stay.
    NonFinite { quantity: String, epoch: usize, batch: usize, value: String },

    /// A download that did not come to its end: the address, file or folder it is about, and what to do.
    Fetch { place: String, expected: String, found: String, remedy: String },

    /// A GPU that is not there, or did not do what it was told; the run ends, earlier checkpoints stay.
    #[cfg(feature = "cuda")]
    Device(DeviceError),

    /// The run was stopped from outside (Ctrl-C) after its last complete checkpoint.
    Interrupted { epoch: usize },

    /// The same, of a run that an experiment is made of.
    InterruptedStage { stage: String, epoch: usize },
}

impl Error {
    /// A [`Error::Domain`] from anything printable.
    pub fn domain(name: impl Into<String>, expected: impl Into<String>, found: impl ToString) -> Self {
        Self::Domain { name: name.into(), expected: expected.into(), found: found.to_string() }
    }

    /// A [`Error::Shape`] from anything printable.
    pub fn shape(
        op: &'static str,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Shape { op, place: place.into(), expected: expected.into(), found: found.into() }
    }

    /// A [`Error::File`] from anything printable.
    pub fn file(
        path: impl Into<PathBuf>,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl ToString,
    ) -> Self {
        Self::File { path: path.into(), place: place.into(), expected: expected.into(), found: found.to_string() }
    }

    /// A [`Error::NonFinite`] at an epoch and batch.
    pub fn non_finite(quantity: impl Into<String>, (epoch, batch): (usize, usize), value: impl ToString) -> Self {
        Self::NonFinite { quantity: quantity.into(), epoch, batch, value: value.to_string() }
    }

    /// A [`Error::Io`]; use as `.map_err(Error::io(path, "open"))`.
    pub fn io(path: impl Into<PathBuf>, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, action, source }
    }

    /// The process exit code: 2 for usage and unreadable input, 1 for a run that failed, as on a disk that is full.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Io { action: "write" | "sync", .. } => 1,
            Self::Io { source, .. } if is_out_of_space(source) => 1,
            Self::NonFinite { .. } | Self::Fetch { .. } | Self::Output { .. } => 1,
            Self::Interrupted { .. } | Self::InterruptedStage { .. } => 1,
            #[cfg(feature = "cuda")]
            Self::Device(error) => 1 + u8::from(error.is_usage()),
            Self::Shape { .. } | Self::Domain { .. } | Self::File { .. } | Self::StateDict { .. } | Self::Io { .. } => {
                2
            }
        }
    }

    /// Whether this is standard output whose reader has gone.
    pub fn is_lost_reader(&self) -> bool {
        matches!(self, Self::Output { source } if source.kind() == ErrorKind::BrokenPipe)
    }
}

/// Whether a disk, a quota or a limit on files is exhausted.
pub(crate) fn is_out_of_space(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::Output { source } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Shape { op, place, expected, found } => {
                let [place, expected, found] = fitted([place, expected, found], LONGEST_MESSAGE);
                write!(f, "{op}: {place}: expected {expected}, found {found}")
            }
            Self::Domain { name, expected, found } => {
                let [name, expected, found] = fitted([name, expected, found], LONGEST_MESSAGE);
                write!(f, "{name}: expected {expected}, found {found}")
            }
            Self::File { path, place, expected, found } => {
                let [place, expected, found] = fitted([place, expected, found], LONGEST_MESSAGE);
                write!(f, "{}: {place}: expected {expected}, found {found}", quoted(path.display()))
            }
            Self::StateDict { path, mismatch } => {
                let [mismatch] = fitted([&mismatch.to_string()], LONGEST_MESSAGE);
                write!(f, "{}: {mismatch}", quoted(path.display()))
            }
            Self::Io { path, action, source } => {
                write!(f, "{}: cannot {action}: {}", quoted(path.display()), quoted(source))
            }
            Self::Output { source } => write!(f, "standard output: cannot write: {}", quoted(source)),
            Self::NonFinite { quantity, epoch, batch, value } => {
                let [quantity, value] = fitted([quantity, value], LONGEST_MESSAGE);
                write!(
                    f,
                    "epoch {epoch}, batch {batch}: {quantity} is {value}, expected a finite number; a smaller --lr \
                     usually helps, and checkpoints of earlier epochs are intact"
                )
            }
            Self::Fetch { place, expected, found, remedy } => {
                // What was found may be an answer of each of several addresses.
                let parts = fitted([place, expected, found, remedy], 3 * LONGEST_MESSAGE);
                let [place, expected, found, remedy] = parts;
                write!(f, "{place}: expected {expected}, found {found}; {remedy}")
            }
            #[cfg(feature = "cuda")]
            Self::Device(error) => write!(f, "CUDA: {}", quoted(error)),
            Self::Interrupted { epoch } => {
                write!(f, "interrupted at epoch {epoch}; a run with --out continues with --resume")
            }
            Self::InterruptedStage { stage, epoch } => {
                write!(f, "interrupted in {} at epoch {epoch}; the same command goes on from there", quoted(stage))
            }
        }
    }
}

/// The most that a message repeats of one text, in bytes.
const LONGEST_QUOTE: usize = 240;
/// The most that the parts of a message take together, its path aside: with the words between them, two lines of a screen
/// or three.
const LONGEST_MESSAGE: usize = 360;

/// Text that may come from a user, fit for one line: control characters escaped, the middle of long text left out.
pub(crate) fn quoted(text: impl ToString) -> String {
    shortened(&printable(&text.to_string()), LONGEST_QUOTE)
}

/// A line of a report that repeats what a user named, made fit for a terminal likewise.
pub fn in_one_line(text: &str) -> String {
    shortened(&printable(text), 2 * LONGEST_MESSAGE)
}

/// Texts fit for one line that take at most `longest` bytes together; the longest give way first.
fn fitted<const N: usize>(texts: [&str; N], longest: usize) -> [String; N] {
    let texts = texts.map(printable);
    let mut lengths = texts.each_ref().map(String::len);
    lengths.sort_unstable();
    let (mut room, mut limit) = (longest, longest);
    for (i, length) in lengths.into_iter().enumerate() {
        limit = room / (N - i);
        room -= length.min(limit);
    }
    // What the longest may have is enough for each that is no longer.
    texts.map(|text| shortened(&text, limit))
}

/// `text` without control characters, or with an end and a beginning that are longer than what is shown of them.
fn printable(text: &str) -> String {
    let is_plain = |c: char| {
        // The separators break lines, and the others turn what follows around.
        !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text = shortened(text, 8 * LONGEST_MESSAGE);
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            line.push(c);
        } else {
            line.extend(c.escape_default());
        }
    }
    line
}

/// `text`, or its beginning and its end if it is longer than `longest` bytes.
fn shortened(text: &str, longest: usize) -> String {
    const GAP: &str = " .. ";
    if text.len() <= longest {
        return text.to_string();
    }
    let kept = longest.saturating_sub(GAP.len());
    let (head, tail) = (text.floor_char_boundary(kept - kept / 2), text.ceil_char_boundary(text.len() - kept / 2));
    format!("{}{GAP}{}", &text[..head], &text[tail..])
}
