//! [`Kernel`]: which form of the kernels computes.

use crate::choice::choice;
use crate::error::Result;

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

    /// Whether arrays of these numbers lie on a GPU between the ops of a pass.
    #[cfg(feature = "cuda")]
    pub(crate) fn keeps_on_device<S: crate::scalar::Scalar>(self) -> bool {
        self == Self::Cuda && super::cuda::computes::<S>()
    }

    /// Whether it is a GPU's.
    pub(crate) fn is_on_device(self) -> bool {
        match self {
            Self::Fast | Self::Literal => false,
            #[cfg(feature = "cuda")]
            Self::Cuda => true,
        }
    }

    /// Any form: for the kernels that give the same bits in all, so that an equation's function asks its caller for none. The
    /// GPU's while the work on this thread is a GPU's ([`install`](Self::install)).
    pub(crate) fn any() -> Self {
        #[cfg(feature = "cuda")]
        if super::cuda::is_at_work() {
            return Self::Cuda;
        }
        Self::Fast
    }

    /// Runs `work`, whose equations are computed where its network is.
    pub fn install<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(feature = "cuda")]
        if self == Self::Cuda {
            return super::cuda::at_work(work);
        }
        work()
    }

    /// Whether it can compute on this machine: a GPU is looked for once, and kept.
    ///
    /// # Errors
    /// `Error::Device`: there is no driver, no GPU, or one that is too old.
    pub fn open(self) -> Result<()> {
        #[cfg(feature = "cuda")]
        if self == Self::Cuda {
            return super::cuda::Device::get().map(|_| ()).map_err(crate::Error::Device);
        }
        Ok(())
    }

    /// Whether it has computed all that it was told to since this was asked last. Functions that return no error leave a
    /// GPU's until they are asked for here, and compute on the host in its place; nothing that is to last may be written before.
    ///
    /// # Errors
    /// `Error::Device`: the first that there was.
    pub fn check(self) -> Result<()> {
        #[cfg(feature = "cuda")]
        if self == Self::Cuda {
            return super::cuda::check().map_err(crate::Error::Device);
        }
        Ok(())
    }
}
