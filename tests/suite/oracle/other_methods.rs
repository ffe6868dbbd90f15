//! Traces of *reset* and *random rewind*: judged by their own rules, which differ from GDSTAR's in Alg. 4 alone.

use super::checked::{verdict, write};
use super::excuses::{Answer, answer};
use super::port::{Config, Fault, Method, Precision, header, run, serialize};
use super::variants::{random, resets, rewinds_at_random, standard};
use gdstar::oracle::{CheckOptions, Report, Verdict, check};
use gdstar::tensor_file::Tensor;

const METHODS: [fn(&mut Config); 2] = [resets, rewinds_at_random];

/// Correct ports of every kind never fail, and a full record passes with every equation checked.
#[test]
fn correct_ports_pass() {
    for method in METHODS {
        for seed in 0..150 {
            let mut config = random(seed);
            method(&mut config);
            let report = verdict(&config, &run(&config, Fault::None)).unwrap();
            assert_eq!(report.findings.first(), None, "seed {seed}: {config:?}");
        }
        for seed in 40..46 {
            for dtype in [Precision::F32, Precision::F64] {
                let mut config = standard(seed, dtype);
                method(&mut config);
                config.reading.set("epoch_origin", if seed % 2 == 0 { "0" } else { "1" });
                config.reading.set("rewind_update", if seed % 3 == 0 { "before-pruning" } else { "after-pruning" });
                let report = verdict(&config, &run(&config, Fault::None)).unwrap();
                assert_eq!(answer(&config, &report), Answer::Pass, "{:?}", report.findings.first());
                assert_eq!(report.unchecked().count(), 0, "{:?}", report.not_checked);
            }
        }
    }
}

/// The trace of a correct port with more tensors, and without those whose name ends so.
fn changed(config: &Config, more: Vec<(String, Tensor)>, without: &str) -> Report {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    let mut tensors = serialize(config, &run(config, Fault::None));
    tensors.retain(|(name, _)| without.is_empty() || !name.ends_with(without));
    tensors.extend(more);
    write(&path, &header(config), &tensors);
    check(&path, &CheckOptions::default()).unwrap()
}

fn of(method: fn(&mut Config)) -> Config {
    let mut config = standard(43, Precision::F32);
    method(&mut config);
    config
}

/// No rule of these methods reads the running minimum: whatever is recorded of it, nothing is said.
#[test]
fn a_running_minimum_is_not_judged() {
    for method in METHODS {
        let nonsense = (0..7).map(|k| (format!("epoch/{k}/min_before"), Tensor::scalar(-7_f32))).collect();
        let report = changed(&of(method), nonsense, "");
        assert_eq!((report.verdict, report.warnings.len()), (Verdict::Pass, 0), "{:?}", report.findings.first());
    }
}

/// Without the draw the port's own k* is taken, and it is said that nothing decides it; a W_k* that does not fit it is a
/// finding still.
#[test]
fn without_the_draw_k_star_is_the_ports_own() {
    let config = of(rewinds_at_random);
    let report = changed(&config, Vec::new(), "/draw");
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings.first());
    assert!(report.not_checked.iter().any(|n| n.equation == "alg4" && n.reason.contains("draw")));
    let mut faulty = config.clone();
    faulty.recording.omitted = vec!["draw"];
    let report = verdict(&faulty, &run(&config, Fault::RewindNegated)).unwrap();
    assert_eq!(report.findings.first().map(|finding| finding.equation), Some("alg4"));
}

/// A draw that is no number is a finding, and one that is recorded of another method a tensor that the format lacks.
#[test]
fn draws_are_numbers_of_random_rewind_alone() {
    let draw = |x: f32| vec![("epoch/2/draw".to_string(), Tensor::scalar(x))];
    for method in [(|_: &mut Config| ()) as fn(&mut Config), resets] {
        let report = changed(&of(method), draw(0.5), "");
        assert_eq!(report.verdict, Verdict::Pass);
        assert!(report.warnings.iter().any(|warning| warning.contains("epoch/2/draw")), "{:?}", report.warnings);
    }
    let report = changed(&of(rewinds_at_random), draw(f32::NAN), "epoch/2/draw");
    let first = &report.findings[0];
    assert_eq!((report.verdict, first.equation, first.tensor.as_str()), (Verdict::Fail, "alg4", "epoch/2/draw"));
}

/// The probability is 1 in 10 if the header is silent; a draw that is equal to it, as the port holds it, moves nothing.
#[test]
fn the_probability_has_a_default() {
    let mut config = of(rewinds_at_random);
    config.method = Method::RandomRewind { probability: 0.1, draws: vec![0.05, 0.5, 0.1, 0.09, 0.2, 0.09, 0.9] };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    for silent in [false, true] {
        let mut header = header(&config);
        if silent {
            header["hyper"].as_object_mut().unwrap().remove("rewind_probability");
        }
        write(&path, &header, &serialize(&config, &run(&config, Fault::None)));
        let report = check(&path, &CheckOptions::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.findings.first());
    }
}
