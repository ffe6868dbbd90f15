//! [`Work`]: jobs of a store, one after the other, each on its data.

use super::progress::{Bar, JobProgress};
use crate::cli::{load_data, stop_on_interrupt};
use crate::console;
use crate::data::Dataset;
use crate::error::{Error, Result, in_one_line};
use crate::experiment::{Bench, Job, Store};
use crate::train::{Beginning, Config, Watcher};

/// What is missing of jobs.
pub(super) struct Work<'a> {
    store: &'a Store,
    /// Notes what the jobs are for, when the first of them begins.
    note: &'a dyn Fn() -> Result<()>,
    missing: Vec<Job>,
    bar: Bar,
    /// Those that were read, and those that are not there.
    data: Vec<(Config, Option<Dataset>)>,
    failed: Option<Error>,
}

impl<'a> Work<'a> {
    pub(super) fn new(store: &'a Store, jobs: Vec<Job>, note: &'a dyn Fn() -> Result<()>) -> Result<Self> {
        let mut missing = Vec::new();
        let mut bar = Bar::new(jobs.len());
        for job in jobs {
            if store.is_finished(&job)? {
                bar.pass();
            } else {
                bar.expect(&job)?;
                missing.push(job);
            }
        }
        Ok(Self { store, note, missing, bar, data: Vec::new(), failed: None })
    }

    /// Does all that can be done. What keeps one job from it (its data are missing, its loss is no number, its method has
    /// nothing to do in so few steps) keeps others not, and is told at the end.
    ///
    /// # Errors
    /// What keeps all from it: no room on the disk, an interruption.
    pub(super) fn all(mut self) -> Result<Option<Error>> {
        for job in std::mem::take(&mut self.missing) {
            let at = self.data_of(&job)?;
            let Some(dataset) = &self.data[at].1 else {
                self.bar.give_up(&job)?;
                continue;
            };
            self.store.check_data(job.config(), dataset)?;
            (self.note)()?;
            let progress = self.bar.begin(&job)?;
            let watch = |_: &str, beginning: &Beginning| -> Vec<Box<dyn Watcher>> {
                vec![Box::new(JobProgress::new(&progress, beginning))]
            };
            let bench = Bench { dataset, stop: stop_on_interrupt(), watch: &watch, progress: &|_, _, _| {} };
            match self.store.finish(&job, &bench) {
                Ok(()) => self.bar.end(&job)?,
                Err(error @ (Error::NonFinite { .. } | Error::Domain { .. })) => {
                    let reason = if self.failed.is_some() { format!(": {error}") } else { " is left out".to_string() };
                    self.bar.tell(&in_one_line(&format!("gdstar: {}{reason}", job.name)));
                    self.bar.give_up(&job)?;
                    self.failed.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        self.bar.finish();
        Ok(self.failed)
    }

    /// Where in `data` a job's are, read when they are first asked for.
    fn data_of(&mut self, job: &Job) -> Result<usize> {
        let of_job = |config: &Config| {
            let Config { data, ref data_dir, image_size, channels, classes, subset, .. } = *config;
            (data, data_dir.clone(), image_size, channels, classes, subset)
        };
        let wanted = of_job(job.config());
        if let Some(at) = self.data.iter().position(|(config, _)| of_job(config) == wanted) {
            return Ok(at);
        }
        let config = job.config().clone();
        let dataset = match load_data(config.data, config.data_dir.as_deref(), config.load_options()) {
            Ok(dataset) => Some(dataset),
            Err(error) => {
                // The first reason is told at the end, as the error of all.
                let reason = if self.failed.is_some() { format!(": {error}") } else { String::new() };
                console::tell(in_one_line(&format!("gdstar: runs on {} are left out{reason}", config.data)));
                self.failed.get_or_insert(error);
                None
            }
        };
        self.data.push((config, dataset));
        Ok(self.data.len() - 1)
    }
}
