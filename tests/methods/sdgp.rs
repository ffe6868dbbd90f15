//! SDGP: which entries of an output's gradient go on to the input, and that nothing else changes.

use crate::small::{config, digits, refused, resumes_with_the_same_bits, threads_change_nothing, train};
use gdstar::kernel::{Kernel, Window};
use gdstar::method::options::Value;
use gdstar::nn::models::find;
use gdstar::nn::{Changes, Mode, Network, PrunedGradients};
use gdstar::op::{Op, evaluate};
use gdstar::ops::{Conv2d, GradientPruning, Keys, Linear, PrunedGradient, PruningLog};
use gdstar::random::{Purpose, stream, unit};
use gdstar::scalar::Dual;
use gdstar::select::cut::Ties;
use gdstar::select::groups::{Groups, OfGroups, Remainder, keep_in_groups};
use gdstar::select::structure::Rescale;
use gdstar::train::Step;
use ndarray::{ArrayD, array};
use std::sync::Arc;

const TWO_OF_FOUR: OfGroups =
    OfGroups { keep: 2, group: 4, groups: Groups::Channel, remainder: Remainder::Keep, ties: Ties::LowerIndex };

fn random(shape: &[usize], seed: u64) -> ArrayD<f64> {
    let mut rng = stream(seed, Purpose::Order, 0);
    ArrayD::from_shape_simple_fn(shape, || unit(&mut rng) - 0.5)
}

/// The table of the chapter.
#[test]
fn a_layer_by_hand() {
    let g = array![[1.0, -4.0, 2.0, -2.0, 0.5, 3.0]].into_dyn();
    let x = array![[2.0]].into_dyn();
    let w = array![[1.0], [10.0], [100.0], [1e3], [1e4], [1e5]].into_dyn();
    for (remainder, y, to_input) in [
        (Remainder::Keep, [0.0, -4.0, 2.0, 0.0, 0.5, 3.0], 305_160.0),
        (Remainder::Zero, [0.0, -4.0, 2.0, 0.0, 0.0, 0.0], 160.0),
        (Remainder::Dense, [0.0, -4.0, 2.0, 0.0, 0.5, 3.0], 305_160.0),
    ] {
        let pruning = GradientPruning::by_magnitude(OfGroups { remainder, ..TWO_OF_FOUR });
        let pruned = pruning.apply(Kernel::Literal, &g.view());
        assert_eq!(pruned.y.as_slice().unwrap(), y);
        assert_eq!(pruned.dropped, if remainder == Remainder::Zero { 4 } else { 2 });
        let op = PrunedGradient { op: Linear, pruning, log: None };
        let done = evaluate(&op, Kernel::Literal, &[x.view(), w.view()], &[Some(g.view())], &[true; 2]).unwrap();
        assert_eq!(done.gradients[0], Some(array![[to_input]].into_dyn()));
        assert_eq!(done.gradients[1], Some(g.t().mapv(|g| 2.0 * g).into_dyn()));
    }
}

/// Of every full group exactly M stay, each at least as large as all that go; of equal ones those that the tie rule says; for every
/// size, both ways of grouping, scaled by a power of two alike.
#[test]
fn of_every_group_the_largest_stay() {
    let mut rng = stream(2, Purpose::Order, 0);
    for (shape, keep, group) in [
        (vec![3, 7], 2, 4),
        (vec![2, 8, 2, 3], 1, 3),
        (vec![2, 5, 3, 1], 4, 4),
        (vec![1, 9], 0, 2),
        (vec![4, 1], 1, 64),
    ] {
        // Few values, so that many are equal.
        let keys = ArrayD::from_shape_simple_fn(shape.as_slice(), || (4.0 * unit(&mut rng)).floor());
        let flat = keys.as_slice().unwrap();
        for groups in [Groups::Channel, Groups::Memory] {
            for ties in [Ties::LowerIndex, Ties::HigherIndex] {
                let of = OfGroups { keep, group, groups, ties, remainder: Remainder::Keep };
                let kept = keep_in_groups(flat, &shape, &of);
                let pixels: usize = shape[2..].iter().product();
                let mut members: Vec<Vec<usize>> = Vec::new();
                match groups {
                    Groups::Memory => {
                        members.extend((0..flat.len()).collect::<Vec<_>>().chunks(group).map(<[_]>::to_vec))
                    }
                    Groups::Channel => {
                        for (b, p) in (0..shape[0]).flat_map(|b| (0..pixels).map(move |p| (b, p))) {
                            let run: Vec<usize> = (0..shape[1]).map(|c| (b * shape[1] + c) * pixels + p).collect();
                            members.extend(run.chunks(group).map(<[_]>::to_vec));
                        }
                    }
                }
                for group in members {
                    let stay: Vec<usize> = group.iter().copied().filter(|&j| kept[j]).collect();
                    assert_eq!(stay.len(), keep.min(group.len()), "{of:?}");
                    for (&j, &i) in stay.iter().flat_map(|j| group.iter().filter(|&&i| !kept[i]).map(move |i| (j, i))) {
                        let first = if ties == Ties::LowerIndex { j < i } else { j > i };
                        assert!(flat[j] > flat[i] || flat[j] == flat[i] && first, "{of:?}: {j} and {i}");
                    }
                }
                let doubled: Vec<f64> = flat.iter().map(|key| 8.0 * key).collect();
                assert_eq!(keep_in_groups(&doubled, &shape, &of), kept);
            }
        }
    }
}

