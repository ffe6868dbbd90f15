//! What the measurements were taken on.

use std::num::NonZeroUsize;

/// 1, and all cores.
pub fn thread_counts() -> Vec<usize> {
    match cores() {
        1 => vec![1],
        all => vec![1, all],
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Crate version, CPU and cores in one line.
pub fn describe() -> String {
    format!("gdstar {}, {}, {} cores", env!("CARGO_PKG_VERSION"), cpu(), cores())
}

/// The CPU's name where Linux tells it, else the architecture.
fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(':'));
    name.map_or(std::env::consts::ARCH, |(_, name)| name.trim()).to_string()
}
