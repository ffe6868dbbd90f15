//! The same on a GPU, once: `cargo test --release --features cuda --test cuda_hw -- --ignored --nocapture`.
//!
//! It fails where there is none, takes at most four minutes, and prints one table: the device and its driver, for each kernel, each op and each
//! network's training step whether it has Literal's bits, three epochs of LeNet300 against `--kernel literal`, and what all of
//! it took. `docs/cuda.md` has the tables of those who ran it. A little of every part of it is rehearsed on the stand-in, whose
//! table says that it is one.

#[path = "cuda/checks.rs"]
mod checks;
#[path = "cuda/common.rs"]
#[allow(dead_code, reason = "what the commands' tests need of it")]
mod common;
#[path = "cuda/families/mod.rs"]
mod families;

use common::{on_stand_in, stand_in, text};
use gdstar::data::{Source, load};
use gdstar::kernel::Kernel;
use gdstar::kernel::cuda::Device;
use gdstar::method::Method;
use gdstar::nn::models::MODELS;
use gdstar::ops::OPS;
use gdstar::train::{Config, Session};
use std::process::Command;
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

/// How much of it is done.
struct Extent {
    /// Random cases of each op.
    cases: u64,
    networks: fn(&str) -> bool,
    /// Of digits, to learn and to be tested on; all if not given.
    images: Option<usize>,
}

const ALL: Extent = Extent { cases: 24, networks: |_| true, images: None };
/// What the stand-in computes within seconds.
const A_LITTLE: Extent = Extent { cases: 2, networks: |name| name == "lenet300", images: Some(8) };

/// Three epochs of GDSTAR on the digits: every number of every epoch's record but its seconds.
fn trained(kernel: Kernel, images: Option<usize>) -> Vec<String> {
    let mut digits = load(Source::Digits, None).unwrap();
    if let Some(images) = images {
        digits.train.keep_first(images).unwrap();
        digits.test.keep_first(images).unwrap();
    }
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    config.hyper.epochs = 3;
    config.kernel = kernel;
    let epochs = Session::new(config).unwrap().train(&digits).unwrap();
    epochs.iter().map(|epoch| format!("{:?} {:?} {:?}", epoch.loss, epoch.test_accuracy, epoch.numbers)).collect()
}

/// Prints the table.
fn table(device: &Device, extent: &Extent) -> Table {
    let mut table = Table::default();
    println!("\n{:?}\n\n| what | bits | time |\n|---|---|---|", device.description().unwrap());
    for family in families::FAMILIES {
        let started = Instant::now();
        // What has other bits has said so in its panic.
        let verdict = std::panic::catch_unwind(|| family.try_all()).map_err(|_| format!("kernels: {}", family.name));
        table.row(&format!("kernels {}, f32 and f64", family.kernels.join(", ")), started, verdict);
    }
    for entry in OPS {
        let started = Instant::now();
        let verdict = (0..extent.cases).try_for_each(|seed| checks::case(entry, seed, 1 + seed as usize % 5));
        table.row(&format!("op {}, {} cases, f32 and f64", entry.name, extent.cases), started, verdict);
    }
    let started = Instant::now();
    table.row("sparse products and pruned gradients, f32 and f64", started, checks::unlisted());
    for entry in MODELS.iter().filter(|entry| (extent.networks)(entry.name)) {
        let started = Instant::now();
        table.row(&format!("a step of {}, f32", entry.name), started, checks::step::<f32>(entry.name, 2));
    }
    let started = Instant::now();
    table.row("a step of lenet, f64", started, checks::step::<f64>("lenet", 2));
    let started = Instant::now();
    let literal = trained(Kernel::Literal, extent.images);
    table.row("lenet300, GDSTAR, 3 epochs on the CPU", started, Ok(()));
    let started = Instant::now();
    let same = trained(Kernel::Cuda, extent.images) == literal;
    let verdict = if same { Ok(()) } else { Err("3 epochs of lenet300 differ".to_string()) };
    table.row("lenet300, GDSTAR, 3 epochs on the GPU", started, verdict);
    println!("\nlaunches: {:?}", device.launches());
    table
}

/// Whether the device is the stand-in, which says so in its name.
fn is_stand_in(device: &Device) -> bool {
    device.description().unwrap().name.contains("stand-in")
}

#[test]
#[ignore = "needs an NVIDIA GPU: cargo test --release --features cuda --test cuda_hw -- --ignored --nocapture"]
fn everything_has_literals_bits_on_this_gpu() {
    let begun = Instant::now();
    let device = Device::get().unwrap_or_else(|error| panic!("no GPU to test on: {error}"));
    assert!(!is_stand_in(device), "no GPU to test on: found the stand-in");
    let table = table(device, &ALL);
    assert!(table.failed.is_empty(), "{}", table.failed.join("\n"));
    assert!(begun.elapsed() < LIMIT, "it took {:?}", begun.elapsed());
}

/// Every part of the script does what it says; of hardware that shows nothing.
#[test]
fn a_little_of_it_is_rehearsed_on_the_stand_in() {
    on_stand_in(concat!(module_path!(), "::a_little_of_it_is_rehearsed_on_the_stand_in"), &[], || {
        let device = Device::get().unwrap();
        assert!(is_stand_in(device));
        let table = table(device, &A_LITTLE);
        assert!(table.failed.is_empty(), "{}", table.failed.join("\n"));
    });
}

/// The script, with these arguments and this many devices of the stand-in.
fn script(arguments: &[&str], devices: &str) -> (bool, String) {
    let mut process = Command::new(std::env::current_exe().unwrap());
    process.args(["everything_has_literals_bits_on_this_gpu", "--exact", "--nocapture"]).args(arguments);
    let output = process.env("LD_LIBRARY_PATH", stand_in()).env("STANDIN_DEVICES", devices).output().unwrap();
    (output.status.success(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// It is ignored, with its reason, unless it is asked for; and where it is, it fails on a machine without a GPU, of which the stand-in
/// is none.
#[test]
fn without_a_gpu_the_script_fails_and_says_why() {
    let (passed, said) = script(&[], "1");
    assert!(passed && said.contains("ignored, needs an NVIDIA GPU"), "{said}");
    for (devices, why) in [("0", "no GPU to test on: expected a GPU"), ("1", "no GPU to test on: found the stand-in")] {
        let (passed, said) = script(&["--ignored"], devices);
        assert!(!passed && said.contains(why), "{said}");
    }
}
