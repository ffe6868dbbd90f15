//! Run folders: one process at a time, nothing of killed ones, no damaged checkpoint, no lost configuration.

use super::{GO_ON, StopAfter, attempt, config, digits};
use gdstar::kernel::Kernel;
use gdstar::method::Method;
use gdstar::nn::state_dict::CHECKPOINT_KEY;
use gdstar::tensor_file::{Tensor, TensorFile, write};
use gdstar::train::{
    Checkpoint, Checkpointer, Config, History, KeptCheckpoints, Observer, Run, RunFolder, SavedFile, Session,
};
use safetensors::Dtype;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of a finished run of two epochs.
fn finished(path: &Path) -> Config {
    let config = config(Method::Gdstar, 2);
    assert!(attempt(path, &config, &digits(), None).unwrap());
    config
}

/// Who creates a folder, or goes on in it, has it alone, until it is dropped; readers are not kept away.
#[test]
fn a_folder_has_one_process_at_a_time() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("run");
    let config = config(Method::Gdstar, 2);
    let created = RunFolder::create(&path, &config).unwrap();
    let refused = |outcome: gdstar::Result<()>| {
        let told = outcome.unwrap_err().to_string();
        assert!(told.contains("run folder: expected no other process, found one"), "{told}");
    };
    refused(RunFolder::resume(&path).map(drop));
    refused(RunFolder::create(&path, &config).map(drop));
    assert_eq!(RunFolder::open(&path).unwrap().unwrap().1, config);
    drop(created);
    let (resumed, stored) = RunFolder::resume(&path).unwrap().unwrap();
    assert_eq!(stored, config);
    refused(RunFolder::resume(&path).map(drop));
    drop(resumed);
    let told = RunFolder::create(&path, &config).unwrap_err().to_string();
    assert!(told.contains("config.toml: run folder: expected no earlier run"), "{told}");
}

/// What a killed process was writing is removed by the next one; nothing else is.
#[test]
fn files_of_killed_processes_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    finished(folder.path());
    let parts = [".gdstar-abcdef.part", ".gdstar-.part"].map(|name| folder.path().join(name));
    let others = ["gdstar.part", ".gdstar-notes", "export.npz"].map(|name| folder.path().join(name));
    parts.iter().chain(&others).for_each(|path| fs::write(path, "x").unwrap());
    RunFolder::resume(folder.path()).unwrap().unwrap();
    assert!(parts.iter().all(|path| !path.exists()) && others.iter().all(|path| path.exists()));
    let new = tempfile::tempdir().unwrap();
    fs::write(new.path().join(".gdstar-abcdef.part"), "x").unwrap();
    RunFolder::create(new.path(), &config(Method::Gdstar, 2)).unwrap();
    assert_eq!(fs::read_dir(new.path()).unwrap().count(), 1, "config.toml alone");
}

/// A configuration that is lost: no new run begins over what is there, and a resumed one writes it again.
#[test]
fn a_lost_configuration_comes_back_from_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let config = finished(folder.path());
    let (path, before) = (folder.path().join("config.toml"), fs::read(folder.path().join("config.toml")).unwrap());
    fs::remove_file(&path).unwrap();
    let told = RunFolder::create(folder.path(), &config).unwrap_err().to_string();
    assert!(told.contains("no files of an earlier run") && told.contains("--resume"), "{told}");
    assert!(!path.exists(), "nothing half-written");
    let (resumed, restored) = RunFolder::resume(folder.path()).unwrap().unwrap();
    assert!(!path.exists(), "not before the run goes on");
    resumed.store(&restored).unwrap();
    drop(resumed);
    // What is left beside checkpoints is in the configuration alone.
    assert_eq!(Config { outputs: config.outputs.clone(), ..restored }, config);
    let outputs = String::from_utf8(before).unwrap();
    assert!(outputs.starts_with(&fs::read_to_string(&path).unwrap()), "the same but for the outputs at its end");
    // Metrics alone do not say which run they are of.
    fs::remove_file(&path).unwrap();
    fs::remove_file(folder.path().join("checkpoint.safetensors")).unwrap();
    for told in [RunFolder::create(folder.path(), &config).map(drop), RunFolder::resume(folder.path()).map(drop)] {
        let told = told.unwrap_err().to_string();
        assert!(told.contains("metrics.jsonl without the run's config.toml"), "{told}");
    }
}

/// A checkpoint that is lost: its epochs are not trained again unasked, over what is left of them.
#[test]
fn a_lost_checkpoint_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    finished(folder.path());
    let metrics = fs::read(folder.path().join("metrics.jsonl")).unwrap();
    fs::remove_file(folder.path().join("checkpoint.safetensors")).unwrap();
    let resumed = Session::resume(folder.path()).unwrap().unwrap();
    let told = resumed.train(&digits()).unwrap_err().to_string();
    assert!(told.contains("checkpoint.safetensors: checkpoint: expected that of the 2 epochs"), "{told}");
    assert_eq!(fs::read(folder.path().join("metrics.jsonl")).unwrap(), metrics);
}

/// Metrics whose epochs are out of order are refused where the run is resumed, as a table refuses them.
#[test]
fn disordered_metrics_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = finished(folder.path());
    let path = folder.path().join("metrics.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let turned: Vec<&str> = text.lines().rev().collect();
    fs::write(&path, turned.join("\n") + "\n").unwrap();
    let (folder, _) = RunFolder::resume(folder.path()).unwrap().unwrap();
    let told = folder.records(&config, 2).unwrap_err().to_string();
    assert!(told.contains("metrics.jsonl: line 1: expected epoch 0, found 1"), "{told}");
}

