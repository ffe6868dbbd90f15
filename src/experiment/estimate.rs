//! [`CostModel`]: what a job will take, as `docs/performance.md` fits it.

use super::job::{Job, Work};
use crate::data::Source;
use crate::error::Result;
use crate::method::options::Length;
use crate::nn::{Network, Summary, models};
use crate::train::Config;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What a job will take. Sparse execution, which makes most methods faster by and by, is not counted on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// On two cores of the machine that the model was fitted on.
    pub seconds: f64,
    /// Of memory, with the data set.
    pub bytes: u64,
    /// Trained in all its runs.
    pub epochs: f64,
}

/// A data set before it is read: one image, classes, training and test images.
struct Extent {
    image: [usize; 3],
    classes: usize,
    train: usize,
    test: usize,
}

/// As they are published; of folders of images, Tiny ImageNet.
fn extent(data: Source) -> Extent {
    match data {
        Source::Digits => Extent { image: crate::data::digits::SHAPE, classes: 10, train: 1_442, test: 355 },
        Source::Mnist => Extent { image: [1, 28, 28], classes: 10, train: 60_000, test: 10_000 },
        Source::Cifar10 => Extent { image: [3, 32, 32], classes: 10, train: 50_000, test: 10_000 },
        Source::ImageFolder => Extent { image: [3, 64, 64], classes: 200, train: 100_000, test: 10_000 },
    }
}

/// The network of a run, for images and classes of its data.
///
/// # Errors
/// If the network cannot take the data set's images.
pub(super) fn network_of(config: &Config) -> Result<Network> {
    let Extent { image, classes, .. } = extent(config.data);
    models::find(&config.model)?.network(image, config.classes.unwrap_or(classes))
}

/// Training images.
pub(super) fn trained_on(config: &Config) -> usize {
    let all = extent(config.data).train;
    config.subset.map_or(all, |subset| subset.min(all))
}

/// The cost model, which knows the networks that it was asked for.
#[derive(Debug, Default)]
pub struct CostModel {
    /// By network, data set, classes and batch size.
    networks: HashMap<(String, Source, Option<usize>, usize), Summary>,
}

impl CostModel {
    /// What a job will take.
    ///
    /// # Errors
    /// If the network cannot take the data set's images.
    pub fn estimate(&mut self, job: &Job) -> Result<Estimate> {
        let config = job.config();
        let one = self.of_run(config)?;
        let runs = match &job.work {
            Work::Train(_) => 1.0,
            Work::Lottery(lottery) => 1.0 + lottery.levels as f64,
            Work::Lmc(connectivity) => {
                let steps_per_epoch = trained_on(config).div_ceil(config.optimizer.batch_size);
                let length = Length { epochs: config.hyper.epochs, steps_per_epoch };
                let share = |k: usize| 1.0 - k.min(length.steps()) as f64 / length.steps() as f64;
                let candidates = connectivity.candidates.iter().filter_map(|k| k.as_step(length));
                1.0 + connectivity.children as f64 * candidates.map(share).sum::<f64>()
            }
        };
        Ok(Estimate { seconds: one.seconds * runs, epochs: one.epochs * runs, ..one })
    }

    fn network(&mut self, config: &Config, n: usize) -> Result<&Summary> {
        let key = (config.model.clone(), config.data, config.classes, n);
        Ok(match self.networks.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(network_of(config)?.summary::<f32>(n)?),
        })
    }

    /// A step computed dense: t = a 6 M n + b A + c 16 P. Evaluation takes a forward pass of a test image, a third of a step.
    fn of_run(&mut self, config: &Config) -> Result<Estimate> {
        const A: f64 = 1.0 / 213e9;
        const B: f64 = 1.0 / 4.8e9;
        const C: f64 = 1.0 / 50e9;
        let (Extent { image, test, .. }, train) = (extent(config.data), trained_on(config));
        let n = config.optimizer.batch_size.max(2);
        let network = self.network(config, n)?;
        let (m, p, activations) = (network.macs as f64, network.parameters as f64, network.activation_bytes as f64);
        let step = A * 6.0 * m * n as f64 + B * activations + C * 16.0 * p;
        let steps = (train as f64 + test as f64 / 3.0) / n as f64;
        let epochs = config.hyper.epochs.saturating_sub(config.first_epoch()) as f64;
        // Gradients and momentum; G, W_k* and the mask, as GDSTAR keeps them.
        let beside = network.gradient_bytes * 2 + network.prunable * 9;
        let images = (train + test) * image.iter().product::<usize>();
        let bytes = network.parameter_bytes + network.activation_bytes + beside + images;
        Ok(Estimate { seconds: epochs * steps * step, bytes: bytes as u64, epochs })
    }
}
