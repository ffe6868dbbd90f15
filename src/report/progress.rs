//! The progress bar, and the per-epoch story as a table that scrolls above it.

mod outlook;

pub use outlook::{Outlook, plan};

use crate::console;
use crate::error::Result;
use crate::method::Method;
use crate::method::quantity::Column;
use crate::report::summary::moved;
use crate::scalar::Scalar;
use crate::train::{BatchEvent, EpochEvent, EpochRecord, Observer, Run};
use ::console::style;
use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Display;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// The columns of a method's own quantities.
fn columns(method: Method) -> impl Iterator<Item = (&'static str, &'static Column)> {
    method.entry().quantities.iter().filter_map(|quantity| quantity.key.zip(quantity.column.as_ref()))
}

/// The story's column heads, with the method's symbols. A row has at most 80 characters for everything that trains.
///
/// ```
/// use gdstar::{method::Method, report::progress::header};
/// assert_eq!(header(Method::Dense), "epoch     loss  acc.% spar.%     lr");
/// ```
pub fn header(method: Method) -> String {
    let own = columns(method).map(|(_, column)| format!(" {:>1$}", column.heading, column.width));
    format!("epoch     loss  acc.%{} spar.%     lr", own.collect::<String>())
}

/// How many rows go by before the head is printed again.
const ROWS_PER_HEADER: usize = 40;

/// How long batches are watched before it is said how long the run will take; a shorter run needs no telling.
const WATCHED: Duration = Duration::from_secs(3);

/// Prints a row every so many epochs on standard output, in colour where k* moved to. Says on standard error what is trained
/// and how long it will take, and draws a bar there that counts batches, if that is a terminal; a log is told once a run has
/// proved to be one that is waited for.
pub struct Progress {
    bar: ProgressBar,
    method: Method,
    epochs: usize,
    batches: usize,
    every: usize,
    rows: usize,
    /// What is trained, until it is told.
    plan: Option<String>,
    /// What is expected, until it is told.
    outlook: Option<Outlook>,
    /// When the first batch, which warms up, was done, and how many were since.
    watched: Option<(Instant, usize)>,
    /// Whether nothing but what is read of it remains of the run.
    for_a_reader: bool,
}

impl Progress {
    /// For a run of which `completed` epochs are done; a row every `every` epochs (0: none).
    pub fn new(title: &str, run: &Run, completed: usize, every: usize) -> Self {
        let (epochs, batches) = (run.config.hyper.epochs, run.batches_per_epoch());
        let bar = ProgressBar::new((epochs * batches) as u64);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar:.cyan} {msg}{elapsed} (eta {eta})") {
            bar.set_style(style);
        }
        bar.set_prefix(title.to_string());
        bar.set_position((completed * batches) as u64);
        // What was done before says nothing of the speed.
        bar.reset_eta();
        Self {
            bar,
            method: run.config.method,
            epochs,
            batches,
            every,
            rows: 0,
            plan: None,
            outlook: Some(Outlook::new(run)),
            watched: None,
            for_a_reader: false,
        }
    }

    /// Says what is about to be trained: now where there is a bar, else with how long it will take.
    #[must_use]
    pub fn announcing(mut self, run: &Run) -> Self {
        self.plan = Some(plan(run));
        if !self.bar.is_hidden() {
            self.tell_plan();
        }
        self
    }

    fn tell_plan(&mut self) {
        if let Some(plan) = self.plan.take() {
            self.remark(&plan);
        }
    }

    /// Of a run of which nothing but its rows remains: it ends where they cannot be written or nobody reads them
    /// (`gdstar | head`), which is not worth ending any other run for.
    #[must_use]
    pub fn for_a_reader(self) -> Self {
        Self { for_a_reader: true, ..self }
    }

    /// On standard error, beside the bar.
    fn remark(&self, line: &str) {
        self.bar.suspend(|| console::tell(line));
    }

    fn print(&self, line: impl Display) -> Result<()> {
        let outcome = self.bar.suspend(|| console::print_to_reader(format_args!("{line}\n")));
        if self.for_a_reader { outcome } else { Ok(()) }
    }

    /// Says how long the run will take once enough batches are seen.
    fn tell_outlook(&mut self) {
        let Some(outlook) = self.outlook else { return };
        let Some((since, seen)) = &mut self.watched else {
            self.watched = Some((Instant::now(), 0));
            return;
        };
        *seen += 1;
        let took = since.elapsed();
        if took < WATCHED {
            return;
        }
        let steps = self.bar.length().unwrap_or(0).saturating_sub(self.bar.position()) as usize;
        let line = format!("about {} to go, by {seen} batches", HumanDuration(outlook.remaining((*seen, took), steps)));
        self.tell_plan();
        self.remark(&line);
        self.outlook = None;
    }
}

/// One row of the story.
pub fn row(method: Method, record: &EpochRecord) -> String {
    let own = columns(method).map(|(key, column)| {
        let cell = record.numbers.get(key).map_or_else(|| "-".to_string(), |number| column.format.show(number));
        format!(" {cell:>0$}", column.width)
    });
    format!(
        "{:>5} {:>8} {:>6.2}{} {:>6.2} {:>6.4}",
        record.epoch,
        eight_characters(record.loss),
        100.0 * record.test_accuracy,
        own.collect::<String>(),
        100.0 * record.sparsity,
        record.learning_rate,
    )
}

/// With as many decimals as there is room for.
fn eight_characters(x: f64) -> String {
    match format!("{x:.0}").len() {
        whole @ ..=6 => format!("{x:.*}", 7 - whole),
        _ => format!("{x:.2e}"),
    }
}

impl<S: Scalar> Observer<S> for Progress {
    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        if !self.bar.is_hidden() {
            let epoch = (self.bar.position() / self.batches.max(1) as u64 + 1).min(self.epochs as u64);
            let (epochs, batch, batches) = (self.epochs, event.batch + 1, event.batches);
            self.bar.set_message(format!("epoch {epoch}/{epochs} batch {batch}/{batches} loss {:.4} ", event.loss));
        }
        self.bar.inc(1);
        self.tell_outlook();
        Ok(())
    }

    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let done = event.state.epochs;
        if self.every > 0 && ((done - 1).is_multiple_of(self.every) || done == self.epochs) {
            if self.rows.is_multiple_of(ROWS_PER_HEADER) {
                self.print(style(header(self.method)).bold())?;
            }
            let moved = moved(self.method, event.record);
            let row = style(row(self.method, event.record));
            self.print(if moved { row.cyan() } else { row })?;
            self.rows += 1;
        }
        self.bar.set_position((done * self.batches) as u64);
        Ok(())
    }

    fn on_end(&mut self) -> Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }
}
