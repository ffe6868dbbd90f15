//! The command as a user meets it: what it prints, how it fails, and that a killed run continues as if nothing had
//! happened.

mod exchange;
mod models;
mod outputs;
mod runs;
mod streams;

use gdstar::paper::reading::CHOICES;
use gdstar::tensor_file::TensorFile;
use gdstar::train::Metrics;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

pub fn gdstar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gdstar")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Fails as promised: one line on standard error with all of `parts`, nothing on standard output, this exit code.
pub fn assert_fails(arguments: &[&str], code: i32, parts: &[&str]) {
    let output = gdstar(arguments);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    assert_eq!(told.lines().count(), 1, "{arguments:?}: {told}");
    assert!(told.starts_with("gdstar: "), "{told}");
    for part in parts {
        assert!(told.contains(part), "{arguments:?}: `{part}` is not in: {told}");
    }
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
}

const SMALL: [&str; 9] = ["train", "--model", "lenet300", "--data", "digits", "--epochs", "4", "--eps", "0.01"];

fn small<'a>(more: &[&'a str]) -> Vec<&'a str> {
    SMALL.iter().copied().chain(more.iter().copied()).collect()
}

/// The README's first command does the main job, and ends with Table 2's form.
#[test]
fn the_main_job_ends_with_table_2() {
    let output = gdstar(&["--epochs", "2", "--every", "1"]);
    let told = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "no progress bar without a terminal");
    for part in ["1797 handwritten digits", "CC BY 4.0", "S_F", "k*", "Reset to W_0", "Rewind to W_k* (GDSTAR)"] {
        assert!(told.contains(part), "`{part}` is not in:\n{told}");
    }
    let last = told.lines().last().unwrap();
    let numbers: Vec<f64> = last.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert_eq!(numbers.len(), 5, "three accuracies and two sparsities: {last}");
    assert!(numbers[0] > 50.0, "two epochs of digits beat chance by far: {last}");
    for line in told.lines() {
        assert!(line.chars().count() <= 80, "a terminal would break this line:\n{line}");
    }
}

