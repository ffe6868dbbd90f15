//! `gdstar data fetch NAME` and `gdstar data list`.

use super::{byte_bar, choice, stop_on_interrupt};
use crate::console;
use crate::data;
use crate::data::fetch::{DataSet, Event, Fetch, Fetchable, Network};
use crate::error::Result;
use crate::report::wrapped;
use indicatif::{HumanBytes, ProgressBar};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most that `--timeout` may be: a day.
const LONGEST_TIMEOUT: u64 = 24 * 60 * 60;

/// Download the data sets, verified.
#[derive(Debug, clap::Args)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DataCommand {
    Fetch(FetchArgs),
    /// What can be downloaded: files, sizes, SHA-256, addresses, licence
    List,
}

/// Download a data set and verify its size and SHA-256.
///
/// An interrupted download continues where it stopped when the same command is run again. Files that are there and
/// right are left alone. Proxies, also SOCKS, are taken from http_proxy, https_proxy, all_proxy and no_proxy, or the same
/// in upper case.
#[derive(Debug, clap::Args)]
struct FetchArgs {
    /// The data set
    #[arg(value_parser = choice::<Fetchable>())]
    name: Fetchable,
    /// The folder below which the data set gets a folder of its name
    #[arg(long, value_name = "DIR", default_value = data::FETCHED)]
    to: PathBuf,
    /// An address that has the files, by their names, instead of the official ones; may be given several times, and
    /// have user:password@ before its host
    #[arg(long, value_name = "URL")]
    mirror: Vec<String>,
    /// Replace files that are there and wrong
    #[arg(long)]
    force: bool,
    /// Attempts at each address, if a connection breaks or a server is busy; waits 1, 2, 4, .. seconds between them
    #[arg(long, value_name = "N", default_value_t = Network::default().attempts,
          value_parser = clap::value_parser!(u32).range(1..))]
    attempts: u32,
    /// The longest wait for a connection, or for any byte of an answer, which has to bring 1000 a second on average
    #[arg(long, value_name = "SECONDS", default_value_t = Network::default().timeout.as_secs(),
          value_parser = clap::value_parser!(u64).range(1..=LONGEST_TIMEOUT))]
    timeout: u64,
}

pub fn run(args: &DataArgs) -> Result<()> {
    match &args.command {
        DataCommand::Fetch(args) => fetch(args),
        DataCommand::List => list(),
    }
}

fn fetch(args: &FetchArgs) -> Result<()> {
    let set = args.name.data_set().at_mirrors(&args.mirror)?;
    let stop = stop_on_interrupt();
    let bar = byte_bar();
    let network = Network { attempts: args.attempts, timeout: Duration::from_secs(args.timeout), ..Network::default() };
    let mut tell = |event: Event<'_>| show(&bar, &event);
    let folder = Fetch { network, replace: args.force, stop, tell: &mut tell }.run(&set, &args.to);
    bar.finish_and_clear();
    let folder = shell_word(&folder?);
    console::print_line(format_args!("{}; licence: {}", set.title, set.licence))?;
    console::print_line(format_args!("gdstar train {} --data-dir {folder} --method gdstar", set.usage))
}

/// What is done goes to standard output; how far it is, and what is tried again, to the terminal.
fn show(bar: &ProgressBar, event: &Event<'_>) {
    // The files are what matters; whoever does not read of them has them all the same.
    let say = |line: String| bar.suspend(|| drop(console::print_line(line)));
    match event {
        Event::Present { path } => say(format!("{}: already there, verified", path.display())),
        Event::Started { from, size, .. } => {
            bar.set_length(*size);
            bar.set_position(*from);
            bar.reset_eta();
        }
        Event::At(position) => bar.set_position(*position),
        Event::Retry { url, reason, delay } => {
            bar.println(format!("{url}: {reason}; trying again in {} s", delay.as_secs_f64()));
        }
        Event::GivenUp { url, reason } => bar.println(format!("{url}: {reason}")),
        Event::Verified { path } => say(format!("{}: size and SHA-256 verified", path.display())),
        Event::Unpacking { bytes, .. } => {
            bar.set_length(*bytes);
            bar.set_position(0);
            bar.reset_eta();
        }
        Event::Unpacked { path } => say(format!("{}: unpacked", path.display())),
    }
}

fn list() -> Result<()> {
    let sets: Vec<String> = Fetchable::ALL.iter().map(|name| description(&name.data_set())).collect();
    console::print(sets.join("\n"))
}

fn description(set: &DataSet) -> String {
    let total = HumanBytes(set.files.iter().map(|file| file.size).sum());
    let mut text = wrapped(&format!("{}: {}, {total}\nlicence: {}", set.name, set.title, set.licence)) + "\n";
    for file in &set.files {
        text += &format!("- {}, {} bytes, SHA-256\n  {}\n", file.name, file.size, file.sha256);
        text.extend(file.sources.iter().map(|source| format!("  {source}\n")));
    }
    text
}

/// A path as one word of a shell's line.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@\\".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
