//! The paper's equations and algorithms, one file per concept: arrays in, arrays out.

pub mod cost;
pub mod decay;
pub mod gradient_norm;
pub mod quantile;
pub mod reading;
pub mod rewind;
pub mod schedule;
pub mod selection;
