//! Where results go, as a user meets it: umask, limits, an interrupt, and an output that would destroy an input.

use super::{assert_fails, gdstar, small, text};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a shell says before it becomes the command.
#[cfg(unix)]
fn under(preparation: &str, arguments: &[&str]) -> Output {
    let script = format!("{preparation}; exec \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_gdstar")]).args(arguments);
    shell.stdin(Stdio::null()).output().unwrap()
}

#[cfg(unix)]
#[test]
fn the_umask_decides_on_new_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    for (umask, expected) in [("077", 0o600), ("027", 0o640), ("002", 0o664)] {
        let (run, trace) = (folder.path().join(umask), folder.path().join(format!("{umask}.trace")));
        let options = ["--out", run.to_str().unwrap(), "--trace", trace.to_str().unwrap(), "--every", "0"];
        let output = under(&format!("umask {umask}"), &small(&options));
        assert!(output.status.success(), "{}", text(&output.stderr));
        for file in fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path()).chain([trace]) {
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, expected, "{umask}: {} has {mode:o}", file.display());
        }
    }
}

/// A limit on file sizes is a message and a failure, as a full disk is, not a death without a word.
#[cfg(unix)]
#[test]
fn a_limit_on_file_sizes_is_a_failed_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    // Some kilobytes, in the shell's units of 512 or 1024 bytes: a configuration, but no checkpoint.
    let output = under("ulimit -f 20", &small(&["--out", run.to_str().unwrap(), "--every", "0"]));
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    assert!(told.contains("checkpoint.safetensors: cannot write: "), "{told}");
    assert!(!run.join("checkpoint.safetensors").exists());
    assert!(fs::read_dir(&run).unwrap().all(|entry| !is_temporary(&entry.unwrap().path())), "nothing half-written");
}

fn is_temporary(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with(".gdstar-")
}

/// A trace that the disk has no room for is told before the run, and not after its last epoch. One that is kept nowhere, which
/// nobody could go on with, is not begun.
#[test]
fn a_trace_without_room_is_told_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (run, trace) = (path("run"), path("trace.safetensors"));
    // 10^9 epochs of LeNet300: petabytes.
    let long = ["train", "--model", "lenet300", "--data", "digits", "--epochs", "1000000000", "--trace", &trace];
    assert_fails(&long, 1, &["trace.safetensors: cannot write: the trace will need ", " more than are free"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    let mut begun = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    begun.args([&long[..], &["--out", &run]].concat()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut begun = begun.spawn().unwrap();
    let lines = BufReader::new(begun.stderr.take().unwrap()).lines().map(Result::unwrap);
    let told = lines.into_iter().find(|line| line.contains("bytes more than are free; make room before, or --resume"));
    begun.kill().unwrap();
    begun.wait().unwrap();
    assert!(told.is_some_and(|line| line.starts_with("gdstar: the trace will need ")));
}

/// A trace replaces nothing, and takes no place that cannot hold it: seen before the run, of which nothing is left then.
#[test]
fn a_trace_has_a_place_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (run, trace) = (path("run"), path("trace.safetensors"));
    fs::write(&trace, "another run's").unwrap();
    let own = ["config.toml", "metrics.jsonl", "checkpoint.safetensors"].map(|file| format!("{run}/{file}"));
    fs::create_dir(&run).unwrap();
    let cases: [(&str, &[&str]); 6] = [
        (&trace, &["--trace", "not there yet"]),
        (folder.path().to_str().unwrap(), &["a file, or nothing yet", "a folder"]),
        (&path("nowhere/t"), &["nowhere", "cannot find its folder"]),
        (&own[0], &["--trace", "other than"]),
        (&own[1], &["--trace", "other than"]),
        (&own[2], &["--trace", "other than"]),
    ];
    for (trace, parts) in cases {
        assert_fails(&small(&["--out", &run, "--trace", trace]), 2, parts);
        assert_eq!(fs::read_dir(&run).unwrap().count(), 0, "{trace}: the run has not begun");
    }
    assert_eq!(fs::read_to_string(&trace).unwrap(), "another run's");
    // In its own folder, which the run makes, the trace may be by any name but the run's own files'.
    let new = path("new");
    let (own, beside) = (format!("{new}/metrics.jsonl"), format!("{new}/trace.safetensors"));
    let kept = ["best", "1"].map(|epoch| format!("{new}/checkpoint-{epoch}.safetensors"));
    for trace in [&own, &kept[0], &kept[1], &new] {
        assert_fails(&small(&["--out", &new, "--trace", trace]), 2, &["--trace", "other than"]);
    }
    // Nor may it be a folder that the run is still to make, or one above it.
    for option in ["--out", "--tensorboard"] {
        for made in [new.clone(), format!("{new}/seed-1")] {
            assert_fails(&small(&[option, &made, "--trace", &new]), 2, &["--trace", "other than"]);
        }
    }
    assert!(!Path::new(&new).exists(), "the run has not begun");
    assert!(gdstar(&small(&["--out", &new, "--trace", &beside, "--every", "0"])).status.success());
    assert!(Path::new(&beside).exists());
    fs::write(path("file"), "").unwrap();
    assert_fails(&small(&["--out", &path("file/run")]), 2, &["file", "expected a folder, found a file"]);
}

/// A trace takes what was said before it was begun: no more while it is completed, where a run folder lets it be gone on
/// with, else as much again.
#[test]
fn the_size_of_a_trace_is_told_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let told = |name: &str, options: &[&str]| {
        let trace = folder.path().join(name);
        let output = gdstar(&small(&[options, &["--trace", trace.to_str().unwrap(), "--every", "0"]].concat()));
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stderr), fs::metadata(&trace).unwrap().len())
    };
    let run = folder.path().join("run");
    let (line, size) = told("one", &["--out", run.to_str().unwrap()]);
    assert_eq!(line, format!("the trace will take {}\n", indicatif::HumanBytes(size)));
    let (line, _) = told("other", &[]);
    assert!(line.ends_with(", and as much again while it is completed\n"), "{line}");
}

