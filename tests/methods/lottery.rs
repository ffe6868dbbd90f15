//! Promises of `gdstar lottery`: what a level prunes, by hand; that a level is level 0 from step k on under a mask; that folders
//! are used again, and that what was cut off goes on bit for bit.

use super::listed::gdstar;
use gdstar::Error;
use gdstar::data::{self, Dataset, Source};
use gdstar::experiment::Bench;
use gdstar::experiment::lottery::{LevelRecord, Lottery, Rule};
use gdstar::method::options::Value;
use gdstar::method::{Method, Options, lth};
use gdstar::scalar::Scalar;
use gdstar::tensor_file::TensorFile;
use gdstar::train::{BatchEvent, Config, EpochEvent, Observer, Watcher};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// The rule with these choices, by key.
fn rule(choices: &[(&str, &str)]) -> Rule {
    let mut options = Options::of(&lth::ENTRY);
    choices.iter().for_each(|(key, name)| options.set(key, Value::Name(name.to_string())));
    Rule::of(&options).unwrap()
}

/// Where each level's end leaves ten weights, and what the next level keeps: `docs/methods/lottery.md` has the table.
const ENDS: [[f64; 10]; 3] = [
    [0.5, -0.1, 0.8, 0.3, -0.9, 0.05, -0.4, 0.7, 0.2, -0.6],
    [0.4, 0.0, 0.9, 0.1, -0.7, 0.0, -0.3, 0.8, 0.3, -0.2],
    [0.2, 0.0, 0.6, 0.0, -0.5, 0.0, 0.2, 0.9, -0.2, 0.0],
];

fn indices(mask: &[bool]) -> Vec<usize> {
    (0..mask.len()).filter(|&j| mask[j]).collect()
}

#[test]
fn three_levels_by_hand() {
    let kept: [(usize, &[usize]); 3] = [(8, &[0, 2, 3, 4, 6, 7, 8, 9]), (6, &[0, 2, 4, 6, 7, 8]), (4, &[0, 2, 4, 7])];
    let mut mask = vec![true; 10];
    for (end, (k, expected)) in ENDS.iter().zip(kept) {
        let pruned = rule(&[]).prune(end, &mask, std::slice::from_ref(&(0..10))).unwrap();
        assert_eq!((pruned.keep, indices(&pruned.mask)), (vec![k], expected.to_vec()));
        mask = pruned.mask;
    }
    // The third level's tie of 0, 6 and 8, of which one lives.
    let before: Vec<bool> = (0..10).map(|j| [0, 2, 4, 6, 7, 8].contains(&j)).collect();
    for (choices, k, expected) in [
        (&[("ties", "higher-index")][..], 4, &[2, 4, 7, 8][..]),
        (&[("cut", "above-kth")], 4, &[2, 4, 7]),
        (&[("cut", "from-kth")], 4, &[0, 2, 4, 6, 7, 8]),
        (&[("count", "remove-floor")], 5, &[0, 2, 4, 6, 7]),
        // The living of 0..5 are 0, 2 and 4, of which ceil(0.6) goes; those of 5..10 are 6, 7 and 8.
        (&[("distribution", "uniform")], 2, &[2, 4, 6, 7]),
    ] {
        let pruned = rule(choices).prune(&ENDS[2], &before, &[0..5, 5..10]).unwrap();
        assert_eq!((pruned.keep[0], indices(&pruned.mask)), (k, expected.to_vec()), "{choices:?}");
    }
}

/// Exact counts for every size and fraction, and nothing comes back.
#[test]
fn counts_are_exact_and_masks_shrink() {
    for (n, fraction) in (0..40).flat_map(|n| [0.0, 0.1, 0.2, 0.5, 0.9, 1.0].map(|fraction| (n, fraction))) {
        for minimum in ["0", "1"] {
            let rule = Rule { fraction, ..rule(&[("minimum", minimum)]) };
            let w: Vec<f64> = (0..n).map(|j| ((j * 7 + 3) % 11) as f64).collect();
            let mut mask: Vec<bool> = (0..n).map(|j| j % 3 > 0).collect();
            for _ in 0..3 {
                let alive = indices(&mask).len();
                let pruned = rule.prune(&w, &mask, std::slice::from_ref(&(0..n))).unwrap();
                let removed = (alive as f64 * fraction).ceil() as usize;
                let k = (alive - removed).max(if minimum == "1" { alive.min(1) } else { 0 });
                assert_eq!(indices(&pruned.mask).len(), k, "{k} of {alive}, {fraction}");
                assert!(pruned.mask.iter().zip(&mask).all(|(now, before)| *before || !now), "nothing comes back");
                mask = pruned.mask;
            }
        }
    }
}

