//! The oracle: holds a port against the reference.

pub mod arithmetic;
pub mod step;