/// `--help` teaches: every subcommand has one, and `train` has an option for every symbol and every open point.
#[test]
fn help_names_every_symbol_and_open_point() {
    for arguments in [
        &["--help"][..],
        &["train", "--help"],
        &["models", "--help"],
        &["op", "--help"],
        &["probe", "--help"],
        &["weights", "--help"],
        &["check", "--help"],
        &["replay", "--help"],
        &["golden", "verify", "--help"],
        &["evaluate", "--help"],
        &["export", "--help"],
        &["table", "--help"],
        &["plot", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
        &["data", "fetch", "--help"],
    ] {
        let output = gdstar(arguments);
        assert!(output.status.success() && text(&output.stderr).is_empty(), "{arguments:?}");
        let mut narrow = Command::new(env!("CARGO_BIN_EXE_gdstar"));
        let told = text(&narrow.args(arguments).env("COLUMNS", "80").output().unwrap().stdout);
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{arguments:?}:\n{told}");
    }
    let help = text(&gdstar(&["train", "--help"]).stdout);
    let symbols = ["--alpha-0", "--alpha-k", "--lambda", "--eps", "--chunks", "--lr", "--momentum", "--weight-decay"];
    for option in symbols.into_iter().chain(["--batch-size", "--epochs", "--seed", "--resume", "--trace"]) {
        assert!(help.contains(option), "{option}");
    }
    for (key, names) in CHOICES {
        assert!(help.contains(&format!("--{}", key.replace('_', "-"))), "{key}");
        assert!(names.iter().all(|name| help.contains(name)), "{key}: {names:?}");
    }
}

/// Every shell gets a script that knows the subcommands, and every subcommand its page of the manual.
#[test]
fn completions_and_manual_know_every_subcommand() {
    let subcommands = ["train", "models", "evaluate", "export", "table", "plot", "check", "replay", "data", "man"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = gdstar(&["completions", shell]);
        let script = text(&output.stdout);
        assert!(output.status.success() && text(&output.stderr).is_empty(), "{shell}");
        for part in subcommands.into_iter().chain(["masked-gradient"]) {
            assert!(script.contains(part), "`{part}` is not in {shell}'s");
        }
    }
    assert_fails(&["completions", "csh"], 2, &["csh", "bash", "zsh"]);
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert!(gdstar(&["man", "--out", pages.to_str().unwrap()]).status.success());
    for name in subcommands {
        let page = fs::read_to_string(pages.join(format!("gdstar-{name}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
    assert!(fs::read_to_string(pages.join("gdstar.1")).unwrap().contains("Exit codes"));
}

/// Nothing is coloured in a pipe, unless it is asked for in the way that other programs are.
#[test]
fn pipes_are_not_coloured() {
    let run = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
        command.args(["--epochs", "1"]).env_remove("CLICOLOR_FORCE").envs(variables.iter().copied());
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(!run(&[]) && !run(&[("CLICOLOR", "1")]) && !run(&[("NO_COLOR", "1")]));
    assert!(run(&[("CLICOLOR_FORCE", "1")]), "the test would see no colour if there were any");
}

/// Impossible options: one line with the option, what was expected and what was found; exit 2.
#[test]
fn impossible_options_are_named() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["--alpha-0", "1"], &["--alpha-0", "(0, 1)", "found 1"]),
        (&["--alpha-0", "-0.5"], &["--alpha-0", "(0, 1)", "-0.5"]),
        (&["--alpha-k", "0"], &["--alpha-k", "(0, 1)", "found 0"]),
        (&["--alpha-k", "nan"], &["--alpha-k", "(0, 1)", "NaN"]),
        (&["--lambda", "0"], &["--lambda", "(0, 1]", "found 0"]),
        (&["--lambda", "1.5"], &["--lambda", "(0, 1]", "1.5"]),
        (&["--eps", "-1"], &["--eps", ">= 0", "-1"]),
        (&["--chunks", "0"], &["--chunks", "at least 1", "0"]),
        (&["--chunks", "x"], &["--chunks", "x"]),
        (&["--lr", "inf"], &["--lr", "finite", "inf"]),
        (&["--momentum", "-1"], &["--momentum", "at least 0", "-1"]),
        (&["--weight-decay", "nan"], &["--weight-decay", "NaN"]),
        (&["--batch-size", "0"], &["--batch-size", "at least 1", "0"]),
        (&["--threads", "0"], &["--threads", "at least 1", "0"]),
        (&["--method", "magic"], &["magic", "gdstar", "dense", "reset", "random-rewind"]),
        (&["--masked-gradient", "some"], &["some", "dense", "zero", "excluded"]),
        (&["--alhpa-0", "0.5"], &["--alhpa-0", "--alpha-0"]),
        // A number for an option that takes a name: the option that takes the number.
        (&["--learning-rate", "0.1"], &["--learning-rate", "per-epoch", "the rate itself is --lr"]),
        (&["--threshold", "1e-4"], &["--threshold", "is --eps"]),
        (&["--quantile", "0.9"], &["--quantile", "is --alpha-0 and --alpha-k"]),
        (&["--chunking", "8"], &["--chunking", "is --chunks"]),
        (&["--decay-step", "0.5"], &["--decay-step", "is --lambda"]),
        // Other programs' names.
        (&["--wd", "1e-4"], &["unexpected argument '--wd' found; it is --weight-decay here"]),
        (&["--batch", "64"], &["--batch", "it is --batch-size here"]),
        (&["--num-epochs", "5"], &["--num-epochs", "it is --epochs here"]),
        (&["--output", "run"], &["--output", "it is --out here"]),
        (&["--workers", "2"], &["--workers", "it is --threads here"]),
        (&["--resume"], &["--out"]),
    ];
    for (options, parts) in cases {
        let run = ["train", "--model", "lenet300", "--data", "digits"];
        assert_fails(&[&run, *options].concat(), 2, parts);
    }
    assert_fails(
        &["train", "--model", "lenet300", "--data", "digits", "--epochs", "0"],
        2,
        &["--epochs", "at least 1"],
    );
    assert_fails(&["train", "--model", "lenet9000", "--data", "digits"], 2, &["--model", "lenet300", "`lenet9000`"]);
    assert_fails(&["train", "--model", "lenet300", "--data", "letters"], 2, &["digits", "mnist", "letters"]);
    assert_fails(&["train", "--data", "digits"], 2, &["--model"]);
    assert_fails(&["train", "--model", "lenet300"], 2, &["--data"]);
    let chunks = ["train", "--model", "lenet300", "--data", "digits", "--chunks", "50201"];
    assert_fails(&chunks, 2, &["--chunks", "at most N = 50200", "50201"]);
    assert_fails(&["models", "lenet9000"], 2, &["--model", "`lenet9000`"]);
    assert_fails(&["frobnicate"], 2, &["frobnicate"]);
    assert_fails(&["data"], 2, &["data: expected a subcommand: fetch, list"]);
    assert_fails(&["golden"], 2, &["golden: expected a subcommand: verify"]);
    assert_fails(&["--epochs", "0"], 2, &["--epochs", "at least 1", "found 0"]);
    assert_fails(&["--num-epochs", "5"], 2, &["it is --epochs here"]);
    assert_fails(&["plot", "run", "--output", "a.svg"], 2, &["it is --out here"]);
    assert!(!text(&gdstar(&["models", "--output", "x"]).stderr).contains("--out here"), "`models` has no --out");
    // Two 5x5 windows, each halved, leave nothing of 8x8 images.
    assert_fails(&["train", "--model", "lenet", "--data", "digits"], 2, &["conv2d", "kernel height", "expected"]);
}

/// A run that diverges fails with exit code 1, and says where: the epoch, the batch, the quantity.
#[test]
fn a_run_that_diverges_says_where() {
    // Losses overflow within a few steps.
    assert_diverges(&["--lr", "1e30"], "the loss (first in layer fc");
    // Each gradient is finite in f32, its square is not: the method's own sum overflows at the epoch's end.
    assert_diverges(&["--lr", "0", "--weight-decay", "1e25", "--gradient", "loss+decay"], "S_sq of Eq. 4");
}

fn assert_diverges(options: &[&str], quantity: &str) {
    let output = gdstar(&small(&[&["--every", "0"], options].concat()));
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    for part in ["gdstar: epoch 0, batch ", quantity, "expected a finite number", "--lr"] {
        assert!(told.contains(part), "`{part}` is not in: {told}");
    }
}

/// Data that is not there or not whole: file, place, expected, found; and no run folder is left behind.
#[test]
fn unreadable_data_is_named_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let out = folder.path().join("run");
    let (data_dir, out_dir) = (data.to_str().unwrap(), out.to_str().unwrap());
    let run = ["train", "--model", "lenet300", "--data", "mnist", "--data-dir", data_dir, "--out", out_dir];
    assert_fails(&["train", "--model", "lenet300", "--data", "mnist"], 2, &["mnist"]);
    assert_fails(&run, 2, &[data_dir]);
    fs::create_dir(&data).unwrap();
    assert_fails(&run, 2, &["train-images"]);
    // Headers that promise 60,000 images or labels, and nothing behind them.
    for part in ["train", "t10k"] {
        let images = [0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28];
        fs::write(data.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(data.join(format!("{part}-labels-idx1-ubyte")), [0, 0, 8, 1, 0, 0, 0xea, 0x60]).unwrap();
    }
    assert_fails(&run, 2, &["-ubyte: ", "expected", "found"]);
    assert!(!out.exists(), "nothing half-written");
}

/// A configuration or a checkpoint that is not whole is named, with the place in it.
#[test]
fn damaged_run_folders_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let resume = ["train", "--out", out, "--resume"];
    assert_fails(&resume, 2, &["--model"]);
    assert!(gdstar(&small(&["--out", out, "--every", "0"])).status.success());
    assert_fails(&small(&["--out", out]), 2, &["config.toml", "--resume"]);
    assert_fails(&["train", "--out", out, "--resume", "--seed", "9"], 2, &["config.toml", "--seed 9 (was 0)"]);
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let whole = fs::read(&checkpoint).unwrap();
    for keep in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&checkpoint, &whole[..keep]).unwrap();
        assert_fails(&resume, 2, &["checkpoint.safetensors", "a complete safetensors file", &format!("{keep} bytes")]);
    }
    // A header that claims 2^56 bytes is refused, not allocated for.
    let mut lying = whole.clone();
    lying[..8].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]);
    fs::write(&checkpoint, lying).unwrap();
    assert_fails(&resume, 2, &["checkpoint.safetensors"]);
    fs::write(&checkpoint, whole).unwrap();
    let config = folder.path().join("config.toml");
    let toml = fs::read_to_string(&config).unwrap();
    fs::write(&config, toml.replace("seed = 0", "sead = 0")).unwrap();
    assert_fails(&resume, 2, &["config.toml", "line", "sead"]);
    fs::write(&config, toml.replace("lambda = 0.75", "lambda = 7.5")).unwrap();
    assert_fails(&resume, 2, &["config.toml", "--lambda", "7.5"]);
    fs::write(&config, &toml).unwrap();
    let metrics = folder.path().join("metrics.jsonl");
    fs::write(&metrics, "{\"epoch\": 0").unwrap();
    assert_fails(&resume, 2, &["metrics.jsonl", "4 completed epochs"]);
}

