//! The library without its command: LeNet-300-100 on the embedded digits, trained with GDSTAR where there is no file, no
//! thread, no clock and no source of random numbers. `run.mjs` has Node run it; `cargo run` here does so without.

use gdstar::data::{self, Source};
use gdstar::method::Method;
use gdstar::train::{Config, EpochRecord, Session};
use std::process::ExitCode;

const EPOCHS: usize = 2;
/// Ten classes: guessing gives 0.1.
const LEAST_ACCURACY: f64 = 0.5;

fn epochs() -> gdstar::Result<Vec<EpochRecord>> {
    let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
    config.hyper.epochs = EPOCHS;
    Session::new(config)?.train(&data::load(Source::Digits, None)?)
}

fn main() -> ExitCode {
    match epochs() {
        Ok(epochs) if epochs.len() == EPOCHS && epochs[EPOCHS - 1].test_accuracy > LEAST_ACCURACY => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
