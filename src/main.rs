//! The `gdstar` command.

use gdstar::kernel::Aligned;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: Aligned = Aligned::SYSTEM;

fn main() -> ExitCode {
    gdstar::cli::main()
}