fn digits() -> Dataset {
    data::load(Source::Digits, None).unwrap()
}

fn lottery(levels: usize, rewind_step: usize) -> Lottery {
    let mut run = Config::new("lenet300", Source::Digits, Method::Dense);
    run.hyper.epochs = 2;
    let mut options = Options::of(&lth::ENTRY);
    options.set("rewind_step", Value::Count(rewind_step));
    Lottery { levels, options, run }
}

fn draw(lottery: &Lottery, folder: &Path, dataset: &Dataset) -> Vec<LevelRecord> {
    let bench = Bench { dataset, stop: &AtomicBool::new(false), watch: &|_, _| Vec::new(), progress: &|_, _, _| () };
    let mut told = Vec::new();
    let records = lottery.train(folder, &bench, &mut |record| {
        told.push(record.clone());
        Ok(())
    });
    assert_eq!(told, *records.as_ref().unwrap());
    records.unwrap()
}

/// A file's tensors, by name.
pub fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let file = TensorFile::open(path).unwrap();
    file.names().map(|name| (name.to_string(), file.raw(name).unwrap().to_vec())).collect()
}

/// All that a lottery leaves but for what a clock decides.
pub fn left_by(folder: &Path) -> BTreeMap<String, BTreeMap<String, Vec<u8>>> {
    let mut left = BTreeMap::new();
    for entry in walk(folder) {
        let name = entry.strip_prefix(folder).unwrap().display().to_string();
        match entry.extension().and_then(|extension| extension.to_str()) {
            Some("safetensors") => left.insert(name, tensors(&entry)),
            Some("jsonl") => {
                let timeless = |line: &str| {
                    let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
                    line["seconds"] = 0.into();
                    line.to_string()
                };
                let lines: Vec<String> = std::fs::read_to_string(&entry).unwrap().lines().map(timeless).collect();
                left.insert(name, BTreeMap::from([("lines".to_string(), lines.join("\n").into_bytes())]))
            }
            _ => left.insert(name, BTreeMap::from([("file".to_string(), std::fs::read(&entry).unwrap())])),
        };
    }
    left
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(walk(&entry)) } else { found.push(entry) }
    }
    found
}

/// With nothing pruned and no momentum to lose, a level is level 0 again, to the last bit: weights, running statistics,
/// learning rate and order of data are those of step k on, within an epoch too.
#[test]
fn a_level_trains_as_level_0_did_from_step_k_on() {
    let mut few = digits();
    few.train = few.train.select(&(0..160).collect::<Vec<_>>());
    few.test = few.test.select(&(0..40).collect::<Vec<_>>());
    for (model, dataset, k) in [("lenet300", &digits(), 17), ("resnet20", &few, 1)] {
        let folder = tempfile::tempdir().unwrap();
        let mut lottery = lottery(1, k);
        lottery.run.model = model.to_string();
        lottery.run.optimizer.momentum = 0.0;
        lottery.options.set("fraction", Value::Real(0.0));
        draw(&lottery, folder.path(), dataset);
        let [zero, mut one] = [0, 1].map(|l| tensors(&folder.path().join(format!("level_{l}/checkpoint.safetensors"))));
        one.retain(|name, _| !name.starts_with("mask/"));
        assert!(zero == one, "{model}");
    }
}

