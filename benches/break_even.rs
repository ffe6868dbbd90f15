//! `cargo bench --bench break_even`: from which sparsity on a layer's training step is faster on its living weights alone.
//!
//! For each shape and sparsity, forward and both gradients of the op and of its sparse form run in turns, and the median
//! times are compared. The last column of a row is the least sparsity measured from which on the sparse form is faster:
//! what `gdstar::train::break_even` is fitted to.

use gdstar::kernel::{self, Aligned, Kernel, Pattern, Pool, Window, buffer};
use gdstar::op::{Evaluation, Op, evaluate};
use gdstar::ops::{Conv2d, Filters, Linear, Sparse, WeightGradient};
use ndarray::{Array1, ArrayD, ArrayViewD, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: Aligned = Aligned::SYSTEM;

/// Rows of two, eight and sixteen of the widest vectors.
const BATCHES: [usize; 3] = [32, 128, 256];
const ROUNDS: usize = 7;
const SPARSITIES: [f64; 9] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98];

fn main() {
    let name = |sparsity: &f64| format!("{:>7}", format!("{:.0} %", 100.0 * sparsity));
    println!("{} threads, f32; time of the sparse form / time of the dense one", rayon::current_num_threads());
    for batch in BATCHES {
        println!("{:<28}{}  faster from", format!("batch {batch}"), SPARSITIES.iter().map(name).collect::<String>());
        Pool::new().install(|| layers(batch));
    }
}

/// The lines of a batch size.
fn layers(batch: usize) {
    for (outputs, inputs) in [(300, 784), (100, 300), (10, 100), (512, 512)] {
        report(&format!("linear {inputs} -> {outputs}"), Linear, &[batch, inputs], &[outputs, inputs]);
    }
    // Of ResNet20 and ResNet18 on 32 x 32 images: 3 x 3 taps, and a shortcut's 1 x 1.
    for (channels, pixels, taps) in [(16, 32, 3), (32, 16, 3), (64, 8, 3), (64, 32, 3), (256, 8, 3), (128, 16, 1)] {
        let op = Conv2d { window: Window { padding: [taps / 2; 2], ..Window::PLAIN } };
        let what = format!("conv {channels} x {pixels} x {pixels}, {taps} x {taps}");
        report(&what, op, &[batch, channels, pixels, pixels], &[channels, channels, taps, taps]);
    }
}

/// One line: the ratio at each sparsity.
fn report<O: Filters + Copy>(what: &str, op: O, x: &[usize], w: &[usize]) {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut draw = |shape: &[usize]| ArrayD::from_shape_simple_fn(shape, || rng.random_range(-1.0f32..1.0));
    let y = op.out_shapes(&[x, w]).expect("the shapes fit").remove(0);
    let w = draw(w);
    // As they lie in training: (h, w, c, n).
    let mut batch_innermost = |shape: &[usize]| {
        let extent = |axis: usize| shape.get(axis).copied().unwrap_or(1);
        let elements = draw(shape).into_raw_vec_and_offset().0;
        let mut images = kernel::images([0, 1, 2, 3].map(extent), elements).into_dyn();
        while images.ndim() > shape.len() {
            images = images.index_axis_move(Axis(shape.len()), 0);
        }
        images
    };
    let (x, dy) = (batch_innermost(x), batch_innermost(&y));
    let ratios: Vec<f64> = SPARSITIES.iter().map(|&sparsity| ratio(op, [&x, &w, &dy], sparsity)).collect();
    let losing = ratios.iter().rposition(|&ratio| ratio >= 1.0).map_or(0, |i| i + 1);
    let from = SPARSITIES.get(losing).map_or("never".to_string(), |sparsity| format!("{:.0} %", 100.0 * sparsity));
    println!("{what:<28}{}  {from}", ratios.iter().map(|ratio| format!("{ratio:>7.2}")).collect::<String>());
}

fn ratio<O: Filters + Copy>(op: O, [x, w, dy]: [&ArrayD<f32>; 3], sparsity: f64) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let alive: Vec<bool> = w.iter().map(|_| !rng.random_bool(sparsity)).collect();
    let pattern = Arc::new(Pattern::new(w.shape(), &alive).expect("a weight"));
    let values = Array1::from(pattern.gather(w.as_slice().expect("drawn in order"))).into_dyn();
    let sparse = Sparse { op, pattern, gradient: WeightGradient::Living };
    let (mut of_sparse, mut of_dense) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_sparse.push(time(&sparse, &[x.view(), values.view()], dy));
        of_dense.push(time(&op, &[x.view(), w.view()], dy));
    }
    median(of_sparse).as_secs_f64() / median(of_dense).as_secs_f64()
}

/// Forward and both gradients, in memory that is used again, as a training step does it.
fn time<O: Op>(op: &O, inputs: &[ArrayViewD<f32>], dy: &ArrayD<f32>) -> Duration {
    let started = Instant::now();
    let done = evaluate(op, Kernel::Fast, inputs, &[Some(dy.view())], &[true; 2]).expect("the shapes fit");
    let elapsed = started.elapsed();
    let Evaluation { outputs, gradients } = black_box(done);
    outputs.into_iter().chain(gradients.into_iter().flatten()).for_each(buffer::recycle);
    elapsed
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
