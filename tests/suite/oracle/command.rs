//! `gdstar check` as a script meets it: exit codes, and the object of `--json`.

use super::checked::write;
use super::port::{Config, Fault, Precision, header, run, serialize};
use super::variants::standard;
use crate::cli::{assert_fails, gdstar};
use serde_json::Value;

/// Checks what a port of these settings wrote: the exit code, and the object that `--json` prints.
fn check(config: &Config, fault: Fault) -> (Option<i32>, Value) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    write(&path, &header(config), &serialize(config, &run(config, fault)));
    let path = path.to_str().unwrap();
    let plain = gdstar(&["check", path]);
    let output = gdstar(&["check", path, "--json"]);
    assert_eq!(plain.status.code(), output.status.code());
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_correct_port_exits_with_0() {
    let (code, report) = check(&standard(81, Precision::F32), Fault::None);
    assert_eq!((code, &report["verdict"]), (Some(0), &Value::from("PASS")));
    assert_eq!((&report["findings_total"], &report["ambiguous"]), (&Value::from(0), &Value::from(0)));
    for equation in ["eq1", "eq2", "eq3", "eq4", "eq5", "eq6", "eq7", "eq8", "eq9", "alg1", "alg4", "alg6"] {
        assert!(report["checked"].as_array().unwrap().contains(&Value::from(equation)), "{equation}");
    }
}

#[test]
fn a_wrong_port_exits_with_1_and_names_the_equation_first() {
    let (code, report) = check(&standard(81, Precision::F32), Fault::ThresholdMedian);
    assert_eq!((code, &report["verdict"]), (Some(1), &Value::from("FAIL")));
    let first = &report["findings"][0];
    assert_eq!((&first["equation"], &first["tensor"]), (&Value::from("eq7"), &Value::from("epoch/0/tau")));
    for key in ["epoch", "batch", "index", "got", "expected_low", "expected_high", "ulps", "likely_cause"] {
        assert!(first.get(key).is_some(), "a finding has {key}");
    }
    let listed = report["findings"].as_array().unwrap().len();
    assert!(listed <= 100 && listed as u64 <= report["findings_total"].as_u64().unwrap());
}

/// A number that JSON has not is a string.
#[test]
fn numbers_that_are_not_finite_are_strings() {
    let (_, report) = check(&standard(81, Precision::F32), Fault::MinimumNotUpdated);
    assert_eq!((&report["findings"][0]["equation"], &report["findings"][0]["got"]), (&"alg4".into(), &"inf".into()));
}

#[test]
fn sums_without_a_bound_exit_with_3() {
    let mut config = standard(81, Precision::F32);
    config.arithmetic.sums = Precision::Bf16;
    let (code, report) = check(&config, Fault::None);
    assert_eq!((code, &report["verdict"]), (Some(3), &Value::from("INCONCLUSIVE")));
}

#[test]
fn files_that_are_no_traces_exit_with_2() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    std::fs::write(&path, b"no trace").unwrap();
    assert_fails(&["check", path.to_str().unwrap()], 2, &["port.safetensors"]);
    assert_fails(&["check", path.to_str().unwrap(), "--json"], 2, &["port.safetensors"]);
    assert_fails(&["check", "nowhere.safetensors"], 2, &["nowhere.safetensors"]);
}
