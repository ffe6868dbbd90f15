//! `--record`: what is measured besides is true, is only where it is asked for, and changes no result.

use gdstar::data::{self, Dataset, LoadOptions, Source};
use gdstar::method::{Measured, Method, Record};
use gdstar::train::{Config, EpochRecord, Session};

fn digits() -> Dataset {
    data::load_with(Source::Digits, None, LoadOptions { subset: Some(64), ..LoadOptions::default() }).unwrap()
}

fn train(method: Method, record: &[Record]) -> Vec<EpochRecord> {
    let mut config = Config::new("lenet300", Source::Digits, method);
    (config.hyper.epochs, config.optimizer.batch_size, config.subset) = (2, 16, Some(64));
    config.outputs.record = record.to_vec();
    Session::new(config).unwrap().train(&digits()).unwrap()
}

fn results(records: &[EpochRecord]) -> Vec<(f64, f64, f64)> {
    records.iter().map(|record| (record.loss, record.test_accuracy, record.sparsity)).collect()
}

#[test]
fn no_result_depends_on_it() {
    for method in [Method::Dense, Method::Gdstar] {
        let (plain, measured) = (train(method, &[]), train(method, Record::ALL));
        assert_eq!(results(&plain), results(&measured), "{method}");
        assert!(plain.iter().all(|record| record.measured == Measured::default()), "{method}");
        let line = serde_json::to_string(&plain[0]).unwrap();
        assert!(!["histogram", "parts", "peak_memory"].iter().any(|key| line.contains(key)), "{line}");
        for record in &measured {
            let Measured { histogram, parts, peak_memory } = record.measured.clone();
            let histogram = histogram.unwrap();
            assert_eq!(histogram.zeros + histogram.counts.iter().sum::<usize>(), 64 * 300 + 300 * 100 + 100 * 10);
            assert!(parts.is_some_and(|parts| parts.s_f >= 0.0 && parts.selection >= 0.0));
            assert_eq!(peak_memory.is_some(), cfg!(target_os = "linux"));
            let line = serde_json::to_string(record).unwrap();
            assert_eq!(serde_json::from_str::<EpochRecord>(&line).unwrap(), *record);
        }
    }
}

/// Before anything is pruned both methods have the same weights, so the same G to the last bit.
#[test]
fn s_f_of_a_dense_run_is_the_one_of_gdstar_while_nothing_is_pruned() {
    let s_f = |records: Vec<EpochRecord>| records[0].numbers.real("frobenius");
    let gdstar = s_f(train(Method::Gdstar, &[]));
    assert!(gdstar.is_some());
    assert_eq!(s_f(train(Method::Dense, &[Record::Frobenius])), gdstar);
    assert_eq!(s_f(train(Method::Dense, &[])), None);
    let of_g = |method| train(method, &[Record::Histogram])[0].measured.histogram.clone();
    assert_eq!(of_g(Method::Dense), of_g(Method::Gdstar));
}