/// A finished run is not run again: `--resume` tells its result.
#[test]
fn a_finished_run_is_only_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let first = gdstar(&small(&["--out", out, "--every", "0"]));
    let before = fs::read(folder.path().join("checkpoint.safetensors")).unwrap();
    let again = gdstar(&["train", "--out", out, "--resume", "--every", "0"]);
    assert!(again.status.success());
    assert_eq!(text(&first.stdout), text(&again.stdout));
    assert!(before == fs::read(folder.path().join("checkpoint.safetensors")).unwrap());
}

/// Killed with SIGKILL again and again, at instants that are not chosen, a run ends with the checkpoint and the
/// metrics of a run that was left alone; and with another number of threads.
#[test]
fn kill_9_and_resume_give_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    let epochs = 40;
    let arguments = |out: &Path| -> Vec<String> {
        let mut arguments: Vec<String> = SMALL.iter().map(ToString::to_string).collect();
        arguments[6] = epochs.to_string();
        arguments.extend(["--every", "0", "--out", out.to_str().unwrap(), "--trace"].map(String::from));
        arguments.push(out.with_extension("trace").to_str().unwrap().to_string());
        arguments
    };
    let whole_run = Command::new(env!("CARGO_BIN_EXE_gdstar")).args(arguments(&whole)).output().unwrap();
    assert!(whole_run.status.success(), "{}", text(&whole_run.stderr));
    let mut kills = 0;
    loop {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
        command.args(arguments(&broken)).args(["--resume", "--threads", if kills % 2 == 0 { "1" } else { "3" }]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Longer each time, so that the run gets through however slow the machine is.
        std::thread::sleep(Duration::from_millis(60 + 41 * kills));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills >= 2, "the run was never killed: the test tested nothing");
    let same = |a: &Path, b: &Path| fs::read(a).unwrap() == fs::read(b).unwrap();
    assert!(same(&whole.join("checkpoint.safetensors"), &broken.join("checkpoint.safetensors")), "{kills} kills");
    assert!(same(&whole.with_extension("trace"), &broken.with_extension("trace")), "{kills} kills: trace");
    let records = |out: &Path| {
        let mut records = Metrics::read(&out.join("metrics.jsonl"), epochs).unwrap();
        records.iter_mut().for_each(|record| record.seconds = 0.0);
        records
    };
    assert_eq!(records(&whole), records(&broken));
}

