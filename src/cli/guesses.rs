//! What people call an option that has another name here: other programs' names, and words that are two things.

use crate::kernel::Kernel;
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Names that other programs have for an option, and its own.
const NAMES: &[(&str, &str)] = &[
    ("--learn-rate", "--lr"),
    ("--rate", "--lr"),
    ("--wd", "--weight-decay"),
    ("--l2", "--weight-decay"),
    ("--batch", "--batch-size"),
    ("--bs", "--batch-size"),
    ("--train-batch-size", "--batch-size"),
    ("--num-epochs", "--epochs"),
    ("--n-epochs", "--epochs"),
    ("--max-epochs", "--epochs"),
    ("--arch", "--model"),
    ("--network", "--model"),
    ("--dataset", "--data"),
    ("--data-path", "--data-dir"),
    ("--data-root", "--data-dir"),
    ("--root", "--data-dir"),
    ("--img-size", "--image-size"),
    ("--resize", "--image-size"),
    ("--output", "--out"),
    ("--output-dir", "--out"),
    ("--save", "--out"),
    ("--save-dir", "--out"),
    ("--random-seed", "--seed"),
    ("--workers", "--threads"),
    ("--num-workers", "--threads"),
    ("--jobs", "--threads"),
    ("--dtype", "--precision"),
    ("--log-interval", "--every"),
    ("--print-freq", "--every"),
    ("--continue", "--resume"),
    ("--alpha", "--alpha-0 and --alpha-k"),
    ("--prune-rate", "--alpha-0 and --alpha-k"),
    ("--epsilon", "--eps"),
    ("--decay", "--lambda"),
    ("--num-chunks", "--chunks"),
];

/// Options that take a name, the word for the number that people give them, and the option that takes it.
const NUMBERS: &[(&str, &str, &str)] = &[
    ("--learning-rate", "the rate itself", "--lr"),
    ("--threshold", "the threshold itself", "--eps"),
    ("--quantile", "the prune rate", "--alpha-0 and --alpha-k"),
    ("--chunking", "the number of chunks", "--chunks"),
    ("--decay-step", "the decay rate", "--lambda"),
];

/// The option that was meant, as a remark on this error of `command`'s; `None` if nothing is known of it.
pub(super) fn meant(error: &clap::Error, command: &Command) -> Option<String> {
    let told = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let given = told(ContextKind::InvalidArg)?.split_whitespace().next()?;
    match error.kind() {
        ErrorKind::InvalidValue if told(ContextKind::InvalidValue) == Some("cuda") && given == "--kernel" => {
            (!Kernel::UNBUILT.is_empty()).then(|| Kernel::UNBUILT.to_string())
        }
        ErrorKind::UnknownArgument => {
            let (_, option) = NAMES.iter().find(|(name, option)| *name == given && has(command, option))?;
            Some(format!("it is {option} here"))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            told(ContextKind::InvalidValue)?.parse::<f64>().ok()?;
            let (_, what, option) = NUMBERS.iter().find(|(name, ..)| *name == given)?;
            Some(format!("{what} is {option}"))
        }
        _ => None,
    }
}

/// Whether the command has this option (of several: the first).
fn has(command: &Command, option: &str) -> bool {
    let name = option.trim_start_matches("--").split(' ').next();
    command.get_arguments().any(|argument| argument.get_long() == name)
}
