//! The standard streams: every line that this program prints goes through here.
//!
//! `println!` panics where a stream cannot be written, and so would end a run of hours because somebody looked at its
//! first lines.

use crate::error::{Error, Result};
use std::fmt::Display;
use std::io::Write;

/// Writes `text` to standard output as it is. A reader who has gone (`gdstar models | head -1`) has seen what he wanted:
/// that is no error.
///
/// # Errors
/// [`Error::Output`] if it cannot be written, as on a full disk.
pub fn print(text: impl Display) -> Result<()> {
    match print_to_reader(text) {
        Err(error) if error.is_lost_reader() => Ok(()),
        outcome => outcome,
    }
}

/// The same with a line feed after it.
///
/// # Errors
/// As [`print()`].
pub fn print_line(line: impl Display) -> Result<()> {
    print(format_args!("{line}\n"))
}

/// [`print()`] for work of which nothing but its lines remains: a reader who has gone is an error, which ends it.
///
/// # Errors
/// [`Error::Output`].
pub fn print_to_reader(text: impl Display) -> Result<()> {
    let mut stream = std::io::stdout().lock();
    write!(stream, "{text}").and_then(|()| stream.flush()).map_err(|source| Error::Output { source })
}

/// A line on standard error. Where that is closed or full, nobody can be told so either.
pub fn tell(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
