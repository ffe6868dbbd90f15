//! The defaults are the paper's, a run has them, and `--help` says so.

use crate::cli::{gdstar, text};
use gdstar::data::Source;
use gdstar::method::Method;
use gdstar::nn::models::MODELS;
use gdstar::paper::Hyperparameters;
use gdstar::train::{Config, SgdSettings, TEST_BATCH};
use std::collections::BTreeMap;
use toml::Value;

/// Section 4: "All models are trained for 300 epochs with a batch size of 128 [..] SGD with momentum 0.9 and weight decay
/// 5x10^-4, with a base learning rate of 0.05 [..] alpha_0 = 0.95, gradually decayed to a final value of alpha_K = 0.25.
/// The decay rate is lambda = 0.75, and the pruning threshold is fixed at 5.5x10^-5. The number of chunks is set to C = 1".
#[test]
fn the_defaults_are_those_of_section_4() {
    let hyper = Hyperparameters { epochs: 300, alpha_0: 0.95, alpha_end: 0.25, lambda: 0.75, eps: 5.5e-5, chunks: 1 };
    assert_eq!(Hyperparameters::default(), hyper);
    let sgd = SgdSettings { learning_rate: 0.05, momentum: 0.9, weight_decay: 5e-4, nesterov: false, batch_size: 128 };
    assert_eq!(SgdSettings::default(), sgd);
    assert_eq!(TEST_BATCH, 100);
    let config = Config::new("lenet300", Source::Digits, Method::default());
    assert_eq!((config.method, config.hyper, config.optimizer), (Method::Gdstar, hyper, sgd));
}

/// "[..] for all evaluated models except VGG19BN, ResNet34, and ResNet50, which require C = 2": a preset of the network,
/// which a table does not call a departure.
#[test]
fn three_networks_have_two_chunks() {
    for model in MODELS {
        let mut config = Config::new(model.name, Source::Cifar10, Method::Gdstar);
        let expected = if ["vgg19bn", "resnet34", "resnet50"].contains(&model.name) { 2 } else { 1 };
        assert_eq!((model.chunks, config.hyper.chunks), (expected, expected), "{}", model.name);
        assert!(config.departures().unwrap().is_empty(), "{}", model.name);
        config.hyper.chunks = 3 - expected;
        let departures: Vec<String> = config.departures().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(departures, [format!("chunks = {}", 3 - expected)], "{}", model.name);
    }
}

/// The settings of a run that have a default, by the option that sets them.
fn settings() -> BTreeMap<String, Value> {
    fn add(table: toml::Table, settings: &mut BTreeMap<String, Value>) {
        for (key, value) in table {
            match value {
                Value::Table(table) => add(table, settings),
                value => drop(settings.insert(key.to_lowercase().replace('_', "-"), value)),
            }
        }
    }
    let mut config: toml::Table =
        toml::from_str(&Config::new("lenet300", Source::Digits, Method::default()).to_toml().unwrap()).unwrap();
    // These have to be given; augmentation is switched off by its absence.
    for key in ["model", "data", "augment"] {
        config.remove(key).unwrap();
    }
    let optimizer = config["optimizer"].as_table_mut().unwrap();
    // In `reading` is when the schedule moves.
    let learning_rate = optimizer.remove("learning_rate").unwrap();
    optimizer.insert("lr".into(), learning_rate);
    let mut settings = BTreeMap::new();
    add(config, &mut settings);
    settings
}

/// What `--help` says of each option of `train`, without line breaks.
fn help() -> BTreeMap<String, String> {
    let help = text(&gdstar(&["train", "--help"]).stdout);
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    let mut option = String::new();
    for line in help.lines().map(str::trim) {
        if let Some((_, name)) = line.split_once("--").filter(|(before, _)| before.is_empty() || before.ends_with(", "))
        {
            option = name.split([' ', '[']).next().unwrap().to_string();
        }
        let told = options.entry(option.clone()).or_default();
        told.push_str(line);
        told.push(' ');
    }
    options
}

/// The values in the bracket that begins with `label`.
fn bracket(told: &str, label: &str) -> Option<String> {
    let (_, rest) = told.split_once(&format!("[{label}: "))?;
    Some(rest.split([',', ';', ' ', ']']).next().unwrap().to_string())
}

/// The default in the help of an option, in words or as the first of the possible values, is that of the run.
#[test]
fn help_prints_the_defaults_that_runs_have() {
    let help = help();
    for (option, value) in settings() {
        let told = help.get(&option).unwrap_or_else(|| panic!("--{option} is no option"));
        let default = bracket(told, "default").or_else(|| bracket(told, "possible values"));
        let default = default.unwrap_or_else(|| panic!("--{option} has no default: {told}"));
        let agrees = match &value {
            Value::String(name) => *name == default,
            Value::Integer(n) => default.parse() == Ok(*n),
            Value::Float(x) => default.parse() == Ok(*x),
            other => panic!("--{option}: {other:?}"),
        };
        assert!(agrees, "--{option}: {default} in the help, {value} in a run");
    }
}
