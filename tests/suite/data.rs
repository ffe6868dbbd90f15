//! The data sets: what is read is exact, what is wrong is named, what is random is pinned.

mod augmentation;
mod batch;
mod bounds;
mod cifar10;
mod digits;
mod fetch;
mod fixtures;
mod idx;
mod mnist;
mod original;
mod random;
mod statistics;
