//! The files of an export: their formats, and the folder that appears when all of them are complete.

use super::{StoredFile, npz};
use crate::choice::choice;
use crate::error::{Error, Result};
use crate::output::{NewFolder, write_atomically};
use crate::tensor_file::{self, Tensor};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

choice! {
    /// The format of exported files.
    Format, "format":
    /// For PyTorch, and any language that has a reader.
    Safetensors = "safetensors",
    /// NumPy's, uncompressed.
    Npz = "npz",
}

/// The folder of an export, until it is complete.
pub(super) struct Folder {
    folder: NewFolder,
    /// For the metadata of the files that can have any.
    metadata: HashMap<String, String>,
}

impl Folder {
    /// The folder that is to be `out`.
    pub fn new(out: &Path) -> Result<Self> {
        // What `safetensors.torch.save_file` callers write, and some loaders ask for.
        let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
        Ok(Self { folder: NewFolder::beside(out)?, metadata })
    }

    /// Writes what describes the files that follow as `<key>.json`, and lets them say the same under this key, if their format
    /// has a place for it.
    pub fn describe(&mut self, key: &str, description: &impl Serialize) -> Result<()> {
        let path = self.folder.path().join(format!("{key}.json"));
        let json = serde_json::to_string(description).map_err(|e| Error::file(&path, "content", "JSON", e))?;
        write_atomically(&path, |file| file.write_all(json.as_bytes()))?;
        self.metadata.insert(key.to_string(), json);
        Ok(())
    }

    /// Writes `stem.<format>`.
    pub fn write(&self, stem: &str, format: Format, tensors: &[(String, Tensor)]) -> Result<StoredFile> {
        let name = format!("{stem}.{format}");
        let path = self.folder.path().join(&name);
        match format {
            Format::Safetensors => tensor_file::write(&path, self.metadata.clone(), tensors)?,
            Format::Npz => {
                let bytes =
                    npz::archive(tensors).map_err(|e| Error::file(&path, "arrays", "what NumPy's npz can hold", e))?;
                write_atomically(&path, |file| file.write_all(&bytes))?;
            }
        }
        let bytes = std::fs::metadata(&path).map_err(Error::io(&path, "read"))?.len();
        Ok(StoredFile { name, bytes })
    }

    /// Writes a file of these bytes.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) -> Result<StoredFile> {
        write_atomically(&self.folder.path().join(name), |file| file.write_all(bytes))?;
        Ok(StoredFile { name: name.to_string(), bytes: bytes.len() as u64 })
    }

    /// The size that gzip gives a file of this folder.
    pub fn gzipped(&self, file: &StoredFile) -> Result<u64> {
        let path = self.folder.path().join(&file.name);
        let mut encoder = GzEncoder::new(Count(0), Compression::new(6));
        File::open(&path)
            .and_then(|mut file| io::copy(&mut file, &mut encoder))
            .and_then(|_| encoder.finish())
            .map(|count| count.0)
            .map_err(Error::io(path, "read"))
    }

    /// Gives the folder its name.
    pub fn complete(self) -> Result<()> {
        self.folder.complete()
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
