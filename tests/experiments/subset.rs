//! `--subset N`: a run sees the first N training images alone, wherever it is resumed, and says so.

use gdstar::data::{self, LoadOptions, Source};
use gdstar::error::{Error, Result};
use gdstar::method::Method;
use gdstar::train::{Config, Run, Session};
use std::sync::atomic::AtomicBool;

fn config() -> Config {
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    (config.hyper.epochs, config.optimizer.batch_size, config.subset) = (1, 16, Some(48));
    config
}

fn told<T>(result: Result<T>) -> String {
    match result {
        Err(error @ Error::Domain { .. }) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("not refused"),
    }
}

#[test]
fn the_first_images_in_the_data_sets_order() {
    let all = data::load(Source::Digits, None).unwrap();
    let some = data::load_with(Source::Digits, None, config().load_options()).unwrap();
    assert_eq!(some.train, all.train.select(&(0..48).collect::<Vec<_>>()));
    assert_eq!((&some.test, &some.classes), (&all.test, &all.classes));
    assert_ne!(some.fingerprint(), all.fingerprint());
}

#[test]
fn what_cannot_be_is_refused() {
    let load = |subset| data::load_with(Source::Digits, None, LoadOptions { subset, ..LoadOptions::default() });
    for (count, words) in [(0, "at least 1"), (1443, "at most 1442")] {
        let told = told(load(Some(count)));
        assert!(told.contains("--subset") && told.contains(words) && !told.contains('\n'), "{told}");
    }
    // All images in the place of some would be another run.
    let all = data::load(Source::Digits, None).unwrap();
    let told = told(Run::new(&config(), &all, &AtomicBool::new(false)));
    assert!(told.contains("--subset") && told.contains("48") && told.contains("1442"), "{told}");
}

#[test]
fn it_travels_with_the_run() {
    let folder = std::env::temp_dir().join(format!("gdstar-subset-{}", std::process::id()));
    let config = config();
    assert!(config.departures().unwrap().iter().any(|departure| departure.to_string() == "subset = 48"));
    let load = || data::load_with(Source::Digits, None, config.load_options()).unwrap();
    let records = Session::new(config.clone()).unwrap().kept_in(&folder).unwrap().train(&load()).unwrap();
    let resumed = Session::resume(&folder).unwrap().unwrap();
    assert_eq!(resumed.config().subset, Some(48));
    let other = Config { subset: Some(64), ..config.clone() };
    let told = resumed.with_config(other).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("--subset 64 (was 48)"), "{told}");
    assert_eq!(Session::resume(&folder).unwrap().unwrap().train(&load()).unwrap(), records);
    std::fs::remove_dir_all(&folder).unwrap();
}
