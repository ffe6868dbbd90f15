//! [`DeviceError`]: why a GPU does not compute.

use std::fmt::{self, Display, Formatter};

/// What is wrong with a GPU, its driver, or what was asked of them; in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceError {
    /// The driver's library is not there.
    NoDriver,
    /// The driver's version, as it counts: 1000 major + 10 minor.
    OldDriver(i32),
    NoDevice,
    /// The device's compute capability.
    OldDevice(i32, i32),
    /// How many bytes were asked for.
    OutOfMemory(usize),
    /// What was attempted, and what the driver said.
    Failed {
        action: String,
        found: String,
    },
    /// What no kernel takes: what was asked for, what is expected, what was found.
    Refused {
        place: String,
        expected: String,
        found: String,
    },
}

impl DeviceError {
    /// The lowest version of the driver whose interface is used: 12.0.
    pub const LOWEST_DRIVER: i32 = 12_000;
    /// The lowest compute capability that the kernels are compiled for.
    pub const LOWEST_CAPABILITY: (i32, i32) = (7, 0);

    /// Whether the machine cannot do it at all, as opposed to a run that failed.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoDriver | Self::OldDriver(_) | Self::NoDevice | Self::OldDevice(..))
    }
}

impl std::error::Error for DeviceError {}

impl Display for DeviceError {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Self::NoDriver => {
                write!(f, "expected NVIDIA's driver (libcuda.so.1), found none; install it, or take another kernel")
            }
            Self::OldDriver(found) => {
                let version = |version: i32| format!("{}.{}", version / 1000, version % 1000 / 10);
                let (lowest, found) = (version(Self::LOWEST_DRIVER), version(*found));
                write!(f, "expected a driver for CUDA {lowest} or later, found one for {found}; update the driver")
            }
            Self::NoDevice => write!(f, "expected a GPU, found none that the driver shows; take another kernel"),
            Self::OldDevice(major, minor) => {
                let (lowest, lower) = Self::LOWEST_CAPABILITY;
                write!(f, "expected a GPU of compute capability {lowest}.{lower} or later, found {major}.{minor}")
            }
            Self::OutOfMemory(bytes) => {
                write!(f, "expected {bytes} bytes of the GPU's memory, found less; take a smaller batch")
            }
            Self::Failed { action, found } => write!(f, "{action}: {found}"),
            Self::Refused { place, expected, found } => write!(f, "{place}: expected {expected}, found {found}"),
        }
    }
}
