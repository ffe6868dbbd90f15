//! Linear mode connectivity: from which step on do runs that differ in the order of their data end in one basin (Alg. 3;
//! Frankle et al. 2020)?
//!
//! One parent is trained. From each candidate k of its steps children go on, each with an order of samples of its own, and
//! between two of them
//!
//! ```text
//! theta_alpha = (1 - alpha) theta_1 + alpha theta_2      alpha = 0 to 1 in T points
//! score       = the mean of the losses of theta_alpha    k*: the candidate of least score (Alg. 3)
//! barrier     = max - (first + last) / 2 of the errors   stable where below 2 % (Frankle et al.)
//! ```

mod candidates;
mod line;
mod pair;
mod statistics;
mod trace;

pub use candidates::{CandidateRecord, Choice, Connectivity};
pub use line::{Curve, Line, barrier};
pub use pair::{End, Pair};
pub use statistics::{BatchNorm, measure_statistics};

use super::Bench;
use crate::error::Result;
use crate::method::Options;
use crate::method::options::Length;
use crate::scalar::{Dtype, Scalar};
use crate::tensor_file::Element;
use crate::train::Config;
use std::path::Path;
use trace::LineTrace;

/// The chapter's example.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/methods/lmc.md")]
mod chapter {}

/// The line between two finished runs, evaluated as `config` says; its trace goes to `trace`, if anywhere, as that of the step
/// at which the first run began.
///
/// # Errors
/// As [`End::check_same_network`] and [`Pair::curve`]; [`Error::Io`](crate::Error::Io).
pub fn between(
    ends: [&End; 2],
    (options, batch_norm): (&Options, BatchNorm),
    config: &Config,
    bench: &Bench,
    trace: Option<&Path>,
) -> Result<CandidateRecord> {
    ends[0].check_same_network(ends[1])?;
    match config.precision {
        Dtype::F32 => between_in::<f32>(ends, (options, batch_norm), config, bench, trace),
        Dtype::F64 => between_in::<f64>(ends, (options, batch_norm), config, bench, trace),
    }
}

fn between_in<S: Scalar + Element>(
    ends: [&End; 2],
    (options, batch_norm): (&Options, BatchNorm),
    config: &Config,
    bench: &Bench,
    trace: Option<&Path>,
) -> Result<CandidateRecord> {
    let line = Line::of(options)?;
    let network = ends[0].file.network()?;
    let [one, two] = [ends[0].file.read::<S>(network.clone())?, ends[1].file.read::<S>(network.clone())?];
    let parameters = [&one.parameters, &two.parameters];
    let curve = Pair { network: &network, ends: parameters, config, batch_norm }.curve(&line, bench, "line")?;
    if let Some(path) = trace {
        let k = ends[0].config.start.as_ref().map_or(0, |start| start.step);
        let steps_per_epoch = bench.dataset.train.len().div_ceil(config.optimizer.batch_size);
        let mut trace = LineTrace::begin(path)?;
        trace.candidate(k, &line, &curve, Some(parameters))?;
        trace.finish::<S>(None, options, (config, Length { epochs: config.hyper.epochs, steps_per_epoch }))?;
    }
    Ok(CandidateRecord::new(None, &line, curve))
}
