//! Promises of runs that go on from a step of another run: the same bits from there on, wherever the step lies.

use gdstar::data::{self, Source};
use gdstar::method::Method;
use gdstar::tensor_file::TensorFile;
use gdstar::train::{Config, EpochRecord, KeepAt, Session, Start};
use std::path::{Path, PathBuf};

/// Of 12 steps each, which are the digits'.
const EPOCHS: usize = 3;

fn dense() -> Config {
    let mut config = Config::new("lenet300", Source::Digits, Method::Dense);
    config.hyper.epochs = EPOCHS;
    config
}

fn train(config: Config, folder: &Path) -> Vec<EpochRecord> {
    let digits = data::load(Source::Digits, None).unwrap();
    Session::new(config).unwrap().kept_in(folder).unwrap().train(&digits).unwrap()
}

/// The dense run, which keeps these steps, in `folder`.
fn parent(folder: &Path, steps: &[usize]) -> Vec<EpochRecord> {
    let mut config = dense();
    let keep = |&step: &usize| KeepAt { step, file: format!("../at_{step}.safetensors").into() };
    config.outputs.keep_at = steps.iter().map(keep).collect();
    train(config, folder)
}

fn start(step: usize) -> Start {
    let checkpoint = format!("../at_{step}.safetensors").into();
    Start { checkpoint, step, epochs: step / 12, momentum: true, mask: None }
}

/// The tensors of a run's last checkpoint, by name.
fn tensors(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let file = TensorFile::open(&folder.join("checkpoint.safetensors")).unwrap();
    file.names().map(|name| (name.to_string(), file.raw(name).unwrap().to_vec())).collect()
}

fn timeless(records: &[EpochRecord]) -> Vec<EpochRecord> {
    records.iter().map(|record| EpochRecord { seconds: 0.0, ..record.clone() }).collect()
}

#[test]
fn a_run_from_a_step_of_another_ends_as_that_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| -> PathBuf { folder.path().join(name) };
    let whole = parent(&run("parent"), &[0, 12, 17, 35]);
    for step in [0, 12, 17, 35] {
        let name = format!("from_{step}");
        let records = train(Config { start: Some(start(step)), ..dense() }, &run(&name));
        assert_eq!(tensors(&run(&name)), tensors(&run("parent")), "from step {step}");
        let own = step.div_ceil(12);
        let (whole, records) = (timeless(&whole), timeless(&records));
        assert_eq!(records[own - step / 12..], whole[own..], "from step {step}: the epochs that are whole");
        assert_eq!(records[0].epoch, step / 12, "from step {step}: the first epoch");
    }
}

#[test]
fn another_order_of_samples_changes_the_end_alone() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| folder.path().join(name);
    parent(&run("parent"), &[17]);
    let child = |seed| Config { start: Some(start(17)), order_seed: Some(seed), ..dense() };
    for (seed, name) in [(0, "same"), (1, "one"), (2, "two")] {
        train(child(seed), &run(name));
    }
    assert_eq!(tensors(&run("same")), tensors(&run("parent")), "the run's own order");
    assert_ne!(tensors(&run("one")), tensors(&run("parent")));
    assert_ne!(tensors(&run("one")), tensors(&run("two")));
}

/// A run that was stopped in its first epoch, which it begins within, or in a later one goes on bit for bit.
#[test]
fn a_run_from_a_step_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| folder.path().join(name);
    parent(&run("parent"), &[17]);
    let config = Config { start: Some(start(17)), ..dense() };
    let whole = train(config.clone(), &run("whole"));
    let digits = data::load(Source::Digits, None).unwrap();
    for batches in [3, 9] {
        let name = format!("stopped_{batches}");
        let stop = std::sync::atomic::AtomicBool::new(false);
        let session = Session::new(config.clone()).unwrap().kept_in(&run(&name)).unwrap();
        let session = session.stopped_by(&stop).watched(|_| vec![Box::new(StopAfter(batches, &stop))]);
        assert!(session.train(&digits).is_err(), "stopped after {batches} batches");
        let records = Session::resume(&run(&name)).unwrap().unwrap().train(&digits).unwrap();
        assert_eq!(timeless(&records), timeless(&whole), "stopped after {batches} batches");
        assert_eq!(tensors(&run(&name)), tensors(&run("whole")), "stopped after {batches} batches");
    }
}

/// Asks a run to stop after so many batches.
struct StopAfter<'a>(usize, &'a std::sync::atomic::AtomicBool);

impl<S: gdstar::scalar::Scalar> gdstar::train::Observer<S> for StopAfter<'_> {
    fn on_batch(&mut self, _: &gdstar::train::BatchEvent<S>) -> gdstar::Result<()> {
        self.0 = self.0.saturating_sub(1);
        self.1.store(self.0 == 0, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    fn on_epoch(&mut self, _: &gdstar::train::EpochEvent<S>) -> gdstar::Result<()> {
        Ok(())
    }
}

#[test]
fn a_start_that_is_not_of_this_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str| folder.path().join(name);
    parent(&run("parent"), &[17]);
    let digits = data::load(Source::Digits, None).unwrap();
    let refused = |config: Config, words: &[&str]| {
        let session = Session::new(config).and_then(|session| session.kept_in(&run("child")));
        let error = session.and_then(|session| session.train(&digits)).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        words.iter().for_each(|word| assert!(error.to_string().contains(word), "{error}"));
        assert!(!run("child").exists(), "nothing is left");
    };
    let from = |start| Config { start: Some(start), ..dense() };
    refused(from(Start { step: 18, ..start(17) }), &["at_17.safetensors", "step", "18", "17"]);
    refused(from(Start { checkpoint: "../at_9.safetensors".into(), ..start(9) }), &["at_9.safetensors"]);
    refused(Config { model: "resnet20".to_string(), ..from(start(17)) }, &["at_17.safetensors", "resnet20"]);
    refused(Config { method: Method::Gdstar, ..from(start(17)) }, &["--method", "dense"]);
}
