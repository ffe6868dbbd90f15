//! Interrupted, failed and foreign runs.

use super::{GO_ON, StopAfter, attempt, config, digits, timeless, train};
use gdstar::data::Source;
use gdstar::error::Error;
use gdstar::method::{METHODS, Method};
use gdstar::train::{Checkpointer, Config, History, Metrics, Run, RunFolder};
use std::path::Path;

/// A run of any method that is interrupted again and again ends with the same files, byte for byte, as one that is not: checkpoint,
/// trace, and metrics but for their seconds.
#[test]
fn resumed_runs_end_with_the_same_bytes() {
    let all = digits();
    for &method in METHODS {
        let (mut dataset, mut config) = (all.clone(), config(method, 5));
        if config.model != "lenet300" || method.entry().records_steps {
            // A few small batches are as good.
            config.optimizer.batch_size = 4;
            dataset.train = all.train.select(&(0..16).collect::<Vec<_>>());
            dataset.test = all.test.select(&[0, 1]);
        }
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(attempt(whole.path(), &config, &dataset, None).unwrap());
        for stop in [0, 1, 1, 4] {
            assert!(!attempt(broken.path(), &config, &dataset, Some(stop)).unwrap());
        }
        assert!(attempt(broken.path(), &config, &dataset, None).unwrap());
        let traced = method.entry().is_traced.then_some("trace.safetensors");
        for file in ["config.toml", "checkpoint.safetensors"].into_iter().chain(traced) {
            let read = |folder: &Path| std::fs::read(folder.join(file)).unwrap();
            assert!(read(whole.path()) == read(broken.path()), "{method}: {file} differs");
        }
        let records = |folder: &Path| timeless(&History(Metrics::read(&folder.join("metrics.jsonl"), 5).unwrap()));
        assert_eq!(records(whole.path()), records(broken.path()));
        let left: Vec<_> = std::fs::read_dir(broken.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(
            left.len(),
            3 + traced.iter().count(),
            "nothing but config, metrics, checkpoint and trace is left: {left:?}"
        );
    }
}

/// Dropout and stochastic depth draw from each epoch's own stream: a network that has them resumes with the same bits,
/// though the lost epoch has drawn already.
#[test]
fn a_network_with_dropout_resumes_with_the_same_bits() {
    let mut dataset = digits();
    dataset.train = dataset.train.select(&(0..16).collect::<Vec<_>>());
    dataset.test = dataset.test.select(&[0, 1]);
    let mut config = Config::new("efficientnetb0", Source::Digits, Method::Dense);
    config.hyper.epochs = 2;
    config.optimizer.batch_size = 8;
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let whole = train::<f32>(&config, &dataset).0;
    let folder = tempfile::tempdir().unwrap();
    let created = RunFolder::create(&folder.path().join("run"), &config).unwrap();
    let mut state = run.start::<f32>().unwrap();
    let mut checkpointer = Checkpointer::new(&created, &run, None);
    run.train(&mut state, &mut [&mut checkpointer, &mut StopAfter(1)]).unwrap_err();
    let (mut state, _) = created.state::<f32>(&run).unwrap();
    assert_eq!(state.epochs, 1);
    run.train(&mut state, &mut []).unwrap();
    assert!(state.weights == whole.weights);
}

/// A loss that stops being finite ends the run with layer, epoch and batch, and the last checkpoint stays.
#[test]
fn a_non_finite_loss_names_its_place_and_keeps_the_checkpoint() {
    let dataset = digits();
    let folder = tempfile::tempdir().unwrap();
    let config = config(Method::Gdstar, 4);
    assert!(!attempt(folder.path(), &config, &dataset, Some(2)).unwrap());
    let checkpoint = std::fs::read(folder.path().join("checkpoint.safetensors")).unwrap();
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let opened = RunFolder::open(folder.path()).unwrap().unwrap().0;
    let (mut state, _) = opened.state::<f32>(&run).unwrap();
    let parameters = &mut state.weights.parameters;
    parameters.iter_mut().find(|p| p.name == "fc2.weight").unwrap().value.fill(f32::MAX);
    let mut checkpointer = Checkpointer::new(&opened, &run, None);
    let error = run.train(&mut state, &mut [&mut checkpointer]).unwrap_err();
    let told = error.to_string();
    assert!(matches!(&error, Error::NonFinite { epoch: 2, batch: 0, .. }), "{told}");
    assert!(told.starts_with("epoch 2, batch 0: the loss (first in layer fc2 (linear))"), "{told}");
    assert_eq!(error.exit_code(), 1);
    assert!(std::fs::read(folder.path().join("checkpoint.safetensors")).unwrap() == checkpoint);
}

/// A checkpoint of another configuration, or on other data, is refused by name.
#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let dataset = digits();
    let folder = tempfile::tempdir().unwrap();
    let config = config(Method::Gdstar, 2);
    assert!(attempt(folder.path(), &config, &dataset, None).unwrap());
    let mut other = dataset.clone();
    other.train.pixels[0] ^= 1;
    let told = attempt(folder.path(), &config, &other, None).unwrap_err().to_string();
    assert!(told.contains("checkpoint.safetensors: data: expected digits as it was when the run began"), "{told}");
    let changed = Config { seed: 7, ..config };
    std::fs::write(folder.path().join("config.toml"), changed.to_toml().unwrap()).unwrap();
    let told = attempt(folder.path(), &changed, &dataset, None).unwrap_err().to_string();
    assert!(told.contains("checkpoint.safetensors: configuration: expected that of config.toml"), "{told}");
}
