//! The `gdstar` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    gdstar::cli::main()
}
