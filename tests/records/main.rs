//! The proofs of the judge of records: single ops of a port's step, and how they hang together; one module a subject.
//! `cargo test --test records NAME::` runs one.

mod adjoint;
mod algorithms;
mod batches;
mod joined;
mod judged;
mod malformed;
mod mistakes;
mod op_cases;
mod packed;
mod reading;
mod step;
mod together;
mod wiring;
