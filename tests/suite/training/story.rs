//! What a person sees of a run under way.

use super::{GO_ON, config, digits};
use gdstar::method::Method;
use gdstar::method::quantity::Number;
use gdstar::report::progress::{header, plan, row};
use gdstar::train::{EpochRecord, Run};
use std::collections::BTreeMap;

fn record(epoch: usize, loss: f64, value: f64, count: usize) -> EpochRecord {
    let numbers = [
        ("frobenius", Number::Real(value)),
        ("k_star", Number::Count(epoch)),
        ("t", Number::Count(epoch)),
        ("alpha", Number::Real(0.95)),
        ("tau", Number::Real(value)),
        ("selected", Number::Count(count)),
    ];
    EpochRecord {
        method: String::new(),
        epoch,
        loss,
        test_accuracy: 1.0,
        sparsity: 0.5,
        numbers: numbers.into_iter().collect(),
        learning_rate: 0.05,
        seconds: 1.0,
        effective_flops: None,
        bytes: None,
        layers: BTreeMap::new(),
        measured: gdstar::method::Measured::default(),
    }
}

/// No row of anything that trains is broken by a terminal of 80 columns, and its cells stand below their heads.
#[test]
fn rows_fit_a_terminal() {
    let heads = header(Method::Gdstar);
    assert!(heads.len() <= 80);
    for (loss, shown) in [(2.147_862, "2.147862"), (12.345_678, "12.34568"), (0.0, "0.000000"), (123_456.7, "123456.7")]
    {
        assert_eq!(row(Method::Gdstar, &record(0, loss, 1.0, 0)).split_whitespace().nth(1), Some(shown));
    }
    for epoch in [0, 299, 9999] {
        for loss in [0.003_297, 99.999_999_9, 9.999_999_9e5, 1e30, f64::MIN_POSITIVE] {
            for value in [3.561e-4, 1.5e-45, 3.4e38, 0.0] {
                for count in [0, 99_999_999] {
                    let told = row(Method::Gdstar, &record(epoch, loss, value, count));
                    assert!(told.len() <= 80, "{} columns: {told}", told.len());
                    assert_eq!(told.split_whitespace().count(), heads.split_whitespace().count(), "{told}");
                }
            }
        }
    }
    let usual = row(Method::Gdstar, &record(299, 0.003_297, 1.6172e-1, 46_518));
    assert_eq!(usual.len(), heads.len(), "\n{heads}\n{usual}");
}

/// The story that README tells is in the form that is printed.
#[test]
fn readme_shows_the_story_as_it_is_printed() {
    let readme = include_str!("../../../README.md");
    let heads = header(Method::Gdstar);
    let (_, told) = readme.split_once(&heads).expect("README has the heads");
    let rows = told.lines().skip(1).take_while(|line| !line.starts_with("gdstar:"));
    let widths: Vec<usize> = rows.filter(|line| !line.ends_with("...")).map(str::len).collect();
    assert!(widths.len() > 5 && widths.iter().all(|&width| width == heads.len()), "{widths:?}");
}

/// At the start of a run: what is trained on what, how, and with how many threads.
#[test]
fn the_plan_names_the_run() {
    let (config, dataset) = (config(Method::Gdstar, 1000), digits());
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let told = pool.install(|| plan(&run));
    // 64 x 300 + 300 x 100 + 100 x 10 weights, and a bias each of 410 outputs.
    for part in
        ["lenet300 by gdstar: 50,610 parameters, 50,200 of them in W", "digits: 1,442 images", "355 for testing"]
    {
        assert!(told.contains(part), "`{part}` is not in:\n{told}");
    }
    for part in ["1,000 epochs of 12 batches of 128", "f32", "fast kernel", "3 threads"] {
        assert!(told.contains(part), "`{part}` is not in:\n{told}");
    }
    assert!(told.lines().all(|line| line.len() <= 80), "{told}");
}
