//! Every method's steps on ten weights, as its chapter's table has them: a learning rate of 1 without momentum, so that a
//! gradient is how far a weight moves down.

use super::common::{ByHand, Given, counts, flags, name, number, numbers};
use gdstar::method::options::Value;
use gdstar::method::record::{
    BACKWARD, DRAW, DROP, FRACTION, KEEP, KEEP_BACKWARD, KEPT, MASK, PRUNED, QUANTILE, RATE, SCORE,
};
use gdstar::method::{Method, Story};

const ONES: [f64; 10] = [1.0; 10];
const ZEROS: [f64; 10] = [0.0; 10];
const UP: [f64; 10] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0];

fn only(entries: &[(usize, f64)]) -> [f64; 10] {
    std::array::from_fn(|j| entries.iter().find(|(at, _)| *at == j).map_or(0.0, |(_, value)| *value))
}

fn active(indices: &[usize]) -> [bool; 10] {
    std::array::from_fn(|j| indices.contains(&j))
}

fn count(n: usize) -> Value {
    Value::Count(n)
}

#[test]
fn gmp() {
    let first = [5.0, -1.0, 3.0, -9.0, 2.0, 8.0, -4.0, 7.0, -6.0, 10.0];
    let options = [
        ("final_sparsity", Value::Real(0.8)),
        ("update_start", count(1)),
        ("update_every", count(2)),
        ("update_end", count(5)),
    ];
    let mut run = ByHand::new(Method::Gmp, &first, 0.0, &options);
    // c = 1: x = 0.
    let story = run.step(&ZEROS);
    assert_eq!((number(&story, &RATE), counts(&story, &KEEP)), (0.0, vec![10]));
    assert!(run.step(&ZEROS).get(&RATE).is_none());
    // c = 3: x = 1/2, 0.8 - 0.8/8.
    let story = run.step(&ZEROS);
    assert!((number(&story, &RATE) - 0.7).abs() <= f64::EPSILON);
    assert_eq!((counts(&story, &KEEP), run.mask()), (vec![3], vec![3, 5, 9]));
    // What is pruned stays 0, whatever its gradient.
    run.step(&ONES);
    assert_eq!(run.weights.values(), only(&[(3, -10.0), (5, 7.0), (9, 9.0)]));
    // c = 5: the end. By the weights after the step.
    let story = run.step(&only(&[(3, -4.0)]));
    assert_eq!((number(&story, &RATE), counts(&story, &KEEP)), (0.8, vec![2]));
    assert_eq!(numbers(&story, &SCORE), only(&[(3, 6.0), (5, 7.0), (9, 9.0)]));
    assert_eq!((run.mask(), run.weights.values()), (vec![5, 9], only(&[(5, 7.0), (9, 9.0)]).to_vec()));
}

fn rigl_options(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    let options = [
        ("sparsity", Value::Real(0.5)),
        ("distribution", name("uniform")),
        ("alpha", Value::Real(0.5)),
        ("update_every", count(2)),
        ("update_end", count(8)),
    ];
    options.into_iter().chain(more.iter().cloned()).collect()
}

