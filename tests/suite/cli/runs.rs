//! `gdstar train` on run folders and with options, as users come back to them.

use super::{assert_fails, gdstar, small, text, write_idx};
use gdstar::method::METHODS;
use gdstar::oracle::{CheckOptions, Verdict, check};
use gdstar::train::Metrics;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills a run with SIGKILL once it has completed so many epochs.
fn kill_after(mut run: Child, folder: &Path, epochs: usize) {
    let completed = || fs::read(folder.join("metrics.jsonl")).map_or(0, |m| m.iter().filter(|&&b| b == b'\n').count());
    while completed() < epochs {
        assert!(run.try_wait().unwrap().is_none(), "the run ended before it was killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    run.kill().unwrap();
    run.wait().unwrap();
}

/// A run of more epochs than anybody waits for, killed after a few.
fn killed(folder: &Path, more: &[&str]) {
    let all = [&["--out", folder.to_str().unwrap(), "--every", "0", "--epochs", "100000"], more].concat();
    let arguments = [&["train", "--model", "lenet300", "--data", "digits", "--batch-size", "721"][..], &all].concat();
    kill_after(start(&arguments), folder, 3);
}

/// `--resume` with options that the run did not begin with: each is named, with its value now and then.
#[test]
fn resume_names_every_option_that_differs() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("run");
    let out = out.to_str().unwrap();
    assert!(gdstar(&small(&["--out", out, "--every", "0"])).status.success());
    let resume = ["train", "--out", out, "--resume"];
    let changes: &[(&[&str], &[&str])] = &[
        (&["--epochs", "3"], &["config.toml", "--epochs 3 (was 4)", "leave them out"]),
        (&["--lr", "0.125", "--method", "reset"], &["--lr 0.125 (was 0.05)", "--method reset (was gdstar)"]),
        (&["--learning-rate", "per-step"], &["--learning-rate per-step (was per-epoch)"]),
        (&["--alpha-k", "0.5"], &["--alpha-k 0.5 (was 0.25)"]),
        (&["--no-augmentation"], &["--no-augmentation true (was false)"]),
        (&["--structure", "2:4"], &["--structure 2:4 (was none)"]),
    ];
    for (options, parts) in changes {
        assert_fails(&[&resume, *options].concat(), 2, parts);
    }
    // An edited file is refused by its key.
    let config = Path::new(out).join("config.toml");
    let stored = fs::read_to_string(&config).unwrap();
    fs::write(&config, stored.replace("lambda = 0.75", "lambda = 0.5")).unwrap();
    assert_fails(&resume, 2, &["checkpoint.safetensors", "configuration", "hyper.lambda = 0.75, there 0.5"]);
    fs::write(&config, stored).unwrap();
    assert!(gdstar(&resume).status.success());
}

/// A run goes on where its data lie now, and says so in its folder; other data are refused.
#[test]
fn a_run_follows_its_data() {
    let base = tempfile::tempdir().unwrap();
    let [old, new, other, out] = ["old", "new", "other", "run"].map(|name| base.path().join(name));
    write_idx(&old, 37);
    write_idx(&other, 41);
    let [old_dir, new_dir, other_dir, out_dir] = [&old, &new, &other, &out].map(|path| path.to_str().unwrap());
    let begin = ["train", "--model", "lenet300", "--data", "mnist", "--epochs", "100000", "--every", "0"];
    kill_after(start(&[&begin[..], &["--data-dir", old_dir, "--out", out_dir]].concat()), &out, 2);
    fs::rename(&old, &new).unwrap();
    let resume = ["train", "--out", out_dir, "--resume", "--every", "0"];
    assert_fails(&resume, 2, &[old_dir]);
    assert_fails(&[&resume[..], &["--data-dir", other_dir]].concat(), 2, &["data: expected mnist as it was"]);
    let count = || fs::read_to_string(out.join("metrics.jsonl")).unwrap().lines().count();
    let had = count();
    kill_after(start(&[&resume[..], &["--data-dir", new_dir]].concat()), &out, had + 2);
    assert!(fs::read_to_string(out.join("config.toml")).unwrap().contains(new_dir));
    // From now on without being told.
    kill_after(start(&resume), &out, count() + 1);
    assert!(gdstar(&["evaluate", out_dir]).status.success());
}

/// A resumed run goes on with its trace without being told, ends with one that passes, and leaves no parts of it.
#[test]
fn a_resumed_run_goes_on_with_its_trace() {
    let base = tempfile::tempdir().unwrap();
    let (out, trace) = (base.path().join("run"), base.path().join("t.safetensors"));
    let begin = ["train", "--model", "lenet300", "--data", "digits", "--epochs", "30", "--eps", "0.01", "--every", "0"];
    let places = ["--out", out.to_str().unwrap(), "--trace", trace.to_str().unwrap(), "--trace-gradients"];
    let begin = [&begin[..], &places].concat();
    kill_after(start(&begin), &out, 2);
    assert!(!trace.exists());
    // A configuration that was edited does not change the trace from here on: what it was begun as is in the checkpoint.
    let config = out.join("config.toml");
    let whole = fs::read_to_string(&config).unwrap();
    let resume = ["train", "--out", out.to_str().unwrap(), "--resume", "--every", "0"];
    let begun = "trace_gradients = true";
    let edits = [
        ("trace_gradients = false", "--trace-gradients: expected all, as the trace was begun"),
        ("trace_gradients = true\ntrace_gradient_epochs = [1]", "--trace-gradients: expected all"),
        ("trace_gradients = true\ntrace_sample = 0.1", "--trace-sample: expected none"),
        ("trace_gradients = true\ntrace_masks = \"packed\"", "--trace-masks: expected bytes"),
        ("trace_gradients = true\ntrace_steps = \"all\"", "--trace-steps: expected updates"),
    ];
    for (edited, told) in edits {
        fs::write(&config, whole.replace(begun, edited)).unwrap();
        assert_fails(&resume, 2, &[told, "edited"]);
    }
    fs::write(&config, whole).unwrap();
    let resumed = gdstar(&["train", "--out", out.to_str().unwrap(), "--resume", "--every", "0"]);
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    let mut left: Vec<_> = fs::read_dir(base.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["run", "t.safetensors"]);
    let report = check(&trace, &CheckOptions::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings.first());
    assert!(report.levels.iter().any(|level| level.name == "step" && level.checked), "the gradients went on too");
}

/// A trace that was begun without gradients does not have them from some epoch on because its configuration was edited.
#[test]
fn an_edited_configuration_adds_no_gradients_to_a_trace() {
    let base = tempfile::tempdir().unwrap();
    let (out, trace) = (base.path().join("run"), base.path().join("t.safetensors"));
    killed(&out, &["--trace", trace.to_str().unwrap()]);
    let config = out.join("config.toml");
    let whole = fs::read_to_string(&config).unwrap();
    fs::write(&config, whole.replace("trace_gradients = false", "trace_gradients = true")).unwrap();
    let resume = ["train", "--out", out.to_str().unwrap(), "--resume", "--every", "0"];
    let before = fs::read(out.join("metrics.jsonl")).unwrap();
    assert_fails(&resume, 2, &["--trace-gradients: expected none, as the trace was begun", "edited", "found all"]);
    assert_eq!(fs::read(out.join("metrics.jsonl")).unwrap(), before);
}

/// The trace that a run has begun can be moved and given up, and no other can be put in its place: another run's, a
/// damaged one, one that is already there.
#[test]
fn another_trace_is_refused_before_anything_is_changed() {
    let base = tempfile::tempdir().unwrap();
    let [run, trace] = ["run", "run/t.safetensors"].map(|name| base.path().join(name));
    let [other, other_trace] = ["other", "other/t.safetensors"].map(|name| base.path().join(name));
    killed(&run, &["--trace", trace.to_str().unwrap()]);
    killed(&other, &["--trace", other_trace.to_str().unwrap(), "--seed", "7"]);
    let resume = ["train", "--out", run.to_str().unwrap(), "--resume", "--every", "0"];
    let part = |trace: &Path, suffix: &str| PathBuf::from(format!("{}.{suffix}", trace.display()));
    let snapshot = || {
        let parts =
            [&trace, &other_trace].map(|trace| ["data", "index"].map(|suffix| fs::read(part(trace, suffix)).unwrap()));
        (parts, fs::read(run.join("config.toml")).unwrap(), fs::read(run.join("metrics.jsonl")).unwrap())
    };
    let before = snapshot();
    let with = |path: &Path| {
        [&resume[..], &["--trace", path.to_str().unwrap()]].concat().into_iter().map(String::from).collect::<Vec<_>>()
    };
    let refused = |path: &Path, parts: &[&str]| {
        let arguments = with(path);
        assert_fails(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), 2, parts);
        assert!(snapshot() == before, "something was changed");
    };
    refused(&other_trace, &["--trace", trace.to_str().unwrap(), "cannot continue"]);
    refused(&base.path().join("new.safetensors"), &["--trace", trace.to_str().unwrap()]);
    assert!(!part(&base.path().join("new.safetensors"), "data").exists());
    assert_fails(
        &[&resume[..], &["--trace", trace.to_str().unwrap(), "--trace-gradients"]].concat(),
        2,
        &["--trace-gradients"],
    );
    // A new run does not take an unfinished trace over.
    let new = base.path().join("new");
    let begin = ["--out", new.to_str().unwrap(), "--trace", trace.to_str().unwrap()];
    assert_fails(&small(&begin), 2, &["t.safetensors.data", "unfinished file"]);
    assert!(!new.exists(), "nothing half-written");
    assert!(snapshot() == before);
    // A damaged byte.
    let data = part(&trace, "data");
    let mut bytes = fs::read(&data).unwrap();
    bytes[1000] ^= 1;
    fs::write(&data, &bytes).unwrap();
    assert_fails(&resume, 2, &["t.safetensors.data", "content", "another's, or damaged"]);
    bytes[1000] ^= 1;
    fs::write(&data, &bytes).unwrap();
    // Moved with its folder, the trace goes on.
    let moved = base.path().join("moved");
    fs::rename(&run, &moved).unwrap();
    let moved_resume = ["train", "--out", moved.to_str().unwrap(), "--resume", "--every", "0"];
    let had = fs::read_to_string(moved.join("metrics.jsonl")).unwrap().lines().count();
    kill_after(start(&moved_resume), &moved, had + 2);
    assert!(fs::metadata(moved.join("t.safetensors.data")).unwrap().len() > bytes.len() as u64);
    // Given up.
    let had = fs::read_to_string(moved.join("metrics.jsonl")).unwrap().lines().count();
    kill_after(start(&[&moved_resume[..], &["--no-trace"]].concat()), &moved, had + 1);
    assert!(!moved.join("t.safetensors.data").exists() && !moved.join("t.safetensors.index").exists());
    kill_after(start(&moved_resume), &moved, had + 2);
}

