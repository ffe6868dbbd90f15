//! [`Config`]: everything that determines a run, as stored in `config.toml`.

mod departure;
mod difference;

pub use departure::Departure;
pub use difference::Difference;

use super::{DenseLayers, Execution, FirstWeights, Outputs, RateSchedule, SgdSettings, Start};
use crate::choice::Choice;
use crate::data::{LoadOptions, Source};
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::kernel::Kernel;
use crate::method::{Length, METHODS, Measures, Method, Options, Record, Setup};
use crate::nn::{Network, models};
use crate::paper::Hyperparameters;
use crate::paper::reading::Reading;
use crate::paper::structured::{GroupScore, Structure};
use crate::scalar::Dtype;
use crate::select::cut::Ties;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Everything needed to run it again, bit for bit, at any thread count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub model: String,
    pub data: Source,
    /// Where the data set's files are; the embedded digits need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// N: every image resized to N x N (image folders only); as they are if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// Channels of an image, 1 or 3 (image folders only); 3 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// The number of classes (files in MNIST's format only); 10 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
    /// N: the first N training images alone, in the data set's own order; all if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset: Option<usize>,
    pub method: Method,
    pub seed: u64,
    /// The seed of the order of samples alone, where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_seed: Option<u64>,
    pub precision: Dtype,
    pub kernel: Kernel,
    /// Whether eliminated weights are computed with.
    #[serde(default)]
    pub execution: Execution,
    /// Random crops and flips, where the data set's recipe has them.
    pub augment: bool,
    /// Weights that stand or fall together (section 3.2, last paragraph); each by itself if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structure: Option<Structure>,
    /// How a group's score is made of its weights' G.
    #[serde(default)]
    pub group_score: GroupScore,
    /// Layers that are left out of W.
    #[serde(default, skip_serializing_if = "DenseLayers::is_none")]
    pub dense_layers: DenseLayers,
    /// How the learning rate falls.
    #[serde(default, skip_serializing_if = "RateSchedule::is_cosine")]
    pub schedule: RateSchedule,
    /// Of a sample's target, the share that is spread evenly over all classes (Szegedy et al. 2016).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub label_smoothing: f64,
    /// The method's own symbols: K, alpha_0, alpha_K, lambda, eps, C.
    pub hyper: Hyperparameters,
    pub optimizer: SgdSettings,
    pub reading: Reading,
    /// What only the method has.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
    /// What the run goes on from, where it does not begin with W_0; of runs whose method is `dense`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Start>,
    /// The file of W_0, where it is not drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<FirstWeights>,
    #[serde(default, skip_serializing_if = "Outputs::is_empty")]
    pub outputs: Outputs,
}

impl Config {
    /// The paper's section 4 settings for this model, data set and method.
    pub fn new(model: &str, data: Source, method: Method) -> Self {
        let hyper = Hyperparameters::default();
        let chunks = models::find(model).map_or(hyper.chunks, |model| model.chunks);
        Self {
            model: model.to_string(),
            data,
            data_dir: None,
            image_size: None,
            channels: None,
            classes: None,
            subset: None,
            method,
            seed: 0,
            order_seed: None,
            precision: Dtype::F32,
            kernel: Kernel::Fast,
            execution: Execution::default(),
            augment: true,
            structure: None,
            group_score: GroupScore::default(),
            dense_layers: DenseLayers::default(),
            hyper: Hyperparameters { chunks, ..hyper },
            optimizer: SgdSettings::default(),
            schedule: RateSchedule::default(),
            label_smoothing: 0.0,
            reading: Reading::default(),
            options: Options::of(method.entry()),
            start: None,
            init: None,
            outputs: Outputs::default(),
        }
    }