/// The op's other gradients are those of the whole gradient, its input's that of the pruned one: of a convolution too.
#[test]
fn only_the_data_gradient_is_pruned() {
    fn check<O: Op>(op: O, x: &ArrayD<f64>, w: &ArrayD<f64>, b: &ArrayD<f64>, g: &ArrayD<f64>) {
        let pruning = GradientPruning::by_magnitude(TWO_OF_FOUR);
        let y = pruning.apply(Kernel::Literal, &g.view()).y;
        let inputs = [x.view(), w.view(), b.view()];
        let of = |upstream: &ArrayD<f64>| {
            evaluate(&op, Kernel::Literal, &inputs, &[Some(upstream.view())], &[true; 3]).unwrap().gradients
        };
        let wrapped = PrunedGradient { op: op.clone(), pruning, log: None };
        let done = evaluate(&wrapped, Kernel::Literal, &inputs, &[Some(g.view())], &[true; 3]).unwrap().gradients;
        assert_eq!(done, [of(&y)[0].clone(), of(g)[1].clone(), of(g)[2].clone()]);
        assert_ne!(done[0], of(g)[0]);
    }
    let (x, w, b) = (random(&[3, 5], 0), random(&[6, 5], 1), random(&[6], 2));
    check(Linear, &x, &w, &b, &random(&[3, 6], 3));
    let op = Conv2d { window: Window { padding: [1; 2], ..Window::PLAIN } };
    let (x, w, b) = (random(&[2, 4, 5, 5], 0), random(&[6, 4, 3, 3], 1), random(&[6], 2));
    check(op, &x, &w, &b, &random(&[2, 6, 5, 5], 3));
}

/// Once it is decided what stays, the pruning is linear: its derivative along any direction is the direction where an entry
/// stays, and 0 elsewhere.
#[test]
fn where_the_choice_is_made_it_is_linear() {
    let (g, along) = (random(&[3, 6, 2, 2], 4), random(&[3, 6, 2, 2], 5));
    let pruning = GradientPruning::by_magnitude(TWO_OF_FOUR);
    let plain = pruning.apply(Kernel::Literal, &g.view()).y;
    let duals = ndarray::Zip::from(&g).and(&along).map_collect(|&g, &d| Dual::new(g, d));
    for ((y, plain), along) in pruning.apply(Kernel::Literal, &duals.view()).y.iter().zip(&plain).zip(&along) {
        assert_eq!((y.value(), y.derivative()), (*plain, if *plain == 0.0 { 0.0 } else { *along }));
    }
}

/// `maxnorm`: (1 + 4 + 2 + 2) / (4 + 2 + 1e-4) of one channel's pixels, by hand.
#[test]
fn maxnorm_keeps_a_channels_sum() {
    // Two samples of one channel and four pixels: memory order makes of each a group.
    let of = OfGroups { groups: Groups::Memory, ..TWO_OF_FOUR };
    let pruning = GradientPruning { rescale: Rescale::Maxnorm, ..GradientPruning::by_magnitude(of) };
    let g = array![[[[1.0, -4.0], [2.0, -2.0]]], [[[0.0, 0.0], [0.0, 0.0]]]].into_dyn();
    let y = pruning.apply(Kernel::Literal, &g.view()).y;
    let factor = 9.0 / (6.0 + 1e-4);
    // The factor is formed wide, and the product rounded once.
    let near = |y: f64, exact: f64| (y - exact).abs() <= 4.0 * f64::EPSILON * exact.abs();
    assert!(near(y[[0, 0, 0, 1]], -4.0 * factor) && near(y[[0, 0, 1, 0]], 2.0 * factor), "{y}");
    assert_eq!((y[[0, 0, 0, 0]], y[[0, 0, 1, 1]]), (0.0, 0.0));
    assert!(y.iter().skip(4).all(|&y| y == 0.0), "of nothing, nothing");
}