#[test]
fn a_trace_has_what_each_level_did() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), digits());
    let records = draw(&lottery(2, 5), folder.path(), &dataset);
    let file = |name: &str| TensorFile::open(&folder.path().join(name)).unwrap();
    let trace = file("trace.safetensors");
    let header: serde_json::Value = serde_json::from_str(trace.metadata("gdstar").unwrap()).unwrap();
    assert_eq!((&header["method"], &header["hyper"]["rewind_step"]), (&"lth".into(), &5.into()));
    assert_eq!((&header["hyper"]["fraction"], &header["reading"]["count"]), (&0.2.into(), &"remove-ceil".into()));
    let params = ["fc1.weight", "fc2.weight", "fc3.weight"];
    assert_eq!(header["params"], serde_json::json!(params));
    let flat = |file: &TensorFile, group: &str| -> Vec<f64> {
        params.iter().flat_map(|p| file.read_floats(&format!("{group}{p}"), None).unwrap().into_iter()).collect()
    };
    let flags = |file: &TensorFile, group: &str| -> Vec<bool> {
        params
            .iter()
            .flat_map(|p| file.read_integers(&format!("{group}{p}"), None).unwrap().into_iter())
            .map(|m| m == 1)
            .collect()
    };
    let mut alive = vec![true; 50_200];
    for (level, record) in records.iter().enumerate().skip(1) {
        let end = flat(&file(&format!("level_{}/checkpoint.safetensors", level - 1)), "");
        assert_eq!(flat(&trace, &format!("step/{level}/weights_before/")), end);
        assert_eq!(flags(&trace, &format!("step/{level}/mask_before/")), alive);
        // The ceil(n / 5) smallest of n go, found another way.
        let mut living: Vec<usize> = indices(&alive);
        living.sort_by(|&a, &b| end[b].abs().partial_cmp(&end[a].abs()).unwrap().then(a.cmp(&b)));
        let k = living.len() - living.len().div_ceil(5);
        living[k..].iter().for_each(|&j| alive[j] = false);
        assert_eq!(trace.read_integers(&format!("step/{level}/keep"), None).unwrap()[[0]], k as i64);
        assert_eq!(flags(&trace, &format!("step/{level}/mask/")), alive);
        assert_eq!(flags(&file(&format!("level_{level}/mask.safetensors")), "mask/"), alive);
        assert_eq!((record.active, record.sparsity), (k, (50_200 - k) as f64 / 50_200.0));
        assert!((record.remaining + record.sparsity - 1.0).abs() <= f64::EPSILON);
        let rewound = flat(&file("rewind.safetensors"), "");
        assert_eq!(flat(&trace, "rewind/"), rewound);
        let masked: Vec<f64> = rewound.iter().zip(&alive).map(|(w, &alive)| if alive { *w } else { 0.0 }).collect();
        assert_eq!(flat(&trace, &format!("step/{level}/weights_after/")), masked);
        assert!(flat(&trace, &format!("step/{level}/momentum/")).iter().all(|v| *v == 0.0));
        let end = flat(&file(&format!("level_{level}/checkpoint.safetensors")), "");
        assert!(end.iter().zip(&alive).all(|(w, &alive)| alive || *w == 0.0), "what is pruned stays 0");
    }
    let lines = std::fs::read_to_string(folder.path().join("lottery.jsonl")).unwrap();
    for (line, level) in lines.lines().zip(0..) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], level);
        for key in ["remaining", "sparsity", "test_accuracy", "loss", "seconds"] {
            assert!(line[key].is_number(), "{key}");
        }
    }
    assert_eq!(lines.lines().count(), 3);
}

#[test]
fn finished_levels_are_used_again_and_more_can_follow() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), digits());
    let at = |name: &str| folder.path().join(name);
    let whole = draw(&lottery(2, 5), &at("whole"), &dataset);
    draw(&lottery(1, 5), &at("grown"), &dataset);
    let times = |folder: &Path| -> Vec<_> {
        let finished = walk(folder).into_iter().filter(|file| file.ends_with("checkpoint.safetensors"));
        finished.map(|file| file.metadata().unwrap().modified().unwrap()).collect()
    };
    let before = times(&at("grown/level_1"));
    let grown = draw(&lottery(2, 5), &at("grown"), &dataset);
    assert_eq!(times(&at("grown/level_1")), before, "level 1 is not trained again");
    assert_eq!(
        grown.iter().map(|r| r.test_accuracy).collect::<Vec<_>>(),
        whole.iter().map(|r| r.test_accuracy).collect::<Vec<_>>()
    );
    let [mut whole, mut grown] = ["whole", "grown"].map(|name| left_by(&at(name)));
    assert_ne!(whole.remove("lottery.toml"), None);
    grown.remove("lottery.toml");
    assert_eq!(whole.keys().collect::<Vec<_>>(), grown.keys().collect::<Vec<_>>());
    assert!(whole == grown);
    // Fewer levels than are finished leave the lines of all.
    assert_eq!(draw(&lottery(1, 5), &at("grown"), &dataset).len(), 3);
}

