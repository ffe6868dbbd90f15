//! Where gdstar and its relatives stop: pruning at `--target-sparsity`, k* after `--freeze-k-star`.

use super::command::refused;
use gdstar::data::{self, Dataset, LoadOptions, Source};
use gdstar::method::Method::{self, *};
use gdstar::method::options::Value;
use gdstar::method::{At, METHODS, Story};
use gdstar::nn::{Parameter, Parameters, Role, models};
use gdstar::paper::reading::{Prunable, Threshold};
use gdstar::paper::structured::Structure;
use gdstar::train::{Config, EpochRecord, Session, check_traceable};
use gdstar::weights::Weights;
use ndarray::arr1;

const RELATIVES: [Method; 4] = [Gdstar, Reset, RandomRewind, FixedRewind];

fn digits() -> Dataset {
    data::load_with(Source::Digits, None, LoadOptions { subset: Some(96), ..LoadOptions::default() }).unwrap()
}

fn config(method: Method, options: &[(&str, Value)]) -> Config {
    let mut config = Config::new("lenet300", Source::Digits, method);
    (config.hyper.epochs, config.optimizer.batch_size) = (4, 8);
    (config.hyper.eps, config.hyper.lambda) = (1e-2, 0.5);
    if method == FixedRewind {
        config.options.set("rewind_epoch", Value::Count(1));
    }
    config.subset = Some(96);
    options.iter().for_each(|(key, value)| config.options.set(key, value.clone()));
    config
}

fn target(share: f64) -> (&'static str, Value) {
    ("target_sparsity", Value::Real(share))
}

fn train(config: &Config) -> Vec<EpochRecord> {
    Session::new(config.clone()).unwrap().train(&digits()).unwrap()
}

/// Every method has its option for it, or none.
#[test]
fn what_says_how_sparse_each_method_becomes() {
    for &method in METHODS {
        let expected = match method {
            Gdstar | Reset | RandomRewind | FixedRewind => Some("target_sparsity"),
            DropBack | Procrustes | Snip | Grasp | Set | Rigl | Acdc => Some("sparsity"),
            Gmp | Granet => Some("final_sparsity"),
            Topkast => Some("forward_sparsity"),
            Dense | LayerDrop | Sdgp | Amc => None,
        };
        assert_eq!(method.entry().sparsity_option().map(|option| option.key), expected, "{method}");
    }
}

/// The very count, whatever the seed; nothing is different before, and nothing is pruned after.
#[test]
fn pruning_ends_at_the_share_that_is_asked_for() {
    let weights = 64 * 300 + 300 * 100 + 100 * 10;
    let kept = (weights as f64 * 0.7).round_ties_even();
    for method in RELATIVES {
        let (free, stopped) = (train(&config(method, &[])), train(&config(method, &[target(0.3)])));
        let reached = free.iter().position(|record| record.sparsity > 0.3).unwrap();
        for (free, stopped) in free.iter().zip(&stopped).take(reached) {
            assert_eq!((free.loss, free.sparsity), (stopped.loss, stopped.sparsity), "{method}");
        }
        for record in &stopped[reached..] {
            assert_eq!(record.sparsity, (weights as f64 - kept) / weights as f64, "{method}");
            assert_eq!(record.layers, stopped[reached].layers, "{method}");
            assert!(record.numbers.real("frobenius").is_some_and(|s_f| s_f > 0.0), "{method}");
        }
        assert!(stopped[reached..].iter().map(|record| record.loss).is_sorted_by(|a, b| a != b), "{method} trains on");
    }
}

/// The smallest decayed values go, of equal ones the first; what is spared keeps its value, and the next epoch moves nothing.
#[test]
fn which_weights_go_at_the_stop() {
    let first = [0.5, 0.01, -0.02, 0.03, 0.01, 1.0, 0.04, 2.0];
    for (share, gone) in [(0.0, vec![]), (0.125, vec![1]), (0.25, vec![1, 4]), (0.375, vec![1, 2, 4])] {
        let parameter = Parameter::new("w", Role::Weight, arr1(&first).into_dyn());
        let mut w = Weights::<f64>::new(Parameters::new(vec![parameter]), Prunable::Weights);
        let mut config = config(Reset, &[target(share)]);
        config.hyper.eps = 0.05;
        let network = models::find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
        let mut method = Reset.start::<f64>(&config.setup(&network, 10), &mut w).unwrap();
        for epoch in 0..2 {
            let at = At { epoch, steps: 10, learning_rate: 0.1, recorded: false };
            method.begin_epoch(at, &mut w);
            w.slot_mut("G").unwrap().values = vec![1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 100.0];
            method.end_of_epoch(at, &mut w, &mut Story::new(false)).unwrap();
            let expected: Vec<f64> =
                first.iter().enumerate().map(|(j, &w)| if gone.contains(&j) { 0.0 } else { w }).collect();
            assert_eq!(w.values(), expected, "{share}, epoch {epoch}");
        }
    }
}

#[test]
fn k_star_stays_where_it_is_after_an_epoch() {
    let k_star = |records: Vec<EpochRecord>| -> Vec<usize> {
        records.iter().map(|record| record.numbers.count("k_star").unwrap()).collect()
    };
    let free = k_star(train(&config(Gdstar, &[])));
    assert!(free.last() > Some(&1), "{free:?}");
    for last in [0, 1] {
        let frozen = k_star(train(&config(Gdstar, &[("freeze_k_star", Value::Count(last))])));
        assert_eq!(frozen, (0..free.len()).map(|k| free[k.min(last)]).collect::<Vec<_>>());
    }
}

#[test]
fn what_a_stop_cannot_go_with_is_refused() {
    let mut groups = config(Gdstar, &[target(0.3)]);
    groups.structure = Some("channels".parse::<Structure>().unwrap());
    let mut all = config(Gdstar, &[target(0.3)]);
    all.reading.threshold = Threshold::All;
    for (config, words) in [(groups, "--structure"), (all, "--threshold")] {
        let told = Session::new(config).unwrap().train(&digits()).unwrap_err().to_string();
        assert!(told.contains("--target-sparsity") && told.contains(words) && !told.contains('\n'), "{told}");
    }
    for (option, value) in [target(0.3), ("freeze_k_star", Value::Count(1))] {
        let told = check_traceable(&config(Gdstar, &[(option, value)])).unwrap_err().to_string();
        assert!(told.contains("--trace") && told.contains(&option.replace('_', "-")), "{told}");
    }
    for method in RELATIVES {
        assert!(Session::new(config(method, &[target(1.5)])).is_err());
    }
}

#[test]
fn the_command_refuses_in_a_line() {
    for (words, told) in [
        ("--method dense --target-sparsity 0.9", "--target-sparsity"),
        ("--method sdgp --target-sparsity 0.9", "--method gdstar"),
        ("--method gdstar --target-sparsity 1.1", "[0, 1]"),
        ("--method rigl --sparsity 0.5 --target-sparsity 0.9", "--sparsity"),
        ("--method reset --freeze-k-star 3", "--freeze-k-star"),
        ("--method gmp --final-sparsity 0.5 --record histogram", "--record histogram"),
        ("--subset 0", "--subset"),
        ("--subset 2000", "1442"),
    ] {
        let line = refused(&format!("train --model lenet300 --data digits --epochs 1 {words}"));
        assert!(line.contains(told), "{words}: {line}");
    }
}
