//! What holds for every size, fraction and run: counts, courses, masks, ties, scales.

use super::common::{ByHand, GO_ON, Given, config, digits, name, numbers};
use dashu_ratio::RBig;
use gdstar::Result;
use gdstar::method::options::Value;
use gdstar::method::record::SCORE;
use gdstar::method::{Method, Story};
use gdstar::random::{Purpose, stream, unit};
use gdstar::scalar::Scalar;
use gdstar::select::count::{Count, Minimum};
use gdstar::select::cut::{Cut, Ties, keep_largest};
use gdstar::select::schedule::{cosine, cubic, power};
use gdstar::train::{BatchEvent, EpochEvent, Observer, Run};

fn exact(x: f64) -> RBig {
    RBig::try_from(x).unwrap()
}

fn whole(n: usize) -> RBig {
    RBig::from(n)
}

/// The nearest integer, halves to even.
fn half_even(x: &RBig) -> RBig {
    let half = whole(1) / whole(2);
    let up = RBig::from((x + &half).floor());
    let is_half = &up - x == half;
    let is_odd = RBig::from((&up / whole(2)).floor()) * whole(2) != up;
    if is_half && is_odd { up - whole(1) } else { up }
}

/// k as section 2's rule has it, in exact arithmetic.
fn by_definition(count: Count, n: usize, s: &RBig) -> RBig {
    let removed = whole(n) * s;
    match count {
        Count::KeepRound => half_even(&(whole(n) - removed)),
        Count::RemoveFloor => whole(n) - RBig::from(removed.floor()),
        Count::RemoveCeil => whole(n) - RBig::from(removed.ceil()),
        Count::RemoveRound => whole(n) - half_even(&removed),
    }
}

/// Every n up to 60 and every fraction p/q with q up to 25, under all four roundings: the count is the exact one of p/q itself,
/// of the number that f64 has in its place, or of what f64 leaves of 1; and where these agree there is no other.
#[test]
fn counts_are_exact_for_every_size_and_fraction() {
    for (p, q) in (1_usize..=25).flat_map(|q| (0..=q).map(move |p| (p, q))) {
        let s = p as f64 / q as f64;
        let shares = [whole(p) / whole(q), exact(s), whole(1) - exact(1.0 - s)];
        for n in 0..=60 {
            for &count in Count::ALL {
                let k = count.kept(n, s);
                let counts = shares.clone().map(|share| by_definition(count, n, &share));
                assert!(counts.contains(&whole(k)), "{count}: {k} of {n} at {p}/{q}, exactly {counts:?}");
                assert_eq!(Minimum::Zero.of(k, n), k);
                assert_eq!(Minimum::One.of(k, n), k.max(n.min(1)));
            }
        }
    }
}

/// Shares that f64 has exactly leave nothing open.
#[test]
fn counts_of_dyadic_shares_have_one_value() {
    for n in 0..=300 {
        for p in 0..=64_usize {
            let s = p as f64 / 64.0;
            for &count in Count::ALL {
                assert_eq!(whole(count.kept(n, s)), by_definition(count, n, &exact(s)), "{count} of {n} at {p}/64");
            }
        }
    }
}

/// Between its ends, which are exact, a course goes one way, and it is within the bound that a port is given.
#[test]
fn courses_end_where_they_should_and_go_one_way() {
    let shares = [(0.0, 0.75), (0.1, 0.9), (0.5, 0.5), (0.9, 0.3), (0.3, 1.0), (1.0, 0.0)];
    let spans = [(0, 0), (0, 1), (3, 3), (2, 9), (10, 47), (7, 1000)];
    for (s_i, s_f) in shares {
        for (start, end) in spans {
            let at = |c| cubic((s_i, s_f), c, (start, end));
            let bound = exact(16.0 * f64::UNIT_ROUNDOFF * f64::max(s_i, s_f));
            let mut last = at(0);
            for c in 0..=end + 2 {
                let x = match (c <= start, end == start || c >= end) {
                    (_, true) => whole(1),
                    (true, _) => whole(0),
                    _ => whole(c - start) / whole(end - start),
                };
                let left = whole(1) - x;
                let truth = exact(s_f) + (exact(s_i) - exact(s_f)) * &left * &left * &left;
                let off = exact(at(c)) - truth;
                assert!(off <= bound && -off <= bound, "{s_i} to {s_f} at {c} of {start}..{end}: {}", at(c));
                assert!(if s_i <= s_f { at(c) >= last } else { at(c) <= last }, "at {c} of {start}..{end}");
                last = at(c);
            }
            assert_eq!((at(end), at(end + 9)), (s_f, s_f));
        }
    }
    for end in [0, 1, 2, 7, 100] {
        for (f_0, f_min) in [(0.5, 0.0), (0.3, 0.005), (1.0, 1.0)] {
            let at = |c| cosine((f_0, f_min), c, end);
            assert_eq!((at(end), at(end + 5)), (f_min, f_min));
            assert!(end == 0 || (at(0) - f_0).abs() <= f64::EPSILON * f_0);
            assert!((0..end).all(|c| at(c + 1) <= at(c)), "{f_0} to {f_min} over {end}");
            for b in [0.5, 1.0, 2.0, 3.0] {
                let at = |c| power(f_0, c, end, b);
                assert!(at(end) == 0.0 && at(end + 5) == 0.0 && (end == 0 || at(0) == f_0));
                assert!((0..end).all(|c| at(c + 1) <= at(c)), "power {b} over {end}");
            }
        }
    }
}