/// Asks to stop after so many batches.
struct StopAfter<'a>(&'a std::sync::atomic::AtomicUsize, &'a AtomicBool);

impl<S: Scalar> Observer<S> for StopAfter<'_> {
    fn on_batch(&mut self, _: &BatchEvent<S>) -> gdstar::Result<()> {
        let left = self.0.fetch_sub(1, Ordering::Relaxed);
        self.1.store(left <= 1, Ordering::Relaxed);
        Ok(())
    }

    fn on_epoch(&mut self, _: &EpochEvent<S>) -> gdstar::Result<()> {
        Ok(())
    }
}

#[test]
fn an_interrupted_lottery_goes_on() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), digits());
    let at = |name: &str| folder.path().join(name);
    draw(&lottery(2, 5), &at("whole"), &dataset);
    // Level 0 has 24 steps, the others 19.
    for batches in [3, 20, 26, 50] {
        let name = format!("cut_{batches}");
        let (stop, left) = (AtomicBool::new(false), std::sync::atomic::AtomicUsize::new(batches));
        // Watchers outlive no session, which the type of the list does not know.
        let (stop, left): (&'static _, &'static _) = (Box::leak(Box::new(stop)), Box::leak(Box::new(left)));
        let watch = |_: &str, _: &gdstar::train::Beginning| vec![Box::new(StopAfter(left, stop)) as Box<dyn Watcher>];
        let bench = Bench { dataset: &dataset, stop, watch: &watch, progress: &|_, _, _| () };
        let error = lottery(2, 5).train(&at(&name), &bench, &mut |_| Ok(())).unwrap_err();
        assert!(matches!(&error, Error::InterruptedStage { .. }), "{error}");
        assert_eq!(error.exit_code(), 1);
        draw(&lottery(2, 5), &at(&name), &dataset);
        assert!(left_by(&at(&name)) == left_by(&at("whole")), "cut after {batches} batches");
    }
}

const WORDS: [&str; 13] = [
    "lottery",
    "--levels",
    "2",
    "--rewind-step",
    "5",
    "--model",
    "lenet300",
    "--data",
    "digits",
    "--epochs",
    "2",
    "--threads",
    "1",
];

fn command(folder: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let output = gdstar(&[&WORDS[..], &["--out", folder.to_str().unwrap()], more].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The oracle finds nothing in a trace, and checks all of it; `carry` is of no label.
pub fn is_passed(trace: &Path, entry: &gdstar::method::Entry) {
    let output = gdstar(&["check", trace.to_str().unwrap(), "--json"]);
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &verdict["verdict"]), (Some(0), &"PASS".into()), "{verdict}");
    let checked = verdict["checked"].as_array().unwrap();
    for label in entry.labels {
        assert!(checked.contains(&format!("{}.{label}", entry.name).into()), "{label}: {verdict}");
    }
}

/// Whatever the choices, what a lottery records is what the oracle says it should.
#[test]
fn every_choice_is_recorded_as_it_was_made() {
    let dataset = digits();
    for (key, name) in
        [("distribution", "uniform"), ("cut", "above-kth"), ("ties", "higher-index"), ("count", "keep-round")]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut lottery = lottery(2, 5);
        lottery.run.hyper.epochs = 1;
        lottery.run.precision = gdstar::scalar::Dtype::F64;
        lottery.options.set(key, Value::Name(name.to_string()));
        draw(&lottery, folder.path(), &dataset);
        is_passed(&folder.path().join("trace.safetensors"), &lth::ENTRY);
    }
}

