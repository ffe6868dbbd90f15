//! How many kernels training launches on the GPU that is there: three steps and the end of an epoch, of images that are all 0.

use crate::data::{Dataset, Images, Normalisation, Source};
use crate::error::{DeviceError, Error, Result};
use crate::experiment::preset::Preset;
use crate::kernel::Kernel;
use crate::kernel::cuda::Device;
use crate::method::Method;
use crate::nn::models;
use crate::train::{BatchEvent, EpochEvent, Observer, Run};
use std::sync::atomic::AtomicBool;

/// Launches of one network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launches {
    /// Of a step, dense: forward, backward, optimizer.
    pub dense: u64,
    /// Of a step under GDSTAR, which sums the squares of gradients in the optimizer's pass.
    pub gdstar: u64,
    /// Of GDSTAR at the end of an epoch.
    pub end_of_epoch: u64,
    /// N_k: an epoch's steps, on the paper's data.
    pub steps: u64,
}

impl Launches {
    /// By how much GDSTAR launches more in an epoch, in per cent.
    pub fn overhead(&self) -> f64 {
        let gdstar = (self.steps * self.gdstar + self.end_of_epoch) as f64;
        100.0 * (gdstar / (self.steps * self.dense) as f64 - 1.0)
    }
}

/// Samples of a batch: launches do not depend on them, and batch norm needs two.
const BATCH: usize = 2;
/// The step whose launches are counted is the second: before the first, nothing is on the device.
const STEPS: usize = 3;

/// The launches of a network by its preset.
///
/// # Errors
/// [`Error::Device`] if there is no GPU, or it fails.
pub fn launches(preset: &Preset) -> Result<Launches> {
    let [dense, gdstar] = [Method::Dense, Method::Gdstar].map(|method| counted(preset, method));
    let (dense, gdstar) = (dense?, gdstar?);
    let images = if preset.data == Source::Mnist { 60_000 } else { 50_000 };
    let batch_size = preset.config(Method::Dense).optimizer.batch_size;
    Ok(Launches {
        dense: dense.step()?,
        gdstar: gdstar.step()?,
        end_of_epoch: gdstar.end()?.saturating_sub(dense.end()?),
        steps: u64::try_from(usize::div_ceil(images, batch_size)).unwrap_or(u64::MAX),
    })
}

/// Launches up to each batch's gradients, and up to the end of the epoch.
#[derive(Default)]
struct Counter(Vec<u64>);

impl Counter {
    fn count(&mut self) -> Result<()> {
        let device = Device::get().map_err(Error::Device)?;
        self.0.push(device.launches().values().sum());
        Ok(())
    }

    /// From one batch's gradients to the next one's.
    fn step(&self) -> Result<u64> {
        self.between(STEPS - 2, STEPS - 1)
    }

    /// From the last batch's gradients on: the optimizer, the method, the evaluation of one image.
    fn end(&self) -> Result<u64> {
        self.between(STEPS - 1, STEPS)
    }

    fn between(&self, from: usize, to: usize) -> Result<u64> {
        let counts = self.0.get(from).zip(self.0.get(to));
        let incomplete = || DeviceError::Failed {
            action: "counting launches".to_string(),
            found: format!("{} of {} moments", self.0.len(), STEPS + 1),
        };
        counts.map(|(from, to)| to - from).ok_or_else(|| Error::Device(incomplete()))
    }
}

impl Observer<f32> for Counter {
    fn on_batch(&mut self, _: &BatchEvent<f32>) -> Result<()> {
        self.count()
    }

    fn on_epoch(&mut self, _: &EpochEvent<f32>) -> Result<()> {
        self.count()
    }
}

fn counted(preset: &Preset, method: Method) -> Result<Counter> {
    let mut config = preset.config(method);
    config.kernel = Kernel::Cuda;
    config.hyper.epochs = 1;
    config.optimizer.batch_size = BATCH;
    let entry = models::find(preset.model)?;
    let images = |count: usize| Images {
        shape: entry.input,
        pixels: vec![0; count * entry.input.iter().product::<usize>()],
        labels: vec![0; count],
    };
    let channels = entry.input[0];
    let dataset = Dataset {
        name: preset.data.name(),
        train: images(BATCH * STEPS),
        test: images(1),
        classes: (0..entry.classes).map(|class| class.to_string()).collect(),
        normalisation: Normalisation { scale: 255.0, mean: vec![0.0; channels], std: vec![1.0; channels] },
        augmentation: None,
    };
    let never = AtomicBool::new(false);
    let run = Run::new(&config, &dataset, &never)?;
    let mut counter = Counter::default();
    run.train(&mut run.start()?, &mut [&mut counter])?;
    Ok(counter)
}
