//! The same on a GPU, once: `cargo test --release --features cuda --test cuda_hw -- --ignored --nocapture`.
//!
//! It fails where there is none, takes at most four minutes, and prints one table: the device and its driver, for each kernel, each op and each
//! network's training step whether it has Literal's bits, three epochs of LeNet300 against `--kernel literal`, and what all of
//! it took. `docs/cuda.md` has the tables of those who ran it.

#[path = "cuda/checks.rs"]
mod checks;
#[path = "cuda/families/mod.rs"]
mod families;

use gdstar::data::{Source, load};
use gdstar::kernel::Kernel;
use gdstar::kernel::cuda::Device;
use gdstar::method::Method;
use gdstar::nn::models::MODELS;
use gdstar::ops::OPS;
use gdstar::train::{Config, Session};
use std::time::{Duration, Instant};

/// What all of it may take.
const LIMIT: Duration = Duration::from_secs(240);

/// Rows of the table, and what failed.
#[derive(Default)]
struct Table {
    failed: Vec<String>,
}

impl Table {
    fn row(&mut self, what: &str, started: Instant, verdict: checks::Verdict) {
        let said = if verdict.is_ok() { "Literal's bits" } else { "OTHER BITS" };
        println!("| {what} | {said} | {:.2} s |", started.elapsed().as_secs_f64());
        self.failed.extend(verdict.err());
    }
}

/// Three epochs of GDSTAR on the digits: every number of every epoch's record but its seconds.
fn trained(kernel: Kernel) -> Vec<String> {
    let digits = load(Source::Digits, None).unwrap();
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    config.hyper.epochs = 3;
    config.kernel = kernel;
    let epochs = Session::new(config).unwrap().train(&digits).unwrap();
    epochs.iter().map(|epoch| format!("{:?} {:?} {:?}", epoch.loss, epoch.test_accuracy, epoch.numbers)).collect()
}

#[test]
#[ignore = "needs an NVIDIA GPU: cargo test --release --features cuda --test cuda_hw -- --ignored --nocapture"]
fn everything_has_literals_bits_on_this_gpu() {
    let begun = Instant::now();
    let device = Device::get().unwrap_or_else(|error| panic!("no GPU to test on: {error}"));
    let description = device.description().unwrap();
    let mut table = Table::default();
    println!("\n{description:?}\n\n| what | bits | time |\n|---|---|---|");
    for family in families::FAMILIES {
        let started = Instant::now();
        // What has other bits has said so in its panic.
        let verdict = std::panic::catch_unwind(|| family.try_all()).map_err(|_| format!("kernels: {}", family.name));
        table.row(&format!("kernels {}, f32 and f64", family.kernels.join(", ")), started, verdict);
    }
    for entry in OPS {
        let started = Instant::now();
        let verdict = (0..24).try_for_each(|seed| checks::case(entry, seed, 1 + seed as usize % 5));
        table.row(&format!("op {}, 24 cases, f32 and f64", entry.name), started, verdict);
    }
    let started = Instant::now();
    table.row("sparse products and pruned gradients, f32 and f64", started, checks::unlisted());
    for entry in MODELS {
        let started = Instant::now();
        table.row(&format!("a step of {}, f32", entry.name), started, checks::step::<f32>(entry.name, 2));
    }
    let started = Instant::now();
    table.row("a step of lenet, f64", started, checks::step::<f64>("lenet", 8));
    let started = Instant::now();
    let literal = trained(Kernel::Literal);
    table.row("lenet300, GDSTAR, 3 epochs on the CPU", started, Ok(()));
    let started = Instant::now();
    let same = if literal == trained(Kernel::Cuda) { Ok(()) } else { Err("3 epochs of lenet300 differ".to_string()) };
    table.row("lenet300, GDSTAR, 3 epochs on the GPU", started, same);
    println!("\nlaunches: {:?}", device.launches());
    assert!(table.failed.is_empty(), "{}", table.failed.join("\n"));
    assert!(begun.elapsed() < LIMIT, "it took {:?}", begun.elapsed());
}
