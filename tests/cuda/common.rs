//! The stand-in for the driver, and processes that have it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
#[cfg(feature = "cli")]
use std::process::Output;
use std::sync::OnceLock;

/// In a process that was started for one test.
pub const INSIDE: &str = "GDSTAR_TEST_ON_STAND_IN";

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder for what this test leaves.
#[cfg(feature = "cli")]
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// The folder in which the stand-in is called as NVIDIA's driver is.
pub fn stand_in() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standin");
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        build.args(["build", "--quiet", "--locked", "--manifest-path"]);
        build.arg(repository().join("tests/cuda/standin/Cargo.toml")).arg("--target-dir").arg(&target);
        // It is as it says, however the tests are compiled.
        build.env_remove("CARGO_PROFILE_DEV_OPT_LEVEL").env_remove("CARGO_BUILD_TARGET");
        assert!(build.status().unwrap().success(), "the stand-in does not compile");
        let folder = target.join("driver");
        std::fs::create_dir_all(&folder).unwrap();
        for name in NAMES {
            // As a whole, for processes that look at the same time.
            let made = tempfile::NamedTempFile::new_in(&folder).unwrap();
            std::fs::copy(target.join("debug/libstandin.so"), made.path()).unwrap();
            made.persist(folder.join(name)).unwrap();
        }
        folder
    })
}

/// Under which names the driver is looked for.
const NAMES: [&str; 2] = ["libcuda.so", "libcuda.so.1"];

/// A folder in which there is something of the driver's name that is no library: a machine without a driver, whatever it has.
#[cfg(feature = "cli")]
pub fn no_driver() -> tempfile::TempDir {
    let folder = scratch();
    NAMES.iter().for_each(|name| std::fs::write(folder.path().join(name), "").unwrap());
    folder
}

/// The command, with a driver from this folder and these settings of the stand-in.
#[cfg(feature = "cli")]
pub fn gdstar(driver: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    command.args(arguments).env("LD_LIBRARY_PATH", driver).envs(settings.iter().copied());
    // What the stand-in says of a failure is not the command's.
    command.env("STANDIN_LOG", "/dev/null");
    command.output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs the command on the stand-in; what it prints.
#[cfg(feature = "cli")]
pub fn done(settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = gdstar(stand_in(), settings, arguments);
    let (code, error) = (output.status.code(), text(&output.stderr));
    assert_eq!(code, Some(0), "gdstar {}: {error}", arguments.join(" "));
    text(&output.stdout)
}

/// Whether the command fails with this exit code and one line that says all of `parts`.
#[cfg(feature = "cli")]
#[track_caller]
pub fn assert_fails(output: &Output, code: i32, parts: &[&str]) {
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("gdstar: "), "{error}");
    parts.iter().for_each(|part| assert!(error.contains(part), "no `{part}` in: {error}"));
}

/// Runs a test in a process of its own whose driver is the stand-in, with these settings of it. `name` is the test's path.
pub fn on_stand_in(name: &str, settings: &[(&str, &str)], test: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let (_, name) = name.split_once("::").unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args([name, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"]).env(INSIDE, "1");
    let output = process.env("LD_LIBRARY_PATH", stand_in()).envs(settings.iter().copied()).output().unwrap();
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{settings:?}\n{said}");
    assert!(said.contains("1 passed"), "no test is called {name}: {said}");
}

/// Orders in which blocks and threads take turns: bits may not depend on them.
pub const SCHEDULES: [&[(&str, &str)]; 3] = [
    &[("STANDIN_SCHEDULE", "serial"), ("STANDIN_SEED", "1")],
    &[("STANDIN_SCHEDULE", "reverse"), ("STANDIN_SEED", "2")],
    &[("STANDIN_SCHEDULE", "random"), ("STANDIN_SEED", "3")],
];
