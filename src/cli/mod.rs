//! The command line: one file per subcommand. Arguments are read here; the work happens in the library.

mod check;
mod completions;
mod data;
mod demo;
mod devices;
mod evaluate;
mod exercise;
mod experiment;
mod explain;
mod export;
mod golden;
mod guesses;
mod interrupt;
mod lmc;
mod lottery;
mod man;
mod methods;
mod models;
pub mod op;
mod plot;
mod probe;
mod replay;
mod report;
mod reproduce;
mod scale;
mod table;
mod train;
mod weights;

use crate::console;
use crate::data::{Dataset, LoadOptions, Source, image_folder, load_with};
use crate::error::{Error, Result, in_one_line};
use crate::nn::Network;
use crate::nn::state_dict::Names;
use crate::report::WIDTH;
use crate::tensor_file::TensorFile;
use ::console::style;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use interrupt::stop_on_interrupt;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// GDSTAR, the reference implementation: gradient-based dynamic sparse training with adaptive rewinding.
///
/// Without a subcommand: trains LeNet-300-100 three times on 1,797 handwritten digits that are part of this program
/// (dense, reset to W_0, GDSTAR), tells GDSTAR's story epoch by epoch, and ends with a table in the form of the
/// paper's Table 2. It takes seconds and needs no file.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    demo: demo::DemoArgs,
}

// No line is wider than a terminal of 80 columns.
const EXAMPLES: &str = "\
Examples:
  gdstar train --model lenet300 --data digits --method gdstar --epochs 50
  gdstar train --model lenet300 --data mnist --data-dir DIR --out runs/mnist
  gdstar train --out runs/mnist --resume      goes on after an interruption
  gdstar models lenet300                      a network's layers
  gdstar methods rigl                         a method's options and labels
  gdstar data fetch mnist                     a data set, verified
  gdstar explain                              the paper, in numbers of a run
  gdstar explain --weight fc1[3,17]           what became of one weight
  gdstar exercise eq6                         a function with a slip, to mend
  gdstar lottery --levels 5 --model lenet300 --data digits --out tickets
      sparse networks that train from where the dense one was early on
  gdstar lmc --candidates 0,1ep,3ep --model lenet300 --data digits --out lmc
      from which step on the order of data decides nothing
  gdstar reproduce                            the paper's tables and figures
  gdstar report --out report.html             all of them on one page
  gdstar table runs                           runs side by side, means of seeds
  gdstar plot runs --out runs.svg             their curves in one figure
  gdstar evaluate runs/mnist                  accuracy, sparsity by layer, cost
  gdstar export runs/mnist --format npz       the pruned network, for others
  gdstar op golden/ops/conv2d.safetensors --out results.safetensors
  gdstar weights --model resnet18 --out w.safetensors
      first weights, which PyTorch loads
  gdstar probe --model resnet18 --weights w.safetensors --batch b --out g
      logits, loss and gradients of one batch
  gdstar devices                              the GPUs for --kernel cuda

  gdstar check port.safetensors               a port's trace: PASS or FAIL, why
  gdstar replay port.safetensors --out replay.safetensors
      the whole method, from a port's gradients
  gdstar golden verify                        golden files against the reference

Exit codes: 0 done, or PASS; 1 the run failed, or FAIL; 2 wrong usage or an
unreadable input; 3 INCONCLUSIVE.";

