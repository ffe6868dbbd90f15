//! Faults planted into the kernels, one at a time: on each some test of `kernels` must fail.
//!
//! The stand-in plants them when it loads the PTX (`STANDIN_EDIT`), so that what is tested is the library as it is. Which
//! faults there are follows from the committed PTX: `mutants/rules.rs` says what is done to which instructions.

mod rules;
mod statements;

use crate::common::{INSIDE, repository, stand_in, text};
use crate::families::FAMILIES;
use rules::{Forms, RULES, Rule};
use statements::statements;
use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Steps after which a kernel is taken to run for ever: the tests' longest take a tenth.
const STEPS: &str = "20000000";
/// How long a test may take that takes a few seconds without a fault.
const LONG: Duration = Duration::from_secs(120);

/// How a fault came to light.
const SIGNS: [(&str, &str); 9] = [
    ("a race", "race"),
    ("never written", "no value"),
    ("out of bounds", "address"),
    ("no memory at", "address"),
    ("after it was freed", "address"),
    ("no address of", "address"),
    ("misaligned", "address"),
    ("barrier divergence", "barrier"),
    ("does not end", "no end"),
];

/// A test in a process of its own, with a fault or without.
struct Run {
    failed: bool,
    log: String,
    took: Duration,
}

fn run(test: &str, edit: &str) -> Run {
    let log = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args([test, "--exact", "--include-ignored", "--test-threads=1"]).env(INSIDE, "1");
    process.env("LD_LIBRARY_PATH", stand_in()).env("STANDIN_LOG", log.path()).env("STANDIN_EDIT", edit);
    process.env("STANDIN_SEED", "3").env("STANDIN_STEPS", STEPS);
    let begin = Instant::now();
    let mut child = process.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let failed = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break !status.success();
        }
        if begin.elapsed() > LONG {
            child.kill().unwrap();
            child.wait().unwrap();
            break true;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Run { failed, log: std::fs::read_to_string(log.path()).unwrap(), took: begin.elapsed() }
}

/// For each kernel the tests of families that launch it, the quickest first.
fn tests_of_kernels() -> BTreeMap<String, Vec<String>> {
    let list = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let list = text(&list.stdout);
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let mut found: BTreeMap<String, Vec<(Duration, String)>> = BTreeMap::new();
    let is_family = |name: &&str| {
        name.strip_prefix("kernels::").is_some_and(|test| FAMILIES.iter().any(|family| family.name == test))
    };
    for name in names.filter(is_family) {
        let run = run(name, "");
        assert!(!run.failed, "{name} fails without a fault: {}", run.log);
        for kernel in run.log.lines().filter_map(|line| line.strip_prefix("launches ")?.split(' ').next()) {
            found.entry(kernel.to_string()).or_default().push((run.took, name.to_string()));
        }
    }
    let sorted = |mut tests: Vec<(Duration, String)>| {
        tests.sort();
        tests.into_iter().map(|(_, test)| test).collect()
    };
    found.into_iter().map(|(kernel, tests)| (kernel, sorted(tests))).collect()
}

/// What shows the fault: the first test that fails on it, and how. `None` where all pass.
fn caught(edit: &str, tests: &[String]) -> Option<&'static str> {
    tests.iter().find_map(|test| {
        let run = run(test, edit);
        assert!(run.failed || run.log.contains("edited "), "{edit}: no such statement, or {test} does not load it");
        if !run.failed {
            return None;
        }
        let fault = run.log.lines().find(|line| line.contains("(error ")).unwrap_or("");
        Some(SIGNS.iter().find(|(sign, _)| fault.contains(sign)).map_or("bits", |(_, name)| *name))
    })
}

/// A fault to plant.
struct Planted {
    rule: &'static Rule,
    real: &'static str,
    kernel: String,
    edit: String,
}

/// Every fault that the rules make of the committed PTX.
fn planted() -> Vec<Planted> {
    let mut all = Vec::new();
    // The kernels of flags are compiled in f32's text alone: whose turn it is goes by that text's order.
    let mut order: Vec<String> = Vec::new();
    let mut in_wider: BTreeSet<String> = BTreeSet::new();
    for (turn, real) in ["f32", "f64"].into_iter().enumerate() {
        let path = repository().join(format!("src/kernel/cuda/kernels_{real}.ptx"));
        for (kernel, of_kernel) in statements(&std::fs::read_to_string(path).unwrap()) {
            let kernel_at = order.iter().position(|name| *name == kernel).unwrap_or(order.len());
            if kernel_at == order.len() {
                order.push(kernel.clone());
            }
            if real == "f32" && of_kernel.iter().any(|statement| statement.name.ends_with(".f64")) {
                in_wider.insert(kernel.clone());
            }
            for (rule_at, rule) in RULES.iter().enumerate() {
                let fits = match rule.forms {
                    Forms::Both => true,
                    Forms::InTurn => (kernel_at + rule_at + turn) % 2 == 0,
                    Forms::Plain => real == "f32" || !in_wider.contains(&kernel),
                };
                if !fits {
                    continue;
                }
                all.extend(rule.chosen(&of_kernel).into_iter().map(|(statement, change)| Planted {
                    rule,
                    real,
                    kernel: kernel.clone(),
                    edit: format!("{kernel}: {} @{} -> {change}", statement.name, statement.line),
                }));
            }
        }
    }
    all
}

/// One fault of each kind, so that every run of the tests shows that they are seen.
#[test]
fn a_fault_of_each_kind_is_caught() {
    let all = planted();
    for rule in RULES {
        let is_it = |fault: &&Planted| fault.rule.name == rule.name && fault.kernel == rule.shown_in;
        let fault = all.iter().find(is_it).expect(rule.name);
        let caught = caught(&fault.edit, &[rule.shown_by.to_string()]);
        assert!(caught.is_some(), "{}: {} is not caught by {}", rule.name, fault.edit, rule.shown_by);
    }
}

/// All of them, or with `GDSTAR_FAULTS=TEXT` those alone whose kernel, rule or number system is called so: prints a table.
#[test]
#[ignore = "plants some thousand faults, each in a process of its own: three minutes"]
fn every_fault_is_caught() {
    let tests = tests_of_kernels();
    let mut table: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut missed = Vec::new();
    let wanted = std::env::var("GDSTAR_FAULTS").ok();
    let is_wanted = |fault: &Planted| {
        let names = [fault.kernel.as_str(), fault.rule.name, fault.real];
        wanted.as_ref().is_none_or(|wanted| names.contains(&wanted.as_str()))
    };
    for fault in planted().into_iter().filter(is_wanted) {
        let row = table.entry(fault.rule.name).or_default();
        *row.entry("planted").or_default() += 1;
        match tests.get(&fault.kernel).and_then(|tests| caught(&fault.edit, tests)) {
            Some(sign) => *row.entry(sign).or_default() += 1,
            None => {
                let told = format!("{}, {}: {}", fault.rule.name, fault.real, fault.edit);
                eprintln!("not caught: {told}");
                missed.push(told);
            }
        }
    }
    let columns = ["planted", "bits", "race", "no value", "address", "barrier", "no end"];
    println!("| fault | {} |", columns.join(" | "));
    for rule in RULES {
        let Some(row) = table.get(rule.name) else { continue };
        let cells: Vec<String> =
            columns.iter().map(|column| row.get(column).copied().unwrap_or(0).to_string()).collect();
        println!("| {}: {} | {} |", rule.name, rule.what, cells.join(" | "));
    }
    assert!(missed.is_empty(), "{} faults are not caught:\n{}", missed.len(), missed.join("\n"));
}