/// A new folder of MNIST's form with a few images, other ones for another `factor`.
fn write_idx(folder: &Path, factor: usize) {
    fs::create_dir(folder).unwrap();
    for (part, count) in [("train", 64u8), ("t10k", 20)] {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 28, 0, 0, 0, 28];
        images.extend((0..usize::from(count) * 784).map(|i| (i * factor % 251) as u8));
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        let mut labels = vec![0, 0, 8, 1, 0, 0, 0, count];
        labels.extend((0..count).map(|i| i % 10));
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

/// Plain IDX files of a few images, found relative to where the command runs; the run is resumed from elsewhere.
#[test]
fn small_idx_files_train_and_resume_from_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    write_idx(&folder.path().join("data"), 37);
    let run = |directory: &Path, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
        let output = command.current_dir(directory).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let all =
        ["train", "--model", "lenet300", "--data", "mnist", "--data-dir", "data", "--epochs", "2", "--out", "run"];
    let first = run(folder.path(), &[&all[..], &["--every", "0"]].concat());
    assert_eq!(first, run(folder.path(), &[&all[..], &["--every", "0", "--resume"]].concat()));
    let out = folder.path().join("run");
    assert_eq!(first, run(Path::new("/"), &["train", "--out", out.to_str().unwrap(), "--resume", "--every", "0"]));
}