/// The masks of a run, as every batch finds them.
#[derive(Default)]
struct Masks(Vec<Vec<bool>>);

impl<S: Scalar> Observer<S> for Masks {
    fn on_batch(&mut self, event: &BatchEvent<S>) -> Result<()> {
        // Within an epoch no mask is kept where all live.
        let mask = event.weights.mask().filter(|mask| !mask.is_empty());
        self.0.push(mask.map_or_else(|| vec![true; event.weights.len()], <[bool]>::to_vec));
        Ok(())
    }

    fn on_epoch(&mut self, _: &EpochEvent<S>) -> Result<()> {
        Ok(())
    }
}

fn masks(method: Method, epochs: usize) -> Vec<Vec<bool>> {
    let (config, dataset) = (config(method, epochs), digits());
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let mut masks = Masks::default();
    run.train(&mut run.start::<f32>().unwrap(), &mut [&mut masks]).unwrap();
    masks.0
}

fn active(mask: &[bool]) -> usize {
    mask.iter().filter(|&&active| active).count()
}

/// What is pruned stays pruned, batch by batch, where the method says so, and comes back where it says so.
#[test]
fn masks_shrink_or_move_as_their_method_says() {
    for method in [Method::Snip, Method::Grasp, Method::Gmp] {
        let masks = masks(method, 2);
        for (t, pair) in masks.windows(2).enumerate() {
            let returns = pair[0].iter().zip(&pair[1]).any(|(&before, &now)| now && !before);
            assert!(!returns, "{method}: a pruned weight is back after step {t}");
        }
        let falls = masks.windows(2).filter(|pair| active(&pair[1]) < active(&pair[0])).count();
        assert_eq!(falls > 0, method == Method::Gmp, "{method}");
    }
    for method in [Method::Set, Method::Rigl, Method::Granet] {
        let masks = masks(method, 2);
        let returns = |pair: &[Vec<bool>]| pair[0].iter().zip(&pair[1]).any(|(&before, &now)| now && !before);
        assert!(masks.windows(2).any(returns), "{method}: nothing ever comes back");
        match method {
            Method::Set | Method::Rigl => {
                assert!(masks.iter().all(|mask| active(mask) == active(&masks[0])), "{method}: as many as went");
            }
            _ => assert!(masks.windows(2).all(|pair| active(&pair[1]) <= active(&pair[0])), "{method}: never more"),
        }
    }
    // Phases with all weights and with few take turns.
    let masks = masks(Method::Acdc, 12);
    let n = masks[0].len();
    assert!(masks.windows(2).any(|pair| active(&pair[0]) < n && active(&pair[1]) == n), "acdc: all come back");
    assert!(masks.windows(2).any(|pair| active(&pair[0]) == n && active(&pair[1]) < n), "acdc: and go again");
}

fn count(n: usize) -> Value {
    Value::Count(n)
}

fn steps(steps: &[usize]) -> Value {
    Value::List(steps.iter().map(|&step| count(step)).collect())
}