/// Damages copies of a checkpoint and says what becomes of each.
struct Damage {
    whole: Vec<u8>,
    path: PathBuf,
}

impl Damage {
    /// Flips a bit; the refusal.
    fn flip(&self, bit: usize) -> String {
        let mut bytes = self.whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&self.path, bytes).unwrap();
        match SavedFile::open(&self.path).and_then(|file| file.network()) {
            Ok(_) => panic!("bit {} of byte {} changed unseen", bit % 8, bit / 8),
            Err(error) => error.to_string(),
        }
    }
}

/// No bit of a checkpoint changes unseen: not in its header, not in a tensor.
#[test]
fn a_flipped_bit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    finished(folder.path());
    let whole = fs::read(folder.path().join("checkpoint.safetensors")).unwrap();
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    let damage = Damage { path: folder.path().join("damaged.safetensors"), whole };
    // Odd steps, so that every bit of a byte has its turn.
    for bit in (0..8 * header).step_by(11) {
        damage.flip(bit);
    }
    for bit in (8 * header..8 * damage.whole.len()).step_by(40_009) {
        let told = damage.flip(bit);
        assert!(told.contains("SHA-256 of the content: expected"), "{told}");
        assert!(told.contains("damaged.safetensors") && told.contains("it is damaged"), "{told}");
    }
}

/// Checkpoints from before there was a checksum still load; a momentum in one that is no number is named.
#[test]
fn older_checkpoints_load_and_their_momentum_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let config = finished(folder.path());
    let dataset = digits();
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let (_, new) = Checkpoint::read::<f32>(&path, &run).unwrap();
    let older = |spoil: bool| {
        let file = TensorFile::open(&path).unwrap();
        let tensor = |name: &str| {
            let (dtype, shape) = file.describe(name).unwrap();
            let mut bytes = file.raw(name).unwrap().into_owned();
            if spoil && name == "momentum/fc2.bias" {
                bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
            }
            assert!(matches!(dtype, Dtype::F32 | Dtype::U8));
            (name.to_string(), Tensor { dtype, shape: shape.to_vec(), bytes })
        };
        let tensors: Vec<(String, Tensor)> = file.names().map(tensor).collect();
        let mut header: serde_json::Value = serde_json::from_str(file.metadata(CHECKPOINT_KEY).unwrap()).unwrap();
        assert!(header.as_object_mut().unwrap().remove("sha256").is_some());
        let older = folder.path().join("older.safetensors");
        write(&older, HashMap::from([(CHECKPOINT_KEY.to_string(), header.to_string())]), &tensors).unwrap();
        Checkpoint::read::<f32>(&older, &run)
    };
    let (_, old) = older(false).unwrap();
    assert!(old.weights == new.weights);
    let told = older(true).map(drop).unwrap_err().to_string();
    assert!(told.contains("tensor `momentum/fc2.bias` at [0]: expected a number that is finite"), "{told}");
}

/// The first epoch of the best test accuracy, and every N-th, stay; also where the run is stopped and resumed.
#[test]
fn kept_epochs_are_those_asked_for() {
    let dataset = digits();
    let mut config = config(Method::Gdstar, 6);
    config.optimizer.learning_rate = 0.8; // with which accuracy falls again
    config.kernel = Kernel::Literal; // on every machine
    (config.outputs.keep_best, config.outputs.keep_every) = (true, Some(4));
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let train = |path: &Path, stops: &[usize]| -> History {
        let mut history = History::default();
        for stop in stops.iter().copied().map(Some).chain([None]) {
            let folder = match RunFolder::resume(path).unwrap() {
                Some((folder, _)) => folder,
                None => RunFolder::create(path, &config).unwrap(),
            };
            let (mut state, _) = folder.state::<f32>(&run).unwrap();
            history = History(folder.records(&config, state.epochs).unwrap());
            let mut metrics = folder.observe_metrics(state.epochs).unwrap();
            let mut kept = KeptCheckpoints::new(&folder, &run, &history.0).unwrap();
            let mut checkpointer = Checkpointer::new(&folder, &run, None);
            let mut stopper = StopAfter(stop.unwrap_or(usize::MAX));
            let mut observers: Vec<&mut dyn Observer<f32>> = vec![&mut history, &mut metrics, &mut kept];
            observers.extend([&mut checkpointer as &mut dyn Observer<f32>, &mut stopper]);
            assert_eq!(run.train(&mut state, &mut observers).is_ok(), stop.is_none());
        }
        history
    };
    let base = tempfile::tempdir().unwrap();
    let (whole, broken) = (base.path().join("whole"), base.path().join("broken"));
    let history = train(&whole, &[]);
    train(&broken, &[1, 3, 5]);
    let best = history.0.iter().map(|record| record.test_accuracy).fold(0.0, f64::max);
    let first = history.0.iter().position(|record| record.test_accuracy == best).unwrap();
    assert!(first + 1 < 6, "accuracy never fell: the test tested nothing");
    let epochs = |name: &str| Checkpoint::header(&TensorFile::open(&whole.join(name)).unwrap()).unwrap().epochs;
    assert_eq!(epochs("checkpoint-best.safetensors"), first + 1);
    assert_eq!(epochs("checkpoint-3.safetensors"), 4);
    assert_eq!(epochs("checkpoint.safetensors"), 6);
    assert_eq!(fs::read_dir(&whole).unwrap().count(), 5);
    for name in ["checkpoint-best.safetensors", "checkpoint-3.safetensors"] {
        assert!(fs::read(whole.join(name)).unwrap() == fs::read(broken.join(name)).unwrap(), "{name}");
    }
}
