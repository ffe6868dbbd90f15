//! Peak memory and time of one training step of every network, beside what it needs at the least.
//!
//! `cargo run --release --example step_memory -- [BATCH [MODEL..]]`; docs/models.md has the table for batch 128.
//!
//! At the least: parameters, gradients, and the activations that forward saves for backward (`gdstar models`). Measured: the
//! most bytes that were allocated at any time during the step, the parameters and the batch of images included.

use gdstar::kernel::{Aligned, Kernel, Pool, images};
use gdstar::nn::{Mode, models};
use gdstar::random::{Purpose, stream, unit};
use gdstar::train::Step;
use indicatif::HumanBytes;
use peak_alloc::PeakAlloc;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: Aligned<PeakAlloc> = Aligned(PeakAlloc);

fn main() -> gdstar::error::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let batch = match arguments.first() {
        Some(number) => number.parse().map_err(|_| gdstar::Error::domain("BATCH", "a number of samples", number))?,
        None => 128,
    };
    println!("one training step at batch {batch}, f32, kernel fast, {} threads", rayon::current_num_threads());
    println!(
        "{:<14} {:>11} {:>11} {:>11} {:>11} {:>11} {:>6} {:>9}",
        "model", "parameters", "gradients", "activations", "sum", "peak", "ratio", "seconds"
    );
    for entry in models::MODELS {
        if arguments.len() > 1 && !arguments[1..].iter().any(|name| name == entry.name) {
            continue;
        }
        let network = entry.network(entry.input, entry.classes)?;
        let summary = network.summary::<f32>(batch)?;
        let before = ALLOCATOR.0.current_usage();
        let mut rng = stream(0, Purpose::Initialisation, 0);
        let parameters = network.initialise::<f32>(&mut rng);
        let [c, h, w] = entry.input;
        let pixels = (0..batch * c * h * w).map(|_| unit(&mut rng) as f32);
        let x = images([batch, c, h, w], pixels.collect()).into_dyn(); // in the order that a data set gives them in
        let labels: Vec<usize> = (0..batch).map(|i| i % entry.classes).collect();
        ALLOCATOR.0.reset_peak_usage();
        let started = Instant::now();
        let compute = || Step::compute(&network, Kernel::Fast, &parameters, x, labels, Mode::Training, Some(&mut rng));
        let step = Pool::new().install(compute)?;
        let seconds = started.elapsed().as_secs_f64();
        let peak = ALLOCATOR.0.peak_usage() - before;
        assert!(step.loss.is_finite());
        let sum = summary.step_bytes();
        println!(
            "{:<14} {:>11} {:>11} {:>11} {:>11} {:>11} {:>6.2} {:>9.3}",
            entry.name,
            HumanBytes(summary.parameter_bytes as u64).to_string(),
            HumanBytes(summary.gradient_bytes as u64).to_string(),
            HumanBytes(summary.activation_bytes as u64).to_string(),
            HumanBytes(sum as u64).to_string(),
            HumanBytes(peak as u64).to_string(),
            peak as f64 / sum as f64,
            seconds,
        );
    }
    Ok(())
}
