//! [`Lesson`]: the run whose operands an exercise is about.

use super::Given;
use crate::data::{self, Dataset, Source};
use crate::error::{Error, Result};
use crate::experiment::Bench;
use crate::experiment::lmc::{BatchNorm, Connectivity};
use crate::experiment::lottery::Lottery;
use crate::method::{Entry, Method, Options, Value, declared};
use crate::scalar::Dtype;
use crate::train::{Config, Session, TraceSteps};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A run on the digits, in f64, NumPy's own numbers.
#[derive(Debug, Clone, Copy)]
pub struct Lesson {
    /// As `gdstar methods` names it; of `lth` and `lmc` an experiment of several runs.
    pub method: &'static str,
    pub model: &'static str,
    pub epochs: usize,
    /// How many of the training images.
    pub images: usize,
    pub batch: usize,
    /// The method's options, as the command line takes them.
    pub options: &'static [(&'static str, &'static str)],
    /// Which steps are recorded.
    pub steps: &'static str,
}

impl Lesson {
    /// The paper's run, of so many epochs.
    pub(super) const fn paper(epochs: usize) -> Self {
        Self {
            method: "gdstar",
            model: "lenet300",
            epochs,
            images: usize::MAX,
            batch: 128,
            options: &[],
            steps: "updates",
        }
    }

    /// A short run of another method: eight steps an epoch.
    pub(super) const fn short(method: &'static str, options: &'static [(&'static str, &'static str)]) -> Self {
        Self { method, model: "lenet300", epochs: 1, images: 256, batch: 32, options, steps: "updates" }
    }

    /// The same, recorded at these steps.
    pub(super) const fn at(self, steps: &'static str) -> Self {
        Self { steps, ..self }
    }

    /// Trains in this folder; the trace.
    ///
    /// # Errors
    /// Those of training.
    pub(super) fn trace(&self, folder: &Path, takes: &[(&str, Given)]) -> Result<PathBuf> {
        let digits = self.digits()?;
        fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
        match self.method {
            "lth" => self.levels(folder, &digits),
            "lmc" => self.candidates(folder, &digits),
            method => {
                let path = folder.join("run.safetensors");
                let mut config = self.config(method.parse()?)?;
                config.outputs.trace = Some(path.clone());
                config.outputs.trace_steps = self.steps.parse::<TraceSteps>()?;
                config.outputs.trace_gradients = takes.iter().any(|(_, given)| *given == Given::Gradients);
                Session::new(config)?.train(&digits)?;
                Ok(path)
            }
        }
    }

    fn digits(&self) -> Result<Dataset> {
        let mut digits = data::load(Source::Digits, None)?;
        if self.images < digits.train.len() {
            digits.train = digits.train.select(&(0..self.images).collect::<Vec<_>>());
        }
        Ok(digits)
    }

    fn config(&self, method: Method) -> Result<Config> {
        let mut config = Config::new(self.model, Source::Digits, method);
        config.hyper.epochs = self.epochs;
        // So that GDSTAR's weights are eliminated in a few epochs, and chunks are several.
        config.hyper.eps = 0.01;
        config.hyper.chunks = 3;
        config.optimizer.batch_size = self.batch;
        config.precision = Dtype::F64;
        if method != Method::Dense {
            self.set(method.entry(), &mut config.options)?;
        }
        Ok(config)
    }

    fn set(&self, entry: &Entry, options: &mut Options) -> Result<()> {
        for (key, text) in self.options {
            let option = entry.options.iter().find(|option| option.key == *key);
            let option =
                option.ok_or_else(|| Error::domain("exercise", format!("an option of {}", entry.name), key))?;
            options.set(key, option.domain.parse(&option.option(), text)?);
        }
        Ok(())
    }

    /// The options of an experiment that is not one run.
    fn of_experiment(&self) -> Result<Options> {
        let entry = declared(self.method).ok_or_else(|| Error::domain("exercise", "a method", self.method))?;
        let mut options = Options::of(entry);
        self.set(entry, &mut options)?;
        Ok(options)
    }

    fn levels(&self, folder: &Path, digits: &Dataset) -> Result<PathBuf> {
        let lottery = Lottery { levels: 2, options: self.of_experiment()?, run: self.config(Method::Dense)? };
        on_bench(digits, |bench| lottery.train(folder, bench, &mut |_| Ok(())))?;
        Ok(folder.join("trace.safetensors"))
    }

    fn candidates(&self, folder: &Path, digits: &Dataset) -> Result<PathBuf> {
        let connectivity = Connectivity {
            candidates: vec![Value::Count(0), Value::Count(4)],
            children: 2,
            batch_norm: BatchNorm::Interpolate,
            masks: None,
            theta: false,
            options: self.of_experiment()?,
            run: self.config(Method::Dense)?,
        };
        on_bench(digits, |bench| connectivity.train(folder, bench, &mut |_| Ok(())))?;
        Ok(folder.join("trace.safetensors"))
    }
}

fn on_bench<T>(dataset: &Dataset, work: impl FnOnce(&Bench) -> T) -> T {
    work(&Bench { dataset, stop: &AtomicBool::new(false), watch: &|_, _| Vec::new(), progress: &|_, _, _| () })
}