/// With random groups the largest draws stay, whatever the gradient is; every layer draws from a stream of its own, and a step's
/// draws can be had again.
#[test]
fn random_groups_follow_their_draws() {
    let keys = Keys::Drawn(Box::new(stream(0, Purpose::GradientPruning, 5)));
    let pruning = GradientPruning { keys, ..GradientPruning::by_magnitude(TWO_OF_FOUR) };
    let g = random(&[4, 8], 1);
    let pruned = pruning.apply(Kernel::Literal, &g.view());
    let mut rng = stream(0, Purpose::GradientPruning, 5);
    let draws = ArrayD::from_shape_simple_fn(vec![4, 8], || unit(&mut rng));
    assert_eq!(pruned.draws.as_ref(), Some(&draws));
    let kept = keep_in_groups(draws.as_slice().unwrap(), &[4, 8], &TWO_OF_FOUR);
    assert!(pruned.y.iter().zip(&g).zip(kept).all(|((&y, &g), kept)| y == if kept { g } else { 0.0 }));
    let logged = log_of_a_pass(pruning);
    let draws: Vec<_> = logged.iter().filter(|(name, ..)| *name == "draw").collect();
    assert!(draws.len() == 2 && draws[0].2.iter().zip(&draws[1].2).all(|(a, b)| a != b));
}

/// What a pass of LeNet-300-100 logs.
fn log_of_a_pass(pruning: GradientPruning) -> Vec<(&'static str, String, ArrayD<f64>)> {
    let log = Arc::new(PruningLog::new(true));
    let gradients = Some(PrunedGradients { pruning, above: 3, log: Arc::clone(&log) });
    let network = find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
    let network = Network { changes: Changes { gradients, ..Changes::default() }, ..network };
    let parameters = network.first_parameters::<f64>(0);
    let (x, labels) = (random(&[2, 1, 8, 8], 9), vec![3, 7]);
    Step::compute(&network, Kernel::Literal, &parameters, x, labels, Mode::Training, None).unwrap();
    log.take().arrays
}

/// What is logged of a linear layer is its backward pass: the gradients' formulas, on small numbers, to the last bits.
#[test]
fn the_log_is_the_backward_pass() {
    let logged = log_of_a_pass(GradientPruning::by_magnitude(TWO_OF_FOUR));
    let of = |name: &str, layer: &str| {
        let found = logged.iter().find(|(n, l, _)| *n == name && l == layer);
        found.unwrap_or_else(|| panic!("{name}/{layer}")).2.view().into_dimensionality::<ndarray::Ix2>().unwrap()
    };
    // The first layer's input is the image, whose gradient nobody wants.
    assert!(!logged.iter().any(|(_, layer, _)| layer == "fc1"));
    for layer in ["fc2", "fc3"] {
        let (x, y) = (of("grad_output", layer), of("pruned", layer));
        let (weight, input) = (of("weight", layer), of("input", layer));
        // Sums of so many products of numbers below 1, rounded.
        let near = |a: &ndarray::Array2<f64>, b: ndarray::ArrayView2<f64>| {
            a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 300.0 * f64::EPSILON)
        };
        assert!(near(&x.t().dot(&input), of("grad_weight", layer)), "{layer}");
        assert!(near(&y.dot(&weight), of("grad_input", layer)), "{layer}");
        assert!(y.iter().zip(&x).all(|(y, x)| y == x || *y == 0.0) && y.iter().any(|&y| y == 0.0));
    }
}

/// Of fc2's 100 outputs a half goes, of fc3's 10 two of four, twice, and none of the last two.
#[test]
fn a_run_tells_the_share() {
    let dataset = digits(32, 4);
    let (_, records) = train::<f64>(&config("lenet300", "sdgp", 1, 16, &[]), &dataset);
    assert_eq!(records[0].numbers.real("backward_sparsity"), Some(54.0 / 110.0));
    let zero = [("remainder", Value::Name("zero".to_string()))];
    let (_, records) = train::<f64>(&config("lenet300", "sdgp", 1, 16, &zero), &dataset);
    assert_eq!(records[0].numbers.real("backward_sparsity"), Some(56.0 / 110.0));
}

/// Where all of a group stays, the run is the dense one.
#[test]
fn four_of_four_is_dense() {
    let dataset = digits(32, 4);
    let all = config("lenet300", "sdgp", 2, 16, &[("keep", Value::Count(4))]);
    let dense = config("lenet300", "dense", 2, 16, &[]);
    assert!(train::<f32>(&all, &dataset).0.weights == train::<f32>(&dense, &dataset).0.weights);
}

#[test]
fn it_resumes_and_threads_change_nothing() {
    let dataset = digits(64, 4);
    let name = |name: &str| Value::Name(name.to_string());
    let run = config("lenet300", "sdgp", 3, 16, &[("pick", name("random")), ("rescale", name("maxnorm"))]);
    resumes_with_the_same_bits::<f32>(&run, &dataset);
    threads_change_nothing::<f32>(&run, &dataset);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let dataset = digits(8, 2);
    let of = |key: &str, value: Value| refused(&config("lenet300", "sdgp", 1, 8, &[(key, value)]), &dataset);
    assert!(of("keep", Value::Count(5)).contains("--keep: expected at most --group, 4, found 5"));
    assert!(of("group", Value::Count(0)).contains("--group"));
    assert!(of("groups", Value::Name("rows".to_string())).contains("channel | memory"));
}
