//! [`Kernel`]: which form of the kernels computes.

use crate::choice::choice;

choice! {
    /// Which form of the kernels computes.
    Kernel, "kernel":
    /// Vectors over the samples of a batch, and rayon.
    Fast = "fast",
    /// Plain loops in a documented order: the definition.
    Literal = "literal",
    /// The same loops on a GPU of NVIDIA's, a thread an output.
    Cuda = "cuda" with "cuda",
}

/// The forms that arrays in the host's memory are computed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnHost {
    Fast,
    Literal,
}

impl Kernel {
    /// What `cuda` asks for where it is not built; empty where it is.
    pub const UNBUILT: &'static str = if cfg!(feature = "cuda") {
        ""
    } else {
        "`cuda` takes a program that is built with it: `cargo build --release --features cuda`"
    };

    /// The form that computes arrays in the host's memory: of numbers that a GPU does not have (dual ones, or of 31 digits),
    /// the definition.
    pub(super) fn on_host(self) -> OnHost {
        match self {
            Self::Fast => OnHost::Fast,
            Self::Literal => OnHost::Literal,
            #[cfg(feature = "cuda")]
            Self::Cuda => OnHost::Literal,
        }
    }

    /// Whether it is a GPU's.
    pub(crate) fn is_on_device(self) -> bool {
        match self {
            Self::Fast | Self::Literal => false,
            #[cfg(feature = "cuda")]
            Self::Cuda => true,
        }
    }
}
