//! The proofs of the judge of records: single ops of a port's step, and how they hang together; one module a subject.
//! `cargo test --test records NAME::` runs one.

mod packed;
mod reading;