#[derive(Debug, Subcommand)]
// What each does is said where its arguments are.
enum Command {
    Train(Box<train::TrainArgs>),
    Lottery(Box<lottery::LotteryArgs>),
    Lmc(Box<lmc::LmcArgs>),
    Report(report::ReportArgs),
    Reproduce(reproduce::ReproduceArgs),
    Explain(explain::ExplainArgs),
    Exercise(exercise::ExerciseArgs),
    Models(models::ModelsArgs),
    Methods(methods::MethodsArgs),
    Evaluate(evaluate::EvaluateArgs),
    Export(export::ExportArgs),
    Table(table::TableArgs),
    Plot(plot::PlotArgs),
    Op(op::OpArgs),
    Probe(probe::ProbeArgs),
    Weights(weights::WeightsArgs),
    Devices(devices::DevicesArgs),
    Check(check::CheckArgs),
    Replay(replay::ReplayArgs),
    Golden(golden::GoldenArgs),
    Data(data::DataArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// Parses the arguments, runs, and turns an error into one line on standard error and an exit code.
pub fn main() -> ExitCode {
    image_folder::silence_decoders();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return tell_usage(&error),
    };
    match listen().and_then(|()| check_environment()).and_then(|()| run(&cli)) {
        Ok(code) => code,
        // Whoever stopped reading has what he wanted.
        Err(error) if error.is_lost_reader() => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// What a signal would end: without a word, or with temporary files left behind.
fn listen() -> Result<()> {
    interrupt::outlive_size_limit()?;
    interrupt::listen()
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let done = |outcome: Result<()>| outcome.map(|()| ExitCode::SUCCESS);
    match &cli.command {
        None => done(demo::run(&cli.demo)),
        Some(Command::Train(args)) => done(train::run(args)),
        Some(Command::Lottery(args)) => done(lottery::run(args)),
        Some(Command::Lmc(args)) => done(lmc::run(args)),
        Some(Command::Report(args)) => done(report::run(args)),
        Some(Command::Reproduce(args)) => done(reproduce::run(args)),
        Some(Command::Explain(args)) => done(explain::run(args)),
        Some(Command::Models(args)) => done(models::run(args)),
        Some(Command::Methods(args)) => done(methods::run(args)),
        Some(Command::Evaluate(args)) => done(evaluate::run(args)),
        Some(Command::Export(args)) => done(export::run(args)),
        Some(Command::Table(args)) => done(table::run(args)),
        Some(Command::Plot(args)) => done(plot::run(args)),
        Some(Command::Op(args)) => done(op::run(args)),
        Some(Command::Probe(args)) => done(probe::run(args)),
        Some(Command::Weights(args)) => done(weights::run(args)),
        Some(Command::Devices(args)) => done(devices::run(args)),
        Some(Command::Data(args)) => done(data::run(args)),
        Some(Command::Completions(args)) => done(completions::run(args)),
        Some(Command::Man(args)) => done(man::run(args)),
        Some(Command::Exercise(args)) => exercise::run(args),
        Some(Command::Check(args)) => check::run(args),
        Some(Command::Golden(args)) => golden::run(args),
        Some(Command::Replay(args)) => done(replay::run(args)),
    }
}

fn failed(error: &Error) -> ExitCode {
    tell(error);
    ExitCode::from(error.exit_code())
}

/// An error's line, its beginning in colour where the terminal has it.
fn tell(error: impl std::fmt::Display) {
    console::tell(format_args!("{} {error}", style("gdstar:").for_stderr().red().bold()));
}

/// Help and version as they are; a usage error as one line.
fn tell_usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match error.print().and_then(|()| std::io::stdout().flush()).map_err(|source| Error::Output { source }) {
            Err(error) if !error.is_lost_reader() => failed(&error),
            _ => ExitCode::SUCCESS,
        };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // What clap has for it is the help, whose first line says nothing of what is missing.
        let named = invoked();
        let below: Vec<&str> = named.get_subcommands().map(clap::Command::get_name).collect();
        tell(format_args!("{}: expected a subcommand: {} (see --help)", named.get_name(), below.join(", ")));
        return ExitCode::from(2);
    }
    let meant = guesses::meant(error, &invoked());
    let text = error.render().to_string();
    let ends = |line: &str| line.starts_with("Usage:") || line.starts_with("For more");
    // What is known to be meant says more than the option that is spelt most alike.
    let told =
        text.lines().map(str::trim).take_while(|line| !ends(line) && (meant.is_none() || !line.starts_with("tip:")));
    let told: Vec<&str> = told.filter(|line| !line.is_empty()).collect();
    let meant = meant.map_or_else(String::new, |meant| format!("; {meant}"));
    let told = in_one_line(&format!("{}{meant}", told.join(" ").trim_start_matches("error: ")));
    tell(format_args!("{told} (see --help)"));
    ExitCode::from(2)
}

/// The subcommand that the arguments name, or the main job.
fn invoked() -> clap::Command {
    let all = Cli::command();
    let mut words = std::env::args().skip(1);
    let named = words.find_map(|word| all.find_subcommand(&word).cloned());
    named.unwrap_or(all)
}

/// A value parser for a choice of the reading, which lists the names in `--help`.
fn choice<T: crate::choice::Choice>() -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(T::NAMES).try_map(|name| name.parse::<T>())
}

