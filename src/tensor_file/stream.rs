//! Safetensors files that are larger than memory, written tensor by tensor.
//!
//! A header comes before its tensors but is known only after them. So tensors go to one part and their descriptions,
//! one JSON line each, to another; at the end both become the file, in one step.

use super::Tensor;
use crate::checksum::Checksum;
use crate::error::{Error, Result};
use crate::output;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Takes named tensors, one after the other.
pub trait TensorSink {
    /// # Errors
    /// [`Error::Io`] if the tensor cannot be kept.
    fn put(&mut self, name: &str, tensor: &Tensor) -> Result<()>;
}

impl TensorSink for BTreeMap<String, Tensor> {
    fn put(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        self.insert(name.to_string(), tensor.clone());
        Ok(())
    }
}

/// How much of a stream is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamExtent {
    /// Of tensor data.
    pub bytes: u64,
    pub tensors: usize,
    /// Of both parts so far; extents that were stored before it was do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Checksum>,
}

/// One part of a file to be.
struct Part {
    /// Its path, or the file's own where the part has no name.
    path: PathBuf,
    file: BufWriter<File>,
    /// Of everything written, where it is to be told apart from another's.
    hash: Option<Sha256>,
}

impl Part {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        self.file.write_all(bytes).map_err(self.failed("write"))
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
        Error::io(self.path.clone(), action)
    }

    fn sync(&mut self) -> Result<()> {
        self.file.flush().map_err(self.failed("write"))?;
        self.file.get_ref().sync_data().map_err(self.failed("sync"))
    }

    /// Everything written, from the start.
    fn rewound(&mut self) -> Result<&mut File> {
        self.file.flush().map_err(self.failed("write"))?;
        let failed = self.failed("seek");
        let file = self.file.get_mut();
        file.rewind().map_err(failed)?;
        Ok(file)
    }
}

/// A safetensors file on its way.
pub struct TensorStream {
    path: PathBuf,
    data: Part,
    index: Part,
    extent: StreamExtent,
    /// Whether the parts have names that outlive the process.
    named: bool,
}

impl TensorStream {
    /// A stream whose parts are `PATH.data` and `PATH.index` until it is finished.
    ///
    /// # Errors
    /// [`Error::File`] if parts of another stream are there; [`Error::Io`].
    pub fn begin(path: &Path) -> Result<Self> {
        let part = |suffix| -> Result<Part> {
            let path = part(path, suffix);
            let open = OpenOptions::new().read(true).write(true).create_new(true).open(&path);
            let file = open.map_err(|e| match e.kind() {
                ErrorKind::AlreadyExists => {
                    let expected = "none (resume the run that it belongs to, or remove it)";
                    Error::file(&path, "unfinished file", expected, "one")
                }
                _ => Error::io(&path, "create")(e),
            })?;
            Ok(Part { path, file: BufWriter::new(file), hash: Some(Sha256::new()) })
        };
        let data = part("data")?;
        let index = part("index").inspect_err(|_| drop(std::fs::remove_file(&data.path)))?;
        Ok(Self { path: path.to_path_buf(), data, index, extent: StreamExtent::default(), named: true })
    }

    /// The stream that was begun at `path`, cut back to `extent`: a run that was interrupted goes on where its checkpoint
    /// was.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] if less is there than `extent` says, or something else: nothing is changed then.
    pub fn resume(path: &Path, extent: StreamExtent) -> Result<Self> {
        let (data, index) = (part(path, "data"), part(path, "index"));
        let (data_file, index_file) = (reopen(&data)?, reopen(&index)?);
        let ends =
            [(&data, &data_file, extent.bytes), (&index, &index_file, line_end(&index, &index_file, extent.tensors)?)];
        let mut hashes = [const { None }; 2];
        for (hash, (path, file, end)) in hashes.iter_mut().zip(ends) {
            *hash = Some(hash_until(path, file, end)?);
        }
        let [data_hash, index_hash] = hashes;
        if let (Some(expected), Some(found)) = (extent.sha256, checksum(&data_hash, &index_hash))
            && expected != found
        {
            let expected = format!("what the checkpoint's run wrote (SHA-256 {expected})");
            return Err(Error::file(data, "content", expected, format!("another's, or damaged ({found})")));
        }
        for (path, file, end) in ends {
            cut(path, file, end)?;
        }
        let data = Part { path: data, file: BufWriter::new(data_file), hash: data_hash };
        let index = Part { path: index, file: BufWriter::new(index_file), hash: index_hash };
        Ok(Self { path: path.to_path_buf(), data, index, extent, named: true })
    }

