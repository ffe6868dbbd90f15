//! The progress bar, and the per-epoch story as a table that scrolls above it.

use super::{BatchEvent, EpochEvent, EpochRecord, Observer};
use crate::error::Result;
use crate::scalar::Scalar;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};

/// The story's column heads, with the paper's symbols.
pub const HEADER: &str =
    " epoch       loss  accuracy        S_F    k*     t   alpha        tau  selected  sparsity      lr";

/// How many rows go by before the head is printed again.
const ROWS_PER_HEADER: usize = 40;

/// Prints a row every so many epochs on standard output, and draws a bar on standard error if that is a terminal.
pub struct Progress {
    bar: ProgressBar,
    epochs: usize,
    every: usize,
    rows: usize,
}

impl Progress {
    /// For a run of `epochs`, of which `completed` are done; a row every `every` epochs (0: none).
    pub fn new(title: &str, epochs: usize, completed: usize, every: usize) -> Self {
        let bar = ProgressBar::new(epochs as u64);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let template = "{prefix} [{elapsed_precise}] {wide_bar} epoch {pos}/{len}, {msg} (eta {eta})";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(title.to_string());
        bar.set_position(completed as u64);
        Self { bar, epochs, every, rows: 0 }
    }

    fn print(&self, line: &str) {
        // A closed pipe (`gdstar | head`) is not worth ending a run for.
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stdout(), "{line}");
        });
    }
}

/// One row of the story.
pub fn row(record: &EpochRecord) -> String {
    fn text<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
        value.map_or_else(|| "-".to_string(), show)
    }
    format!(
        "{:>6} {:>10.6} {:>8.2}% {:>10} {:>5} {:>5} {:>7} {:>10} {:>9} {:>8.2}% {:>7.4}",
        record.epoch,
        record.loss,
        100.0 * record.test_accuracy,
        text(record.frobenius, |x| format!("{x:.4e}")),
        text(record.k_star, |x| x.to_string()),
        text(record.t, |x| x.to_string()),
        text(record.alpha, |x| format!("{x:.4}")),
        text(record.tau, |x| format!("{x:.3e}")),
        text(record.selected, |x| x.to_string()),
        100.0 * record.sparsity,
        record.learning_rate,
    )
}

impl<S: Scalar> Observer<S> for Progress {
    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("batch {}/{}, loss {:.4}", event.batch + 1, event.batches, event.loss));
        }
        Ok(())
    }

    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let done = event.state.epochs;
        if self.every > 0 && ((done - 1).is_multiple_of(self.every) || done == self.epochs) {
            if self.rows.is_multiple_of(ROWS_PER_HEADER) {
                self.print(HEADER);
            }
            self.print(&row(event.record));
            self.rows += 1;
        }
        self.bar.set_position(done as u64);
        Ok(())
    }

    fn on_end(&mut self) -> Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }
}