/// What a method's rules are not known for is not traced; what is traced passes the check.
#[test]
fn every_method_is_traced_and_passes_or_is_refused() {
    for method in METHODS {
        let base = tempfile::tempdir().unwrap();
        let (out, trace) = (base.path().join("run"), base.path().join("t.safetensors"));
        let options = ["--out", out.to_str().unwrap(), "--trace", trace.to_str().unwrap(), "--trace-gradients"];
        let name = method.to_string();
        let arguments = small(&[&options[..], &["--every", "0", "--method", &name]].concat());
        let output = gdstar(&arguments);
        match output.status.code() {
            Some(0) => {
                assert_eq!(check(&trace, &CheckOptions::default()).unwrap().verdict, Verdict::Pass, "{method}");
            }
            code => {
                assert_eq!(code, Some(2), "{method}");
                let told = text(&output.stderr);
                assert!(told.starts_with("gdstar: --") && told.trim_end().lines().count() == 1, "{method}: {told}");
                assert!(
                    !out.exists() && fs::read_dir(base.path()).unwrap().count() == 0,
                    "{method}: nothing half-written"
                );
            }
        }
    }
}

/// Without a folder nobody can resume a run, and an interrupted one leaves nothing of its trace.
#[cfg(target_os = "linux")]
#[test]
fn a_trace_without_a_folder_leaves_no_parts() {
    let base = tempfile::tempdir().unwrap();
    let trace = base.path().join("t.safetensors");
    let mut run = start(&["train", "--model", "lenet300", "--data", "digits", "--trace", trace.to_str().unwrap()]);
    std::thread::sleep(Duration::from_millis(500));
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    let whole = gdstar(&small(&["--every", "0", "--trace", trace.to_str().unwrap()]));
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    assert_eq!(check(&trace, &CheckOptions::default()).unwrap().verdict, Verdict::Pass);
}