#[test]
fn rigl() {
    let run = |options: &[(&'static str, Value)], momentum| {
        let mut run = ByHand::new(Method::Rigl, &UP, momentum, &rigl_options(options));
        run.set(&active(&[0, 1, 2, 3, 4]), &[1.0, -2.0, 3.0, -4.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        run.step(&ONES);
        assert_eq!(run.weights.values()[..5], [0.0, -3.0, 2.0, -5.0, 4.0]);
        run.step(&ZEROS);
        run
    };
    let growth = [0.0, 9.0, 0.0, 9.0, 9.0, 1.0, 5.0, 3.0, 0.0, -5.0];
    let mut rigl = run(&[], 0.0);
    // c = 2: 0.25 (1 + cos(pi/4)) = 0.427, of 5 the floor of 2.13 goes; no step is taken.
    let story = rigl.step(&growth);
    assert!((number(&story, &FRACTION) - 0.25 * (1.0 + 0.5_f64.sqrt())).abs() <= 1e-15);
    assert_eq!((counts(&story, &DROP), flags(&story, &KEPT)), (vec![2], vec![1, 3, 4]));
    assert_eq!(rigl.mask(), [1, 3, 4, 6, 9]);
    assert_eq!(rigl.weights.values(), only(&[(1, -3.0), (3, -5.0), (4, 4.0)]));
    rigl.step(&ONES);
    // c = 4: a quarter of 5, of which 1 goes: of the two weights of size 1 the one of higher index. Its gradient is the
    // largest: it is grown again, and is what it was.
    let story = rigl.step(&only(&[(0, 1.0), (9, 2.0)]));
    assert_eq!((counts(&story, &DROP), flags(&story, &KEPT)), (vec![1], vec![1, 3, 4, 6]));
    assert_eq!(rigl.mask(), [1, 3, 4, 6, 9]);
    assert_eq!(rigl.weights.values(), only(&[(1, -4.0), (3, -6.0), (4, 3.0), (6, -1.0), (9, -1.0)]));
    rigl.step(&ZEROS);
    // c = 6: 0.073 of 5 is none. c = 8 is after the last.
    assert_eq!(counts(&rigl.step(&ZEROS), &DROP), [0]);
    rigl.step(&ZEROS);
    assert!(rigl.step(&ZEROS).get(&DROP).is_none());

    // The same update after a step, at c = t + 1 = 2, by the gradient of that step.
    let mut after = ByHand::new(Method::Rigl, &UP, 0.0, &rigl_options(&[("update_order", name("after-step"))]));
    after.set(&active(&[0, 1, 2, 3, 4]), &[1.0, -2.0, 3.0, -4.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert!(after.step(&ONES).get(&DROP).is_none());
    assert_eq!(flags(&after.step(&growth), &KEPT), [1, 3, 4], "|between| = 0, 12, 2, 14, 5");

    // Other readings of c = 2 and 4, with momentum: that of the dropped goes, decays, or is mu v + g.
    let mut kept = run(&[("grown_momentum", name("keep")), ("inactive_momentum", name("dense"))], 0.5);
    assert_eq!(kept.momentum(), [0.5; 10]);
    kept.step(&growth);
    assert_eq!(kept.momentum(), [0.5; 10], "no step, and nothing is cleared");
    let mut decayed = run(&[("inactive_momentum", name("decay"))], 0.5);
    decayed.step(&growth);
    decayed.step(&ONES);
    assert_eq!(decayed.momentum()[..7], [0.25, 1.25, 0.25, 1.25, 1.25, 0.0, 1.0]);
    let mut before = run(&[("grow_from", name("inactive-before"))], 0.0);
    before.step(&only(&[(0, 9.0), (2, 9.0), (7, 1.0), (8, 1.0)]));
    assert_eq!(before.mask(), [1, 3, 4, 7, 8], "what was just dropped is no candidate");
    let mut as_grown = run(&[("regrown", name("as-grown"))], 0.0);
    as_grown.step(&only(&[(2, 9.0), (7, 1.0)]));
    assert_eq!((as_grown.mask(), as_grown.weights.values()[2]), (vec![1, 2, 3, 4, 7], 0.0));
    let mut drawn = run(&[("grown_weights", name("draw"))], 0.0);
    let story = drawn.step(&growth);
    let fresh = numbers(&story, &gdstar::method::record::FRESH);
    assert_eq!([drawn.weights.values()[6], drawn.weights.values()[9]], [fresh[6], fresh[9]]);
}

#[test]
fn set() {
    let options = [("zeta", Value::Real(0.5)), ("sparsity", Value::Real(0.4)), ("distribution", name("uniform"))];
    let set = |more: &[(&'static str, Value)]| {
        let mut run = ByHand::new(Method::Set, &UP, 0.0, &[&options[..], &[("update_every", count(2))], more].concat());
        run.set(&active(&[0, 1, 2, 3, 4, 5]), &[1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 0.0, 0.0, 0.0, 0.0]);
        assert!(run.step(&ZEROS).get(&DROP).is_none());
        let story = run.step(&ZEROS);
        (run, story)
    };
    // Of three weights >= 0 and three below, the floor of one and a half each: 1 and -2.
    let (mut signed, story) = set(&[]);
    assert_eq!((counts(&story, &DROP), flags(&story, &KEPT)), (vec![2], vec![2, 3, 4, 5]));
    // As many are grown, by the largest draws of what is inactive then.
    let draw = numbers(&story, &DRAW);
    let mut candidates = [0, 1, 6, 7, 8, 9];
    candidates.sort_by(|&i, &j| draw[j].total_cmp(&draw[i]));
    let mut mask = [&[2, 3, 4, 5][..], &candidates[..2]].concat();
    mask.sort_unstable();
    assert_eq!(signed.mask(), mask);
    assert_eq!(number(&story, &FRACTION), 0.5);
    // By magnitude: half of six.
    let (_, story) = set(&[("drop_rule", name("magnitude"))]);
    assert_eq!((counts(&story, &DROP), flags(&story, &KEPT)), (vec![3], vec![3, 4, 5]));
}

#[test]
fn granet() {
    let options = [
        ("initial_sparsity", Value::Real(0.0)),
        ("final_sparsity", Value::Real(0.6)),
        ("regrow_min", Value::Real(0.0)),
        ("total_steps", count(8)),
        ("update_every", count(2)),
        ("update_end", count(6)),
    ];
    let mut run = ByHand::new(Method::Granet, &UP, 0.0, &options);
    run.step(&ZEROS);
    // c = 2: 0.6 - 0.6 (2/3)^3 = 0.42 of 10, of which ceil(4.2) go; then 0.427 of 5, of which ceil(2.1) go.
    let growth = only(&[(5, 5.0), (6, 4.0), (0, 3.0)]);
    run.step(&growth);
    let mut run = ByHand::new(Method::Granet, &UP, 0.0, &options);
    run.step(&ZEROS);
    let story = run.step(&only(&[(5, 0.5), (6, 0.25), (0, 0.125)]));
    assert!((number(&story, &RATE) - 0.6 * (1.0 - 8.0 / 27.0)).abs() <= f64::EPSILON);
    assert_eq!((counts(&story, &KEEP), flags(&story, &PRUNED)), (vec![5], vec![5, 6, 7, 8, 9]));
    assert_eq!((counts(&story, &DROP), flags(&story, &KEPT)), (vec![3], vec![8, 9]));
    assert_eq!(run.mask(), [0, 5, 6, 8, 9]);
    run.step(&ZEROS);
    // c = 4: 0.6 (1 - 1/27) = 0.578, ceil(5.8) go: 4 of 5 stay; a quarter of 4 goes, and comes back.
    let story = run.step(&only(&[(7, 1.0)]));
    assert_eq!((counts(&story, &KEEP), flags(&story, &PRUNED)), (vec![4], vec![5, 6, 8, 9]));
    assert_eq!((counts(&story, &DROP), run.mask()), (vec![1], vec![6, 7, 8, 9]));
    run.step(&ZEROS);
    // c = 6: nothing more is pruned gradually.
    let story = run.step(&only(&[(0, 1.0)]));
    assert!(story.get(&RATE).is_none() && story.get(&KEEP).is_none());
    assert_eq!((counts(&story, &DROP), run.mask()), (vec![1], vec![0, 6, 8, 9]));
}

fn tracked(story: &Story<f64>) -> Vec<usize> {
    flags(story, &MASK)
}

#[test]
fn procrustes() {
    let new = |more: &[(&'static str, Value)]| {
        let options = [("tracked", count(2)), ("lambda", Value::Real(0.5))];
        ByHand::new(Method::Procrustes, &[8.0; 10], 0.0, &[&options[..], more].concat())
    };
    let mut run = new(&[]);
    // a' = g; lambda^1.
    assert_eq!(tracked(&run.step(&only(&[(1, 4.0), (3, -6.0)]))), [1, 3]);
    assert_eq!(run.weights.values(), [4.0, 4.0, 4.0, 14.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0]);
    // a' = 4 - 3, -6, and 2 of a weight that was not tracked; lambda^2.
    assert_eq!(tracked(&run.step(&only(&[(1, -3.0), (5, 2.0)]))), [3, 5]);
    assert_eq!(run.weights.values(), [2.0, 2.0, 2.0, 14.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
    // A tie of 2 between weights 5 and 7; lambda^3.
    assert_eq!(tracked(&run.step(&only(&[(7, 2.0)]))), [3, 5]);
    assert_eq!(run.weights.values(), [1.0, 1.0, 1.0, 14.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0]);

    // The first step undecayed; by the distance from the decayed w0.
    let mut index = new(&[("clock", name("index")), ("score", name("distance"))]);
    index.step(&only(&[(1, 4.0), (3, -6.0)]));
    assert_eq!(index.weights.values(), [8.0, 4.0, 8.0, 14.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]);
    // From 4: 0, 10, and 4 of those that were not tracked: the lowest of them.
    assert_eq!(tracked(&index.step(&ZEROS)), [0, 3]);

    // One pass with the running estimate, in the order of W: 4 > 2; then 2.8 (1 - 0.1) ..; the second step starts again.
    let dumique = [
        ("select", name("dumique")),
        ("dumique_order", name("first-to-last")),
        ("dumique_start", Value::Real(2.0)),
        ("dumique_rate", Value::Real(0.5)),
    ];
    let mut run = new(&dumique);
    let story = run.step(&only(&[(0, 4.0), (1, 2.5), (9, 2.0)]));
    // q = 0.8: up by 1.4, down by 0.9.
    let mut quantile: f64 = 2.0 * 1.4;
    (1..9).for_each(|_| quantile *= 0.9);
    assert!(quantile < 2.0);
    let [start, end] = numbers(&story, &QUANTILE)[..] else { panic!("two numbers") };
    assert_eq!((tracked(&story), start), (vec![0, 9], 2.0));
    assert!((end - quantile * 1.4).abs() <= 1e-15);
    assert_eq!(numbers(&run.step(&ZEROS), &QUANTILE)[0], 2.0);
    let mut run = new(&[&dumique[..], &[("dumique_carry", name("carry"))]].concat());
    run.step(&only(&[(0, 4.0), (1, 2.5), (9, 2.0)]));
    assert_eq!(numbers(&run.step(&ZEROS), &QUANTILE)[0], end);
}

#[test]
fn snip() {
    let gradient: Vec<f64> = UP.iter().rev().map(|g| -g).collect();
    let lab = Given { gradient, hessian_gradient: Vec::new() };
    let mut run = ByHand::new(Method::Snip, &UP, 0.0, &[("sparsity", Value::Real(0.7))]);
    let story = run.begin(&lab);
    assert_eq!(numbers(&story, &SCORE), [10.0, 18.0, 24.0, 28.0, 30.0, 30.0, 28.0, 24.0, 18.0, 10.0]);
    // 30, 30, and of the two 28 the one of lower index.
    assert_eq!((counts(&story, &KEEP), run.mask()), (vec![3], vec![3, 4, 5]));
    assert_eq!(run.weights.values(), only(&[(3, 4.0), (4, 5.0), (5, 6.0)]));
    run.step(&ONES);
    assert_eq!(run.weights.values(), only(&[(3, 3.0), (4, 4.0), (5, 5.0)]));
    let options = [("sparsity", Value::Real(0.7)), ("initial_weights", name("fresh"))];
    let mut fresh = ByHand::new(Method::Snip, &UP, 0.0, &options);
    fresh.begin(&lab);
    assert_eq!(fresh.weights.values(), only(&[(3, 7.0), (4, 7.0), (5, 7.0)]));
}

#[test]
fn grasp() {
    let hessian_gradient = vec![1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
    let lab = Given { gradient: Vec::new(), hessian_gradient };
    let mut run = ByHand::new(Method::Grasp, &UP, 0.0, &[("sparsity", Value::Real(0.35))]);
    let story = run.begin(&lab);
    assert_eq!(numbers(&story, &SCORE), [-1.0, 2.0, -3.0, 4.0, -5.0, 6.0, -7.0, 8.0, -9.0, 10.0]);
    // The floor of 3.5 go: those of largest S.
    assert_eq!((counts(&story, &KEEP), run.mask()), (vec![7], vec![0, 1, 2, 3, 4, 6, 8]));
}

#[test]
fn acdc() {
    let steps = |steps: &[usize]| Value::List(steps.iter().map(|&step| count(step)).collect());
    let options = [("sparsity", Value::Real(0.7)), ("compress_at", steps(&[1, 4])), ("decompress_at", steps(&[3]))];
    let new = |more: &[(&'static str, Value)]| ByHand::new(Method::Acdc, &UP, 0.5, &[&options[..], more].concat());
    let mut run = new(&[]);
    assert!(run.step(&ZEROS).get(&KEEP).is_none());
    // Pruned before the step: 8, 9 and 10 stay, and move by 1.
    let story = run.step(&ONES);
    assert_eq!((counts(&story, &KEEP), run.mask()), (vec![3], vec![7, 8, 9]));
    assert_eq!(run.weights.values(), only(&[(7, 7.0), (8, 8.0), (9, 9.0)]));
    run.step(&ZEROS);
    assert_eq!(run.weights.values(), only(&[(7, 6.5), (8, 7.5), (9, 8.5)]));
    // All move again, those that were pruned from 0, and all momentum from 0.
    run.step(&only(&[(0, -10.0)]));
    assert_eq!(run.mask().len(), 10);
    assert_eq!(run.weights.values(), only(&[(0, 10.0), (7, 6.5), (8, 7.5), (9, 8.5)]));
    run.step(&ZEROS);
    assert_eq!((run.mask(), run.weights.values()), (vec![0, 8, 9], only(&[(0, 15.0), (8, 7.5), (9, 8.5)]).to_vec()));
    let mut keep = new(&[("decompress_momentum", name("keep"))]);
    [ZEROS, ONES, ZEROS, ZEROS].iter().for_each(|gradient| drop(keep.step(gradient)));
    assert_eq!(keep.weights.values(), only(&[(7, 6.25), (8, 7.25), (9, 8.25)]));
}

#[test]
fn topkast() {
    let options = [
        ("forward_sparsity", Value::Real(0.75)),
        ("backward_sparsity", Value::Real(0.5)),
        ("penalty", Value::Real(0.5)),
    ];
    let new = |more: &[(&'static str, Value)]| ByHand::new(Method::Topkast, &UP, 0.0, &[&options[..], more].concat());
    let mut run = new(&[]);
    // Of 10 the round of 2.5 are computed with, 5 trained; r is w/2 in A, w/2 / (1/4) in B outside A.
    let story = run.step(&ZEROS);
    assert_eq!((counts(&story, &KEEP), counts(&story, &KEEP_BACKWARD)), (vec![2], vec![5]));
    assert_eq!((run.mask(), flags(&story, &BACKWARD)), (vec![8, 9], vec![5, 6, 7, 8, 9]));
    let dense = |run: &ByHand| run.weights.slot("dense").unwrap().values.clone();
    assert_eq!(dense(&run), [1.0, 2.0, 3.0, 4.0, 5.0, -6.0, -7.0, -8.0, 4.5, 5.0]);
    assert_eq!(run.weights.values(), only(&[(8, 4.5), (9, 5.0)]));
    // Then 8 and 7 lead; of the two 5 both are trained. Weight 8 stays where it is.
    let story = run.step(&only(&[(4, 1.0), (8, 9.0)]));
    assert_eq!((run.mask(), flags(&story, &BACKWARD)), (vec![6, 7], vec![4, 5, 6, 7, 9]));
    assert_eq!(dense(&run), [1.0, 2.0, 3.0, 4.0, -6.0, 6.0, -3.5, -4.0, 4.5, -5.0]);
    let mut l1 = new(&[("penalty_rule", name("l1"))]);
    l1.step(&ZEROS);
    assert_eq!(dense(&l1), [1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 5.0, 6.0, 8.5, 9.5]);
}
