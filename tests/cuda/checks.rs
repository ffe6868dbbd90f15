//! What is held to Literal's bits on a GPU: ops, and training steps of networks. On the stand-in and on hardware alike.

use gdstar::kernel::{Kernel, Pattern, Window};
use gdstar::nn::{Mode, models};
use gdstar::op::{Evaluation, Op, evaluate};
use gdstar::ops::{AnyOp, Conv2d, Entry, Filters, GradientPruning, Linear, PrunedGradient, Sparse, WeightGradient};
use gdstar::paper::reading::InitialWeights;
use gdstar::scalar::Scalar;
use gdstar::select::cut::Ties;
use gdstar::select::groups::{Groups, OfGroups, Remainder};
use gdstar::train::Step;
use ndarray::{ArrayD, ArrayViewD, Dimension};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Nothing, or the first place where bits differ.
pub type Verdict = Result<(), String>;

/// The same bits, or both NaN.
fn same<S: Scalar>(what: &str, host: &ArrayD<S>, device: &ArrayD<S>) -> Verdict {
    if host.shape() != device.shape() {
        return Err(format!("{what}: {:?} on the host, {:?} on the device", host.shape(), device.shape()));
    }
    let are_same = |h: &S, d: &S| (h.is_nan() && d.is_nan()) || h.to_f64().to_bits() == d.to_f64().to_bits();
    match host.indexed_iter().zip(device.iter()).find(|((_, h), d)| !are_same(h, d)) {
        None => Ok(()),
        Some(((at, h), d)) => Err(format!("{what} at {:?}: {h:?} on the host, {d:?} on the device", at.slice())),
    }
}

fn all_same<S: Scalar>(what: &str, host: &[Option<ArrayD<S>>], device: &[Option<ArrayD<S>>]) -> Verdict {
    host.iter().zip(device).enumerate().try_for_each(|(i, pair)| match pair {
        (Some(host), Some(device)) => same(&format!("{what} {i}"), host, device),
        (None, None) => Ok(()),
        _ => Err(format!("{what} {i} is there on one side alone")),
    })
}

fn same_evaluation<S: Scalar>(what: &str, host: &Evaluation<S>, device: &Evaluation<S>) -> Verdict {
    let outputs = |of: &Evaluation<S>| of.outputs.iter().cloned().map(Some).collect::<Vec<_>>();
    all_same(&format!("{what}: output"), &outputs(host), &outputs(device))?;
    all_same(&format!("{what}: gradient"), &host.gradients, &device.gradients)
}

/// Inputs and upstream gradients in a number system.
struct Drawn<S> {
    inputs: Vec<ArrayD<S>>,
    upstream: Vec<ArrayD<S>>,
}

impl<S: Scalar> Drawn<S> {
    fn new(rng: &mut ChaCha8Rng, inputs: &[ArrayD<f64>], out_shapes: impl Fn(&[&[usize]]) -> Vec<Vec<usize>>) -> Self {
        let inputs: Vec<ArrayD<S>> = inputs.iter().map(|x| x.mapv(S::from_f64)).collect();
        let shapes = out_shapes(&inputs.iter().map(ArrayD::shape).collect::<Vec<_>>());
        let mut drawn = || S::from_f64(f64::from(rng.random_range(-2.0f32..2.0)));
        let upstream = shapes.iter().map(|shape| ArrayD::from_shape_simple_fn(shape.as_slice(), &mut drawn)).collect();
        Self { inputs, upstream }
    }

    fn views(&self) -> (Vec<ArrayViewD<'_, S>>, Vec<Option<ArrayViewD<'_, S>>>) {
        (self.inputs.iter().map(|x| x.view()).collect(), self.upstream.iter().map(|dy| Some(dy.view())).collect())
    }
}

fn any_op<S: Scalar>(rng: &mut ChaCha8Rng, op: &AnyOp, inputs: &[ArrayD<f64>], wanted: &[bool]) -> Verdict {
    let shapes = |of: &[&[usize]]| op.out_shapes(of).unwrap().iter().map(|shape| shape.to_vec()).collect();
    let drawn = Drawn::<S>::new(rng, inputs, shapes);
    let (inputs, upstream) = drawn.views();
    let of = |kernel| op.evaluate(kernel, &inputs, &upstream, wanted).map_err(|error| error.to_string());
    same_evaluation(&format!("{op:?} in {}", S::NAME), &of(Kernel::Literal)?, &of(Kernel::Cuda)?)
}

