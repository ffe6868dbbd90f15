//! Selections of keys that are known within bounds, and counts, against brute force: what a check accepts is what some choice
//! of the numbers within their bounds gives.

use super::written::Written;
use serde_json::json;

/// Half the distance of neighbours in f32 above 1, relatively: what storage in f32 may have rounded by.
const HALF: f64 = 1.0 / (1 << 24) as f64;

/// A port in f64 that stores its weights in f32: at a compression its keys are known to within that.
fn compressed(weights: &[f32], sparsity: f64, reading: serde_json::Value, mask: &[u8]) -> Written {
    let n = weights.len();
    let hyper = json!({"sparsity": sparsity, "compress_at": [1], "lr": 0.5});
    let mut trace = Written::of("acdc", &["w"], hyper, reading).with("step/1/weights_before/w", &[n], weights);
    trace.header["arithmetic"] = json!({"u_out": HALF});
    trace.flags("step/1/mask_before/w", &vec![1; n]).flags("step/1/mask/w", mask)
}

fn masks(n: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..1_u32 << n).map(move |bits| (0..n).map(|j| (bits >> j & 1) as u8).collect())
}

/// Every way to choose each key at one end of its bounds or in the middle.
fn choices(weights: &[f32]) -> Vec<Vec<f64>> {
    let mut all = vec![Vec::new()];
    for &w in weights {
        let w = f64::from(w.abs());
        let ends = [w * (1.0 - HALF), w, w * (1.0 + HALF)];
        all = all
            .into_iter()
            .flat_map(|keys: Vec<f64>| ends.map(|key| keys.iter().copied().chain([key]).collect()))
            .collect();
    }
    all
}

/// The k largest, of equal ones the first.
fn largest(keys: &[f64], k: usize) -> Vec<u8> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&i, &j| keys[j].total_cmp(&keys[i]).then(i.cmp(&j)));
    let mut mask = vec![0; keys.len()];
    order[..k].iter().for_each(|&j| mask[j] = 1);
    mask
}

#[test]
fn what_rounding_may_turn_is_open() {
    let next = |x: f32| x.next_up();
    let one = 1.0_f32;
    let cases: [&[f32]; 4] = [
        &[one, next(one), -one, 2.0],
        &[next(one), one, next(next(one)), one],
        &[one, one, one, one],
        &[0.5, -next(next(one)), next(one), one],
    ];
    for weights in cases {
        for k in 1..weights.len() {
            // Half a weight from where the count changes.
            let sparsity = 1.0 - (k as f64 - 0.5) / weights.len() as f64;
            let possible: Vec<Vec<u8>> = choices(weights).iter().map(|keys| largest(keys, k)).collect();
            for mask in masks(weights.len()) {
                // A check may not refuse what can be right; what it must refuse it does where the keys are far apart.
                let trace = compressed(weights, sparsity, json!({}), &mask);
                let is_wrong = trace.report().findings_total > 0;
                let can_be = possible.contains(&mask);
                assert!(!(can_be && is_wrong), "{weights:?}, {k} of them: {mask:?} is refused");
                let must_fail = mask.iter().filter(|&&flag| flag == 1).count() != k;
                assert!(!must_fail || is_wrong, "{weights:?}: {mask:?} keeps not {k}");
            }
        }
    }
}

/// Keys that no rounding can turn: exactly one mask is right under each rule.
#[test]
fn exact_keys_decide() {
    let weights = [3.0_f32, -1.0, 2.0, 2.0, -4.0];
    let rules: [(&str, &str, &[u8]); 7] = [
        ("exact", "lower-index", &[1, 0, 1, 0, 1]),
        ("exact", "higher-index", &[1, 0, 0, 1, 1]),
        ("above-kth", "lower-index", &[1, 0, 0, 0, 1]),
        ("from-kth", "lower-index", &[1, 0, 1, 1, 1]),
        ("above-next", "lower-index", &[1, 0, 0, 0, 1]),
        ("from-next", "lower-index", &[1, 0, 1, 1, 1]),
        ("from-kth", "any", &[1, 0, 1, 1, 1]),
    ];
    for (cut, ties, right) in rules {
        for mask in masks(weights.len()) {
            let n = weights.len();
            let hyper = json!({"sparsity": 0.5, "compress_at": [1], "lr": 0.5});
            let wide = weights.map(f64::from);
            let trace = Written::of("acdc", &["w"], hyper, json!({"cut": cut, "ties": ties}))
                .with("step/1/weights_before/w", &[n], &wide)
                .flags("step/1/mask_before/w", &[1; 5])
                .flags("step/1/mask/w", &mask);
            assert_eq!(trace.report().findings_total == 0, mask == right, "{cut}, {ties}: {mask:?}");
        }
    }
    // Under "any" either of the equal ones, but one.
    let kept = |mask: &[u8]| {
        let trace = compressed(&weights, 0.5, json!({"ties": "any"}), mask);
        trace.report().findings_total == 0
    };
    assert!(kept(&[1, 0, 1, 0, 1]) && kept(&[1, 0, 0, 1, 1]));
    assert!(!kept(&[1, 0, 1, 1, 1]) && !kept(&[1, 0, 0, 0, 1]) && !kept(&[0, 0, 1, 1, 1]));
}

/// The count of the rule in exact rationals, of the share that the header has in binary.
fn exactly(rule: &str, n: i128, s: f64) -> i64 {
    // s = m / 2^60, exactly, for shares of at least 2^-7.
    let scale = 1_i128 << 60;
    let removed = n * (s * scale as f64) as i128;
    let floor = |x: i128| x.div_euclid(scale);
    let round = |x: i128| {
        let (down, rest) = (floor(x), 2 * x.rem_euclid(scale));
        if rest > scale || rest == scale && down % 2 != 0 { down + 1 } else { down }
    };
    let k = match rule {
        "keep-round" => round(n * scale - removed),
        "remove-floor" => n - floor(removed),
        "remove-ceil" => n + floor(-removed),
        _ => n - round(removed),
    };
    k as i64
}

#[test]
fn counts_are_those_of_exact_reals() {
    for rule in ["keep-round", "remove-floor", "remove-ceil", "remove-round"] {
        for n in [1, 7, 10, 64] {
            for s in [0.1, 0.25, 0.5, 0.7, 0.9, 0.95, 1.0 / 3.0] {
                let right = exactly(rule, n as i128, s);
                let counted = |k: i64| {
                    Written::of("snip", &["w"], json!({"sparsity": s}), json!({"count": rule}))
                        .with("step/0/weights_before/w", &[n], &vec![1.0; n])
                        .count("step/0/keep", &[k])
                        .report()
                        .findings_total
                        == 0
                };
                assert!(counted(right), "{rule}: {right} of {n} at {s} is refused");
                for wrong in [right - 2, right + 2] {
                    assert!(!counted(wrong), "{rule}: {wrong} of {n} at {s}, not {right}");
                }
            }
        }
    }
}
