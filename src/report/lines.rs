//! [`wrapped`]: text that a terminal of usual width need not break.

use textwrap::{Options, WordSplitter};

/// The columns of a terminal that nobody has widened.
pub const WIDTH: usize = 80;

/// Each line of `text` broken between words into lines of at most [`WIDTH`] columns, all but its first set in by two.
///
/// ```
/// let lines = gdstar::report::wrapped(&"word ".repeat(20));
/// let (first, second) = lines.split_once('\n').unwrap();
/// assert_eq!((first.len(), second), (79, "  word word word word"));
/// ```
pub fn wrapped(text: &str) -> String {
    text.lines().map(|line| indented(line, 2)).collect::<Vec<_>>().join("\n")
}

/// A line broken likewise, all but the first set in by so many columns.
pub fn indented(line: &str, by: usize) -> String {
    let indent = " ".repeat(by);
    // A range of epochs stays in one piece.
    textwrap::fill(line, Options::new(WIDTH).subsequent_indent(&indent).word_splitter(WordSplitter::NoHyphenation))
}
