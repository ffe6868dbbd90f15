//! [`FirstWeights`]: W_0 of a file, in the place of one that is drawn.

use crate::checksum::Checksum;
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::nn::{Network, Parameters, state_dict};
use crate::scalar::Scalar;
use crate::tensor_file::TensorFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A file of weights and running statistics by PyTorch's names: a `state_dict` as safetensors, an export, a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstWeights {
    pub file: PathBuf,
    /// Of the whole file: what a run is the same by, wherever the file lies.
    pub sha256: Checksum,
}

impl FirstWeights {
    /// Those of the file as it is.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] if it is no safetensors file.
    pub fn of(path: &Path) -> Result<Self> {
        let file = std::path::absolute(path).map_err(Error::io(path, "resolve"))?;
        let (_, sha256) = open(&file)?;
        Ok(Self { file, sha256 })
    }

    /// The parameters and buffers of `network`.
    ///
    /// # Errors
    /// As [`FirstWeights::of`] and [`state_dict::read`]; [`Error::File`] if the file is another than it was.
    pub(super) fn read<S: Scalar>(&self, network: &Network) -> Result<Parameters<S>> {
        let (file, sha256) = open(&self.file)?;
        if sha256 != self.sha256 {
            let expected = format!("{}, as when the run began (--init FILE says where that lies now)", self.sha256);
            return Err(Error::file(&self.file, "sha256", expected, sha256));
        }
        state_dict::read(&file, network)
    }
}

fn open(path: &Path) -> Result<(TensorFile, Checksum)> {
    let file = TensorFile::open(path)?;
    let (mut content, _) = input::open(path, Kind::Tensors)?;
    let mut hash = Sha256::new();
    std::io::copy(&mut content, &mut hash).map_err(Error::io(path, "read"))?;
    Ok((file, Checksum::of(&hash)))
}
