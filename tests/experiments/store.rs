//! Promises of the store: what is finished is not done again, what is cut off goes on bit for bit, nothing is lost or mixed up.

use super::common::{begin, gdstar, printed, refused, word};
use gdstar::data::{self, Source};
use gdstar::experiment::lottery::Lottery;
use gdstar::experiment::{Job, Store};
use gdstar::method::Method;
use gdstar::train::{Config, StoredRun};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

const LITTLE: [&str; 8] = ["--models", "lenet300", "--data", "digits", "--seeds", "1", "--epochs", "3"];

fn words<'a>(target: &'a str, store: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    [&["reproduce", target][..], &LITTLE, &["--store", word(store)], more].concat()
}

/// The objects of `--list`.
fn list(target: &str, store: &Path) -> Vec<Value> {
    printed(&words(target, store, &["--list"])).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A run's epochs without what a clock decides.
fn epochs(folder: &Path) -> Vec<String> {
    let records = StoredRun::read(folder).unwrap().records;
    records.into_iter().map(|record| format!("{:?}", gdstar::train::EpochRecord { seconds: 0.0, ..record })).collect()
}

/// Changing what a hash is made of would have every store begin anew: `VERSION` of the store says so then.
#[test]
fn hashes_are_pinned() {
    let hash = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::new("lenet300", Source::Mnist, Method::Gdstar);
        change(&mut config);
        Job::train(config).hash().unwrap()
    };
    let paper = hash(&|_| {});
    assert_eq!(paper, "3d910e9fedd68e50");
    // Where the data lie decides nothing.
    assert_eq!(hash(&|config| config.data_dir = Some("elsewhere".into())), paper);
    let others: [&dyn Fn(&mut Config); 4] = [
        &|config| config.seed = 1,
        &|config| config.hyper.lambda = 0.5,
        &|config| config.reading.epoch_origin = gdstar::paper::reading::EpochOrigin::ALL[1],
        &|config| config.outputs.keep_best = true,
    ];
    for other in others {
        assert_ne!(hash(other), paper);
    }
}

#[test]
fn a_list_says_what_is_done_and_each_command_does_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let before = list("table4", &store);
    assert!(!store.exists(), "listing leaves nothing");
    assert_eq!(before.len(), 2);
    for line in &before {
        assert_eq!(line["done"], false);
        assert!(line["seconds"].as_f64().unwrap() > 0.0 && line["bytes"].as_u64().unwrap() > 0);
    }
    let command: Vec<&str> =
        before[1]["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(command[0], "gdstar");
    printed(&command[1..]);
    let done: Vec<bool> = list("table4", &store).iter().map(|line| line["done"].as_bool().unwrap()).collect();
    assert_eq!(done, [false, true]);
    let metrics = Path::new(before[1]["folder"].as_str().unwrap()).join("metrics.jsonl");
    let written = fs::metadata(&metrics).unwrap().modified().unwrap();
    printed(&words("table4", &store, &[]));
    assert_eq!(fs::metadata(&metrics).unwrap().modified().unwrap(), written, "what is finished is left alone");
    assert!(list("table4", &store).iter().all(|line| line["done"] == true));
}

/// Killed within an epoch, without a chance to say anything.
#[test]
fn a_killed_run_goes_on_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, cut] = ["whole", "cut"].map(|name| folder.path().join(name));
    let hash = list("table2", &whole)[2]["hash"].as_str().unwrap().to_string();
    let only = ["--only", hash.as_str()];
    printed(&words("table2", &whole, &only));
    let run = |store: &Path| store.join("runs").join(&hash);
    let mut child = begin(&words("table2", &cut, &only));
    while !run(&cut).join("checkpoint.safetensors").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!run(&cut).join("finished.json").exists());
    printed(&words("table2", &cut, &only));
    assert_eq!(epochs(&run(&cut)), epochs(&run(&whole)));
}

#[test]
fn two_processes_do_not_work_in_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("store")).unwrap();
    let hold = store.hold().unwrap();
    let (line, status) = refused(&words("table2", store.folder(), &[]));
    assert!(line.contains("expected no other process at work here") && line.contains("--list"), "{line}");
    assert_eq!(status, 2);
    drop(hold);
    // Those that take single runs do, and keep the others away.
    let (_one, _other) = (store.share().unwrap(), store.share().unwrap());
    assert!(store.hold().is_err());
    assert_eq!(store.folder().join("runs").read_dir().unwrap().count(), 0);
}