/// Two runs that are begun at once in one folder: one trains, the other is told.
#[test]
fn of_two_runs_in_one_folder_one_is_refused() {
    let base = tempfile::tempdir().unwrap();
    for attempt in 0..4 {
        let out = base.path().join(attempt.to_string());
        let arguments = |method| small(&["--out", out.to_str().unwrap(), "--every", "0", "--method", method]);
        let runs = [start(&arguments("gdstar")), start(&arguments("reset"))];
        let outputs = runs.map(|run| run.wait_with_output().unwrap());
        let codes = outputs.each_ref().map(|output| output.status.code());
        assert!(codes == [Some(0), Some(2)] || codes == [Some(2), Some(0)], "{codes:?}");
        let told = text(&outputs.iter().find(|output| !output.status.success()).unwrap().stderr);
        assert!(told.contains("no other process") || told.contains("no earlier run"), "{told}");
        let method = if codes[0] == Some(0) { "gdstar" } else { "reset" };
        assert!(fs::read_to_string(out.join("config.toml")).unwrap().contains(&format!("method = \"{method}\"")));
        assert_eq!(Metrics::read(&out.join("metrics.jsonl"), 4).unwrap().len(), 4);
        assert!(gdstar(&["evaluate", out.to_str().unwrap()]).status.success());
    }
}

