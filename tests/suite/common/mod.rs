//! Shared by the proofs.

pub mod bounds;
pub mod equations;
pub mod layout;
pub mod op_checks;
pub mod page;
pub mod path;
pub mod threads;
pub mod traces;