/// A random case of an op of the list, forward and backward, in both number systems.
pub fn case(entry: &Entry, seed: u64, size: usize) -> Verdict {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let case = (entry.sample)(&mut rng, size);
    any_op::<f32>(&mut rng, &case.op, &case.inputs, &case.differentiable)?;
    any_op::<f64>(&mut rng, &case.op, &case.inputs, &case.differentiable)
}

/// An op in both number systems.
fn op<O: Op>(rng: &mut ChaCha8Rng, op: &O, inputs: &[ArrayD<f64>]) -> Verdict {
    op_in::<f32, _>(rng, op, inputs)?;
    op_in::<f64, _>(rng, op, inputs)
}

fn op_in<S: Scalar, O: Op>(rng: &mut ChaCha8Rng, op: &O, inputs: &[ArrayD<f64>]) -> Verdict {
    let shapes = |of: &[&[usize]]| op.out_shapes(of).unwrap().iter().map(|shape| shape.to_vec()).collect();
    let drawn = Drawn::<S>::new(rng, inputs, shapes);
    let (inputs, upstream) = drawn.views();
    let wanted = vec![true; inputs.len()];
    let of = |kernel| evaluate(op, kernel, &inputs, &upstream, &wanted).map_err(|error| error.to_string());
    same_evaluation(&format!("{op:?} in {}", S::NAME), &of(Kernel::Literal)?, &of(Kernel::Cuda)?)
}

/// An array of such numbers as ops take.
fn drawn(rng: &mut ChaCha8Rng, shape: &[usize]) -> ArrayD<f64> {
    ArrayD::from_shape_simple_fn(shape, || f64::from(rng.random_range(-2.0f32..2.0)))
}

/// The op on a weight of which most entries do not live.
fn sparse<O: Filters>(rng: &mut ChaCha8Rng, of: O, x: &[usize], w: &[usize]) -> Verdict {
    let alive: Vec<bool> = (0..w.iter().product()).map(|_| rng.random_bool(0.4)).collect();
    let pattern = Arc::new(Pattern::new(w, &alive).unwrap());
    let inputs = [drawn(rng, x), drawn(rng, &[pattern.nnz()]), drawn(rng, &[w[0]])];
    [WeightGradient::Living, WeightGradient::All]
        .into_iter()
        .try_for_each(|gradient| op(rng, &Sparse { op: of.clone(), pattern: pattern.clone(), gradient }, &inputs))
}

/// Ops that no file holds: on compressed weights, and with a gradient that is pruned on the way.
pub fn unlisted() -> Verdict {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    sparse(&mut rng, Linear, &[3, 10], &[5, 10])?;
    let window = Window { padding: [1, 1], groups: 2, ..Window::PLAIN };
    sparse(&mut rng, Conv2d { window }, &[2, 4, 5, 5], &[6, 2, 3, 3])?;
    let inputs = [drawn(&mut rng, &[4, 6]), drawn(&mut rng, &[8, 6]), drawn(&mut rng, &[8])];
    let (groups, remainder) = (Groups::default(), Remainder::default());
    let of = OfGroups { keep: 2, group: 4, groups, remainder, ties: Ties::LowerIndex };
    op(&mut rng, &PrunedGradient { op: Linear, pruning: GradientPruning::by_magnitude(of), log: None }, &inputs)
}

/// One training step of a network from first weights: loss, logits, all gradients and running statistics.
pub fn step<S: Scalar>(model: &str, batch: usize) -> Verdict {
    let entry = models::find(model).unwrap();
    let network = entry.network(entry.input, entry.classes).unwrap();
    let parameters = network.first_parameters_from::<S>(3, InitialWeights::default());
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let [c, h, w] = entry.input;
    let x: ArrayD<S> = ArrayD::from_shape_simple_fn(vec![batch, c, h, w], || S::from_f64(rng.random_range(-1.0..1.0)));
    let labels: Vec<usize> = (0..batch).map(|i| i % entry.classes).collect();
    let of = |kernel| {
        let mut noise = ChaCha8Rng::seed_from_u64(5);
        let (x, labels) = (x.clone(), labels.clone());
        let step = Step::compute(&network, kernel, &parameters, x, labels, Mode::Training, Some(&mut noise));
        step.map_err(|error| format!("{model}: {error}"))
    };
    let (host, device) = (of(Kernel::Literal)?, of(Kernel::Cuda)?);
    if host.loss.to_f64().to_bits() != device.loss.to_f64().to_bits() {
        return Err(format!("{model}: loss {:?} on the host, {:?} on the device", host.loss, device.loss));
    }
    same(&format!("{model}: logits"), &host.logits, &device.logits)?;
    all_same(&format!("{model}: running statistic"), &host.buffers, &device.buffers)?;
    all_same(&format!("{model}: gradient"), &host.gradients, &device.gradients)
}