/// Interrupted while it writes, a command that does not stop by itself ends at once and leaves nothing.
#[cfg(unix)]
#[test]
fn an_interrupt_leaves_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.safetensors");
    let arguments = ["weights", "--model", "vgg19bn", "--out", out.to_str().unwrap()];
    let temporaries =
        || fs::read_dir(folder.path()).unwrap().filter(|e| is_temporary(&e.as_ref().unwrap().path())).count();
    for _ in 0..20 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gdstar")).args(arguments).spawn().unwrap();
        while temporaries() == 0 && child.try_wait().unwrap().is_none() {}
        Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(temporaries(), 0, "{status}");
        if status.code() == Some(130) {
            return;
        }
        assert!(status.success(), "{status}");
    }
    panic!("the command was never interrupted: the test tested nothing");
}

/// An output that is an input, by its name or through a link, is refused before anything is read, and is as it was.
#[test]
fn no_output_replaces_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let run = path("run");
    assert!(gdstar(&small(&["--out", &run, "--every", "0"])).status.success());
    let [weights, batch, input] = ["w", "b", "t"].map(|name| {
        fs::write(path(name), name).unwrap();
        path(name)
    });
    #[cfg(unix)]
    std::os::unix::fs::symlink(format!("{run}/config.toml"), path("config.svg")).unwrap();
    let config = path("config.svg");
    let cases: &[&[&str]] = &[
        &["probe", "--model", "lenet300", "--weights", &weights, "--batch", &batch, "--out", &weights],
        &["probe", "--model", "lenet300", "--weights", &weights, "--batch", &batch, "--out", &batch],
        &["replay", &input, "--out", &input],
        &["op", &input, "--out", &input],
        #[cfg(unix)]
        &["plot", &run, "--out", &config],
    ];
    for arguments in cases {
        assert_fails(arguments, 2, &["--out", "other than"]);
    }
    // Nor does one replace what a run keeps, whichever command it is of.
    let own = ["checkpoint", "checkpoint-best"].map(|name| format!("{run}/{name}.safetensors"));
    for out in &own {
        let commands: [&[&str]; 4] = [
            &["weights", "--model", "lenet300", "--out", out],
            &["probe", "--model", "lenet300", "--weights", &weights, "--batch", &batch, "--out", out],
            &["replay", &input, "--out", out],
            &["op", &input, "--out", out],
        ];
        for arguments in commands {
            assert_fails(arguments, 2, &["--out", "a file other than those of a run"]);
        }
    }
    assert!(gdstar(&["evaluate", &run]).status.success(), "the weights are what they were");
    assert!(["w", "b", "t"].iter().all(|name| fs::read_to_string(path(name)).unwrap() == **name));
    assert!(fs::read_to_string(format!("{run}/config.toml")).unwrap().contains("lenet300"));
    // And a folder that is not there is seen before the work.
    let nowhere = path("nowhere/out.svg");
    assert_fails(&["plot", &run, "--out", &nowhere], 2, &["nowhere", "cannot find its folder"]);
    assert_fails(
        &["weights", "--model", "lenet300", "--out", &path("run")],
        2,
        &["a file, or nothing yet", "a folder"],
    );
}
