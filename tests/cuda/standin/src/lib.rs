//! A stand-in for NVIDIA's driver library, `libcuda`: the driver's functions, and an interpreter of PTX behind them. It is no
//! GPU and says so. Where a GPU may do one of several things it does the one that a wrong program does not survive.
//! README.md says what it checks and which variables steer it.

pub mod alu;
pub mod block;
pub mod bytes;
pub mod decode;
pub mod device;
pub mod driver;
pub mod edit;
pub mod fault;
pub mod kernel;
pub mod memory;
pub mod places;
pub mod ptx;
pub mod random;
pub mod registers;
pub mod run;
pub mod schedule;
pub mod settings;
pub mod shadow;
pub mod touch;
