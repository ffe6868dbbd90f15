//! The proofs, one module per kind. `cargo test --test suite NAME::` runs one kind.

mod accuracy;
mod cli;
mod common;
mod condition;
mod coverage;
mod data;
mod equations;
mod exact_goldens;
mod exchange;
mod faults;
mod fuzz_replay;
mod goldens;
mod kernels_agree;
mod method_goldens;
mod op_cases;
mod ops;
mod oracle;
mod product_shapes;
mod properties;
mod replay;
mod reports;
mod scalars;
mod state_dict;
mod step_level;
mod training;
mod trajectories;
