//! `gdstar replay`: the whole method, computed from the gradients that a trace records.
//!
//! # What follows from what
//!
//! The result is a chain, and a trace shows every link: each quantity is computed from its operands *as the result
//! records them*, in [`DoubleDouble`](crate::scalar::DoubleDouble), and rounded once. G follows from the input's
//! gradients, S_sq from the rounded G, S_F from the rounded S_sq, the chunks' quantiles from the rounded G at the rank
//! `alpha (N - 1)` of the rounded alpha, tau from the rounded quantiles. So every real quantity is within 1 ulp of the
//! exact value for the operands that stand beside it, and every decision (`G < tau`, `S_F < m`, `|w| >= eps`) is the one
//! that these numbers show, which is what `gdstar check` holds a trace to.
//!
//! Weights that are stepped from `init` go, within an epoch, from the recorded weights the epoch before left through
//! all optimizer steps in DoubleDouble, and are rounded once at its end; the momentum is never rounded.
//!
//! The chain runs the paper's own functions ([`crate::paper`]), whose units are not those that a check judges: Alg. 5 gives
//! Eq. 6, 7 and 5 at once, Alg. 6 takes Eq. 9 and the mask together, and Alg. 4 stands before the pruning or after it, as
//! the reading has it. So it is one page, and not a part of each claim.
//!
//! # What is taken from the input
//!
//! The gradients; random rewind's `draw`; `mask_before` where it is recorded (else the input's `mask` of the epoch before, else the result's);
//! `weights_before` where it is recorded, else `init`. Everything else is computed, whatever the input says of it.

mod chain;
mod finite;
mod gradients;
mod plan;
mod write;

use super::steps;
use crate::error::Result;
use crate::output;
use crate::scalar::Dtype;
use crate::tensor_file::{TensorSink, TensorStream};
use crate::trace::{self, Arithmetic, Header, KEY, Kept, Opened, Optimizer, Trace, TracedMethod};
use chain::Replay;
use plan::Plan;
use serde_json::{Map, Value};
use std::path::Path;

/// What a replay wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Epochs or steps.
    pub events: usize,
    /// What could not be computed, and why, and what was found strange in the input; a line each.
    pub notes: Vec<String>,
}

/// What a replay gave besides the tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The result's header.
    pub header: Header,
    pub epochs: usize,
    /// What could not be computed, and why, and what was found strange in the input; a line each.
    pub notes: Vec<String>,
}

/// Told how many gradients are read, of how many.
pub type OnProgress<'a> = &'a mut dyn FnMut(usize, usize);

/// Replays the trace at `input` and writes the result to `output`, atomically; neither has to fit into memory.
///
/// # Errors
/// As [`replay_trace`], [`Trace::open`] and [`output::check`]; [`crate::Error::Io`].
pub fn replay(input: &Path, output: &Path, progress: OnProgress) -> Result<Written> {
    output::check("--out", output, &[input])?;
    let opened = trace::open(input)?;
    let mut stream = TensorStream::temporary(output)?;
    let (header, written) = replay_opened(&opened, &mut stream, progress)?;
    stream.finish(&Map::from_iter([(KEY.to_string(), Value::String(header.to_string()))]))?;
    Ok(written)
}

/// Replays an open trace into `sink`, whosever rules it follows; the first that is returned is the result's header.
///
/// # Errors
/// As [`replay_trace`].
pub fn replay_opened(opened: &Opened, sink: &mut dyn TensorSink, progress: OnProgress) -> Result<(Value, Written)> {
    match opened {
        Opened::Epochs(trace) => {
            let Replayed { header, epochs, notes } = replay_trace(trace, sink, progress)?;
            Ok((header.to_json(), Written { events: epochs, notes }))
        }
        Opened::Steps(trace) => {
            let (header, notes) = steps::replay(trace, sink, progress)?;
            Ok((header.to_json(), Written { events: trace.steps().count(), notes }))
        }
    }
}

/// Replays an open trace into `sink`.
///
/// # Errors
/// [`crate::Error::File`] naming the tensor if epochs or gradients are missing, a number is not finite, a method quantity
/// overflows, or the reading needs what the trace does not have; [`crate::Error::Io`].
pub fn replay_trace(trace: &Trace, sink: &mut dyn TensorSink, progress: OnProgress) -> Result<Replayed> {
    let plan = Plan::new(trace)?;
    let header = header(trace, &plan);
    let mut replay = Replay::new(trace, plan, sink, progress)?;
    for k in trace.epochs() {
        replay.epoch(k)?;
    }
    Ok(Replayed { header, epochs: trace.epochs().count(), notes: replay.into_notes() })
}

/// The input's header, for a result in `f64`.
///
/// Recorded weights are not those that SGD in `f64` makes of the weights that the replay left: what joins them is the
/// input's business, and without the optimizer's hyper-parameters the result makes no claim about it.
fn header(trace: &Trace, plan: &Plan) -> Header {
    let input = trace.header.clone();
    Header {
        producer: format!("gdstar {} replay of: {}", env!("CARGO_PKG_VERSION"), input.producer),
        arithmetic: Arithmetic::of(Dtype::F64),
        declares_rounding: false,
        sgd: input.sgd.filter(|_| plan.steps_all_weights()),
        optimizer: Optimizer::default(),
        unknown: Vec::new(),
        kept: Kept::default(),
        replayed: input.method != TracedMethod::Gdstar,
        ..input
    }
}
