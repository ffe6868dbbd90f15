//! `gdstar completions SHELL`.

use super::Cli;
use crate::console;
use crate::error::Result;
use clap::CommandFactory;
use clap_complete::{Shell, generate};

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
    console::print(String::from_utf8_lossy(&script))
}