/// A seed is any number of 64 bits, for every command that reads the run.
#[test]
fn the_largest_seed_is_read_by_every_command() {
    let base = tempfile::tempdir().unwrap();
    let (out, figure) = (base.path().join("run"), base.path().join("figure.svg"));
    let out = out.to_str().unwrap();
    let seed = u64::MAX.to_string();
    assert!(gdstar(&small(&["--out", out, "--every", "0", "--seed", &seed])).status.success());
    let commands =
        [&["table", out][..], &["plot", out, "--out", figure.to_str().unwrap()], &["train", "--out", out, "--resume"]];
    for command in commands {
        let output = gdstar(command);
        assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    }
}

/// Options that would train on nothing, select nothing, or stall the machine are refused before anything begins.
#[test]
fn impossible_runs_do_not_begin() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("run");
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["--last-batch", "drop", "--batch-size", "1443"],
            &["--batch-size with --last-batch drop", "at most 1442", "1443"],
        ),
        (&["--structure", "channels", "--chunks", "411"], &["--chunks", "at most N = 410", "groups (channels)", "411"]),
        (&["--structure", "4x4", "--chunks", "3154"], &["--chunks", "groups (4x4)", "3154"]),
        (&["--threads", "100000"], &["--threads", "at most", "cores", "100000"]),
        (&["--keep-every", "0"], &["--keep-every", "at least 1"]),
    ];
    for (options, parts) in cases {
        assert_fails(&small(&[&["--out", out.to_str().unwrap()], *options].concat()), 2, parts);
        assert!(!out.exists(), "{options:?}: nothing half-written");
    }
    assert!(gdstar(&small(&["--last-batch", "drop", "--batch-size", "1442", "--every", "0"])).status.success());
    assert!(gdstar(&small(&["--structure", "channels", "--chunks", "410", "--every", "0"])).status.success());
    for command in [&["--threads", "100000"][..], &["evaluate", out.to_str().unwrap(), "--threads", "100000"]] {
        assert_eq!(gdstar(command).status.code(), Some(2), "{command:?}");
    }
    // Nor are so many where the environment asks for them, which it does of every command.
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    let output = command.arg("models").env("RAYON_NUM_THREADS", "100000").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("RAYON_NUM_THREADS: expected at most"));
}

/// A folder may have any name: a terminal is not told what to do by it, and a table's rules stay its own.
#[test]
fn a_runs_name_is_fit_for_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("r\u{1b}[31m|n");
    let out = out.to_str().unwrap();
    assert!(gdstar(&small(&["--every", "0", "--out", out])).status.success());
    for format in ["markdown", "csv", "json"] {
        let output = gdstar(&["table", out, "--format", format]);
        assert!(output.status.success() && !output.stdout.contains(&0x1b), "{format}: {}", text(&output.stdout));
    }
    let table = text(&gdstar(&["table", out]).stdout);
    assert!(table.contains("[31m\\|n"), "{table}");
}

