//! Training: configuration, optimizer, learning rate, the loop, and its observers.

mod checkpoint;
mod clock;
mod config;
mod dense_layers;
mod epoch;
mod evaluation;
mod execution;
mod first_weights;
mod folder;
mod held_out;
mod lab;
mod learning_rate;
mod observer;
mod optimizer;
mod origin;
mod outputs;
mod peak;
pub mod probe;
mod rate_schedule;
mod recipe;
mod run;
mod saved;
mod session;
mod start;
mod step;
mod step_record;
mod stored_run;

pub use checkpoint::Checkpoint;
pub use clock::{Clock, machine_clock};
pub(crate) use config::check_ties;
pub use config::{Config, Departure, Difference};
pub use dense_layers::DenseLayers;
pub use evaluation::{Evaluation, Prediction, TEST_BATCH, evaluate, predict};
pub use execution::{Execution, break_even};
pub use first_weights::FirstWeights;
pub use folder::{Checkpointer, KeptCheckpoints, RunFolder};
pub use learning_rate::{cosine_learning_rate, exact_cosine_learning_rate};
pub(crate) use observer::step_metadata;
pub use observer::{
    BatchEvent, EpochEvent, EpochRecord, History, Metrics, Observer, StepEvent, TraceSize, TraceWriter, check_traceable,
};
pub use optimizer::{Sgd, SgdSettings};
pub use outputs::{Outputs, TraceSteps};
pub use rate_schedule::RateSchedule;
pub use recipe::Recipe;
pub use run::{Run, Snapshot, State};
pub use saved::{SavedFile, SavedNetwork};
pub use session::{Beginning, BegunTrace, Session, Watcher};
pub use start::{KeepAt, Start, Within};
pub use step::Step;
pub use stored_run::StoredRun;