/// The methods that act on ten weights by themselves, with what they need for a dozen steps.
fn on_ten_weights() -> Vec<(Method, Vec<(&'static str, Value)>)> {
    let half = || ("sparsity", Value::Real(0.5));
    let every_two = || vec![("update_every", count(2)), ("update_end", count(9))];
    let sparse = || [vec![half(), ("distribution", name("uniform"))], every_two()].concat();
    vec![
        (Method::DropBack, vec![half()]),
        (Method::Procrustes, vec![half(), ("lambda", Value::Real(0.5))]),
        (Method::Snip, vec![half()]),
        (Method::Grasp, vec![half()]),
        (Method::Gmp, [vec![("final_sparsity", Value::Real(0.75))], every_two()].concat()),
        (Method::Set, sparse()),
        (Method::Rigl, sparse()),
        (
            Method::Granet,
            [
                vec![("initial_sparsity", Value::Real(0.0)), ("final_sparsity", Value::Real(0.75))],
                vec![("total_steps", count(12))],
                every_two(),
            ]
            .concat(),
        ),
        (Method::Acdc, vec![half(), ("compress_at", steps(&[1, 7])), ("decompress_at", steps(&[4]))]),
        (
            Method::Topkast,
            vec![
                ("forward_sparsity", Value::Real(0.75)),
                ("backward_sparsity", Value::Real(0.5)),
                ("penalty", Value::Real(0.25)),
            ],
        ),
    ]
}

/// What a method makes of these weights and of gradients, all times `scale`: masks, weights and scores of every step.
fn scaled(method: Method, options: &[(&str, Value)], scale: f64) -> Vec<(Vec<usize>, Vec<f64>, Vec<f64>)> {
    let mut rng = stream(7, Purpose::Order, 0);
    let mut draw = || -> Vec<f64> { (0..10).map(|_| scale * (unit(&mut rng) - 0.5)).collect() };
    let mut run = ByHand::new(method, &draw(), 0.5, options);
    let scores = |story: &Story<f64>| story.get(&SCORE).map_or(Vec::new(), |_| numbers(story, &SCORE));
    let mut told = Vec::new();
    if method.entry().acts_once() {
        let story = run.begin(&Given { gradient: draw(), hessian_gradient: draw() });
        told.push((run.mask(), run.weights.values(), scores(&story)));
    }
    for _ in 0..12 {
        let story = run.step(&draw());
        let mask = if run.weights.mask().is_some() { run.mask() } else { Vec::new() };
        told.push((mask, run.weights.values(), scores(&story)));
    }
    told
}

/// With weights and gradients times a power of two masks are the same, and weights and scores that power larger, bit for bit:
/// scores that are products of two such numbers by its square.
#[test]
fn powers_of_two_change_the_scale_alone() {
    for (method, options) in on_ten_weights() {
        let one = scaled(method, &options, 1.0);
        for scale in [2.0_f64.powi(-40), 0.125, 2.0, 2.0_f64.powi(60)] {
            let of_scores = if method.entry().acts_once() { scale * scale } else { scale };
            for (t, (other, one)) in scaled(method, &options, scale).iter().zip(&one).enumerate() {
                let times = |values: &[f64], by: f64| values.iter().map(|x| x * by).collect::<Vec<f64>>();
                assert_eq!(other.0, one.0, "{method}: the mask of step {t} at {scale}");
                assert_eq!(other.1, times(&one.1, scale), "{method}: the weights after step {t} at {scale}");
                assert_eq!(other.2, times(&one.2, of_scores), "{method}: the scores of step {t} at {scale}");
            }
        }
    }
}

/// Of equal keys those of lower index are kept, or of higher where that is declared: by every method that selects by them.
#[test]
fn ties_are_decided_by_index() {
    let keys = [1.0; 10];
    for k in 0..=10 {
        let kept = |ties| keep_largest(&keys, k, Cut::Exact, ties).unwrap();
        assert_eq!(kept(Ties::LowerIndex), (0..10).map(|j| j < k).collect::<Vec<_>>());
        assert_eq!(kept(Ties::HigherIndex), (0..10).map(|j| j >= 10 - k).collect::<Vec<_>>());
    }
    for (method, options) in on_ten_weights() {
        if matches!(method, Method::Set | Method::Rigl | Method::DropBack | Method::Procrustes) {
            continue; // Their masks begin, or go on, with more than one selection: by hand and in goldens.
        }
        for (ties, from_the_end) in [("lower-index", false), ("higher-index", true)] {
            let options = [&options[..], &[("ties", name(ties))]].concat();
            let mut run = ByHand::new(method, &keys, 0.0, &options);
            if method.entry().acts_once() {
                run.begin(&Given { gradient: keys.to_vec(), hessian_gradient: keys.to_vec() });
            }
            let steps = match method {
                Method::Gmp | Method::Granet => 8,
                Method::Acdc => 3,
                _ => 1,
            };
            (0..steps).for_each(|_| drop(run.step(&[0.0; 10])));
            let mask = run.mask();
            let k = mask.len();
            assert!((1..10).contains(&k), "{method}: {k} are kept");
            let first = if from_the_end { 10 - k } else { 0 };
            assert_eq!(mask, (first..first + k).collect::<Vec<_>>(), "{method}, {ties}");
        }
    }
}