/// An option that the run does not heed is named on standard error, with the reason; one that it heeds is not.
#[test]
fn options_without_effect_are_named() {
    const OF_SMALL: &str = "--eps: no effect";
    let cases: &[(&[&str], &str)] = &[
        (
            &["--method", "dense", "--alpha-0", "0.9", "--quantile", "lower"],
            "--alpha-0, --eps, --quantile: no effect, --method dense",
        ),
        (&["--method", "reset", "--rewind-update", "after-pruning"], "--rewind-update: no effect, --method reset"),
        (&["--structure", "2:4", "--chunks", "2"], "--chunks: no effect, an n:m pattern"),
        (&["--group-score", "mean"], "--group-score: no effect, without --structure"),
        (&["--data-dir", "somewhere"], "--data-dir: no effect, the digits"),
        (&["--no-augmentation"], "--no-augmentation: no effect, images of digits are never augmented"),
        (
            &["--method", "set", "--sparsity", "0.5", "--er-epsilon", "5"],
            "--sparsity: no effect, --er-epsilon says how many weights a layer starts with",
        ),
        (&["--method", "set", "--target-sparsity", "0.5", "--er-epsilon", "5"], "--target-sparsity: no effect, --er"),
        (
            &["--method", "rigl", "--sparsity", "0.5", "--drop-power", "2"],
            "--drop-power: no effect, --drop-schedule power",
        ),
        (
            &["--method", "rigl", "--sparsity", "0.5", "--distribution", "uniform", "--erk-budget", "real"],
            "--erk-budget: no effect, --distribution erk and er",
        ),
        (
            &["--method", "procrustes", "--sparsity", "0.5", "--dumique-start", "0.1"],
            "--dumique-start: no effect, --select sort",
        ),
        (
            &["--schedule", "constant", "--learning-rate", "per-step"],
            "--learning-rate: no effect, --schedule constant has but one",
        ),
        (&["--method", "dense", "--dense-layers", "first"], "--dense-layers: no effect, --method dense has no W"),
        (&["--chunking", "ceil"], "--chunking: no effect, one chunk"),
        (&["--momentum", "0", "--momentum-on-prune", "keep"], "--momentum-on-prune: no effect, --momentum 0"),
        (&["--weight-decay", "0", "--gradient", "loss+decay"], "--gradient: no effect, --weight-decay 0"),
        (
            &["--method", "rigl", "--sparsity", "0.5", "--evaluation", "before-pruning"],
            "--evaluation: no effect, --method rigl prunes nothing at an epoch's end",
        ),
        (&["--structure", "4x4", "--group-score", "mean", "--alpha-0", "0.9", "--decay-step", "epoch"], ""),
        (&["--method", "set", "--er-epsilon", "5"], OF_SMALL),
        (&["--method", "rigl", "--sparsity", "0.5", "--drop-schedule", "power", "--drop-power", "2"], OF_SMALL),
    ];
    for (options, expected) in cases {
        let output = gdstar(&small(&[&["--every", "0"], *options].concat()));
        assert!(output.status.success(), "{}", text(&output.stderr));
        let told = text(&output.stderr);
        match *expected {
            "" => assert_eq!(told, "", "{options:?}"),
            expected => {
                // What `small` asks for is not every method's.
                let own =
                    told.lines().filter(|line| expected == OF_SMALL || !line.contains(OF_SMALL)).collect::<Vec<_>>();
                assert!(own.len() == 1 && own[0].starts_with("gdstar: ") && own[0].contains(expected), "{told}")
            }
        }
    }
}

/// A GPU is asked for, of a program that was built without: a line that says how to build, and nothing is written.
#[cfg(not(feature = "cuda"))]
#[test]
fn a_gpu_that_is_not_built_in_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [out, given] = ["run", "config.toml"].map(|name| folder.path().join(name));
    let (out_name, told) = (out.to_str().unwrap(), "cargo build --release --features cuda");
    let train = ["train", "--model", "lenet300", "--data", "digits", "--epochs", "1", "--out", out_name];
    assert_fails(&[&train[..], &["--kernel", "cuda"]].concat(), 2, &["'cuda'", "fast, literal", told]);
    assert!(!out.exists());
    assert!(gdstar(&train).status.success());
    let config = fs::read_to_string(out.join("config.toml")).unwrap();
    fs::write(&given, config.replace("kernel = \"fast\"", "kernel = \"cuda\"")).unwrap();
    let (given, other) = (given.to_str().unwrap(), folder.path().join("other"));
    let asked = ["train", "--config", given, "--out", other.to_str().unwrap()];
    assert_fails(&asked, 2, &[given, "line ", "`cuda`", told]);
    assert!(!other.exists());
    assert!(text(&gdstar(&["devices"]).stdout).contains(told));
}
