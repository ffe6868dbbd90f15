//! Safetensors files that are larger than memory, written tensor by tensor.
//!
//! A header comes before its tensors but is known only after them. So tensors go to one part and their descriptions,
//! one JSON line each, to another; at the end both become the file, in one step.

use super::{Tensor, write_atomically};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
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
}

/// One part of a file to be.
struct Part {
    /// Its path, or the file's own where the part has no name.
    path: PathBuf,
    file: BufWriter<File>,
}

impl Part {
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
    /// A stream whose parts are `PATH.data` and `PATH.index` until it is finished, cut back to `extent`: a run that was
    /// interrupted goes on where its checkpoint was.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] if less is there than `extent` says.
    pub fn resumable(path: &Path, extent: StreamExtent) -> Result<Self> {
        let (data, index) = (part(path, "data"), part(path, "index"));
        let data = Part { file: BufWriter::new(cut(&data, |_| Ok(extent.bytes))?), path: data };
        let index = Part { file: BufWriter::new(cut(&index, |file| line_end(file, extent.tensors))?), path: index };
        Ok(Self { path: path.to_path_buf(), data, index, extent, named: true })
    }

    /// A stream whose parts have no names, beside `path`: an interrupted process leaves nothing.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn temporary(path: &Path) -> Result<Self> {
        let directory = super::directory_of(path);
        let part = || -> Result<Part> {
            let file = tempfile::tempfile_in(directory).map_err(Error::io(path, "create a temporary file beside"))?;
            Ok(Part { file: BufWriter::new(file), path: path.to_path_buf() })
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

    /// Brings everything to the disk, and says how much that is.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&mut self) -> Result<StreamExtent> {
        self.data.sync()?;
        self.index.sync()?;
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
        write_atomically(&self.path, |out| {
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
        self.data.file.write_all(&tensor.bytes).map_err(self.data.failed("write"))?;
        writeln!(self.index.file, "{line}").map_err(self.index.failed("write"))?;
        self.extent = StreamExtent { bytes: end, tensors: self.extent.tensors + 1 };
        Ok(())
    }
}

fn part(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens a part, cut back to the length that `keep` finds, ready to append.
fn cut(path: &Path, keep: impl FnOnce(&mut File) -> std::io::Result<u64>) -> Result<File> {
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = open.map_err(Error::io(path, "open"))?;
    let length = keep(&mut file).map_err(Error::io(path, "read"))?;
    let found = file.metadata().map_err(Error::io(path, "read"))?.len();
    if found < length {
        return Err(Error::file(path, "length", format!("at least {length} bytes, as at the checkpoint"), found));
    }
    file.set_len(length).map_err(Error::io(path, "truncate"))?;
    file.seek(std::io::SeekFrom::End(0)).map_err(Error::io(path, "seek"))?;
    Ok(file)
}

/// Where the `count`-th line ends.
fn line_end(file: &mut File, count: usize) -> std::io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut end = 0;
    for _ in 0..count {
        match reader.skip_until(b'\n')? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => end += read as u64,
        }
    }
    Ok(end)
}
