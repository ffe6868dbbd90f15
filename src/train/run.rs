//! [`Run`] and [`State`]: what is trained on what, and how far it is.

use super::evaluation::{TEST_BATCH, evaluate};
use super::origin::Origin;
use super::{Clock, Config, Within, machine_clock};
use crate::data::{Dataset, Loader, Order, Out, Split};
use crate::error::{Error, Result};
use crate::kernel::Pool;
use crate::method::{Record, Setup, Sparsifier};
use crate::nn::{Network, Parameters, models};
use crate::paper::reading::{LastBatch, Reading};
use crate::random::{Purpose, stream};
use crate::scalar::Scalar;
use crate::weights::Weights;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

/// Everything that changes while training.
pub struct State<S: Scalar> {
    /// Epochs completed.
    pub epochs: usize,
    /// Optimizer steps taken.
    pub steps: usize,
    /// What is done of the epoch under way, where a run begins within one.
    pub within: Within,
    pub weights: Weights<S>,
    pub sparsifier: Box<dyn Sparsifier<S>>,
}

/// A state that is looked at: between two epochs, or between two steps of one.
pub struct Snapshot<'a, S: Scalar> {
    pub epochs: usize,
    pub steps: usize,
    pub within: Within,
    pub weights: &'a Weights<S>,
    pub sparsifier: &'a dyn Sparsifier<S>,
}

impl<S: Scalar> State<S> {
    /// The state as it is.
    pub fn snapshot(&self) -> Snapshot<'_, S> {
        let Self { epochs, steps, within, ref weights, ref sparsifier } = *self;
        Snapshot { epochs, steps, within, weights, sparsifier: &**sparsifier }
    }
}

/// A run: its configuration, its data and its network.
pub struct Run<'a> {
    pub config: &'a Config,
    pub dataset: &'a Dataset,
    pub network: Network,
    /// Set from outside (Ctrl-C) to stop after the current batch.
    pub stop: &'a AtomicBool,
    /// What an epoch's seconds are read from: the machine's clock, unless another is set.
    pub clock: Clock,
    /// The parameters that are left out of W.
    pub(super) dense: Vec<String>,
    /// The files of [`Config::start`].
    pub(super) origin: Option<Origin>,
    /// Hashing a data set takes a while, and every checkpoint holds it.
    fingerprint: OnceLock<String>,
    /// The memory that its steps use again.
    pub(super) pool: Pool,
}

impl<'a> Run<'a> {
    /// A run of `config` on `dataset`.
    ///
    /// # Errors
    /// If the configuration is not valid, the model cannot take the data set's images, or there is no GPU for its kernel.
    pub fn new(config: &'a Config, dataset: &'a Dataset, stop: &'a AtomicBool) -> Result<Self> {
        config.validate()?;
        config.kernel.open()?;
        if let Some(count) = config.subset.filter(|count| *count != dataset.train.len()) {
            let expected = format!("a data set that is loaded with it, of {count} training images");
            return Err(Error::domain("--subset", expected, format!("{} training images", dataset.train.len())));
        }
        let network = models::find(&config.model)?.network(dataset.train.shape, dataset.classes.len())?;
        let (images, batch_size) = (dataset.train.len(), config.optimizer.batch_size);
        let held_out = config.held_out(images);
        if config.options.real("held_out").is_some() && !(1..images).contains(&held_out) {
            let expected = format!("a share that leaves at least 1 of {images} training images on either side");
            return Err(Error::domain("--held-out", expected, format!("{held_out} held out")));
        }
        let images = images - held_out;
        if images == 0 || config.reading.last_batch == LastBatch::Drop && batch_size > images {
            let option = "--batch-size with --last-batch drop";
            return Err(Error::domain(option, format!("at most {images}, the training images"), batch_size));
        }
        let (fingerprint, pool) = (OnceLock::new(), Pool::new());
        let dense = config.dense_layers.parameters(&network, config.reading.prunable)?;
        let run = Self { config, dataset, network, stop, clock: machine_clock, dense, origin: None, fingerprint, pool };
        run.check_method()?;
        Ok(run)
    }

