//! Shared by the proofs.

pub mod op_checks;
pub mod op_definitions;