/// Killed at whatever instant, the same command goes on, bit for bit.
#[test]
fn a_killed_lottery_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (code, told, errors) = command(&at("whole"), &[]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!((told.lines().count(), errors.as_str()), (4, ""), "a head and three levels: {told}");
    assert!(told.lines().all(|line| line.len() <= 80), "{told}");
    is_passed(&at("whole/trace.safetensors"), &lth::ENTRY);
    for seen in ["level_0/metrics.jsonl", "rewind.safetensors", "level_1/mask.safetensors", "level_2/config.toml"] {
        let cut = at(&seen.replace('/', "-"));
        let mut killed = Command::new(env!("CARGO_BIN_EXE_gdstar"))
            .args(WORDS)
            .arg("--out")
            .arg(&cut)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while !cut.join(seen).exists() && killed.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        let (code, _, errors) = command(&cut, &[]);
        assert_eq!(code, Some(0), "killed at {seen}: {errors}");
        assert!(left_by(&cut) == left_by(&at("whole")), "killed at {seen}");
    }
    // The folder knows its options.
    let output = gdstar(&["lottery", "--out", at("whole").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn bad_input_is_refused_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let refused = |name: &str, more: &[&str], words: &[&str]| {
        let (code, told, errors) = command(&at(name), more);
        assert_eq!((code, told.as_str(), errors.lines().count()), (Some(2), "", 1), "{more:?}: {errors}");
        words.iter().for_each(|word| assert!(errors.contains(word), "{word}: {errors}"));
    };
    refused("new", &["--fraction", "1.5"], &["--fraction", "[0, 1]"]);
    refused("new", &["--cut", "odd"], &["--cut", "above-kth"]);
    refused("new", &["--ties", "any"], &["--ties", "lower-index"]);
    refused("new", &["--method", "gdstar"], &["--method", "dense"]);
    refused("new", &["--trace", "t"], &["--trace", "gdstar lottery"]);
    refused("new", &["--lambda", "0.5"], &["--lambda", "gdstar lottery"]);
    assert!(!at("new").exists(), "nothing is written");
    let words = |more: &[&'static str]| {
        let base = ["lottery", "--model", "lenet300", "--data", "digits", "--epochs", "1", "--out"];
        let output = gdstar(&[&base[..], &[at("other").to_str().unwrap()][..], more].concat());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), errors.lines().count()), (Some(2), 1), "{errors}");
        assert!(!at("other").exists(), "nothing is written");
        errors
    };
    assert!(words(&["--levels", "0"]).contains("--levels: expected at least 1, found 0"));
    assert!(words(&[]).contains("--levels"));
    assert!(words(&["--levels", "1", "--rewind-step", "12"]).contains("--rewind-step: expected below 12"));
    assert!(words(&["--levels", "1", "--rewind-step", "2ep"]).contains("--rewind-step"));
    // A lottery with other options, and a folder of another kind.
    let (code, _, errors) = command(&at("there"), &[]);
    assert_eq!(code, Some(0), "{errors}");
    let before = left_by(&at("there"));
    refused("there", &["--fraction", "0.3"], &["lottery.toml", "--fraction 0.3 (was 0.2)"]);
    refused("there", &["--lr", "0.1"], &["lottery.toml", "--lr 0.1 (was 0.05)"]);
    refused("there", &["--seed", "1"], &["--seed 1 (was 0)"]);
    refused("there/level_0", &[], &["level_0", "gdstar train"]);
    assert!(left_by(&at("there")) == before);
}

/// The control has the masks of the ticket, other weights, and the whole training.
#[test]
fn new_weights_under_the_same_masks() {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), digits());
    let lottery = lottery(1, 5);
    let levels = draw(&lottery, folder.path(), &dataset);
    let bench =
        Bench { dataset: &dataset, stop: &AtomicBool::new(false), watch: &|_, _| Vec::new(), progress: &|_, _, _| () };
    let again = lottery.reinitialise(folder.path(), &bench, &mut |_| Ok(())).unwrap();
    assert_eq!((again.len(), again[0].active, again[0].level), (1, levels[1].active, 1));
    let of = |name: &str| tensors(&folder.path().join(name));
    let (ticket, control) = (of("level_1/checkpoint.safetensors"), of("reinit_1/checkpoint.safetensors"));
    assert_eq!(ticket["mask/fc1.weight"], control["mask/fc1.weight"]);
    assert_ne!(ticket["fc1.weight"], control["fc1.weight"]);
    assert_ne!(of("reinit.safetensors")["fc1.weight"], of("rewind.safetensors")["fc1.weight"]);
    let epochs =
        |run: &str| std::fs::read_to_string(folder.path().join(run).join("metrics.jsonl")).unwrap().lines().count();
    assert_eq!((epochs("level_1"), epochs("reinit_1")), (2, 2));
    let before = left_by(folder.path());
    lottery.reinitialise(folder.path(), &bench, &mut |_| Ok(())).unwrap();
    assert!(left_by(folder.path()) == before, "what is finished stays");
}
