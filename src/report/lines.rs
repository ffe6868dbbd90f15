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

/// A report for a terminal of so many `columns`: its lines broken between words, what follows set in by four more than the line.
///
/// ```
/// assert_eq!(gdstar::report::fitted("a\n  one two three\n", 12), "a\n  one two\n      three\n");
/// ```
pub fn fitted(text: &str, columns: usize) -> String {
    let own = |line: &str| line.len() - line.trim_start_matches(' ').len();
    text.lines().map(|line| broken(line, columns, own(line) + 4) + "\n").collect()
}

/// A line broken likewise, all but the first set in by so many columns.
pub fn indented(line: &str, by: usize) -> String {
    broken(line, WIDTH, by)
}

fn broken(line: &str, columns: usize, by: usize) -> String {
    let indent = " ".repeat(by);
    // A range of epochs stays in one piece.
    textwrap::fill(line, Options::new(columns).subsequent_indent(&indent).word_splitter(WordSplitter::NoHyphenation))
}
