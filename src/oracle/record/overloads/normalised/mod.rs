//! Normalisation to mean 0 and variance 1: of a batch's channels, of layers, of groups of channels.
//!
//! Balls from the [`statistics`] on: 1 / sqrt(v + eps); y as `(x - mu) r w + b` or as `x (w r) + (b - mu w r)`, whose errors are of
//! the size of |x w r| + |mu w r| + |b|; running statistics as `(1 - a) old + a new` or `old + a (new - old)`, the
//! factor rounded; dx as `w r ((dy - mean dy) - (x - mu) r^2 mean(dy (x - mu)))` or linear in x and dy.
//!
//! Of layers and groups the values of one row have its statistics, and each its own weight and bias.

pub(super) mod batch;
pub(super) mod batch_backward;
mod channels;
pub(super) mod rows;
pub(super) mod rows_backward;
mod statistics;
mod through;

pub(super) use batch::{Parameters, Settings};
pub(super) use channels::Channels;
pub(super) use statistics::{Statistics, forms};