    /// Removes what there is of a stream that was begun at `path` and is not finished.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn discard(path: &Path) -> Result<()> {
        for part in [part(path, "data"), part(path, "index")] {
            match std::fs::remove_file(&part) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(Error::io(part, "remove")(e)),
                _ => {}
            }
        }
        Ok(())
    }

    /// A stream whose parts have no names, beside `path`: an interrupted process leaves nothing.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn temporary(path: &Path) -> Result<Self> {
        let directory = output::directory_of(path);
        let part = || -> Result<Part> {
            let file = output::unnamed_file(directory).map_err(Error::io(path, "create a temporary file beside"))?;
            Ok(Part { file: BufWriter::new(file), path: path.to_path_buf(), hash: None })
        };
        let (data, index) = (part()?, part()?);
        Ok(Self { path: path.to_path_buf(), data, index, extent: StreamExtent::default(), named: false })
    }

    /// Whether a process was cut off after it had written everything and before the file was complete at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] if what is left of a completed file's parts cannot be removed.
    pub fn is_unfinished(path: &Path) -> Result<bool> {
        let (data, index) = (part(path, "data"), part(path, "index"));
        // The parts go in this order, so that an index alone belongs to a file that is complete.
        if !data.exists() && index.exists() && path.exists() {
            std::fs::remove_file(&index).map_err(Error::io(index, "remove"))?;
        }
        Ok(data.exists())
    }

    /// How much is written.
    pub fn extent(&self) -> StreamExtent {
        self.extent
    }

    /// Brings everything to the disk, and says how much that is.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&mut self) -> Result<StreamExtent> {
        self.data.sync()?;
        self.index.sync()?;
        self.extent.sha256 = checksum(&self.data.hash, &self.index.hash);
        Ok(self.extent)
    }

    /// Creates or replaces the file, atomically, and removes the parts.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] if the index does not hold what was written.
    pub fn finish(&mut self, metadata: &Map<String, Value>) -> Result<()> {
        let mut entries = Map::new();
        entries.insert("__metadata__".to_string(), Value::Object(metadata.clone()));
        let (path, failed) = (self.index.path.clone(), Error::io);
        for line in BufReader::new(self.index.rewound()?).lines() {
            let line = line.map_err(failed(path.clone(), "read"))?;
            let bad = |found: String| Error::file(&path, "line", "a tensor's description", found);
            let mut entry: Map<String, Value> = serde_json::from_str(&line).map_err(|e| bad(e.to_string()))?;
            match entry.remove("name") {
                Some(Value::String(name)) => entries.insert(name, Value::Object(entry)),
                _ => return Err(bad(line)),
            };
        }
        let mut header = Value::Object(entries).to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' '); // tensors start aligned
        let tensors = self.data.rewound()?;
        output::write_atomically(&self.path, |out| {
            out.write_all(&(header.len() as u64).to_le_bytes())?;
            out.write_all(&header)?;
            std::io::copy(tensors, out).map(|_| ())
        })?;
        if self.named {
            for part in [&self.data, &self.index] {
                std::fs::remove_file(&part.path).map_err(part.failed("remove"))?;
            }
        }
        Ok(())
    }
}

impl TensorSink for TensorStream {
    fn put(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        let end = self.extent.bytes + tensor.bytes.len() as u64;
        let line = json!({
            "name": name,
            "dtype": format!("{:?}", tensor.dtype),
            "shape": tensor.shape,
            "data_offsets": [self.extent.bytes, end],
        });
        self.data.write(&tensor.bytes)?;
        self.index.write(format!("{line}\n").as_bytes())?;
        self.extent = StreamExtent { bytes: end, tensors: self.extent.tensors + 1, sha256: None };
        Ok(())
    }
}

fn part(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens a part that is there.
fn reopen(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).open(path).map_err(Error::io(path, "open"))
}

/// The hash of a part's first `end` bytes.
fn hash_until(path: &Path, mut file: &File, end: u64) -> Result<Sha256> {
    let mut hash = Sha256::new();
    file.rewind().map_err(Error::io(path, "seek"))?;
    let found = std::io::copy(&mut file.take(end), &mut hash).map_err(Error::io(path, "read"))?;
    if found < end {
        return Err(Error::file(path, "length", format!("at least {end} bytes, as at the checkpoint"), found));
    }
    Ok(hash)
}

/// Of both parts.
fn checksum(data: &Option<Sha256>, index: &Option<Sha256>) -> Option<Checksum> {
    let both = Sha256::new().chain_update(Checksum::of(data.as_ref()?)).chain_update(Checksum::of(index.as_ref()?));
    Some(Checksum::of(&both))
}

/// Cuts a part back, ready to append.
fn cut(path: &Path, mut file: &File, end: u64) -> Result<()> {
    file.set_len(end).map_err(Error::io(path, "truncate"))?;
    file.seek(SeekFrom::End(0)).map_err(Error::io(path, "seek")).map(|_| ())
}

/// Where the `count`-th line ends.
fn line_end(path: &Path, mut file: &File, count: usize) -> Result<u64> {
    file.rewind().map_err(Error::io(path, "seek"))?;
    let mut reader = BufReader::new(file);
    let mut end = 0;
    for line in 0..count {
        match reader.skip_until(b'\n').map_err(Error::io(path, "read"))? {
            0 => return Err(Error::file(path, "lines", format!("at least {count}, as at the checkpoint"), line)),
            read => end += read as u64,
        }
    }
    Ok(end)
}
