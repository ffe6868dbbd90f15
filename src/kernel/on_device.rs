//! What a [`Kernel`] asks of the GPU, where it is a GPU's; all others are ready at once, and do not fail.

use super::Kernel;
#[cfg(feature = "cuda")]
use super::cuda;
#[cfg(feature = "cuda")]
use crate::error::Error;
use crate::error::Result;
#[cfg(feature = "cuda")]
use crate::scalar::Scalar;

impl Kernel {
    /// Whether arrays of these numbers lie on a GPU between the ops of a pass.
    #[cfg(feature = "cuda")]
    pub(crate) fn keeps_on_device<S: Scalar>(self) -> bool {
        self == Self::Cuda && cuda::computes::<S>()
    }

    /// Any form: for the kernels that give the same bits in all, so that an equation's function asks its caller for none. The
    /// GPU's while the work on this thread is a GPU's ([`install`](Self::install)).
    pub(crate) fn any() -> Self {
        #[cfg(feature = "cuda")]
        if cuda::is_at_work() {
            return Self::Cuda;
        }
        Self::Fast
    }

    /// Runs `work`, whose equations are computed where its network is.
    pub fn install<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(feature = "cuda")]
        if self == Self::Cuda {
            return cuda::at_work(work);
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
            return cuda::Device::get().map(|_| ()).map_err(Error::Device);
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
            return cuda::check().map_err(Error::Device);
        }
        Ok(())
    }
}
