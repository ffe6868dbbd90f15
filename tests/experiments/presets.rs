//! Every preset has the values that its sentences state.

use gdstar::experiment::preset::{PRESETS, Preset, RESNET50, find};
use gdstar::experiment::reported::TABLE2;
use gdstar::method::Method;
use gdstar::nn::models::MODELS;
use serde_json::Value;

/// A number as the paper writes it: `5.5×10^{-5}`.
fn number(written: &str) -> Option<f64> {
    match written.split_once("×10^{") {
        Some((mantissa, exponent)) => format!("{mantissa}e{}", exponent.strip_suffix('}')?).parse().ok(),
        None => written.parse().ok(),
    }
}

fn every_preset() -> impl Iterator<Item = &'static Preset> {
    PRESETS.iter().chain([&RESNET50])
}

#[test]
fn a_run_has_every_value_that_is_quoted() {
    for preset in every_preset() {
        let config = serde_json::to_value(preset.config(Method::Gdstar)).unwrap();
        for setting in preset.settings() {
            let Some(written) = setting.written else { continue };
            let pointer = format!("/{}", setting.key.replace('.', "/"));
            assert!(setting.quote.text.contains(written), "{}: {written}", setting.quote.text);
            match (number(written), config.pointer(&pointer)) {
                (Some(expected), found) => assert_eq!(found.and_then(Value::as_f64), Some(expected), "{}", setting.key),
                // Left out where it is the default, which the sentence's word names.
                (None, _) => assert!(["data", "schedule"].contains(&setting.key), "{}", setting.key),
            }
        }
    }
}

/// What a reader would look for is there: nothing that decides a run of the paper's is without its sentence.
#[test]
fn nothing_that_the_paper_states_is_missing() {
    let wanted = ["hyper.epochs", "hyper.chunks", "hyper.alpha_0", "hyper.alpha_K", "hyper.lambda", "hyper.eps"];
    let optimizer = ["learning_rate", "momentum", "weight_decay", "batch_size"].map(|key| format!("optimizer.{key}"));
    for preset in every_preset() {
        let keys: Vec<&str> = preset.settings().map(|setting| setting.key).collect();
        for key in wanted.iter().copied().chain(optimizer.iter().map(String::as_str)) {
            assert_eq!(keys.iter().filter(|&&known| known == key).count(), 1, "{}: {key}", preset.model);
        }
    }
}

#[test]
fn chunks_are_two_for_three_networks() {
    let of = |preset: &Preset| preset.config(Method::Gdstar).hyper.chunks;
    let two: Vec<&str> = every_preset().filter(|preset| of(preset) == 2).map(|preset| preset.model).collect();
    // ResNet50 on CIFAR-10, as section 4 has it, and on Tiny ImageNet.
    assert_eq!(two, ["vgg19bn", "resnet34", "resnet50", "resnet50"]);
    // And they are no departure from the paper.
    assert!(find("vgg19bn").unwrap().config(Method::Gdstar).departures().unwrap().is_empty());
}

#[test]
fn every_network_has_a_preset() {
    for entry in MODELS {
        assert_eq!(PRESETS.iter().filter(|preset| preset.model == entry.name).count(), 1, "{}", entry.name);
    }
    assert!(TABLE2.networks().all(|network| find(network).is_ok()));
    assert!(find("alexnet").is_err());
}
