//! The proofs of the paper's tables and figures as commands, one module a subject.
//! `cargo test --test experiments NAME::` runs one.

mod reported;
mod statistics;
mod subset;
