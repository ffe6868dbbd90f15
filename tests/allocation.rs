//! Memory is allocated by the first training steps alone. A binary of its own, since it counts what the program allocates.

use gdstar::data::Source;
use gdstar::kernel::{Aligned, Kernel, Pattern, buffer, images};
use gdstar::nn::{Compression, Mode, Network, Parameters, models};
use gdstar::ops::WeightGradient;
use gdstar::paper::reading::MaskedGradient;
use gdstar::random::{Purpose, stream, unit};
use gdstar::sparsify::{Method, Sparsifier};
use gdstar::train::{Config, Sgd, SgdSettings, Step};
use ndarray::ArrayD;
use stats_alloc::{Region, Stats, StatsAlloc};
use std::alloc::System;
use std::ops::RangeInclusive;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: Aligned<StatsAlloc<System>> = Aligned(StatsAlloc::system());

/// Steps after which all memory has been needed once.
const FIRST_STEPS: usize = 4;

/// Steps that are looked at: the least of them counts. How much scratch is in use at once depends on how the threads happen
/// to meet, so that an early step may still find one piece too few, and now and then rayon's queues grow; what is allocated
/// anew is so in every step.
const STEPS: usize = 6;

/// Bytes of activations that a batch's size is chosen for, within [`BATCHES`]: as much work as two threads share out.
const ACTIVATIONS: usize = 8 << 20;

/// The sizes of batches: batch norm needs two samples.
const BATCHES: RangeInclusive<usize> = 2..=128;

/// Multiply-accumulates of a batch's forward pass up to which a model is quick: twenty steps take some seconds without
/// optimisation.
const QUICK: usize = 400 << 20;

/// Every quick model in training by GDSTAR, with all weights, and with nine in ten eliminated: a step (forward, backward, the
/// optimizer's with the method in it, and giving its memory back) allocates nothing, once a few have been taken. (All in one test, since tests of one binary run side by
/// side and the count is the program's.)
///
/// On two threads, whatever the machine: each thread that takes part in an op has scratch of its own.
#[test]
fn training_allocates_nothing_in_the_steady_state() {
    on_two_threads(|macs| macs <= QUICK);
}

/// The same for the others: `cargo test --release --test allocation -- --ignored --nocapture`, a minute.
#[test]
#[ignore = "minutes without optimisation"]
fn training_larger_models_allocates_nothing_in_the_steady_state() {
    on_two_threads(|macs| macs > QUICK);
}

/// Looks at the models of which a batch's forward pass takes such a count of multiply-accumulates.
fn on_two_threads(chosen: fn(usize) -> bool) {
    rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap().install(|| steady_state(chosen));
}

fn steady_state(chosen: fn(usize) -> bool) {
    for (entry, sparse) in models::MODELS.iter().flat_map(|entry| [(entry, false), (entry, true)]) {
        let network = entry.network(entry.input, entry.classes).unwrap();
        let of_two = network.summary::<f32>(2).unwrap();
        let batch = (2 * ACTIVATIONS / of_two.activation_bytes).clamp(*BATCHES.start(), *BATCHES.end());
        if !chosen(of_two.macs * batch) {
            continue;
        }
        let mut parameters = network.first_parameters::<f32>(0);
        let mut optimizer = Sgd::new(&SgdSettings::default(), &parameters);
        if sparse {
            compress(&mut parameters, &mut optimizer);
        }
        let mut config = Config::new(entry.name, Source::Digits, Method::Gdstar);
        config.reading.masked_gradient = MaskedGradient::Zero;
        let mut sparsifier = Method::Gdstar.sparsifier(&config, &network.first_parameters::<f32>(0));
        sparsifier.begin_epoch(&parameters, false);
        let mut allocated = || {
            // A batch's labels are the loader's.
            let labels = (0..batch).map(|i| i % entry.classes).collect();
            let region = Region::new(&ALLOCATOR.0);
            step(&network, &mut parameters, (&mut optimizer, &mut *sparsifier), batch, labels);
            let Stats { allocations, reallocations, bytes_allocated, .. } = region.change();
            (allocations + reallocations, bytes_allocated)
        };
        let first: Vec<_> = (0..FIRST_STEPS).map(|_| allocated()).collect();
        let steps: Vec<_> = (0..STEPS).map(|_| allocated()).collect();
        let of_steps =
            format!("{}, batches of {batch}, sparse {sparse}: pieces and bytes {first:?}, then {steps:?}", entry.name);
        println!("{of_steps}");
        assert_eq!(steps.into_iter().min(), Some((0, 0)), "{of_steps}");
        buffer::clear();
    }
}

/// One step as a run takes it, its batch in memory that the step before left.
fn step(
    network: &Network,
    parameters: &mut Parameters<f32>,
    (optimizer, sparsifier): (&mut Sgd<f32>, &mut dyn Sparsifier<f32>),
    batch: usize,
    labels: Vec<usize>,
) {
    let [c, h, w] = network.input;
    let mut rng = stream(0, Purpose::Order, 0);
    let mut x = buffer::stale(batch * c * h * w);
    x.fill_with(|| unit(&mut rng) as f32);
    let x = images([batch, c, h, w], x).into_dyn();
    let mut step = Step::compute(network, Kernel::Fast, parameters, x, labels, Mode::Training, Some(&mut rng)).unwrap();
    assert_eq!(optimizer.step(Kernel::Fast, parameters, &step.gradients, 1e-3, sparsifier.followed()), None);
    step.move_buffers(parameters);
    step.recycle();
}

/// Keeps one weight in ten of every matrix and filter.
fn compress(parameters: &mut Parameters<f32>, optimizer: &mut Sgd<f32>) {
    let mut rng = stream(0, Purpose::RandomRewind, 0);
    for (parameter, momentum) in parameters.iter_mut().zip(&mut optimizer.buffers) {
        if parameter.value.ndim() > 1 {
            let alive: Vec<bool> = (0..parameter.value.len()).map(|_| unit(&mut rng) < 0.1).collect();
            let pattern = Arc::new(Pattern::new(parameter.value.shape(), &alive).unwrap());
            *momentum = ArrayD::zeros(vec![pattern.nnz()]);
            parameter.compress(Compression { pattern, gradient: WeightGradient::Living });
        }
    }
}
