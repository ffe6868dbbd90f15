//! Shared by the proofs.

pub mod equations;
