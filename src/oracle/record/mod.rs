//! Records: single ops of a port's real training step, each with its own operands and results (`docs/records.md`).
//!
//! A [`Record`] is a file of [`Call`]s. Each is judged on the operands that the port recorded, so that one mistake is
//! one finding; how the operands came about is a question of its own.

mod arguments;
mod call;
mod case;
mod declared;
mod read;
mod value;

pub use arguments::Arg;
pub use call::{AtenCall, Call, Carried, Changed, OpCall, Phase};
pub use declared::{Algorithm, BatchNormForm, Declared};
pub use read::{Record, Step};
pub use value::{Reference, Value, unit_roundoff};