/// `metrics.jsonl` has the keys that scripts rely on, and the checkpoint PyTorch's names.
#[test]
fn the_run_folder_holds_what_scripts_rely_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    assert!(gdstar(&small(&["--out", out.to_str().unwrap(), "--every", "0"])).status.success());
    let metrics = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    assert_eq!(metrics.lines().count(), 4);
    for line in metrics.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["epoch", "loss", "test_accuracy", "sparsity", "frobenius", "k_star", "t", "alpha", "tau"] {
            assert!(record[key].is_number(), "{key} in {line}");
        }
        for key in ["selected", "learning_rate", "seconds"] {
            assert!(record[key].is_number(), "{key} in {line}");
        }
        for layer in ["fc1", "fc2", "fc3"] {
            assert!(record["layers"][format!("{layer}.weight")].is_number(), "{layer} in {line}");
        }
    }
    let checkpoint = TensorFile::open(&out.join("checkpoint.safetensors")).unwrap();
    for layer in ["fc1", "fc2", "fc3"] {
        let weight = format!("{layer}.weight");
        for name in [weight.clone(), format!("{layer}.bias"), format!("momentum/{weight}"), format!("mask/{weight}")] {
            assert!(checkpoint.describe(&name).is_some(), "{name}");
        }
    }
}

/// `gdstar op` evaluates a golden file in every precision, and names what is wrong with a file that is cut short.
#[test]
fn op_files_are_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/ops/linear.safetensors");
    let out = folder.path().join("out.safetensors");
    for precision in ["f32", "f64", "dd"] {
        let arguments = ["op", golden.to_str().unwrap(), "--out", out.to_str().unwrap(), "--precision", precision];
        let output = gdstar(&arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(TensorFile::open(&out).unwrap().names().any(|name| name.ends_with("/grad/w")));
        fs::remove_file(&out).unwrap();
    }
    let cut = folder.path().join("cut.safetensors");
    let whole = fs::read(&golden).unwrap();
    fs::write(&cut, &whole[..whole.len() - 8]).unwrap();
    assert_fails(&["op", cut.to_str().unwrap(), "--out", out.to_str().unwrap()], 2, &["cut.safetensors", "complete"]);
    assert!(!out.exists(), "nothing half-written");
}
