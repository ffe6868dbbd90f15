//! W is what the declared reading of open point 6 has in it: a parameter that is missing from `params`, or too many, is
//! a finding that names it, whoever named the parameters; and what nothing tells is left open, by name.

use super::checked::write;
use super::port::{Config, Fault, Parameter, Precision, header, run, serialize};
use super::variants::standard;
use gdstar::oracle::{CheckOptions, Report, Verdict, check};
use serde_json::{Value, json};

/// A convolution with its bias, batch norm's scale and shift, a linear layer with its bias.
type Names = [&'static str; 6];
const SHAPES: [&[usize]; 6] = [&[4, 2, 3, 3], &[4], &[4], &[4], &[10, 12], &[10]];

/// As PyTorch, its `Sequential`, Flax, Keras and a program without a framework name them.
const STYLES: [Names; 5] = [
    ["conv1.weight", "conv1.bias", "bn1.weight", "bn1.bias", "fc.weight", "fc.bias"],
    ["0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"],
    ["Conv_0/kernel", "Conv_0/bias", "BatchNorm_0/scale", "BatchNorm_0/bias", "Dense_0/kernel", "Dense_0/bias"],
    ["conv2d/kernel:0", "conv2d/bias:0", "norm/gamma:0", "norm/beta:0", "dense/kernel:0", "dense/bias:0"],
    ["W1", "b1", "gamma1", "beta1", "W2", "b2"],
];

/// Which of the six are W.
const READINGS: [(&str, [bool; 6]); 3] = [
    ("weights", [true, false, false, false, true, false]),
    ("weights+biases", [true, true, false, false, true, true]),
    ("all", [true; 6]),
];

fn port(parameters: Vec<(&str, &[usize], bool)>) -> Config {
    let mut config = standard(21, Precision::F32);
    let own = |(name, shape, prunable): (&str, &[usize], bool)| Parameter {
        name: name.to_string(),
        shape: shape.to_vec(),
        prunable,
    };
    config.parameters = parameters.into_iter().map(own).collect();
    config.trained = 2;
    config.batches = 2;
    config
}

fn network(names: &Names, w: &[bool; 6]) -> Config {
    port((0..6).map(|i| (names[i], SHAPES[i], w[i])).collect())
}

/// What the checker says where the port claims `declared`, with the header as `edit` leaves it.
fn judged(config: &Config, declared: &str, edit: impl Fn(&mut Value)) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    let mut header = header(config);
    header["reading"]["prunable"] = json!(declared);
    edit(&mut header);
    write(&path, &header, &serialize(config, &run(config, Fault::None)));
    check(&path, &CheckOptions::default()).unwrap()
}

/// The parameters with findings, and what is told of each.
fn found(report: &Report) -> Vec<(String, String)> {
    let told = |f: &gdstar::oracle::Finding| {
        let name = f.tensor.strip_prefix("params/").unwrap_or_else(|| panic!("{f:?}")).to_string();
        assert_eq!((f.equation, f.epoch, f.ulps), ("eq2", Some(0), 1.0), "{f:?}");
        (name, f.likely_cause.clone().unwrap_or_default())
    };
    report.findings.iter().map(told).collect()
}

fn left_open(report: &Report) -> Vec<&str> {
    report.not_checked.iter().map(|n| n.reason.as_str()).filter(|reason| reason.contains('W')).collect()
}

/// Each reading passes under its own name, with nothing left open; under another name every parameter that is in W and
/// should not be, or is not and should, is found, and the reading that fits is named.
#[test]
fn a_reading_passes_under_its_own_name_alone() {
    for names in &STYLES {
        for (actual, w) in &READINGS {
            for (declared, expected) in &READINGS {
                let report = judged(&network(names, w), declared, |_| {});
                let differing: Vec<&str> = (0..6).filter(|&i| w[i] != expected[i]).map(|i| names[i]).collect();
                let all: Vec<(String, String)> = found(&report);
                let mut told: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
                told.sort_by_key(|name| names.iter().position(|own| own == name));
                let case = format!("{names:?}: W of `{actual}` declared as `{declared}`: {all:?}");
                assert_eq!(told, differing, "{case}");
                let verdict = if differing.is_empty() { Verdict::Pass } else { Verdict::Fail };
                assert_eq!(report.verdict, verdict, "{case}");
                assert_eq!(left_open(&report), [""; 0], "{case}");
                let names_it = |(name, cause): &(String, String)| {
                    cause.contains(&format!("`{name}`")) && cause.contains(&format!("`prunable` = `{actual}` has"))
                };
                assert!(all.iter().all(names_it), "{case}");
            }
        }
    }
}

