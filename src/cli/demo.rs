//! `gdstar` without a subcommand: the main job, on embedded data.

use super::{stop_on_interrupt, with_threads};
use crate::console;
use crate::data::{self, Dataset, Source};
use crate::error::Result;
use crate::method::Method;
use crate::report::progress::Progress;
use crate::report::{Summary, summary, table_2, wrapped};
use crate::train::{Beginning, Config, Session};
use std::sync::atomic::AtomicBool;

/// The main job's own options.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Epochs of each of the three runs
    #[arg(long, value_name = "K", default_value_t = 300)]
    epochs: usize,
    /// Determines initial weights and order of samples
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads to use; never changes a result [default: all cores]
    #[arg(long, value_name = "T")]
    threads: Option<usize>,
    /// Print every N-th epoch of GDSTAR's run (0: none)
    #[arg(long, value_name = "N", default_value_t = 10)]
    every: usize,
}

const MODEL: &str = "lenet300";

pub fn run(args: &DemoArgs) -> Result<()> {
    let dataset = data::load(Source::Digits, None)?;
    config(args, Method::Gdstar).validate()?;
    let stop = stop_on_interrupt();
    let (train, test) = (dataset.train.len(), dataset.test.len());
    console::print_line(format_args!(
        "LeNet-300-100 on {} handwritten digits ({train} for training, {test} for testing),\n{} epochs each of dense, reset \
         to W_0 and GDSTAR, with the paper's settings.\n{}\n",
        train + test,
        args.epochs,
        wrapped(data::digits::ATTRIBUTION)
    ))?;
    let [dense, reset, gdstar] = with_threads(args.threads, || -> Result<[Summary; 3]> {
        Ok([
            one(Method::Dense, args, 0, &dataset, stop)?,
            one(Method::Reset, args, 0, &dataset, stop)?,
            one(Method::Gdstar, args, args.every, &dataset, stop)?,
        ])
    })??;
    console::print_line(format_args!(
        "\nIn the form of the paper's Table 2\n(LeNet300 on MNIST there: 98.56, 97.92, 98.29 at 92 % sparsity):\n\n{}",
        table_2(MODEL, &dense, &reset, &gdstar)
    ))
}

fn config(args: &DemoArgs, method: Method) -> Config {
    let mut config = Config::new(MODEL, Source::Digits, method);
    config.seed = args.seed;
    config.hyper.epochs = args.epochs;
    config
}

/// One run of the three.
fn one(method: Method, args: &DemoArgs, every: usize, dataset: &Dataset, stop: &AtomicBool) -> Result<Summary> {
    let session = Session::new(config(args, method))?.stopped_by(stop).watched(move |&Beginning { run, .. }| {
        vec![Box::new(Progress::new(&method.to_string(), run, 0, every).for_a_reader())]
    });
    let result = Summary::new(method, &session.train(dataset)?);
    console::print_line(summary(&result))?;
    Ok(result)
}
