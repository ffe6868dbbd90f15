//! The exact lane: traces of which no correct port may differ in a single bit, because nothing in them rounds.

mod dyadic;
mod lane;
mod mistakes;

use crate::common::traces::{self, Tensors, floats, scalar};
use crate::goldens::golden;
use gdstar::oracle::arithmetic::{Sum, is_representable};
use gdstar::oracle::{CheckOptions, Verdict, check};
use gdstar::paper::decay::decay_factor;
use gdstar::paper::reading::MaskedGradient;
use gdstar::scalar::{DoubleDouble, Dtype};
use gdstar::tensor_file::{self, Tensor, TensorFile};
use gdstar::trace::{Arithmetic, Trace};
pub use lane::{LANES, Lane};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Writes the inputs and the full traces.
pub fn make(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for lane in LANES {
        let (input, expected) = lane.build();
        for (file, (header, tensors)) in [("", input), (".expected", expected)] {
            let path = folder.join(format!("{}{file}.safetensors", lane.name));
            let metadata = HashMap::from([(gdstar::trace::KEY.to_string(), header.to_string())]);
            tensor_file::write(&path, metadata, &tensors.into_iter().collect::<Vec<_>>()).unwrap();
        }
    }
}

fn file(lane: &Lane, kind: &str) -> PathBuf {
    golden("exact").join(format!("{}{kind}.safetensors", lane.name))
}

/// All tensors of a trace.
fn tensors(path: &Path) -> Tensors {
    let file = TensorFile::open(path).unwrap();
    let read = |name: &str| match file.describe(name).unwrap().0 {
        safetensors::Dtype::F32 => Tensor::from_array(&file.read::<f32>(name, None).unwrap().view()),
        safetensors::Dtype::I64 => Tensor::from_array(&file.read::<i64>(name, None).unwrap().view()),
        safetensors::Dtype::U8 => Tensor::from_array(&file.read::<u8>(name, None).unwrap().view()),
        other => panic!("{name}: {other:?}"),
    };
    file.names().map(|name| (name.to_string(), read(name))).collect()
}

/// The committed files are what their seeds give today, byte for byte.
#[test]
fn the_lane_is_what_the_maker_makes() {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    for lane in LANES {
        for kind in ["", ".expected"] {
            let path = file(lane, kind);
            let made = std::fs::read(folder.path().join(path.file_name().unwrap())).unwrap();
            assert!(made == std::fs::read(&path).unwrap(), "{}", path.display());
        }
    }
}

/// The promise: `check --exact` demands every bit of the full traces, and they have them; nothing is ambiguous.
#[test]
fn the_full_traces_pass_exactly() {
    for lane in LANES {
        for exact in [true, false] {
            let report = check(&file(lane, ".expected"), &CheckOptions { exact, ..CheckOptions::default() }).unwrap();
            assert_eq!(report.verdict, Verdict::Pass, "{}: {:?} {:?}", lane.name, report.findings, report.inconclusive);
            assert_eq!(report.ambiguous, 0, "{}", lane.name);
        }
    }
}

/// The sum in `f32` forwards, backwards and by halves.
fn sums_in_f32(terms: &[f64]) -> [f32; 3] {
    fn by_halves(terms: &[f32]) -> f32 {
        match terms {
            [] => 0.0,
            [one] => *one,
            more => by_halves(&more[..more.len() / 2]) + by_halves(&more[more.len() / 2..]),
        }
    }
    let terms: Vec<f32> = terms.iter().map(|&x| x as f32).collect();
    [terms.iter().sum(), terms.iter().rev().sum(), by_halves(&terms)]
}

/// No partial sum rounds in `f32`, by the rule and by trial: any order gives the same bits as exact arithmetic.
#[track_caller]
fn assert_sum(who: &str, terms: &[f64], got: f64) {
    let mut sum = Sum::default();
    terms.iter().for_each(|&x| sum.add(x));
    assert!(sum.is_exact_in(&Arithmetic::of(Dtype::F32)), "{who} may round");
    assert_eq!(sum.value, DoubleDouble::from(got), "{who}");
    assert_eq!(sums_in_f32(terms).map(f64::from), [got; 3], "{who}");
    assert_eq!(terms.iter().sum::<f64>(), got, "{who}");
}

