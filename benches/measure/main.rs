//! The measurements behind `docs/performance.md`: `cargo bench --bench measure -- --help`.
//!
//! Three uses of one list of cases: a table of medians (the default), one case measured each time a line arrives on the
//! standard input (`--serve`, for `benches/peers/side_by_side.py`, which alternates with PyTorch), and the cost model
//! fitted to a file of measurements (`--fit`).

mod case;
mod cost_model;
mod machine;
mod method;
mod products;
mod quantile;
mod runs;
mod steps;
mod table;

use case::{Case, Measured, Meter};
use clap::Parser;
use gdstar::kernel::Aligned;
use gdstar::{Error, Result};
use peak_alloc::PeakAlloc;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Counts what is allocated: two atomic operations an allocation, nanoseconds, of which even a step of a millisecond
/// makes no more than hundreds.
#[global_allocator]
static ALLOCATOR: Aligned<PeakAlloc> = Aligned(PeakAlloc);

/// Measure training steps, products, quantiles and whole runs.
#[derive(Debug, Parser)]
pub struct Options {
    /// Cases by name, or with a slash at the end all below it [default: those that take neither data nor long]
    cases: Vec<String>,
    /// List the cases
    #[arg(long)]
    list: bool,
    /// Thread counts, one after the other [default: 1 and all cores]
    #[arg(long, value_name = "T", value_delimiter = ',')]
    threads: Vec<usize>,
    /// Measurements whose median is printed, after one to warm up
    #[arg(long, value_name = "N", default_value_t = 5)]
    samples: usize,
    /// Samples in a training step
    #[arg(long, value_name = "N", default_value_t = 128)]
    batch_size: usize,
    /// Where MNIST is, for the cases that begin with run/ [default: $GDSTAR_DATA]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// K, the epochs of a whole run
    #[arg(long, value_name = "K", default_value_t = 300)]
    epochs: usize,
    /// Append every measurement to FILE, one JSON object a line
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure one case each time a line arrives, answer with a JSON object a line, until the input ends
    #[arg(long)]
    serve: bool,
    /// Fit the cost model to the measurements in FILE, which --json wrote
    #[arg(long, value_name = "FILE")]
    fit: Option<PathBuf>,
    /// Draw the fitted points as an SVG document
    #[arg(long, value_name = "FILE", requires = "fit")]
    plot: Option<PathBuf>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// One measurement as it is written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    pub case: String,
    pub threads: usize,
    pub batch_size: usize,
    /// Multiply-accumulates of a repetition, where the case counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macs: Option<f64>,
    #[serde(flatten)]
    pub measured: Measured,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    if let Some(file) = &options.fit {
        return cost_model::run(file, options.plot.as_deref());
    }
    let all = cases(options)?;
    if options.list {
        all.iter().for_each(|case| println!("{}", case.name));
        return Ok(());
    }
    let chosen = choose(&all, &options.cases)?;
    let threads = match options.threads.as_slice() {
        [] => machine::thread_counts(),
        given => given.to_vec(),
    };
    let pools = threads.iter().map(|&count| pool(count)).collect::<Result<Vec<_>>>()?;
    if !options.serve {
        return measure_all(options, &chosen, &pools);
    }
    match (&chosen[..], &pools[..]) {
        ([case], [pool]) => serve(options, case, pool),
        _ => Err(Error::domain("--serve", "one case and one of --threads", format!("{} cases", chosen.len()))),
    }
}

fn cases(options: &Options) -> Result<Vec<Case>> {
    let mut cases = products::cases(options)?;
    cases.extend(quantile::cases());
    cases.extend(steps::cases(options)?);
    cases.extend(runs::cases(options));
    Ok(cases)
}

/// The cases of these names or, where a name ends in a slash, below it; without names, all that need not be asked for.
fn choose<'a>(all: &'a [Case], names: &[String]) -> Result<Vec<&'a Case>> {
    if names.is_empty() {
        return Ok(all.iter().filter(|case| !case.on_demand).collect());
    }
    let is_meant =
        |name: &str, case: &Case| if name.ends_with('/') { case.name.starts_with(name) } else { case.name == name };
    if let Some(name) = names.iter().find(|name| !all.iter().any(|case| is_meant(name, case))) {
        return Err(Error::domain("case", "a name that --list prints, or its beginning up to a slash", name));
    }
    Ok(all.iter().filter(|case| names.iter().any(|name| is_meant(name, case))).collect())
}

fn pool(threads: usize) -> Result<ThreadPool> {
    let built = ThreadPoolBuilder::new().num_threads(threads).build();
    built.map_err(|error| Error::domain("--threads", "a count of threads that can be started", error))
}

impl Options {
    fn data(&self) -> Option<PathBuf> {
        self.data.clone().or_else(|| std::env::var_os("GDSTAR_DATA").map(PathBuf::from))
    }

    fn line(&self, case: &Case, pool: &ThreadPool, measured: Measured) -> Line {
        let (threads, batch_size) = (pool.current_num_threads(), self.batch_size);
        Line { case: case.name.clone(), threads, batch_size, macs: case.macs, measured }
    }
}

/// Every case at every thread count; its line of the table as soon as it is measured.
fn measure_all(options: &Options, cases: &[&Case], pools: &[ThreadPool]) -> Result<()> {
    println!("{}", machine::describe());
    println!("medians of {} after one to warm up; batches of {}, f32", options.samples, options.batch_size);
    let mut file = options.json.as_deref().map(append).transpose()?;
    let mut table = table::Table::default();
    for case in cases {
        for pool in pools {
            let mut lines = Vec::new();
            let mut warm = false;
            let mut record = |measured: Measured| {
                if warm || case.is_run {
                    lines.push(options.line(case, pool, measured));
                }
                warm = true;
                case.is_run || lines.len() < options.samples
            };
            pool.install(|| case.measure(&mut Meter::new(&mut record)))?;
            for line in &lines {
                if let Some((file, path)) = &mut file {
                    writeln!(file, "{}", json(line)?).map_err(Error::io(*path, "write"))?;
                }
            }
            table.print(case, &lines);
        }
    }
    Ok(())
}

fn append(path: &Path) -> Result<(File, &Path)> {
    let file = File::options().create(true).append(true).open(path).map_err(Error::io(path, "open"))?;
    Ok((file, path))
}

fn json(line: &Line) -> Result<String> {
    serde_json::to_string(line).map_err(|error| Error::domain("measurement", "numbers that JSON can hold", error))
}

/// One case, a measurement for every line of the standard input; the first answer is the warm-up.
fn serve(options: &Options, case: &Case, pool: &ThreadPool) -> Result<()> {
    let asked = || std::io::stdin().read_line(&mut String::new()).is_ok_and(|bytes| bytes > 0);
    if !asked() {
        return Ok(());
    }
    let mut outcome = Ok(());
    let mut answer = |measured: Measured| {
        outcome = json(&options.line(case, pool, measured)).map(|line| println!("{line}"));
        outcome.is_ok() && asked()
    };
    pool.install(|| case.measure(&mut Meter::new(&mut answer)))?;
    outcome
}
