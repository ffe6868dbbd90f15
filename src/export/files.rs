//! The files of an export: their formats, and the folder that appears when all of them are complete.

use super::{StoredFile, npz};
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::tensor_file::{self, Tensor, directory_of, sync_directory_of, write_atomically};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

choice! {
    /// The format of exported files.
    Format, "format":
    /// For PyTorch, and any language that has a reader.
    Safetensors = "safetensors",
    /// NumPy's, uncompressed.
    Npz = "npz",
}

/// A folder under a temporary name, beside its place.
pub(super) struct NewFolder {
    temporary: TempDir,
    out: PathBuf,
}

impl NewFolder {
    /// Makes the folder that is to be `out`, and the folders above it.
    pub fn beside(out: &Path) -> Result<Self> {
        let parent = directory_of(out);
        std::fs::create_dir_all(parent).map_err(Error::io(parent, "create"))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".gdstar-").suffix(".part");
        // As readable as any other folder: the umask still applies.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let temporary = builder.tempdir_in(parent).map_err(Error::io(out, "create a temporary folder beside"))?;
        Ok(Self { temporary, out: out.to_path_buf() })
    }

    /// Writes `stem.<format>`.
    pub fn write(&self, stem: &str, format: Format, tensors: &[(String, Tensor)]) -> Result<StoredFile> {
        let name = format!("{stem}.{format}");
        let path = self.temporary.path().join(&name);
        match format {
            Format::Safetensors => {
                // What `safetensors.torch.save_file` callers write, and some loaders ask for.
                let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
                tensor_file::write(&path, metadata, tensors)?;
            }
            Format::Npz => {
                let bytes =
                    npz::archive(tensors).map_err(|e| Error::file(&path, "arrays", "what NumPy's npz can hold", e))?;
                write_atomically(&path, |file| file.write_all(&bytes))?;
            }
        }
        let bytes = std::fs::metadata(&path).map_err(Error::io(&path, "read"))?.len();
        Ok(StoredFile { name, bytes })
    }

    /// The size that gzip gives a file of this folder.
    pub fn gzipped(&self, file: &StoredFile) -> Result<u64> {
        let path = self.temporary.path().join(&file.name);
        let mut encoder = GzEncoder::new(Count(0), Compression::new(6));
        File::open(&path)
            .and_then(|mut file| io::copy(&mut file, &mut encoder))
            .and_then(|_| encoder.finish())
            .map(|count| count.0)
            .map_err(Error::io(path, "read"))
    }

    /// Gives the folder its name.
    pub fn complete(self) -> Result<()> {
        std::fs::rename(self.temporary.path(), &self.out).map_err(Error::io(&self.out, "rename into"))?;
        // Nothing is left under the temporary name to be removed.
        let _ = self.temporary.keep();
        sync_directory_of(&self.out)
    }
}

/// Counts the bytes written to it.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
