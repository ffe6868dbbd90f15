//! Certification: every method golden is recomputed in exact rationals (Eq. 10 in 300-bit logarithms) by another
//! implementation, from the stored inputs, and must be the correctly rounded result.

use super::rational::{Neighbours, count, is_rounded, rational, sum, zero};
use crate::goldens::golden;
use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;
use dashu_ratio::Relaxed;
use gdstar::oracle::exact::case::{Case, Input};
use gdstar::oracle::golden::DERIVATIONS;
use gdstar::oracle::golden::method;
use gdstar::paper::reading::*;
use gdstar::tensor_file::TensorFile;

/// One case of a file.
struct Stored<'a> {
    file: &'a TensorFile,
    case: &'a Case,
}

impl Stored<'_> {
    fn floats(&self, name: &str) -> Vec<f64> {
        match &self.case.inputs[name] {
            Input::Floats(values) => values.iter().copied().collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn exact(&self, name: &str) -> Vec<Relaxed> {
        self.floats(name).into_iter().map(rational).collect()
    }

    fn counts(&self, name: &str) -> Vec<usize> {
        match &self.case.inputs[name] {
            Input::Integers(values) => values.iter().map(|&n| n as usize).collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn flags(&self, name: &str) -> Vec<bool> {
        match &self.case.inputs[name] {
            Input::Flags(flags) => flags.clone(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn rows(&self, name: &str) -> Vec<Vec<f64>> {
        match &self.case.inputs[name] {
            Input::Floats(values) => values.outer_iter().map(|row| row.iter().copied().collect()).collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn expected(&self, name: &str) -> Vec<f64> {
        let name = format!("{}/expected/{name}", self.case.name);
        self.file.read::<f64>(&name, None).unwrap().into_iter().collect()
    }

    fn expected_integers(&self, name: &str) -> Vec<i64> {
        self.file.read::<i64>(&format!("{}/expected/{name}", self.case.name), None).unwrap().into_iter().collect()
    }

    fn expected_flags(&self, name: &str) -> Vec<bool> {
        let flags = self.file.read::<u8>(&format!("{}/expected/{name}", self.case.name), None).unwrap();
        flags.into_iter().map(|flag| flag == 1).collect()
    }

    /// The stored results are the exact ones, rounded to F64 and, where it is there, to F32.
    fn certify(&self, name: &str, exact: &[Relaxed]) {
        let f64s = self.expected(name);
        assert_eq!(f64s.len(), exact.len(), "{}: {name}", self.case.name);
        for (j, (&x, exact)) in f64s.iter().zip(exact).enumerate() {
            assert!(is_rounded(x, exact), "{}: {name}[{j}] = {x:e} is not the rounded result", self.case.name);
        }
        let in_f32 = format!("{}/expected_f32/{name}", self.case.name);
        if self.file.describe(&in_f32).is_some() {
            for (j, (x, exact)) in self.file.read::<f32>(&in_f32, None).unwrap().into_iter().zip(exact).enumerate() {
                assert!(is_rounded(x, exact), "{}: {in_f32}[{j}] = {x:e} is not the rounded result", self.case.name);
            }
        }
    }
}

fn absolute(x: &Relaxed) -> Relaxed {
    if *x < zero() { -x.clone() } else { x.clone() }
}

fn certify(equation: &str, s: &Stored) {
    match equation {
        "eq1" => {
            let terms: Vec<Relaxed> = s.exact("grad").iter().map(absolute).collect();
            s.certify("S_abs", &[sum(&terms)]);
        }
        "eq2" => {
            let rows = s.rows("grad");
            let g = |j: usize| sum(&rows.iter().map(|row| rational(row[j]) * rational(row[j])).collect::<Vec<_>>());
            s.certify("G", &(0..rows[0].len()).map(g).collect::<Vec<_>>());
        }
        "eq3" => s.certify("S_sq", &[sum(&s.exact("G"))]),
        "eq4" => certify_roots(s),
        "eq5" => {
            let (g, tau) = (s.exact("G"), &s.exact("tau")[0]);
            assert_eq!(s.expected_flags("selected"), g.iter().map(|g| g < tau).collect::<Vec<_>>(), "{}", s.case.name);
        }
        "eq6" => certify_quantiles(s),
        "eq7" => s.certify("tau", &[mean(&s.exact("chunk_quantiles"))]),
        "eq8" => {
            let (start, end, epochs) = (&s.exact("alpha_0")[0], &s.exact("alpha_K")[0], s.counts("epochs")[0]);
            let rate = |k: usize| start + count(k) / count(epochs) * (end - start);
            s.certify("alpha", &s.counts("k").into_iter().map(rate).collect::<Vec<_>>());
        }
        "eq9" => certify_decay(s),
        "eq10" => certify_logarithms(s),
        "eq11" => {
            let percent = |c: usize| (count(1) - count(1) / count(c)) * count(100);
            s.certify("percent", &s.counts("C").into_iter().map(percent).collect::<Vec<_>>());
        }
        "alg4" => certify_rewind(s),
        "alg5" => certify_selection(s),
        "alg6" => certify_elimination(s),
        other => panic!("no certificate for {other}"),
    }
}

/// The promise: every method golden is the correctly rounded exact result of its stored inputs.
#[test]
fn every_method_golden_is_certified() {
    for (equation, _) in DERIVATIONS {
        let file = TensorFile::open(&golden(&format!("method/{equation}.safetensors"))).unwrap();
        let (_, cases) = method::read(&file).unwrap();
        assert!(!cases.is_empty());
        for case in &cases {
            certify(equation, &Stored { file: &file, case });
        }
    }
}

/// `y` is the rounded root of x: x lies between the squares of the middles to its neighbours.
fn certify_roots(s: &Stored) {
    let two = count(2);
    let between = |below: f64, y: f64, above: f64, x: f64, even: bool| {
        let square = |a: f64, b: f64| {
            let middle = (rational(a) + rational(b)) / &two;
            // Below 0 there is no root: the middle to the number before 0 counts as 0.
            if middle < zero() { -count(1) } else { &middle * &middle }
        };
        let (low, high, x) = (square(below, y), square(y, above), rational(x));
        (low < x && x < high) || (even && (low == x || high == x))
    };
    let in_f32 = s.file.read::<f32>(&format!("{}/expected_f32/S_F", s.case.name), None).ok();
    for (j, (x, y)) in s.floats("S_sq").into_iter().zip(s.expected("S_F")).enumerate() {
        let even = y.to_bits().is_multiple_of(2);
        assert!(between(y.next_down(), y, y.next_up(), x, even), "{}[{j}]: {y:e} of {x:e}", s.case.name);
        if let Some(y) = in_f32.as_ref().map(|all| all[[j]]) {
            let (low, high, even) = (y.next_down().into(), y.next_up().into(), y.to_bits().is_multiple_of(2));
            assert!(between(low, y.into(), high, x, even), "{}[{j}]: {y:e} of {x:e} in f32", s.case.name);
        }
    }
}

fn mean(quantiles: &[Relaxed]) -> Relaxed {
    sum(quantiles) / count(quantiles.len())
}

/// `floor(x)` of a number that is not negative.
fn floor(x: &Relaxed) -> usize {
    usize::try_from(x.clone().trunc()).unwrap_or_else(|_| panic!("the floor of {x}"))
}

/// `Quantile_alpha`, exactly.
pub fn quantile(values: &[f64], alpha: &Relaxed, rule: QuantileRule) -> Relaxed {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = alpha * count(values.len() - 1);
    let below = floor(&rank);
    let above = if rank == count(below) { below } else { below + 1 };
    let (low, high) = (rational(sorted[below]), rational(sorted[above]));
    let doubled = (&rank - count(below)) * count(2);
    match rule {
        QuantileRule::Linear => &low + (&rank - count(below)) * (&high - &low),
        QuantileRule::Midpoint => (low + high) / count(2),
        QuantileRule::Lower => low,
        QuantileRule::Higher => high,
        QuantileRule::Nearest if doubled < count(1) => low,
        QuantileRule::Nearest if doubled > count(1) => high,
        QuantileRule::Nearest => rational(sorted[if below.is_multiple_of(2) { below } else { above }]),
    }
}

/// The sizes of chunks (open point 4).
pub fn sizes(n: usize, chunks: usize, chunking: Chunking) -> Vec<usize> {
    match chunking {
        Chunking::NearEqual => (0..chunks).map(|c| n / chunks + usize::from(c < n % chunks)).collect(),
        Chunking::Ceil => {
            let size = n.div_ceil(chunks);
            let mut sizes = vec![size; n / size];
            sizes.extend((!n.is_multiple_of(size)).then_some(n % size));
            sizes
        }
    }
}

fn quantiles(s: &Stored, set: &[f64]) -> Vec<Relaxed> {
    let (alpha, reading) = (&s.exact("alpha")[0], &s.case.reading);
    let mut start = 0;
    let of_chunk = |size: usize| {
        start += size;
        quantile(&set[start - size..start], alpha, reading.quantile)
    };
    sizes(set.len(), s.counts("chunks")[0].min(set.len()), reading.chunking).into_iter().map(of_chunk).collect()
}

fn certify_quantiles(s: &Stored) {
    let rank = &s.exact("alpha")[0] * count(s.counts("N")[0] - 1);
    assert_eq!(s.expected_integers("rank_floor"), [floor(&rank) as i64], "{}", s.case.name);
    s.certify("rank_fraction", &[&rank - count(floor(&rank))]);
    if s.case.has("G") {
        s.certify("chunk_quantiles", &quantiles(s, &s.floats("G")));
    }
}

/// The product, rounded, is what is compared with eps: where the result is 0, the product rounds to a number below.
fn certify_decay(s: &Stored) {
    let (lambda, t, eps) = (&s.exact("lambda")[0], s.counts("t")[0], s.floats("eps")[0]);
    let factor = lambda.pow(t);
    let in_f32 = s.file.read::<f32>(&format!("{}/expected_f32/w", s.case.name), None).ok();
    for (j, (w, got)) in s.floats("w_star").into_iter().zip(s.expected("w")).enumerate() {
        let exact = rational(w) * &factor;
        assert!(is_kept_or_0(got, &exact, eps), "{}: w[{j}] = {got:e}", s.case.name);
        if let Some(got) = in_f32.as_ref().map(|all| all[[j]]) {
            assert!(is_kept_or_0(got, &exact, eps as f32), "{}: w[{j}] = {got:e} in f32", s.case.name);
        }
    }
}

/// A result that is 0 comes of a product that does not reach the middle between eps and the number below it; `eps` is a
/// number of the format.
fn is_kept_or_0<T: Neighbours>(got: T, exact: &Relaxed, eps: T) -> bool {
    let (x, at_least): (f64, f64) = (got.into(), eps.into());
    if x == 0.0 && at_least > 0.0 {
        let middle = (rational(at_least) + rational(eps.down().into())) / count(2);
        return absolute(exact) < middle || (absolute(exact) == middle && !eps.is_even());
    }
    is_rounded(got, exact) && x.abs() >= at_least
}

/// Natural logarithms of 300 bits, each off by less than 2^-290 here.
fn certify_logarithms(s: &Stored) {
    type Big = FBig<HalfEven, 2>;
    let big = |n: usize| Big::from(n as u64).with_precision(300).value();
    let of = |x: f64| Big::try_from(x).unwrap().with_precision(300).value();
    let slack = Big::from_parts(1.into(), -280);
    let in_f32 = s.file.read::<f32>(&format!("{}/expected_f32/percent", s.case.name), None).unwrap();
    let cases = s.counts("N").into_iter().zip(s.counts("C")).zip(s.expected("percent"));
    for (j, ((n, c), got)) in cases.enumerate() {
        let ratio = (big(n) / big(c)).ln() / big(n).ln();
        let percent = (big(1) - ratio) * big(100);
        let near = |x: f64, below: f64, above: f64| {
            let (low, high) = ((of(x) + of(below)) / big(2), (of(x) + of(above)) / big(2));
            low - &slack <= percent && percent <= high + &slack
        };
        assert!(near(got, got.next_down(), got.next_up()), "{}[{j}]: {got}", s.case.name);
        let got = in_f32[[j]];
        assert!(near(got.into(), got.next_down().into(), got.next_up().into()), "{}[{j}]: {got}", s.case.name);
    }
}

fn certify_rewind(s: &Stored) {
    let first = i64::from(s.case.reading.epoch_origin == EpochOrigin::One);
    let (mut minimum, mut k_star) = (f64::INFINITY, 0);
    let stored = (s.expected("min_before"), s.expected_integers("k_star"), s.expected_flags("moved"));
    for (i, s_f) in s.floats("S_F").into_iter().enumerate() {
        assert_eq!(stored.0[i], minimum, "{}[{i}]", s.case.name);
        let moves = minimum.is_infinite() || rational(s_f) < rational(minimum);
        if moves {
            (minimum, k_star) = (s_f, i as i64 + first);
        }
        assert_eq!((stored.1[i], stored.2[i]), (k_star, moves), "{}[{i}]", s.case.name);
    }
}

fn certify_selection(s: &Stored) {
    let (g, mask, reading) = (s.floats("G"), s.flags("mask"), s.case.reading);
    let dense = reading.masked_gradient == MaskedGradient::Dense;
    let excluded = reading.masked_gradient == MaskedGradient::Excluded;
    let g: Vec<f64> = g.iter().zip(&mask).map(|(&g, &alive)| if alive || dense { g } else { 0.0 }).collect();
    let set: Vec<f64> = g.iter().zip(&mask).filter(|(_, alive)| **alive || !excluded).map(|(&g, _)| g).collect();
    s.certify("chunk_quantiles", &if set.is_empty() { Vec::new() } else { quantiles(s, &set) });
    let stored: Vec<Relaxed> = s.expected("chunk_quantiles").into_iter().map(rational).collect();
    s.certify("tau", &[if set.is_empty() { zero() } else { mean(&stored) }]);
    let tau = rational(s.expected("tau")[0]);
    let selected = g.iter().zip(&mask).map(|(&g, &alive)| rational(g) < tau && (alive || !excluded));
    assert_eq!(s.expected_flags("selected"), selected.collect::<Vec<_>>(), "{}", s.case.name);
}

fn certify_elimination(s: &Stored) {
    let reading = s.case.reading;
    let (k, k_star) = (s.counts("k")[0], s.counts("k_star")[0]);
    let t = match reading.decay_step {
        DecayStep::SinceRewind => k - k_star,
        DecayStep::Constant => 1,
        DecayStep::Epoch => k,
        DecayStep::Iteration => s.counts("iteration")[0],
        DecayStep::RewindEpoch => k_star,
    };
    assert_eq!(s.expected_integers("t"), [t as i64], "{}", s.case.name);
    let (selected, alive, before) = (s.flags("selected"), s.flags("mask_before"), s.floats("weights_before"));
    let w_star = if reading.rewind_copy == RewindCopy::Alias { before.clone() } else { s.floats("rewind") };
    let (factor, eps) = (s.exact("lambda")[0].pow(t), s.floats("eps")[0]);
    let (after, mask) = (s.expected("weights_after"), s.expected_flags("mask"));
    for j in 0..before.len() {
        let who = format!("{}: weight {j}", s.case.name);
        let judged = selected[j] || reading.threshold == Threshold::All;
        let becomes = if selected[j] { rational(w_star[j]) * &factor } else { rational(before[j]) };
        if mask[j] {
            assert!(alive[j] && is_rounded(after[j], &becomes) && (!judged || after[j].abs() >= eps), "{who}");
        } else {
            assert!(after[j] == 0.0 && (!alive[j] || (judged && absolute(&becomes) < rational(eps))), "{who}");
        }
    }
}