/// The promise: every quantity of the lane is exact in `f32` in any order.
#[test]
fn nothing_rounds_in_any_order() {
    let arithmetic = Arithmetic::of(Dtype::F32);
    for lane in LANES {
        let path = file(lane, ".expected");
        let (trace, all) = (Trace::open(&path).unwrap(), tensors(&path));
        let dense = lane.reading.masked_gradient == MaskedGradient::Dense;
        for k in trace.epochs() {
            let who = |what: &str| format!("{}, epoch {k}: {what}", lane.name);
            let flat = |what: &str| -> Vec<f64> {
                trace.prunable().iter().flat_map(|p| floats(&all, &format!("epoch/{k}/{what}/{}", p.name))).collect()
            };
            let alive = flat("mask_before");
            let batches: Vec<Vec<f64>> = (0..trace.batches(k)).map(|i| flat(&format!("batch/{i}/grad"))).collect();
            let counted = |batch: &[f64]| -> Vec<f64> {
                batch.iter().zip(&alive).map(|(&g, &alive)| if dense || alive == 1.0 { g } else { 0.0 }).collect()
            };
            let batches: Vec<Vec<f64>> = batches.iter().map(|batch| counted(batch)).collect();
            let sizes: Vec<f64> = batches.concat().iter().map(|g| g.abs()).collect();
            assert_sum(&who("S_abs"), &sizes, scalar(&all, &format!("epoch/{k}/S_abs")));
            let g = flat("G");
            if !lane.steps() {
                for (j, &g_j) in g.iter().enumerate() {
                    let squares: Vec<f64> = batches.iter().map(|batch| batch[j] * batch[j]).collect();
                    assert_sum(&who(&format!("G[{j}]")), &squares, g_j);
                }
            }
            let (s_sq, s_f) = (scalar(&all, &format!("epoch/{k}/S_sq")), scalar(&all, &format!("epoch/{k}/S_F")));
            assert_sum(&who("S_sq"), &g, s_sq);
            assert_eq!(s_f * s_f, s_sq, "{}", who("S_sq is a perfect square"));
            let quantiles = floats(&all, &format!("epoch/{k}/chunk_quantiles"));
            let total: f64 = quantiles.iter().sum();
            assert_sum(&who("C tau"), &quantiles, total);
            assert!(quantiles.len().is_power_of_two(), "{}", who("the number of chunks"));
            assert_eq!(scalar(&all, &format!("epoch/{k}/tau")) * quantiles.len() as f64, total, "{}", who("tau"));
            let t = scalar(&all, &format!("epoch/{k}/t")) as usize;
            for s in 0..=t {
                let power = decay_factor::<DoubleDouble>(lane.lambda, s).unwrap();
                assert!(is_representable(power, &arithmetic), "{}", who("lambda^t"));
                for w in flat("rewind") {
                    let product = DoubleDouble::from(w) * power;
                    assert!(w == 0.0 || is_representable(product, &arithmetic), "{}", who("w* lambda^t"));
                }
            }
        }
    }
}

/// The planted ties are there: G = tau, S_F = m, |w| = eps, and w = -0.
#[test]
fn the_ties_are_there() {
    let (mut g_tau, mut s_m, mut w_eps, mut minus_0) = (0, 0, 0, 0);
    for lane in LANES {
        let path = file(lane, ".expected");
        let (trace, all) = (Trace::open(&path).unwrap(), tensors(&path));
        for k in trace.epochs() {
            let one = |what: &str| scalar(&all, &format!("epoch/{k}/{what}"));
            s_m += usize::from(one("S_F") == one("min_before"));
            for p in trace.prunable() {
                let of = |what: &str| floats(&all, &format!("epoch/{k}/{what}/{}", p.name));
                g_tau += of("G").iter().filter(|g| **g == one("tau")).count();
                minus_0 += of("weights_before").iter().filter(|w| **w == 0.0 && w.is_sign_negative()).count();
                let kept = of("selected").into_iter().zip(of("mask")).zip(of("weights_after"));
                w_eps += kept.filter(|((s, m), w)| *s == 1.0 && *m == 1.0 && w.abs() == lane.eps).count();
            }
        }
    }
    assert!(
        g_tau >= LANES.len() && s_m >= LANES.len() / 2 && w_eps >= LANES.len() / 2 && minus_0 >= LANES.len(),
        "G = tau {g_tau}, S_F = m {s_m}, |w| = eps {w_eps}, w = -0 {minus_0} times"
    );
}

/// A changed full trace, checked exactly.
fn verdict_of(lane: &Lane, tensors: &Tensors) -> (Verdict, Vec<&'static str>) {
    let text = TensorFile::open(&file(lane, ".expected")).unwrap();
    let header: serde_json::Value = serde_json::from_str(text.metadata("gdstar").unwrap()).unwrap();
    let trace = traces::open(&header, tensors).unwrap();
    let report = gdstar::oracle::check_trace(&trace, &CheckOptions { exact: true, ..CheckOptions::default() }).unwrap();
    (report.verdict, report.findings_by_equation.keys().copied().collect())
}
