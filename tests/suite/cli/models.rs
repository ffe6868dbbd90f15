//! `gdstar models`.

use super::{assert_fails, gdstar, text};
use gdstar::nn::models::MODELS;
use gdstar::report::{WIDTH, thousands};

fn lines(arguments: &[&str]) -> Vec<String> {
    let output = gdstar(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).lines().map(str::to_string).collect()
}

/// One line a network, with parameters, prunable parameters, multiply-accumulates and the memory of a step.
#[test]
fn models_are_listed_with_their_sizes() {
    let told = lines(&["models"]);
    assert!(told[1 + MODELS.len()].is_empty(), "{told:?}");
    assert!(told[0].contains("batch 128"), "{}", told[0]);
    for (line, entry) in told[1..].iter().zip(MODELS) {
        let summary = entry.network(entry.input, entry.classes).unwrap().summary::<f32>(128).unwrap();
        let sizes = [summary.parameters, summary.prunable, summary.macs].map(thousands);
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!([words[0], words[1], words[2], words[3]], [entry.name, &sizes[0], &sizes[1], &sizes[2]]);
    }
}

/// Where the images are too small for one network, the list says so and goes on.
#[test]
fn a_network_that_cannot_take_the_images_does_not_end_the_list() {
    let told = lines(&["models", "--image-size", "9", "--classes", "3"]);
    let lenet = told.iter().find(|line| line.starts_with("lenet ")).unwrap();
    assert!(lenet.contains("cannot take these images"), "{lenet}");
    assert!(told.iter().any(|line| line.starts_with("densenet121")));
    assert_fails(&["models", "lenet", "--image-size", "9"], 2, &["--image-size", "lenet can take", "[3, 9, 9]"]);
    assert_fails(&["models", "--batch-size", "1"], 2, &["--batch-size", "2", "found 1"]);
    assert_fails(&["models", "--classes", "0"], 2, &["--classes", "1 to 65536", "found 0"]);
}

/// A network's layers by name, the random ones and the gates too, and what a step's memory is made of.
#[test]
fn a_networks_layers_are_listed() {
    let told = lines(&["models", "efficientnetb0", "--batch-size", "16"]);
    for (layer, op) in [
        ("conv1", "conv2d"),
        ("layers.2.se.se1", "conv2d"),
        ("layers.2.se", "sigmoid"),
        ("layers.2.se", "mul"),
        ("layers.2", "dropout"),
        ("layers.2", "add"),
        ("linear", "linear"),
    ] {
        let listed = |line: &String| line.split_whitespace().take(2).eq([layer, op]);
        assert!(told.iter().any(listed), "no {op} in {layer}:\n{}", told.join("\n"));
    }
    assert!(told.iter().any(|line| line.starts_with("memory of a training step at batch 16")));
    assert!(told.iter().any(|line| line.trim_start().starts_with("saved activations")));
}

/// Lists, the layers of every network, and what can be downloaded: as wide as a terminal that nobody has widened.
#[test]
fn lists_fit_a_terminal() {
    let mut told = [lines(&["models"]), lines(&["models", "--image-size", "9"]), lines(&["data", "list"])].concat();
    told.extend([lines(&["methods"]), lines(&["reproduce", "--store", "none"])].concat());
    for entry in MODELS {
        let own = lines(&["models", entry.name]);
        let words: Vec<&str> = own.iter().flat_map(|line| line.split_whitespace()).collect();
        assert!(words.join(" ").contains(entry.source), "{own:?}");
        let image = if entry.name == "lenet300" { "28" } else { "224" };
        told.extend(own.into_iter().chain(lines(&["models", entry.name, "--image-size", image, "--batch-size", "2"])));
    }
    for line in told {
        assert!(line.chars().count() <= WIDTH, "a terminal would break this line:\n{line}");
    }
}
