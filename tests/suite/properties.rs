//! What the method promises for every input, each test named after its promise.

mod decay;
mod gradient_norm;
mod quantile;
mod rewind;
mod schedule;
mod selection;
mod structured;
