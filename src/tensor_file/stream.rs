//! Safetensors files that are larger than memory, written tensor by tensor.
//!
//! A header comes before its tensors but is known only after them. So tensors go to one part and their descriptions,
//! one JSON line each, to another. Where the header's size is bounded beforehand, that much room is left in front of the
//! tensors: at the end the header takes it, spaces fill what it leaves, which the format allows, and the part is the file.
//! Where it is not, or too low, both parts are copied into the file, and the disk holds the tensors twice.

mod part;

use super::{LARGEST_HEADER, PREFIX, Tensor};
use crate::checksum::Checksum;
use crate::error::{Error, Result};
use crate::output;
use part::{Part, checksum, line_end};
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
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
    /// Left for the header in front of the tensor data; 0 in streams that were begun before there was any.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub room: u64,
    /// Of tensor data.
    pub bytes: u64,
    pub tensors: usize,
    /// Of both parts so far, without the room; extents that were stored before it was do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Checksum>,
}

fn is_zero(room: &u64) -> bool {
    *room == 0
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
    /// A stream whose parts are `PATH.data` and `PATH.index` until it is finished, of a file whose header takes at most
    /// `header` bytes.
    ///
    /// # Errors
    /// [`Error::File`] if parts of another stream are there; [`Error::Io`].
    pub fn begin(path: &Path, header: u64) -> Result<Self> {
        let extent = StreamExtent { room: room(header), ..StreamExtent::default() };
        let data = Part::create(&part(path, "data"), extent.room)?;
        let index = Part::create(&part(path, "index"), 0);
        let index = index.inspect_err(|_| drop(std::fs::remove_file(&data.path)))?;
        Ok(Self { path: path.to_path_buf(), data, index, extent, named: true })
    }

    /// The stream that was begun at `path`, cut back to `extent`: a run that was interrupted goes on where its checkpoint
    /// was.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] if less is there than `extent` says, or something else: nothing is changed then.
    pub fn resume(path: &Path, extent: StreamExtent) -> Result<Self> {
        let (data, index) = (part(path, "data"), part(path, "index"));
        let lines = line_end(&index, extent.tensors)?;
        let mut data = Part::reopen(&data, extent.room, extent.bytes)?;
        let mut index = Part::reopen(&index, 0, lines)?;
        if let (Some(expected), Some(found)) = (extent.sha256, checksum(&data, &index))
            && expected != found
        {
            let expected = format!("what the checkpoint's run wrote (SHA-256 {expected})");
            return Err(Error::file(
                data.path,
                "content",
                expected,
                format!("another's, or damaged, here or in .index ({found})"),
            ));
        }
        data.cut(extent.bytes)?;
        index.cut(lines)?;
        Ok(Self { path: path.to_path_buf(), data, index, extent, named: true })
    }

    /// Removes what there is of a stream that was begun at `path` and is not finished.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn discard(path: &Path) -> Result<()> {
        [part(path, "data"), part(path, "index")].iter().try_for_each(|part| remove(part))
    }

    /// A stream whose parts have no names, beside `path`: a process that is killed leaves nothing. What has no name can be
    /// given none, so they are copied into the file.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn temporary(path: &Path) -> Result<Self> {
        let part = || {
            let file = output::unnamed_file(output::directory_of(path));
            Part::new(path, file.map_err(Error::io(path, "create a temporary file beside"))?, 0)
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
        if !data.exists() && path.exists() {
            remove(&index)?;
        }
        Ok(data.exists())
    }

    /// Where the file will be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
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
        self.extent.sha256 = checksum(&self.data, &self.index);
        Ok(self.extent)
    }

    /// Creates or replaces the file, atomically, and removes the parts.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] if the index does not hold what was written.
    pub fn finish(&mut self, metadata: &Map<String, Value>) -> Result<()> {
        let mut header = self.header(metadata)?;
        let room = self.extent.room.saturating_sub(PREFIX) as usize;
        let fits = header.len() <= room;
        // Tensors start aligned.
        header.resize(if fits { room } else { header.len().next_multiple_of(ALIGNMENT) }, b' ');
        let header = [&(header.len() as u64).to_le_bytes()[..], &header].concat();
        if fits {
            self.data.fill_room(&header)?;
            output::move_into(&self.data.path, &self.path)?;
        } else {
            let tensors = self.data.content()?;
            output::write_atomically(&self.path, |out| {
                out.write_all(&header)?;
                std::io::copy(tensors, out).map(drop)
            })?;
        }
        if self.named { Self::discard(&self.path) } else { Ok(()) }
    }

    /// The header of what the index lists.
    fn header(&mut self, metadata: &Map<String, Value>) -> Result<Vec<u8>> {
        let mut entries = Map::new();
        entries.insert("__metadata__".to_string(), Value::Object(metadata.clone()));
        let (path, failed) = (self.index.path.clone(), Error::io);
        for line in BufReader::new(self.index.content()?).lines() {
            let line = line.map_err(failed(path.clone(), "read"))?;
            let bad = |found: String| Error::file(&path, "line", "a tensor's description", found);
            let mut entry: Map<String, Value> = serde_json::from_str(&line).map_err(|e| bad(e.to_string()))?;
            match entry.remove("name") {
                Some(Value::String(name)) => entries.insert(name, Value::Object(entry)),
                _ => return Err(bad(line)),
            };
        }
        Ok(Value::Object(entries).to_string().into_bytes())
    }
}

impl TensorSink for TensorStream {
    fn put(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        let end = self.extent.bytes + tensor.bytes.len() as u64;
        self.data.write(&tensor.bytes)?;
        self.index.write(line(name, tensor.dtype, &tensor.shape, [self.extent.bytes, end]).as_bytes())?;
        self.extent = StreamExtent { bytes: end, tensors: self.extent.tensors + 1, sha256: None, ..self.extent };
        Ok(())
    }
}

/// Where the tensor data start: at a multiple of this.
const ALIGNMENT: usize = 8;

/// What the header takes beside the descriptions of tensors and of metadata: braces, a key, colons and commas.
const FRAME: u64 = r#"{"__metadata__":,}"#.len() as u64;

/// The most bytes that a header with this metadata and no tensor takes.
pub fn metadata_bytes(metadata: &Map<String, Value>) -> u64 {
    FRAME + Value::Object(metadata.clone()).to_string().len() as u64
}

/// The most bytes that a tensor adds to the header of a file whose tensors end at byte `end`.
pub fn description_bytes(name: &str, dtype: Dtype, shape: &[usize], end: u64) -> u64 {
    // The same words stand in the header, in another order, and without a key for the name.
    line(name, dtype, shape, [end; 2]).len() as u64
}

/// A tensor as the index has it.
fn line(name: &str, dtype: Dtype, shape: &[usize], [start, end]: [u64; 2]) -> String {
    let description =
        json!({ "name": name, "dtype": format!("{dtype:?}"), "shape": shape, "data_offsets": [start, end] });
    format!("{description}\n")
}

/// What is kept free for a header of at most so many bytes and its length; nothing if it may be beyond the format's limit.
fn room(header: u64) -> u64 {
    if header > LARGEST_HEADER { 0 } else { PREFIX + header.next_multiple_of(ALIGNMENT as u64) }
}

fn part(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(path, "remove")(e)),
        _ => Ok(()),
    }
}
