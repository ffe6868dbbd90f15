//! The library without its command: LeNet-300-100 on the embedded digits, trained with GDSTAR where there is no file, no
//! thread, no clock and no source of random numbers. `run.mjs` has Node run it; `cargo run` here does so without.

use gdstar::data::{self, Source};
use gdstar::method::Method;
use gdstar::train::{Config, History, Run};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

const EPOCHS: usize = 4;
/// Ten classes: guessing gives 0.1.
const LEAST_ACCURACY: f64 = 0.8;

fn history() -> gdstar::Result<History> {
    let digits = data::load(Source::Digits, None)?;
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    config.hyper.epochs = EPOCHS;
    let stop = AtomicBool::new(false);
    let run = Run::new(&config, &digits, &stop)?;
    let mut history = History::default();
    run.train(&mut run.start::<f32>()?, &mut [&mut history])?;
    Ok(history)
}

fn main() -> ExitCode {
    match history().map(|history| history.0) {
        Ok(epochs) if epochs.len() == EPOCHS && epochs[EPOCHS - 1].test_accuracy > LEAST_ACCURACY => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
