//! Runs that take moments: a few of the digits, little to train.

use gdstar::data::{self, Dataset, Source};
use gdstar::error::{Error, Result};
use gdstar::method::Method;
use gdstar::method::options::Value;
use gdstar::scalar::Scalar;
use gdstar::tensor_file::Element;
use gdstar::train::{Checkpointer, Config, EpochEvent, EpochRecord, History, Observer, Run, RunFolder, State};
use std::sync::atomic::AtomicBool;

static NEVER: AtomicBool = AtomicBool::new(false);

/// The first images of each part.
pub fn digits(train: usize, test: usize) -> Dataset {
    let mut digits = data::load(Source::Digits, None).unwrap();
    digits.train = digits.train.select(&(0..train).collect::<Vec<_>>());
    digits.test = digits.test.select(&(0..test).collect::<Vec<_>>());
    digits
}

/// A run of these options.
pub fn config(model: &str, method: &str, epochs: usize, batch_size: usize, options: &[(&str, Value)]) -> Config {
    let mut config = Config::new(model, Source::Digits, method.parse::<Method>().unwrap());
    config.hyper.epochs = epochs;
    config.optimizer.batch_size = batch_size;
    options.iter().for_each(|(key, value)| config.options.set(key, value.clone()));
    config
}

/// The end of a run in memory, and its records.
pub fn train<S: Scalar>(config: &Config, dataset: &Dataset) -> (State<S>, Vec<EpochRecord>) {
    let run = Run::new(config, dataset, &NEVER).unwrap();
    let mut state = run.start::<S>().unwrap();
    let mut history = History::default();
    run.train(&mut state, &mut [&mut history]).unwrap();
    (state, history.0)
}

/// What is wrong with a run of this configuration before it begins.
pub fn refused(config: &Config, dataset: &Dataset) -> String {
    match Run::new(config, dataset, &NEVER).and_then(|run| run.start::<f32>().map(|_| ())) {
        Ok(()) => panic!("it is not refused"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2, "{error}");
            error.to_string()
        }
    }
}

/// Ends a run after its n-th epoch from here, as a kill does: what that epoch left is there.
struct StopAfter(usize);

impl<S: Scalar> Observer<S> for StopAfter {
    fn on_epoch(&mut self, event: &EpochEvent<S>) -> Result<()> {
        self.0 -= 1;
        if self.0 == 0 { Err(Error::Interrupted { epoch: event.record.epoch }) } else { Ok(()) }
    }
}

/// A run that is stopped after every epoch and gone on with from its checkpoint ends with the bits of one that is not.
pub fn resumes_with_the_same_bits<S: Scalar + Element>(config: &Config, dataset: &Dataset) {
    let whole = train::<S>(config, dataset).0;
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(config, dataset, &NEVER).unwrap();
    let created = RunFolder::create(&folder.path().join("run"), config).unwrap();
    let mut state = run.start::<S>().unwrap();
    while state.epochs < config.hyper.epochs {
        let mut checkpointer = Checkpointer::new(&created, &run, None);
        run.train(&mut state, &mut [&mut checkpointer, &mut StopAfter(1)]).unwrap_err();
        state = created.state::<S>(&run).unwrap().0;
    }
    assert!(state.weights == whole.weights, "{}", config.method);
    assert_eq!(state.sparsifier.save(), whole.sparsifier.save());
}

/// A run ends with the same bits at one thread and at three.
pub fn threads_change_nothing<S: Scalar>(config: &Config, dataset: &Dataset) {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train::<S>(config, dataset).0.weights)
    };
    assert!(with(1) == with(3), "{}", config.method);
}