#[test]
fn stores_of_other_versions_and_other_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    fs::create_dir(&store).unwrap();
    fs::write(store.join("thesis.tex"), "").unwrap();
    let (line, status) = refused(&words("table2", &store, &[]));
    assert!(line.contains("expected nothing, or a store") && status == 2, "{line}");
    assert_eq!(store.read_dir().unwrap().count(), 1, "nothing is left in it");
    for (about, found) in [("version = 99\n", "found 99"), ("", "found none"), ("version =", "found ")] {
        fs::write(store.join("store.toml"), about).unwrap();
        for more in [&[][..], &["--list"]] {
            let (line, status) = refused(&words("table2", &store, more));
            assert!(line.contains("store.toml: version: expected 2;") && line.contains(found), "{line}");
            assert_eq!(status, 2);
        }
    }
}

/// What is finished is not looked at again: so runs of other data must not join it.
#[test]
fn a_store_has_one_data_set_of_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::create(&folder.path().join("store")).unwrap();
    let mut digits = data::load(Source::Digits, None).unwrap();
    let config = Config::new("lenet300", Source::Digits, Method::Dense);
    store.check_data(&config, &digits).unwrap();
    store.check_data(&config, &digits).unwrap();
    digits.train.labels[0] ^= 1;
    let told = store.check_data(&config, &digits).unwrap_err().to_string();
    assert!(told.contains("expected the digits of the runs in this store; give another --store"), "{told}");
}

/// What is finished is believed as the run left it only: no number comes of a folder that was changed since.
#[test]
fn what_was_changed_since_it_finished_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let words = words("table4", &store, &[]);
    printed(&words);
    let hashes: Vec<String> =
        list("table4", &store).iter().map(|line| line["hash"].as_str().unwrap().to_string()).collect();
    let run = store.join("runs").join(&hashes[0]);
    let file = |name: &str| fs::read_to_string(run.join(name)).unwrap();
    let [metrics, config, receipt] = ["metrics.jsonl", "config.toml", "finished.json"].map(file);
    let last = metrics.trim_end().rfind('\n').unwrap() + 1;
    let edited = config.replace("seed = 0", "seed = 7");
    assert_ne!(edited, config);
    let foreign = receipt.replace(&hashes[0], &hashes[1]);
    let ended = "expected the results that the run ended with (SHA-256 ";
    let own = format!("expected {}, this run's", hashes[0]);
    for (name, text, told) in [
        ("metrics.jsonl", &metrics[..last], ended),
        ("metrics.jsonl", "", ended),
        ("config.toml", &edited, "expected those of the run"),
        ("finished.json", "", "expected a finished run's name, hash and SHA-256"),
        ("finished.json", &foreign, &own),
    ] {
        let before = file(name);
        fs::write(run.join(name), text).unwrap();
        check_refused(&words, name, told);
        fs::write(run.join(name), before).unwrap();
    }
    fs::remove_file(run.join("metrics.jsonl")).unwrap();
    check_refused(&words, "metrics.jsonl", "found no file");
    fs::write(run.join("metrics.jsonl"), metrics).unwrap();
    printed(&words);
    // Another run's folder in its place.
    fs::remove_dir_all(&run).unwrap();
    fs::rename(store.join("runs").join(&hashes[1]), &run).unwrap();
    check_refused(&words, "finished.json", &own);
}

/// It ends with one line that names the file and the way out, and prints nothing.
fn check_refused(words: &[&str], file: &str, told: &str) {
    let output = gdstar(words);
    let line = String::from_utf8(output.stderr).unwrap();
    let last = line.lines().last().unwrap_or_default();
    assert!(last.contains(file) && last.contains(told), "{file}: {line}");
    assert!(last.contains("remove the folder to train it again"), "{file}: {line}");
    assert_eq!(output.status.code(), Some(2), "{file}: {line}");
    assert!(output.stdout.is_empty(), "{file}");
}

