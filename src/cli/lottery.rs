//! `gdstar lottery`.

use super::experiment::{Experiment, RunArgs, headed};
use super::{load_data, with_threads};
use crate::console;
use crate::error::{Error, Result};
use crate::experiment::lottery::{LevelRecord, Lottery};
use crate::method::options::Value;
use crate::method::{Entry, Options, lth};
use crate::output;
use crate::report::thousands;

/// Find a lottery ticket: train, prune the smallest weights, rewind the others, and again, level by level.
///
/// Level 0 trains the dense network and keeps W_k, the weights of step k (--rewind-step; W_0 if not given). Every further level prunes a
/// fraction of the weights that live, those of smallest magnitude at the end of the level before, sets the others back to
/// W_k, and trains them from step k to the end as level 0 trained. After 15 levels of a fifth 3.5 % of the weights remain.
///
/// DIR gets a run folder a level (level_0, level_1, ..) with its mask.safetensors, rewind.safetensors (W_k),
/// lottery.jsonl (a line a level) and trace.safetensors, which `gdstar check` judges. The same command again goes on where
/// it was interrupted, skips what is finished, and with more --levels goes further.
///
/// With --reinit each ticket is trained a second time from new weights under the same mask, the usual control: reinit_1,
/// reinit_2, .. and reinit.jsonl.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct LotteryArgs {
    /// Levels after the dense one
    #[arg(long, value_name = "L")]
    levels: Option<usize>,
    /// Also train new weights under every level's mask
    #[arg(long)]
    reinit: bool,
    #[command(flatten)]
    runs: RunArgs<Ticket>,
}

const EXAMPLES: &str = "\
Examples:
  gdstar lottery --levels 5 --model lenet300 --data digits --epochs 30
      --rewind-step 1ep --out tickets
  gdstar lottery --levels 8 --out tickets     three levels more
  gdstar table tickets                        the levels side by side
  gdstar check tickets/trace.safetensors      every mask and rewind judged";

#[derive(Debug)]
struct Ticket;

impl Experiment for Ticket {
    const ENTRY: &'static Entry = &lth::ENTRY;
    const COMMAND: &'static str = "lottery";
}

impl LotteryArgs {
    /// The lottery that the options, and the folder of one that was begun, describe.
    fn lottery(&self) -> Result<Lottery> {
        let stored = Lottery::stored(self.runs.out()?)?;
        let (stored, levels, mut options) = match stored {
            Some(Lottery { levels, options, run }) => (Some(run), Some(levels), options),
            None => (None, None, Options::of(&lth::ENTRY)),
        };
        if stored.is_none() {
            options.set("rewind_step", Value::Count(0));
        }
        let levels = self.levels.or(levels).ok_or_else(|| Error::domain("--levels", "at least 1", "nothing"))?;
        let lottery = Lottery { levels, options: self.runs.options(options)?, run: self.runs.config(stored.as_ref())? };
        lottery.validate()?;
        Ok(lottery)
    }
}

pub fn run(args: &LotteryArgs) -> Result<()> {
    let out = args.runs.out()?;
    let lottery = args.lottery()?;
    lottery.check_folder(out)?;
    output::check_folder(out)?;
    let (config, threads) = (&lottery.run, args.runs.train.threads());
    args.runs.train.unheeded(config).iter().for_each(|line| console::tell(format_args!("gdstar: {line}")));
    let dataset = with_threads(threads, || load_data(config.data, config.data_dir.as_deref(), config.load_options()))??;
    with_threads(threads, || {
        args.runs.on_bench(&dataset, |bench| {
            lottery.train(out, bench, &mut headed(HEAD, row))?;
            if args.reinit {
                let head = format!("\nnew weights under the same masks\n{HEAD}");
                lottery.reinitialise(out, bench, &mut headed(head, row))?;
            }
            Ok(())
        })
    })?
}

const HEAD: &str = "level  remaining %      weights  sparsity %  test acc. %      loss   seconds";

fn row(record: &LevelRecord) -> String {
    format!(
        "{:>5} {:>12.2} {:>12} {:>11.2} {:>12.2} {:>9.5} {:>9.1}",
        record.level,
        100.0 * record.remaining,
        thousands(record.active),
        100.0 * record.sparsity,
        100.0 * record.test_accuracy,
        record.loss,
        record.seconds,
    )
}
