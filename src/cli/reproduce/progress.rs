//! The bar over jobs: as long as they are expected to take, with the epoch of the one under way.

use crate::cli::bar;
use crate::console;
use crate::error::Result;
use crate::experiment::{CostModel, Job};
use crate::scalar::Scalar;
use crate::train::{BatchEvent, Beginning, EpochEvent, Observer};
use indicatif::ProgressBar;

/// A bar over all jobs, those that were finished before among them.
pub(super) struct Bar {
    bar: ProgressBar,
    model: CostModel,
    jobs: usize,
    done: usize,
    /// What all jobs are expected to take, in milliseconds, and those that are behind.
    all: f64,
    behind: f64,
}

/// A job under way.
#[derive(Clone)]
pub(super) struct Current {
    bar: ProgressBar,
    title: String,
    /// Milliseconds an epoch.
    an_epoch: f64,
}

impl Bar {
    pub(super) fn new(jobs: usize) -> Self {
        let bar = bar("{wide_bar:.cyan} {msg} {elapsed} (eta {eta})");
        Self { bar, model: CostModel::default(), jobs, done: 0, all: 0.0, behind: 0.0 }
    }

    /// A job that is to be done.
    pub(super) fn expect(&mut self, job: &Job) -> Result<()> {
        self.all += self.milliseconds(job)?;
        self.bar.set_length(self.all as u64);
        Ok(())
    }

    /// One that was finished before.
    pub(super) fn pass(&mut self) {
        self.done += 1;
    }

    /// One that cannot be done.
    pub(super) fn give_up(&mut self, job: &Job) -> Result<()> {
        self.done += 1;
        self.behind += self.milliseconds(job)?;
        self.bar.set_position(self.behind as u64);
        self.bar.reset_eta();
        Ok(())
    }

    pub(super) fn begin(&mut self, job: &Job) -> Result<Current> {
        let title = format!("run {} of {}: {}", self.done + 1, self.jobs, job.name);
        self.bar.set_position(self.behind as u64);
        self.bar.set_message(title.clone());
        let an_epoch = self.milliseconds(job)? / self.model.estimate(job)?.epochs.max(1.0);
        Ok(Current { bar: self.bar.clone(), title, an_epoch })
    }

    pub(super) fn end(&mut self, job: &Job) -> Result<()> {
        self.done += 1;
        self.behind += self.milliseconds(job)?;
        self.bar.set_position(self.behind as u64);
        self.tell(&format!("[{}/{}] {}", self.done, self.jobs, job.name));
        Ok(())
    }

    fn milliseconds(&mut self, job: &Job) -> Result<f64> {
        Ok(1000.0 * self.model.estimate(job)?.seconds)
    }

    pub(super) fn tell(&self, line: &str) {
        self.bar.suspend(|| console::tell(line));
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Moves the bar by a run's batches.
pub(super) struct JobProgress {
    current: Current,
    epochs: usize,
    batch: f64,
    /// What is not moved yet: steps may be smaller than the bar's.
    rest: f64,
}

impl JobProgress {
    pub(super) fn new(current: &Current, &Beginning { run, completed, .. }: &Beginning) -> Self {
        let (epochs, batches) = (run.config.hyper.epochs, run.batches_per_epoch());
        let before = completed.saturating_sub(run.config.first_epoch());
        current.bar.inc((before as f64 * current.an_epoch) as u64);
        // What was done before says nothing of the speed.
        current.bar.reset_eta();
        Self { current: current.clone(), epochs, batch: current.an_epoch / batches.max(1) as f64, rest: 0.0 }
    }
}

impl<S: Scalar> Observer<S> for JobProgress {
    fn on_batch(&mut self, _: &BatchEvent<S>) -> Result<()> {
        self.rest += self.batch;
        self.current.bar.inc(self.rest as u64);
        self.rest = self.rest.fract();
        Ok(())
    }

    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        let Current { bar, title, .. } = &self.current;
        bar.set_message(format!("{title}, epoch {}/{}", event.state.epochs, self.epochs));
        Ok(())
    }
}
