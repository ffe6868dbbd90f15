//! Peak memory of one training step of every network. A binary of its own, since it counts what the program allocates.

use gdstar::kernel::{Aligned, Kernel, buffer, images};
use gdstar::nn::{Mode, models};
use gdstar::random::{Purpose, stream, unit};
use gdstar::train::Step;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: Aligned<PeakAlloc> = Aligned(PeakAlloc);

/// The most that a step may take of what it needs at the least, which is the parameters, the gradients, and the
/// activations saved for backward. The rest are the gradients of activations under way and the kernels' buffers.
const MOST: f64 = 1.5;

/// What a step may take besides, whatever the network: the kernels' tiles (half a MiB a thread), and arrays that lie idle
/// until one of their size is wanted, since memory is kept for the next step rather than given back. It matters for
/// LeNet alone, whose arrays are of every size and add up to 7 MB.
const IDLE: usize = 4 << 20;

/// The paper's batch, cut so that the saved activations take no more than this, but never below [`LEAST`].
const BATCH: usize = 128;
const ACTIVATIONS: usize = 64 << 20;
/// Batch norm over fewer values is not what anybody trains.
const LEAST: usize = 4;

/// A step of every network stays within 1.5 times what it needs, and needs what `gdstar models` says: were the estimate too
/// large, forward would hold less than it.
#[test]
fn a_training_step_stays_within_its_memory() {
    for entry in models::MODELS {
        let network = entry.network(entry.input, entry.classes).unwrap();
        let of_full_batch = network.summary::<f32>(BATCH).unwrap().activation_bytes;
        let batch = (BATCH * ACTIVATIONS / of_full_batch).clamp(LEAST, BATCH);
        let summary = network.summary::<f32>(batch).unwrap();
        let mut rng = stream(0, Purpose::Initialisation, 0);
        let [c, h, w] = entry.input;
        // In the order that a data set gives them in.
        let pixels = (0..batch * c * h * w).map(|_| unit(&mut rng) as f32);
        let x = images([batch, c, h, w], pixels.collect()).into_dyn();
        let pixels = x.len() * size_of::<f32>();
        buffer::clear(); // of what the network before left
        let before = ALLOCATOR.0.current_usage() - pixels;
        let parameters = network.initialise::<f32>(&mut rng);
        let labels = (0..batch).map(|i| i % entry.classes).collect();
        ALLOCATOR.0.reset_peak_usage();
        let step =
            Step::compute(&network, Kernel::Fast, &parameters, x, labels, Mode::Training, Some(&mut rng)).unwrap();
        let (peak, needed) = (ALLOCATOR.0.peak_usage() - before, summary.step_bytes());
        assert!(step.loss.is_finite());
        let ratio = peak.saturating_sub(IDLE) as f64 / needed as f64;
        println!("{} at batch {batch}: {peak} bytes of {needed}, {ratio:.2} without {IDLE}", entry.name);
        assert!(ratio <= MOST, "{}: {peak} bytes, {ratio:.2} times the {needed} that a step needs", entry.name);
        // Parameters and saved activations are there at the same time.
        let together = summary.parameter_bytes + summary.activation_bytes;
        assert!(peak >= together, "{}: {peak} bytes, less than the {together} it is said to keep", entry.name);
    }
}
