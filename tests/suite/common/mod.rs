//! Shared by the proofs.

pub mod bounds;
pub mod equations;
pub mod layout;