/// How wide the terminal on standard output is, but no narrower than usual; `None` where there is none.
fn terminal_columns() -> Option<usize> {
    let terminal = ::console::Term::stdout();
    terminal.is_term().then(|| terminal.size_checked().map_or(WIDTH, |(_, columns)| WIDTH.max(columns.into())))
}

/// A bar on standard error, where that is a terminal, that counts `unit`s.
fn progress_bar(unit: &str) -> ProgressBar {
    bar(&format!("[{{elapsed_precise}}] {{wide_bar:.cyan}} {unit} {{pos}}/{{len}} (eta {{eta}})"))
}

/// The same for bytes, with their rate.
fn byte_bar() -> ProgressBar {
    bar("[{elapsed_precise}] {wide_bar:.cyan} {bytes}/{total_bytes} ({bytes_per_sec}, eta {eta})")
}

fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::no_length();
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// A data set ([`load_with`]), with a bar while a folder of images is decoded.
fn load_data(source: Source, dir: Option<&Path>, options: LoadOptions) -> Result<Dataset> {
    let bar = progress_bar("images");
    let on_decoded = |decoded, total| {
        bar.set_length(total as u64);
        bar.set_position(decoded as u64);
    };
    let on_remark = |remark: &str| bar.suspend(|| console::tell(in_one_line(&format!("gdstar: {remark}"))));
    let told = LoadOptions { on_decoded: Some(&on_decoded), on_remark: Some(&on_remark), ..options };
    let dataset = load_with(source, dir, told);
    bar.finish_and_clear();
    dataset
}

/// Says on standard error what of a file's tensors is read under other names, or not at all.
fn tell_remark(file: &TensorFile, network: &Network) {
    if let Some(remark) = Names::find(file, network).remark() {
        console::tell(in_one_line(&format!("gdstar: {remark}")));
    }
}

/// The most threads that are started: more than any machine of so many cores has a use for, and few enough that it
/// still gets on with the work.
fn most_threads(cores: usize) -> usize {
    cores.saturating_mul(8).max(64)
}

/// Whether a number of threads, which `option` asks for, is within that.
fn check_threads(option: &str, threads: usize) -> Result<()> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most = most_threads(cores);
    if threads <= most {
        return Ok(());
    }
    Err(Error::domain(option, format!("at most {most} on this machine, which has {cores} cores"), threads))
}

/// The same of what rayon starts where no option says how many.
fn check_environment() -> Result<()> {
    const ASKED: &str = "RAYON_NUM_THREADS";
    let threads = std::env::var(ASKED).ok().and_then(|number| number.parse().ok());
    threads.map_or(Ok(()), |threads| check_threads(ASKED, threads))
}

/// Runs `work` on `threads` threads (all cores if not given).
fn with_threads<T: Send>(threads: Option<usize>, work: impl FnOnce() -> T + Send) -> Result<T> {
    match threads {
        Some(0) => return Err(Error::domain("--threads", "at least 1", 0)),
        Some(threads) => check_threads("--threads", threads)?,
        None => {}
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .build()
        .map_err(|e| Error::domain("--threads", "a number of threads this machine can start", e))?;
    Ok(pool.install(work))
}