    /// Checks every value against its domain.
    ///
    /// # Errors
    /// [`Error::Domain`] naming the first option that is out of range.
    pub fn validate(&self) -> Result<()> {
        models::find(&self.model)?;
        self.data.check(&self.load_options())?;
        self.hyper.validate()?;
        self.options.validate(self.method.entry())?;
        check_ties(&self.options)?;
        self.outputs.validate()?;
        self.check_records()?;
        if self.method != Method::Dense && (self.start.is_some() || !self.outputs.keep_at.is_empty()) {
            let expected =
                "dense, where a run goes on from a step or keeps one: others keep more than weights within an epoch";
            return Err(Error::domain("--method", expected, self.method));
        }
        let sgd = &self.optimizer;
        at_least_zero("--lr", sgd.learning_rate)?;
        at_least_zero("--momentum", sgd.momentum)?;
        at_least_zero("--weight-decay", sgd.weight_decay)?;
        if sgd.nesterov && sgd.momentum == 0.0 {
            return Err(Error::domain("--nesterov", "a --momentum above 0, which it looks ahead by", sgd.momentum));
        }
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(Error::domain("--label-smoothing", "a share in [0, 1]", self.label_smoothing));
        }
        if sgd.batch_size == 0 {
            return Err(Error::domain("--batch-size", "at least 1", 0));
        }
        Ok(())
    }

    /// Whether the method has what is to be recorded.
    fn check_records(&self) -> Result<()> {
        let has_g = |method: Method| method == Method::Dense || method.entry().is_traced;
        let of_g = self.outputs.record.iter().find(|record| **record != Record::Memory);
        match of_g {
            Some(record) if !has_g(self.method) => {
                let methods: Vec<_> = METHODS.iter().filter(|m| has_g(**m)).map(ToString::to_string).collect();
                let expected = format!("{}, which have a G", methods.join(" | "));
                Err(Error::domain(format!("--record {record} with --method"), expected, self.method))
            }
            _ => Ok(()),
        }
    }

    /// The k of its first record.
    pub(super) fn first_k(&self) -> usize {
        self.reading.epoch_origin.first() + self.first_epoch()
    }

    /// The epoch in which it begins, counted from 0.
    pub fn first_epoch(&self) -> usize {
        self.start.as_ref().map_or(0, |start| start.epochs)
    }

    /// What its method is set up with for this network, where an epoch has so many steps.
    pub fn setup<'a>(&'a self, network: &'a Network, steps_per_epoch: usize) -> Setup<'a> {
        Setup {
            network,
            hyper: &self.hyper,
            reading: &self.reading,
            structure: self.structure.map(|structure| (structure, self.group_score)),
            options: &self.options,
            momentum: self.optimizer.momentum,
            weight_decay: self.optimizer.weight_decay,
            nesterov: self.optimizer.nesterov,
            length: Length { epochs: self.hyper.epochs, steps_per_epoch },
            seed: self.seed,
            measures: Measures::of(&self.outputs.record),
        }
    }

    /// How many of so many training images no step sees, for its method has other use for them.
    pub fn held_out(&self, images: usize) -> usize {
        let share = self.options.real("held_out").unwrap_or_default();
        (share * images as f64).round_ties_even() as usize
    }

    /// How its data set is read.
    pub fn load_options(&self) -> LoadOptions<'static> {
        LoadOptions {
            image_size: self.image_size,
            channels: self.channels,
            classes: self.classes,
            subset: self.subset,
            on_decoded: None,
            on_remark: None,
        }
    }

    /// Reads a `config.toml`.
    ///
    /// # Errors
    /// Those of [`input::read_text`] and [`Config::parse`].
    pub fn load(path: &Path) -> Result<Self> {
        let text = input::read_text(path, Kind::Configuration)?;
        Self::parse(path, &text)
    }

    /// The configuration in `text`; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::File`] naming the line, or the value that is out of its domain.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut config: Self = toml::from_str(text).map_err(|e| {
            let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = 1 + before.matches('\n').count();
            let expected = match e.message().contains("`cuda`") && !Kernel::UNBUILT.is_empty() {
                true => format!("a run's configuration ({})", Kernel::UNBUILT),
                false => "a run's configuration".to_string(),
            };
            Error::file(path, format!("line {line}"), expected, e.message())
        })?;
        config.options.complete(config.method.entry());
        config.validate().map_err(|e| Error::file(path, "values", "a valid configuration", e))?;
        Ok(config)
    }

    /// What decides the run's results, and where its data lie: the part that files other than `config.toml` hold.
    pub fn without_outputs(&self) -> Self {
        Self { outputs: Outputs::default(), ..self.clone() }
    }

    /// This configuration as TOML.
    ///
    /// # Errors
    /// [`Error::Domain`] if a value has no TOML form (a seed above 2^63).
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::domain("configuration", "values that TOML can hold", e))
    }
}

/// Whether options say which of equal weights is kept.
pub(crate) fn check_ties(options: &Options) -> Result<()> {
    if options.name(Ties::KEY) != Ties::Any.name() {
        return Ok(());
    }
    let expected = "lower-index | higher-index: a run decides; `any` is for traces of other programs";
    Err(Error::domain("--ties", expected, Ties::Any))
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

fn at_least_zero(option: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::domain(option, "a finite number of at least 0", value))
}