/// A layer that is forgotten is found under every reading; one that is left out on purpose is declared, and then named
/// among what was not checked.
#[test]
fn a_forgotten_layer_is_found_unless_it_is_declared() {
    for names in &STYLES {
        for (declared, w) in &READINGS {
            let mut w = *w;
            w[4] = false;
            let config = network(names, &w);
            let report = judged(&config, declared, |_| {});
            let [(name, cause)] = &found(&report)[..] else { panic!("{declared}: {:?}", report.findings) };
            assert_eq!((report.verdict, name.as_str()), (Verdict::Fail, names[4]), "{declared}");
            assert!(cause.contains("`not_prunable`"), "{declared}: {cause}");
            let report = judged(&config, declared, |header| header["not_prunable"] = json!([names[4]]));
            assert_eq!((report.verdict, report.findings_total), (Verdict::Pass, 0), "{declared}");
            let [reason] = left_open(&report)[..] else { panic!("{:?}", report.not_checked) };
            assert!(reason.contains(names[4]) && reason.contains("not_prunable"), "{reason}");
        }
    }
}

/// A built-in network decides by name alone: also where the trace has nothing of the forgotten layer.
#[test]
fn a_built_in_model_decides() {
    let shapes: [&[usize]; 3] = [&[6, 5], &[4, 6], &[3, 4]];
    let [first, second, last] = ["fc1.weight", "fc2.weight", "fc3.weight"];
    let as_lenet300 = |header: &mut Value| header["model"] = json!("lenet300");
    let whole = port(vec![(first, shapes[0], true), (second, shapes[1], true), (last, shapes[2], true)]);
    assert_eq!(judged(&whole, "weights", as_lenet300).verdict, Verdict::Pass);
    let forgotten = port(vec![(first, shapes[0], true), (second, shapes[1], true)]);
    let report = judged(&forgotten, "weights", as_lenet300);
    let [(name, cause)] = &found(&report)[..] else { panic!("{:?}", report.findings) };
    assert_eq!((report.verdict, name.as_str()), (Verdict::Fail, last));
    assert!(cause.contains("as `lenet300` has it"), "{cause}");
    // Flat arrays with the network's names, of which ranks say nothing.
    let flat = port(vec![(first, &[30], true), (second, &[24], true), (last, &[12], true), ("fc3.bias", &[3], true)]);
    let report = judged(&flat, "weights", as_lenet300);
    assert_eq!(found(&report).iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["fc3.bias"]);
    // Its name on another network: ranks and names decide.
    let other = network(&STYLES[0], &READINGS[0].1);
    assert_eq!(judged(&other, "weights", as_lenet300).verdict, Verdict::Pass);
}

/// What neither tells is no finding: it is named.
#[test]
fn what_nothing_tells_is_left_open_by_name() {
    type Network = (&'static str, Vec<(&'static str, &'static [usize], bool)>, &'static [&'static str]);
    let networks: [Network; 7] = [
        ("one flat weight", vec![("w", &[20], true)], &["w"]),
        ("flat weights, one of W", vec![("fc1.weight", &[20], true), ("fc1.bias", &[5], false)], &["fc1.weight"]),
        ("a vector of no known name", vec![("theta0", &[4, 5], true), ("theta1", &[4], true)], &["theta1"]),
        (
            "a table of vectors",
            vec![("tok_embed.weight", &[9, 4], false), ("fc.weight", &[4, 5], true)],
            &["tok_embed"],
        ),
        ("a norm over two axes", vec![("ln.weight", &[3, 4], false), ("fc.weight", &[4, 5], true)], &["ln.weight"]),
        (
            "a weight beside a shorter bias",
            vec![("a.weight", &[4, 6], true), ("b.weight", &[8], true), ("b.bias", &[3], false)],
            &["b.weight"],
        ),
        ("two", vec![("w", &[20], true), ("v", &[7], false)], &["`w`, `v`"]),
    ];
    for (what, parameters, open) in networks {
        let report = judged(&port(parameters), "weights", |_| {});
        assert_eq!((report.verdict, report.findings_total), (Verdict::Pass, 0), "{what}: {:?}", report.findings);
        let reasons = left_open(&report);
        assert!(open.iter().all(|name| reasons.iter().any(|reason| reason.contains(name))), "{what}: {reasons:?}");
    }
}

/// Without `init` nobody knows what else the network has.
#[test]
fn without_init_it_is_not_known_whether_params_is_all_of_w() {
    let mut config = network(&STYLES[0], &READINGS[0].1);
    config.recording.omitted = vec!["init"];
    let report = judged(&config, "weights", |_| {});
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(left_open(&report).iter().any(|reason| reason.contains("needs `init`")), "{:?}", report.not_checked);
}

/// A statistic is never in W, a scale as `[1, c, 1, 1]` is one.
#[test]
fn shapes_and_words_are_read_together() {
    let wide: &[usize] = &[1, 4, 1, 1];
    let parameters = |scale_in_w, mean_in_w| {
        port(vec![
            ("conv.weight", &[4, 2, 3, 3], true),
            ("bn.weight", wide, scale_in_w),
            ("bn.bias", wide, false),
            ("bn.running_mean", &[4], mean_in_w),
        ])
    };
    assert_eq!(judged(&parameters(false, false), "weights", |_| {}).verdict, Verdict::Pass);
    let both = judged(&parameters(true, true), "weights", |_| {});
    assert_eq!(found(&both).len(), 2, "{:?}", both.findings);
}
