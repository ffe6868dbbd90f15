//! `gdstar completions SHELL`.

use super::Cli;
use crate::error::{Error, Result};
use clap::CommandFactory;
use clap_complete::{Shell, generate};
use std::io::Write;

/// Print a shell's completions of this command.
///
/// They go where the shell looks for them, for example
/// gdstar completions bash > ~/.local/share/bash-completion/completions/gdstar
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "gdstar", &mut script);
    std::io::stdout().write_all(&script).map_err(Error::io("standard output", "write"))
}
