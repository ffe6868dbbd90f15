//! More than one run: stages whose results are kept, so that what is finished is not done again and what was cut off goes on.

pub mod exhibit;
pub mod lmc;
pub mod lottery;
mod masks;
pub mod reported;
mod stage;
mod stored;

pub use stage::{Bench, Stage, Watch};
