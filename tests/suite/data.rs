//! The data sets: what is read is exact, what is wrong is named, what is random is pinned.

mod augmentation;
mod batch;
mod bounds;
mod cifar10;
mod cifar10_archive;
mod digits;
mod fetch;
mod fixtures;
mod idx;
mod image_folder;
mod loader;
mod mnist;
mod normalisation;
pub mod original;
mod random;
mod statistics;
