//! Without the feature `cli` the library is the mathematics: nothing it is built of knows a terminal, a network, a clock or
//! an operating system.

use crate::documents::root;
use std::collections::BTreeSet;
use std::process::Command;

/// The crates that the library is built of for a target, without this one.
fn crates(options: &[&str], target: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = cargo.args(options).args(["--target", target]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| *name != "gdstar")
        .map(str::to_string)
        .collect()
}

/// What asks the system for more than memory and files, and what decodes or draws for the command alone.
const OF_THE_COMMAND: [&str; 26] = [
    "clap",
    "clap_complete",
    "console",
    "csv",
    "ctrlc",
    "fs4",
    "getrandom",
    "http",
    "image",
    "indicatif",
    "jpeg-decoder",
    "libc",
    "linux-raw-sys",
    "nix",
    "plotters",
    "png",
    "ring",
    "rustix",
    "rustls",
    "signal-hook",
    "tar",
    "tempfile",
    "textwrap",
    "ureq",
    "windows-sys",
    "zip",
];

#[test]
fn the_library_has_no_system_code() {
    for target in ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "wasm32-unknown-unknown"] {
        let found = crates(&["--no-default-features"], target);
        assert!(found.contains("ndarray") && found.contains("rayon"), "{target}: {found:?}");
        let unwanted: Vec<&str> = OF_THE_COMMAND.into_iter().filter(|name| found.contains(*name)).collect();
        assert!(unwanted.is_empty(), "{target}: {unwanted:?}");
    }
    let with_it = crates(&[], "x86_64-unknown-linux-gnu");
    let unknown: Vec<&str> = OF_THE_COMMAND.into_iter().filter(|name| !with_it.contains(*name)).collect();
    assert_eq!(unknown, ["tempfile", "windows-sys"], "not in the tree of the command: a name is out of date");
}
