//! The reference implementation of GDSTAR: gradient-based dynamic sparse training with adaptive rewinding.

pub mod choice;
pub mod cli;
pub mod data;
pub mod error;
pub mod kernel;
pub mod nn;
pub mod op;
pub mod ops;
pub mod paper;
pub mod random;
pub mod report;
pub mod scalar;
pub mod sparsify;
pub mod tape;
pub mod tensor_file;
pub mod train;

pub use error::{Error, Result};