/// A lottery's lines are sealed too, and one that is no record is told, not left out.
#[test]
fn lines_of_a_lottery_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lottery.jsonl");
    let level = |level: usize| {
        format!(
            "{{\"level\":{level},\"remaining\":1.0,\"active\":9,\"sparsity\":0.0,\"test_accuracy\":0.5,\"loss\":1.0,\
             \"seconds\":1.0}}\n"
        )
    };
    fs::write(&path, level(0) + &level(1)).unwrap();
    assert_eq!(Lottery::records(folder.path()).unwrap().len(), 2);
    fs::write(&path, level(0) + "{\"level\":1\n" + &level(2)).unwrap();
    let told = Lottery::records(folder.path()).unwrap_err().to_string();
    assert!(told.contains("lottery.jsonl: line 2: expected a result"), "{told}");
}

/// A disk that is full ends it; what was finished stays, and with room it goes on.
#[test]
#[cfg(unix)]
fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let words = words("table4", &store, &[]);
    // A file may have 400 blocks of 1 KiB; a checkpoint has more.
    let script = "ulimit -f 400; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_gdstar")])
        .args(&words)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("checkpoint.safetensors: cannot write"), "{told}");
    assert!(list("table4", &store).iter().all(|line| line["done"] == false));
    printed(&words);
    assert!(list("table4", &store).iter().all(|line| line["done"] == true));
}

#[test]
fn wrong_words_are_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let of = |more: &[&'static str]| -> Vec<String> {
        let words = [&["reproduce"][..], more, &["--store", word(&store)]].concat();
        words.into_iter().map(str::to_string).collect()
    };
    for (more, told) in [
        (&["tabel2"][..], "a similar value exists: 'table2'"),
        (&["table2", "--seeds", "0"], "--seeds: expected 1 to 1000, found 0"),
        (&["table2", "--epochs", "0"], "--epochs: expected at least 1, found 0"),
        (&["table2", "--models", "lenet3"], "found `lenet3`"),
        (&["table4", "--models", "densenetc"], "--models: expected of this target's lenet300 | vgg16"),
        (&["table2", "--data", "mnits"], "expected digits | mnist"),
        (&["table2", "--only", "0123"], "--only: expected the hash of a run of this target at this scale"),
        (&["table2", "--threads", "0"], "--threads: expected at least 1, found 0"),
        (&["--only", "0123"], "required"),
    ] {
        let words = of(more);
        let (line, status) = refused(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(line.contains(told) && status == 2, "{more:?}: {line}");
    }
}

/// Data that are not there: what to fetch, and what needs none of them is done.
#[test]
fn missing_data_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let words =
        ["reproduce", "table2", "--models", "lenet300", "--seeds", "1", "--epochs", "1", "--store", word(&store)];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_gdstar"))
        .args(words)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("gdstar data fetch mnist") && output.status.code() == Some(2), "{told}");
    assert!(!String::from_utf8(output.stdout).unwrap().is_empty(), "what is there is shown");
}

#[test]
fn the_overview_lists_every_target() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let told = printed(&["reproduce", "--store", word(&store)]);
    // Titles are broken where a terminal ends.
    let in_one_line = told.split_whitespace().collect::<Vec<_>>().join(" ");
    for target in gdstar::experiment::reproduce::TARGETS {
        assert!(told.lines().any(|line| line.starts_with(&format!("{} ", target.name))), "{}", target.name);
        assert!(in_one_line.contains(target.title), "{}", target.title);
    }
    assert!(!store.exists());
}

/// A call that could begin nothing leaves neither a note nor a store, and tells the reason once.
#[test]
fn a_call_that_begins_nothing_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let nowhere = folder.path().join("nowhere");
    let call = ["reproduce", "table2", "--models", "lenet300", "--seeds", "1", "--epochs", "1"];
    let output = gdstar(&[&call[..], &["--data-dir", word(&nowhere), "--store", word(&store)]].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), told.matches("data set: expected").count()), (Some(2), 1), "{told}");
    assert!(!store.exists(), "an empty store is left");
}

/// A finished run that was changed since is told also where it is asked for alone.
#[test]
fn a_damaged_run_asked_for_alone_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let hash = list("fig2", &store)[0]["hash"].as_str().unwrap().to_string();
    let only = words("fig2", &store, &["--only", &hash]);
    printed(&only);
    printed(&only);
    let metrics = store.join("runs").join(&hash).join("metrics.jsonl");
    fs::write(&metrics, fs::read_to_string(&metrics).unwrap() + "\n").unwrap();
    let (told, code) = refused(&only);
    assert!(code == 2 && told.contains("metrics.jsonl"), "{told}");
}
