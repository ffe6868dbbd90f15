//! Shared by the proofs.

pub mod bounds;
pub mod layout;
