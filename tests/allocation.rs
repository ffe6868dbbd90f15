//! Arrays are allocated by the first training steps alone. A binary of its own, since it counts what the program allocates.

use gdstar::kernel::{Aligned, Kernel, Pattern, buffer, images};
use gdstar::nn::{Compression, Mode, Network, Parameters, models};
use gdstar::ops::WeightGradient;
use gdstar::random::{Purpose, stream, unit};
use gdstar::train::{Sgd, SgdSettings, Step};
use ndarray::ArrayD;
use peak_alloc::PeakAlloc;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: Aligned<PeakAlloc> = Aligned(PeakAlloc);

/// Steps after which every array has been needed once.
const FIRST_STEPS: usize = 2;

/// Steps that are looked at: the least of them counts. How many tiles of scratch are in use at once depends on how the
/// threads happen to meet, so that an early step may still find one too few; an array that is allocated anew is so in
/// every step.
const STEPS: usize = 6;

/// What a later step may allocate, as a share of what a step holds: lists of shapes and values, and statistics per channel
/// (at most 2.4 %, as printed). The smallest activation of these networks is more.
const LISTS: f64 = 0.03;

/// Networks with every kind of layer, and batches that make their activations large beside such lists.
const NETWORKS: [(&str, usize); 5] =
    [("lenet300", 128), ("lenet", 64), ("resnet20", 32), ("mobilenetv2", 8), ("densenetc", 8)];

/// Dense, and with nine weights in ten eliminated: no step but the first ones allocates an array. (All in one test, since
/// tests of one binary run side by side and the count is the program's.)
#[test]
fn training_allocates_no_array_in_the_steady_state() {
    for ((name, batch), sparse) in NETWORKS.into_iter().flat_map(|network| [(network, false), (network, true)]) {
        let entry = models::find(name).unwrap();
        let network = entry.network(entry.input, entry.classes).unwrap();
        let holds = network.summary::<f32>(batch).unwrap().step_bytes();
        let mut parameters = network.first_parameters::<f32>(0);
        let mut optimizer = Sgd::new(&SgdSettings::default(), &parameters);
        if sparse {
            compress(&mut parameters, &mut optimizer);
        }
        for _ in 0..FIRST_STEPS {
            step(&network, &mut parameters, &mut optimizer, batch, entry.classes);
        }
        let mut measured = (0..STEPS).map(|_| {
            let before = ALLOCATOR.0.current_usage();
            ALLOCATOR.0.reset_peak_usage();
            step(&network, &mut parameters, &mut optimizer, batch, entry.classes);
            (ALLOCATOR.0.peak_usage() - before, ALLOCATOR.0.current_usage().saturating_sub(before))
        });
        let first = measured.next().unwrap();
        let (allocated, left) = measured.fold(first, |least, step| (least.0.min(step.0), least.1.min(step.1)));
        println!("{name}, sparse {sparse}: {allocated} bytes, {left} left behind, beside {holds}");
        assert!(allocated as f64 <= LISTS * holds as f64, "{name}, sparse {sparse}: {allocated} bytes, of {holds}");
        assert!(left as f64 <= LISTS * holds as f64, "{name}, sparse {sparse}: {left} bytes are left behind");
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
    for (position, value) in step.buffers.drain(..) {
        parameters[position].value = value;
    }
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
