//! What no method can do is refused in a line that names the option, before anything is trained.

use super::common::{config, name, with};
use super::small::{digits, refused};
use gdstar::method::Method;
use gdstar::method::options::Value;

fn list(steps: &[usize]) -> Value {
    Value::List(steps.iter().map(|&step| Value::Count(step)).collect())
}

/// An option of another method names both, and what a trace alone may say is no rule to go by.
#[test]
fn options_that_are_not_the_methods() {
    let dataset = digits(32, 8);
    let foreign = refused(&with(config(Method::Rigl, 1), &[("zeta", Value::Real(0.3))]), &dataset);
    assert!(["--zeta", "rigl", "set"].iter().all(|word| foreign.contains(word)), "{foreign}");
    let unknown = refused(&with(config(Method::Gmp, 1), &[("quantile", name("linear"))]), &dataset);
    assert!(unknown.contains("--quantile") && unknown.contains("gmp"), "{unknown}");
    let any = refused(&with(config(Method::Rigl, 1), &[("ties", name("any"))]), &dataset);
    assert!(any.contains("--ties") && any.contains("lower-index"), "{any}");
}

#[test]
fn values_that_cannot_be() {
    let dataset = digits(32, 8);
    let real = |key, value| (key, Value::Real(value));
    for (method, options, words) in [
        (Method::Gmp, vec![real("final_sparsity", 1.5)], ["--final-sparsity", "[0, 1]"]),
        (Method::Granet, vec![real("final_sparsity", 0.2)], ["--final-sparsity", "at least --initial-sparsity 0.5"]),
        (Method::Snip, vec![real("sparsity", -0.1)], ["--sparsity", "[0, 1]"]),
        (Method::Procrustes, vec![real("lambda", 0.0)], ["--lambda", "(0, 1]"]),
        (Method::Procrustes, vec![("tracked", Value::Count(10))], ["--tracked", "both"]),
        (Method::Topkast, vec![real("forward_sparsity", 1.0)], ["--forward-sparsity", "below 1"]),
        (Method::Topkast, vec![real("backward_sparsity", 0.95)], ["--backward-sparsity", "at most 0.9"]),
        (Method::Rigl, vec![("update_every", Value::Count(0))], ["--update-every", "at least 1"]),
        (Method::Rigl, vec![("update_end", Value::Count(1))], ["--update-end", "at least 4"]),
        (Method::Rigl, vec![("distribution", name("given"))], ["--sparsities", "3 sparsities"]),
        (Method::Snip, vec![("sparsities", Value::List(vec![Value::Real(0.5)]))], ["--sparsities", "given"]),
        (
            Method::Acdc,
            vec![("compress_at", list(&[4, 2])), ("decompress_at", list(&[3]))],
            ["--compress-at", "in turn"],
        ),
        (Method::Acdc, vec![("compress_at", list(&[4])), ("decompress_at", list(&[2]))], ["--compress-at", "in turn"]),
        (Method::FixedRewind, vec![("rewind_step", Value::Count(3))], ["--rewind-epoch", "both"]),
    ] {
        let told = refused(&with(config(method, 4), &options), &dataset);
        assert!(words.iter().all(|word| told.contains(word)), "{method}: {told}");
        assert!(!told.contains('\n'));
    }
}

/// Where nothing is left of W there is no density to share out.
#[test]
fn erk_without_a_solution() {
    let dataset = digits(32, 8);
    let methods: [(Method, &[&str]); 3] = [
        (Method::Rigl, &["sparsity"]),
        (Method::Granet, &["initial_sparsity", "final_sparsity"]),
        (Method::Snip, &["sparsity"]),
    ];
    for (method, keys) in methods {
        let mut options = vec![("distribution", name("erk"))];
        options.extend(keys.iter().map(|&key| (key, Value::Real(1.0))));
        let told = refused(&with(config(method, 1), &options), &dataset);
        assert!(told.contains("--distribution erk") && told.contains("layers dense"), "{method}: {told}");
    }
}

/// What has no default is asked for.
#[test]
fn values_that_are_missing() {
    let dataset = digits(32, 8);
    for (method, option) in [
        (Method::Rigl, "--sparsity"),
        (Method::Gmp, "--final-sparsity"),
        (Method::Granet, "--final-sparsity"),
        (Method::Topkast, "--forward-sparsity"),
        (Method::Procrustes, "--tracked"),
        (Method::Acdc, "--sparsity"),
        (Method::FixedRewind, "--rewind-epoch"),
    ] {
        let bare = super::small::config("lenet300", method.entry().name, 1, 8, &[]);
        let told = refused(&bare, &dataset);
        assert!(told.contains(option), "{method}: {told}");
    }
}

/// Layers that are no layers, and all of them.
#[test]
fn dense_layers_that_are_none() {
    let dataset = digits(32, 8);
    for (layers, word) in [("fc9", "fc1"), ("fc1,fc2,fc3", "fewer than all")] {
        let mut config = config(Method::Rigl, 1);
        config.dense_layers = layers.parse().unwrap();
        let told = refused(&config, &dataset);
        assert!(told.contains("--dense-layers") && told.contains(word), "{told}");
    }
}
