//! What a run is about to do, and how long that takes by its first batches.

use crate::kernel::share;
use crate::nn::Spec;
use crate::report::thousands;
use crate::train::Run;
use std::time::Duration;

/// What is trained on what, how, and with how many threads: for a person who has just begun a run.
pub fn plan(run: &Run) -> String {
    let (config, dataset) = (run.config, run.dataset);
    let specs = run.network.specs();
    let entries = |counted: &dyn Fn(&Spec) -> bool| {
        let sizes = specs.iter().filter(|spec| counted(spec)).map(|spec| spec.shape.iter().product::<usize>());
        thousands(sizes.sum())
    };
    let threads = share::threads();
    format!(
        "{} by {}: {} parameters, {} of them in W\n{}: {} images for training, {} for testing\n\
         {} epochs of {} batches of {}, {}, {} kernel, {} thread{}",
        config.model,
        config.method,
        entries(&|spec| spec.role.is_trained()),
        entries(&|spec| spec.role.is_prunable(config.reading.prunable)),
        dataset.name,
        thousands(dataset.train.len()),
        thousands(dataset.test.len()),
        thousands(config.hyper.epochs),
        thousands(run.batches_per_epoch()),
        config.optimizer.batch_size,
        config.precision,
        config.kernel,
        threads,
        if threads == 1 { "" } else { "s" },
    )
}

/// How long a run will take, by the batches seen so far: of the same cost each, and a test sample at a third of a
/// training sample's, which has a backward pass of two products for the forward's one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Training steps of an epoch.
    batches: usize,
    /// What an epoch's evaluation costs, in training steps.
    evaluation: f64,
}

impl Outlook {
    /// For this run.
    pub fn new(run: &Run) -> Self {
        let test = run.dataset.test.len() as f64 / run.config.optimizer.batch_size as f64;
        Self::of(run.batches_per_epoch(), test)
    }

    /// For epochs of `batches` steps, and a test set as large as `test` batches.
    ///
    /// ```
    /// use gdstar::report::progress::Outlook;
    /// use std::time::Duration;
    /// // Ten of 90 steps took 2 s; two epochs, less these ten steps, and two evaluations worth 10 steps each are left.
    /// let left = Outlook::of(90, 30.0).remaining((10, Duration::from_secs(2)), 2 * 90 - 10);
    /// assert_eq!(left, Duration::from_secs(38));
    /// ```
    pub fn of(batches: usize, test: f64) -> Self {
        Self { batches, evaluation: test / 3.0 }
    }

    /// The time that `steps` more training steps and their epochs' evaluations take, where `seen` took so long.
    pub fn remaining(&self, (seen, took): (usize, Duration), steps: usize) -> Duration {
        let a_step = took.as_secs_f64() / seen.max(1) as f64;
        let evaluations = steps.div_ceil(self.batches.max(1)) as f64;
        let seconds = a_step * (steps as f64 + self.evaluation * evaluations);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}
