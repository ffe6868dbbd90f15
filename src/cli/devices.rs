//! `gdstar devices`: the GPUs that `--kernel cuda` could use.

use crate::console;
use crate::error::Result;

/// List the GPUs that --kernel cuda can use, or say why there is none.
///
/// The first one is used; the environment variable CUDA_VISIBLE_DEVICES says which that is. docs/cuda.md has what of it is
/// verified, and how.
#[derive(Debug, clap::Args)]
pub struct DevicesArgs {}

/// Runs the subcommand. That there is no GPU is an answer, too.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(_: &DevicesArgs) -> Result<()> {
    lines().into_iter().try_for_each(console::print_line)
}

#[cfg(feature = "cuda")]
fn lines() -> Vec<String> {
    use crate::error::in_one_line;
    use crate::kernel::cuda::{Description, Device};
    use indicatif::HumanBytes;

    let told = |(i, device): (usize, Description)| {
        let Description { name, capability: (major, minor), multiprocessors, memory, driver } = device;
        let (memory, cuda) = (HumanBytes(memory as u64), (driver / 1000, driver % 1000 / 10));
        in_one_line(&format!(
            "GPU {i}: {name}, compute capability {major}.{minor}, {multiprocessors} SMs, {memory}, driver: CUDA {}.{}",
            cuda.0, cuda.1
        ))
    };
    match Device::list() {
        Ok(devices) => devices.into_iter().enumerate().map(told).collect(),
        Err(error) => vec![in_one_line(&format!("no GPU: {error}"))],
    }
}

#[cfg(not(feature = "cuda"))]
fn lines() -> Vec<String> {
    vec!["no GPU: built without (`cargo build --release --features cuda` builds with)".to_string()]
}
