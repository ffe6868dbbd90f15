//! Records: single ops of a port's real training step, each with its own operands and results (`docs/records.md`).
//!
//! A [`Record`] is a file of [`Call`]s. Each is judged on the operands that the port recorded, so that one mistake is
//! one finding; how the operands came about is a question of its own ([`Wiring`]).

mod adjoint;
mod arguments;
mod ball;
mod call;
mod case;
mod check;
mod collector;
mod declared;
mod expected;
mod grade;
mod judge;
mod mistakes;
mod overloads;
mod read;
mod report;
mod rounding;
mod trace_ties;
mod value;
mod views;
mod wiring;

pub use adjoint::{Identity, opinion};
pub use arguments::Arg;
pub use call::{AtenCall, Call, Carried, Changed, OpCall, Phase};
pub use check::check_record;
pub use declared::{Algorithm, BatchNormForm, Declared};
pub use expected::{Answer, Claim, Draw, Expected, Narrow};
pub use grade::{Grade, Measured, Outlier};
pub use judge::{Judged, Place, judge};
pub use mistakes::explain;
pub use overloads::{OVERLOADS, Overload};
pub use read::{Record, Step};
pub use report::{NotJudged, Numbers, OpSummary, RecordFinding, RecordReport};

pub(crate) use value::ulps;
pub use value::{Reference, Value, unit_roundoff};
pub use wiring::{Difference, Misplaced, RULES, Wiring, follow};