    /// SHA-256 of the data set.
    pub fn fingerprint(&self) -> &str {
        self.fingerprint.get_or_init(|| self.dataset.fingerprint())
    }

    /// The state before the first step.
    ///
    /// # Errors
    /// If the method cannot be set up for this network; if the files of [`Config::start`], which a
    /// [`Session`](super::Session) opens, or that of [`Config::init`] are not of it.
    pub fn start<S: Scalar>(&self) -> Result<State<S>> {
        let config = self.config;
        let w = |parameters| Weights::without(parameters, config.reading.prunable, &self.dense);
        let (weights, within) = match (&config.start, &self.origin) {
            (Some(start), Some(origin)) => (origin.weights(start, &self.network, w)?, origin.within),
            (Some(start), None) => return Err(Error::domain("start", "the files of a Session", start)),
            (None, _) => match &config.init {
                Some(init) => (w(init.read(&self.network)?), Within::default()),
                None => (self.first_weights(), Within::default()),
            },
        };
        let state = self.state(weights, |setup, weights| config.method.start(setup, weights))?;
        let steps = config.start.as_ref().map_or(0, |start| start.step);
        Ok(State { epochs: config.first_epoch(), steps, within, ..state })
    }

    /// W_0 as the run's seed draws it.
    pub fn first_weights<S: Scalar>(&self) -> Weights<S> {
        let Reading { initial_weights, prunable, .. } = self.config.reading;
        let parameters = self.network.first_parameters_from(self.config.seed, initial_weights);
        Weights::without(parameters, prunable, &self.dense)
    }

    /// The state of `weights` before the first step, under the method that `method` sets up: one method's own `start`, by
    /// which a program holds no other, or [`Method::start`](crate::method::Method::start), which knows them all.
    ///
    /// # Errors
    /// Those of `method`.
    pub fn state<S: Scalar>(
        &self,
        mut weights: Weights<S>,
        method: impl FnOnce(&Setup, &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>>,
    ) -> Result<State<S>> {
        let config = self.config;
        let mut setup = config.setup(&self.network, self.batches_per_epoch());
        setup.measures.clock = config.outputs.record.contains(&Record::Parts).then_some(self.clock);
        let sparsifier = method(&setup, &mut weights)?;
        Ok(State { epochs: 0, steps: 0, within: Within::default(), weights, sparsifier })
    }

    /// An epoch's batches; `index` counts epochs from 0.
    pub(super) fn loader(&self, index: usize) -> Loader<'a> {
        let config = self.config;
        Loader {
            dataset: self.dataset,
            split: Split::Train,
            order: match (config.order_seed.unwrap_or(config.seed), config.held_out(self.dataset.train.len())) {
                (seed, 0) => Order::Shuffled { seed, epoch: index },
                (seed, count) => Order::Remaining { seed, epoch: index, out: Out { seed: config.seed, count } },
            },
            batch_size: config.optimizer.batch_size,
            last_batch: config.reading.last_batch,
            augmentation: config.augment.then(|| stream(config.seed, Purpose::Augmentation, index)),
        }
    }

    /// N_k: the batches of every epoch.
    pub fn batches_per_epoch(&self) -> usize {
        self.loader(0).batches()
    }

    /// The accuracy on the test set ([`Evaluation`](super::Evaluation)).
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn accuracy<S: Scalar>(&self, parameters: &Parameters<S>) -> Result<f64> {
        let part = (self.dataset, Split::Test);
        Ok(evaluate(&self.network, self.config.kernel, parameters, part, TEST_BATCH)?.accuracy)
    }

    /// Whether the method can work with its settings on this network.
    fn check_method(&self) -> Result<()> {
        let Config { method, reading, .. } = self.config;
        let specs = self.network.specs().into_iter();
        let specs = specs.filter(|spec| spec.role.is_prunable(reading.prunable) && !self.dense.contains(&spec.name));
        let shapes: Vec<Vec<usize>> = specs.map(|spec| spec.shape).collect();
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        (method.entry().check)(&self.config.setup(&self.network, self.batches_per_epoch()), &shapes)
    }
}
