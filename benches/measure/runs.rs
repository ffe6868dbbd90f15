//! What [`Run`] does by itself: steps at a given sparsity (`sparse/`), epochs with their peak memory (`epoch/`), and
//! whole runs of LeNet300 on MNIST (`run/`).

use crate::Options;
use crate::case::{Case, Epoch, Meter};
use crate::method::{config, random_pixels, start_with_eliminated};
use gdstar::data::{self, Dataset, Images, Normalisation, Source, numbered};
use gdstar::method::Method;
use gdstar::nn::models;
use gdstar::train::{BatchEvent, Config, EpochEvent, Observer, Run};
use gdstar::{Error, Result};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Eliminated weights in per cent.
const SPARSITIES: [u32; 6] = [0, 50, 80, 90, 95, 99];

pub fn cases(options: &Options) -> Vec<Case> {
    let batch_size = options.batch_size;
    let mut cases = Vec::new();
    for model in ["lenet300", "resnet20", "resnet18"] {
        for percent in SPARSITIES {
            let work = move |meter: &mut Meter| steps(meter, model, percent, batch_size);
            let case = Case::new(format!("sparse/{model}/{percent}"), work).against(format!("sparse/{model}/0"));
            cases.push(case.on_demand(model == "resnet18"));
        }
    }
    // As many images as MNIST and CIFAR-10 have. Two batches of the latter show the memory.
    for (model, images, of_which) in [("lenet300", 60_000, 60_000), ("resnet18", 50_000, 2 * batch_size)] {
        let images = [images, of_which.min(images)];
        let dense = format!("epoch/{model}/dense");
        let work = move |meter: &mut Meter| epochs(meter, model, Method::Dense, 0, images, batch_size);
        cases.push(Case::new(dense.clone(), work).on_demand(true));
        for percent in SPARSITIES {
            let work = move |meter: &mut Meter| epochs(meter, model, Method::Gdstar, percent, images, batch_size);
            let case = Case::new(format!("epoch/{model}/gdstar-{percent}"), work).against(dense.clone());
            cases.push(case.on_demand(true));
        }
    }
    for method in [Method::Dense, Method::Gdstar] {
        let (data, epochs) = (options.data(), options.epochs);
        let work = move |meter: &mut Meter| whole_run(meter, method, data.clone(), epochs, batch_size);
        cases.push(Case::new(format!("run/{method}"), work).of_run().against("run/dense"));
    }
    cases
}

/// What is timed.
enum Unit {
    /// From one batch's backward pass to the next one's: the method's observation, the optimizer, forward, backward.
    Step,
    /// From one epoch's end to the next one's, evaluation included.
    Epoch,
    /// The same, each by itself, with its sparsity and accuracy.
    EpochOfRun,
}

/// Times the run that it watches, and ends it when no more is wanted.
struct Timer<'m, 'a> {
    meter: &'m mut Meter<'a>,
    unit: Unit,
}

impl Observer<f32> for Timer<'_, '_> {
    fn on_batch(&mut self, event: &BatchEvent<f32>) -> Result<()> {
        if !matches!(self.unit, Unit::Step) {
            return Ok(());
        }
        let goes_on = event.batch == 0 || self.meter.stop();
        self.meter.start();
        if goes_on { Ok(()) } else { Err(Error::Interrupted { epoch: event.epoch }) }
    }

    fn on_epoch(&mut self, event: &EpochEvent<f32>) -> Result<()> {
        let record = event.record;
        let goes_on = match self.unit {
            Unit::Step => return Ok(()),
            Unit::Epoch => self.meter.stop(),
            Unit::EpochOfRun => {
                let (epoch, sparsity, accuracy) = (record.epoch, record.sparsity, record.test_accuracy);
                self.meter.stop_epoch(Epoch { epoch, sparsity, accuracy })
            }
        };
        self.meter.start();
        if goes_on { Ok(()) } else { Err(Error::Interrupted { epoch: record.epoch }) }
    }
}

/// Trains from `sparsity` on until the meter has enough.
fn train(meter: &mut Meter, config: &Config, dataset: &Dataset, sparsity: f64, unit: Unit) -> Result<()> {
    meter.disregard_memory();
    let stop = AtomicBool::new(false);
    let run = Run::new(config, dataset, &stop)?;
    let mut state = start_with_eliminated(&run, sparsity)?;
    meter.start();
    match run.train(&mut state, &mut [&mut Timer { meter, unit }]) {
        Err(Error::Interrupted { .. }) => Ok(()),
        outcome => outcome,
    }
}

/// A configuration under which nothing changes, so that every epoch is the same work: weights do not move (learning
/// rate 0) and selected ones are rewound to where they are (lambda 1), with nothing below the threshold (eps 0).
fn standing_still(model: &str, method: Method, batch_size: usize) -> Config {
    let mut config = config(model, Source::Digits, method);
    (config.hyper.lambda, config.hyper.eps) = (1.0, 0.0);
    // More than anyone waits for; the meter ends the run.
    config.hyper.epochs = 1_000_000;
    (config.optimizer.learning_rate, config.optimizer.batch_size) = (0.0, batch_size);
    config
}

fn random_images(model: &str, count: usize) -> Result<Dataset> {
    let entry = models::find(model)?;
    let images = |count: usize| Images {
        shape: entry.input,
        pixels: random_pixels(count * entry.input.iter().product::<usize>()),
        labels: (0..count).map(|i| (i % entry.classes) as u16).collect(),
    };
    let channels = entry.input[0];
    let normalisation = Normalisation { scale: 255.0, mean: vec![0.5; channels], std: vec![0.25; channels] };
    let (train, test) = (images(count), images(entry.classes));
    Ok(Dataset { name: "random", train, test, classes: numbered(entry.classes), normalisation, augmentation: None })
}

/// Steps with `percent` of the weights of every layer eliminated.
fn steps(meter: &mut Meter, model: &str, percent: u32, batch_size: usize) -> Result<()> {
    const BATCHES: usize = 16;
    let config = standing_still(model, Method::Gdstar, batch_size);
    train(meter, &config, &random_images(model, BATCHES * batch_size)?, f64::from(percent) / 100.0, Unit::Step)
}

/// Epochs, the method's work at their end included. So many images lie in memory, of which an epoch takes so many.
fn epochs(
    meter: &mut Meter,
    model: &str,
    method: Method,
    percent: u32,
    [images, of_which]: [usize; 2],
    batch_size: usize,
) -> Result<()> {
    let config = standing_still(model, method, batch_size);
    let (taken, others) = (random_images(model, of_which)?, random_images(model, images - of_which)?);
    let outcome = train(meter, &config, &taken, f64::from(percent) / 100.0, Unit::Epoch);
    drop(others);
    outcome
}

/// LeNet300 on MNIST, every epoch a measurement.
fn whole_run(meter: &mut Meter, method: Method, data: Option<PathBuf>, epochs: usize, batch_size: usize) -> Result<()> {
    let dataset = data::load(Source::Mnist, data.as_deref())?;
    let mut config = config("lenet300", Source::Mnist, method);
    (config.hyper.epochs, config.optimizer.batch_size) = (epochs, batch_size);
    train(meter, &config, &dataset, 0.0, Unit::EpochOfRun)
}
