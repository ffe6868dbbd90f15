//! Statistics over seeds: how several runs of one experiment lie, and whether two experiments differ.
//!
//! A run's number depends on its seed; a few seeds are a sample of all of them. [`mean_and_deviation`] describes a sample.
//! [`interquartile_mean`] and [`stratified_interval`] are those of Agarwal et al., "Deep reinforcement learning at the edge
//! of the statistical precipice" (NeurIPS 2021), seeded, so that the same samples have the same interval. Experiments are
//! compared by seed, [`compare`]: what a seed does to both cancels.

mod bootstrap;
mod compare;
mod interquartile;
mod mean;

pub use bootstrap::{RESAMPLES, stratified_interval};
pub use compare::{Comparison, FEW, Verdict, compare, compare_strata};
pub use interquartile::interquartile_mean;
pub use mean::{MeanAndDeviation, mean, mean_and_deviation};

/// Of how many of a hundred intervals cover what they are intervals for, where their assumptions hold.
pub const CONFIDENCE: f64 = 0.95;
