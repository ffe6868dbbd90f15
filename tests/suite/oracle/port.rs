//! The simulated port: GDSTAR on synthetic gradients, in any arithmetic and under any reading, correct or with one
//! planted slip, and the trace it writes.
//!
//! Every number is held as an `f64` that is exactly a number of the port's format.

mod arithmetic;
mod divergence;
mod fault;
mod gradients;
mod method;
mod optimizer;
mod prune;
mod quantile;
mod record;
mod rewind;
mod settings;
mod sgd;
mod statistics;
mod write;

pub use arithmetic::{Order, Precision};
pub use divergence::first_divergence;
pub use fault::Fault;
pub use gradients::Gradients;
pub use method::run;
pub use optimizer::{Clip, Optimizer, Rule, Schedule};
pub use record::{Epoch, Trace};
pub use settings::{
    AlphaForm, Arithmetic, Config, CosineForm, EpsOf, Forms, Hyper, LerpForm, Method, Parameter, PowerForm, READINGS,
    Reading, Recording, SquareSum, Store, Summed, Width,
};
pub use write::{KINDS, header, serialize};
