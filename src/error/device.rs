//! [`DeviceError`]: why a GPU does not compute.

use std::fmt;

/// What keeps a GPU from computing, or stopped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceError {
    /// No CUDA driver is installed, or not where programs look for one.
    NoDriver,
    /// The driver is there and does not start: what it says.
    Unusable { said: String },
    /// The driver is older than the kernels: versions as `(12, 4)`.
    OldDriver { needed: (u32, u32), found: (u32, u32) },
    /// The driver sees no GPU.
    NoDevice,
    /// The GPU is older than the kernels: compute capabilities.
    OldDevice { name: String, needed: (u32, u32), found: (u32, u32) },
    /// The GPU has too little memory left.
    OutOfMemory { wanted: usize, free: usize, total: usize },
    /// A call of the driver, or a kernel, failed: its name, and what the driver says of it.
    Failed { what: String, said: String },
    /// Arrays of numbers that no GPU has: the kernels are those of `f32` and `f64`.
    Numbers { found: &'static str },
}

impl DeviceError {
    /// Whether what was asked for cannot be had on this machine, as opposed to something that broke on the way.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::NoDriver | Self::Unusable { .. } | Self::OldDriver { .. } => true,
            Self::NoDevice | Self::OldDevice { .. } | Self::Numbers { .. } => true,
            Self::OutOfMemory { .. } | Self::Failed { .. } => false,
        }
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let version = |(major, minor): (u32, u32)| format!("{major}.{minor}");
        match self {
            Self::NoDriver => {
                write!(f, "expected a CUDA driver (libcuda.so.1), found none; install NVIDIA's, or use --kernel fast")
            }
            Self::Unusable { said } => {
                write!(f, "expected a CUDA driver that starts, found: {said}; see nvidia-smi, or use --kernel fast")
            }
            Self::OldDriver { needed, found } => {
                let (needed, found) = (version(*needed), version(*found));
                write!(f, "expected a driver for CUDA {needed} or later, found one for {found}; install a newer one")
            }
            Self::NoDevice => write!(
                f,
                "expected a GPU, the driver sees none; see nvidia-smi and CUDA_VISIBLE_DEVICES, or use --kernel fast"
            ),
            Self::OldDevice { name, needed, found } => {
                let (needed, found) = (version(*needed), version(*found));
                write!(f, "expected a GPU of compute capability {needed} or later, found {name} of {found}")
            }
            Self::OutOfMemory { wanted, free, total } => write!(
                f,
                "out of memory: {wanted} bytes wanted, {free} of {total} free; a smaller --batch-size needs less"
            ),
            Self::Failed { what, said } => write!(f, "{what} failed: {said}"),
            Self::Numbers { found } => write!(f, "expected numbers of f32 or f64, found {found}; use --kernel literal"),
        }
    }
}

impl std::error::Error for DeviceError {}
