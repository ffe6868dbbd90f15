//! More than one run: stages whose results are kept, so that what is finished is not done again and what was cut off goes on.

mod estimate;
pub mod exhibit;
mod finished;
mod job;
pub mod lmc;
pub mod lottery;
mod masks;
pub mod preset;
pub mod reported;
pub mod reproduce;
mod scale;
mod stage;
pub mod statistics;
mod store;
mod stored;

pub use estimate::{CostModel, Estimate};
pub use finished::Finished;
pub use job::{Job, Work};
pub use scale::Scale;
pub use stage::{Bench, Stage, Watch};
pub use store::{Asked, Hold, Store};
