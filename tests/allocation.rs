//! Arrays are allocated by the first training steps alone. A binary of its own, since it counts what the program allocates.

use gdstar::kernel::{Aligned, Kernel, Pattern, buffer, images};
use gdstar::nn::{Compression, Mode, Network, Parameters, models};
use gdstar::ops::WeightGradient;
use gdstar::random::{Purpose, stream, unit};
use gdstar::train::{Sgd, SgdSettings, Step};
use ndarray::ArrayD;
use stats_alloc::{Region, StatsAlloc};
use std::alloc::System;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: Aligned<StatsAlloc<System>> = Aligned(StatsAlloc::system());

/// Steps after which every array has been needed once.
const FIRST_STEPS: usize = 2;

/// Steps that are looked at: the least of them counts. How many tiles of scratch are in use at once depends on how the
/// threads happen to meet, so that an early step may still find one too few; an array that is allocated anew is so in
/// every step.
const STEPS: usize = 6;

/// How many lists (of shapes, of units of work, of statistics per channel) an op may allocate in a step on the average,
/// forward and backward together, however many pixels its images have: printed are 42 to 62. One for every pixel would be
/// hundreds.
const LISTS_PER_OP: usize = 80;

/// The bytes of these lists, whether they are freed again or not: printed are 8 to 33 thousand. The arrays that an op holds
/// for the step are 290 thousand and more.
const BYTES_PER_OP: usize = 40 << 10;

/// Bytes that a step may leave behind: now and then rayon's queues grow.
const LEFT_BEHIND: usize = 4 << 10;

/// Networks with every kind of layer, and batches that make their activations large beside such lists.
const NETWORKS: [(&str, usize); 5] =
    [("lenet300", 128), ("lenet", 64), ("resnet20", 32), ("mobilenetv2", 8), ("densenetc", 8)];

/// Dense, and with nine weights in ten eliminated: no step but the first ones allocates an array. (All in one test, since
/// tests of one binary run side by side and the count is the program's.)
///
/// On two threads, whatever the machine: each thread that takes part in an op has lists of its own.
#[test]
fn training_allocates_no_array_in_the_steady_state() {
    rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap().install(steady_state);
}

fn steady_state() {
    for ((name, batch), sparse) in NETWORKS.into_iter().flat_map(|network| [(network, false), (network, true)]) {
        let entry = models::find(name).unwrap();
        let network = entry.network(entry.input, entry.classes).unwrap();
        let summary = network.summary::<f32>(batch).unwrap();
        let (holds, ops) = (summary.step_bytes(), summary.layers.len());
        let mut parameters = network.first_parameters::<f32>(0);
        let mut optimizer = Sgd::new(&SgdSettings::default(), &parameters);
        if sparse {
            compress(&mut parameters, &mut optimizer);
        }
        for _ in 0..FIRST_STEPS {
            step(&network, &mut parameters, &mut optimizer, batch, entry.classes);
        }
        let mut measured = (0..STEPS).map(|_| {
            let region = Region::new(&ALLOCATOR.0);
            step(&network, &mut parameters, &mut optimizer, batch, entry.classes);
            let change = region.change();
            let left = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
            [change.allocations, change.bytes_allocated, left]
        });
        let first = measured.next().unwrap();
        let [lists, bytes, left] =
            measured.fold(first, |least, step| std::array::from_fn(|i| usize::min(least[i], step[i])));
        let of_step = format!("{name}, sparse {sparse}, {ops} ops that hold {holds} bytes");
        println!("{of_step}: an op {} allocations, {} bytes; {left} left behind", lists / ops, bytes / ops);
        assert!(lists <= LISTS_PER_OP * ops, "{of_step}: {lists} allocations");
        assert!(bytes <= BYTES_PER_OP * ops, "{of_step}: {bytes} bytes are allocated");
        assert!(left <= LEFT_BEHIND, "{of_step}: {left} bytes are left behind");
        buffer::clear();
    }
}

/// One step as a run takes it, its batch in memory that the step before left.
fn step(network: &Network, parameters: &mut Parameters<f32>, optimizer: &mut Sgd<f32>, batch: usize, classes: usize) {
    let [c, h, w] = network.input;
    let mut rng = stream(0, Purpose::Order, 0);
    let mut x = buffer::stale(batch * c * h * w);
    x.fill_with(|| unit(&mut rng) as f32);
    let x = images([batch, c, h, w], x).into_dyn();
    let labels = (0..batch).map(|i| i % classes).collect();
    let mut step = Step::compute(network, Kernel::Fast, parameters, x, labels, Mode::Training, Some(&mut rng)).unwrap();
    assert_eq!(optimizer.step(Kernel::Fast, parameters, &step.gradients, 1e-3, Vec::new()), None);
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
