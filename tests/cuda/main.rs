//! `--kernel cuda` on a machine without a GPU: `cargo test --features cuda --test cuda`.
//!
//! The driver is the stand-in of `tests/cuda/standin`, which is built once into `target/`: it interprets the kernels' PTX,
//! runs blocks and threads in adversarial orders, and stops at what a GPU may let pass (races, memory that nobody wrote,
//! barriers that some threads miss).

mod checks;
#[cfg(feature = "cli")]
mod commands;
mod common;
mod equations;
#[cfg(feature = "cli")]
mod errors;
mod families;
mod kernels;
#[cfg(feature = "cli")]
mod launches;
mod mutants;
mod parity;
