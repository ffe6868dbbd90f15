//! Memory is allocated by the first training steps alone. A binary of its own, since it counts what the program allocates.

use gdstar::data::Source;
use gdstar::kernel::{Aligned, Kernel, Pool, buffer, images};
use gdstar::method::{At, Method, Needs};
use gdstar::nn::{Mode, Network, models};
use gdstar::ops::WeightGradient;
use gdstar::paper::reading::{Decayed, MaskedGradient};
use gdstar::random::{Purpose, stream, unit};
use gdstar::train::{Config, Sgd, SgdSettings, Step};
use gdstar::weights::{Form, Stepping, Weights};
use stats_alloc::{Region, Stats, StatsAlloc};
use std::alloc::System;
use std::ops::RangeInclusive;

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
        let mut config = Config::new(entry.name, Source::Digits, Method::Gdstar);
        config.reading.masked_gradient = MaskedGradient::Zero;
        let mut weights = Weights::new(network.first_parameters::<f32>(0), config.reading.prunable);
        let mut sparsifier = Method::Gdstar.start(&config.setup(&network, 1), &mut weights).unwrap();
        if sparse {
            // One weight in ten lives.
            let mut rng = stream(0, Purpose::RandomRewind, 0);
            weights.mask_mut().fill_with(|| unit(&mut rng) < 0.1);
        }
        sparsifier.begin_epoch(At { epoch: 0, steps: 0, learning_rate: 0.0, recorded: false }, &mut weights);
        let needs = sparsifier.needs();
        let form =
            Form { break_even: |_, _| 0.5, batch_size: batch, gradient: WeightGradient::Living, with_momentum: true };
        let mut weights = weights.stepping(Some(form));
        let mut allocated = || {
            // A batch's labels are the loader's.
            let labels = (0..batch).map(|i| i % entry.classes).collect();
            let region = Region::new(&ALLOCATOR.0);
            step(&network, &mut weights, &needs, batch, labels);
            let Stats { allocations, reallocations, bytes_allocated, .. } = region.change();
            (allocations + reallocations, bytes_allocated)
        };
        let pool = Pool::new();
        let first: Vec<_> = (0..FIRST_STEPS).map(|_| pool.install(&mut allocated)).collect();
        let steps: Vec<_> = (0..STEPS).map(|_| pool.install(&mut allocated)).collect();
        let of_steps =
            format!("{}, batches of {batch}, sparse {sparse}: pieces and bytes {first:?}, then {steps:?}", entry.name);
        println!("{of_steps}");
        assert_eq!(steps.into_iter().min(), Some((0, 0)), "{of_steps}");
    }
}

/// One step as a run takes it, its batch in memory that the step before left.
fn step(network: &Network, weights: &mut Stepping<f32>, needs: &Needs, batch: usize, labels: Vec<usize>) {
    let [c, h, w] = network.input;
    let mut rng = stream(0, Purpose::Order, 0);
    let mut x = buffer::stale(batch * c * h * w);
    x.fill_with(|| unit(&mut rng) as f32);
    let x = images([batch, c, h, w], x).into_dyn();
    weights.store(false).unwrap();
    let (parameters, optimizer) = (&weights.parameters, Sgd::new(&SgdSettings::default(), Decayed::All));
    let mut step = Step::compute(network, Kernel::Fast, parameters, x, labels, Mode::Training, Some(&mut rng)).unwrap();
    assert_eq!(optimizer.step(Kernel::Fast, weights, &step.gradients, 1e-3, needs), None);
    step.move_buffers(&mut weights.parameters);
    step.recycle();
}
