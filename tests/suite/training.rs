//! Promises of runs: the optimizer's and the schedule's definitions, the same bits at any thread count and after an
//! interruption, what each method does to weights, and what a trace records.

mod dropback;
mod execution;
mod folder;
mod initial_weights;
mod judged;
mod methods;
mod models;
mod optimizer;
mod resumption;
mod runs;
mod story;
mod traces;

use gdstar::data::{self, Dataset, Source};
use gdstar::error::{Error, Result};
use gdstar::method::Method;
use gdstar::method::options::Value;
use gdstar::nn::Network;
use gdstar::nn::models::find;
use gdstar::paper::reading::Reading;
use gdstar::scalar::Scalar;
use gdstar::tensor_file::TensorStream;
use gdstar::train::{
    BatchEvent, Checkpointer, Config, EpochEvent, History, Observer, Run, RunFolder, State, TraceSize, TraceWriter,
};
use std::path::Path;
use std::sync::atomic::AtomicBool;

static GO_ON: AtomicBool = AtomicBool::new(false);

fn digits() -> Dataset {
    data::load(Source::Digits, None).unwrap()
}

/// The network of most runs here, whatever W it is set up with.
fn lenet300() -> Network {
    find("lenet300").unwrap().network([1, 8, 8], 10).unwrap()
}

/// A small run: few epochs, so that eps must be larger for anything to be eliminated.
fn config(method: Method, epochs: usize) -> Config {
    // LayerDrop leaves residual layers out, and needs some.
    let model = if method == Method::LayerDrop { "resnet20" } else { "lenet300" };
    let mut config = Config::new(model, Source::Digits, method);
    config.hyper.epochs = epochs;
    config.hyper.eps = 1e-2;
    config.hyper.lambda = 0.5;
    config.outputs.trace_gradients = true;
    // What has no default.
    let values = [
        ("sparsity", Value::Real(0.9)),
        ("final_sparsity", Value::Real(0.9)),
        ("forward_sparsity", Value::Real(0.9)),
        ("backward_sparsity", Value::Real(0.75)),
        ("rewind_epoch", Value::Count(1)),
    ];
    for (key, value) in values {
        if method.entry().options.iter().any(|option| option.key == key) {
            config.options.set(key, value);
        }
    }
    if method == Method::Amc {
        let few = [("episodes", 4), ("random_episodes", 2), ("hidden", 8), ("channel_round", 4)];
        few.into_iter().for_each(|(key, n)| config.options.set(key, Value::Count(n)));
    }
    config
}

fn train<S: Scalar>(config: &Config, dataset: &Dataset) -> (State<S>, History) {
    let run = Run::new(config, dataset, &GO_ON).unwrap();
    let mut state = run.start::<S>().unwrap();
    let mut history = History::default();
    run.train(&mut state, &mut [&mut history]).unwrap();
    (state, history)
}

/// The records without what a clock decides.
fn timeless(history: &History) -> Vec<String> {
    let untimed = history.0.iter().cloned().map(|mut record| {
        record.seconds = 0.0;
        record
    });
    untimed.map(|record| serde_json::to_string(&record).unwrap()).collect()
}

/// Stops a run after some epochs, as a crash would: by an error out of the loop.
struct StopAfter(usize);

impl<S: Scalar> Observer<S> for StopAfter {
    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        // In the middle of an epoch, so that work is lost.
        if event.epoch == self.0 && event.batch == 1 {
            return Err(Error::domain("test", "to go on", "the planned stop"));
        }
        Ok(())
    }
    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        Ok(())
    }
}

/// One attempt at a run in a folder, as `gdstar train` makes it, with a trace where the method has one; `Ok(true)` if it
/// reached the end.
fn attempt(folder: &Path, config: &Config, dataset: &Dataset, stop: Option<usize>) -> Result<bool> {
    let run = Run::new(config, dataset, &GO_ON)?;
    let folder = match RunFolder::resume(folder)? {
        Some((folder, stored)) => {
            assert_eq!(stored, *config);
            folder
        }
        None => RunFolder::create(folder, config)?,
    };
    let (mut state, extent) = folder.state::<f32>(&run)?;
    let trace_file = folder.path().join("trace.safetensors");
    let stream = || match extent {
        Some(extent) => TensorStream::resume(&trace_file, extent),
        None => {
            TensorStream::discard(&trace_file)?;
            TensorStream::begin(&trace_file, TraceSize::of(&run, &state)?.header)
        }
    };
    let is_traced = config.method.entry().is_traced;
    let mut trace = is_traced.then(|| TraceWriter::new(stream()?, &run, &state)).transpose()?;
    let mut metrics = folder.observe_metrics(state.epochs)?;
    let mut checkpointer = Checkpointer::new(&folder, &run, trace.as_ref().map(TraceWriter::written));
    let mut stopper = StopAfter(stop.unwrap_or(usize::MAX));
    let mut observers: Vec<&mut dyn Observer<f32>> = vec![&mut metrics];
    observers.extend(trace.as_mut().map(|trace| trace as &mut dyn Observer<f32>));
    observers.extend([&mut checkpointer as &mut dyn Observer<f32>, &mut stopper]);
    match run.train(&mut state, &mut observers) {
        Ok(()) => Ok(true),
        Err(_) if stop.is_some() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Every reading that differs from the default in one choice, by name.
fn readings() -> Vec<(String, Reading)> {
    let default = serde_json::to_value(Reading::default()).unwrap();
    let mut all = vec![("default".to_string(), Reading::default())];
    for (key, choices) in gdstar::paper::reading::CHOICES {
        for choice in choices.iter().skip(1) {
            let mut changed = default.clone();
            changed[key] = serde_json::Value::String(choice.to_string());
            all.push((format!("{key} = {choice}"), serde_json::from_value(changed).unwrap()));
        }
    }
    all
}
