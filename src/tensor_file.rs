//! Safetensors files: named tensors read with errors that name the file and the tensor, and written so that a
//! reader never sees half a file.

use crate::error::{Error, Result};
use ndarray::{ArrayD, ArrayViewD};
use safetensors::tensor::{Dtype, SafeTensors, TensorInfo, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A type that tensors in a file are made of.
pub trait Element: Copy + Send + Sync + 'static {
    const DTYPE: Dtype;
    /// The element's size in bytes.
    const SIZE: usize;
    fn put(self, bytes: &mut Vec<u8>);
    /// From exactly [`Element::SIZE`] little-endian bytes.
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! element {
    ($($T:ty = $DTYPE:ident),+) => { $(
        impl Element for $T {
            const DTYPE: Dtype = Dtype::$DTYPE;
            const SIZE: usize = size_of::<$T>();
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                let mut exact = [0; size_of::<$T>()];
                exact.copy_from_slice(bytes);
                <$T>::from_le_bytes(exact)
            }
        }
    )+ };
}
element!(f32 = F32, f64 = F64, i64 = I64, u8 = U8);

/// A tensor ready to be written: little-endian bytes in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Tensor {
    /// From an array of any strides.
    pub fn from_array<T: Element>(array: &ArrayViewD<T>) -> Self {
        let mut bytes = Vec::with_capacity(array.len() * T::SIZE);
        array.iter().for_each(|x| x.put(&mut bytes));
        Self { dtype: T::DTYPE, shape: array.shape().to_vec(), bytes }
    }

    /// From a flat, row-major slice of a tensor of this shape.
    pub fn from_slice<T: Element>(shape: &[usize], values: &[T]) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), values.len());
        let mut bytes = Vec::with_capacity(values.len() * T::SIZE);
        values.iter().for_each(|x| x.put(&mut bytes));
        Self { dtype: T::DTYPE, shape: shape.to_vec(), bytes }
    }

    /// One number, of shape `[1]`.
    pub fn scalar<T: Element>(value: T) -> Self {
        Self::from_slice(&[1], &[value])
    }
}

/// A safetensors file in memory.
pub struct TensorFile {
    path: PathBuf,
    bytes: Vec<u8>,
    metadata: HashMap<String, String>,
    entries: BTreeMap<String, Entry>,
}

/// A tensor's description, and where its bytes are in the file.
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Range<usize>,
}

impl TensorFile {
    /// Reads a file and checks its header against its size.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, or as [`TensorFile::parse`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::parse(path, std::fs::read(path).map_err(Error::io(path, "read"))?)
    }

    /// A file's content; `path` is for messages. Nothing is allocated on the header's word.
    ///
    /// # Errors
    /// [`Error::File`] if it is not a complete safetensors file.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let bad = |e: safetensors::SafeTensorError| {
            Error::file(path, "header", "a complete safetensors file", format!("{} bytes: {e}", bytes.len()))
        };
        let (header_size, header) = SafeTensors::read_metadata(&bytes).map_err(bad)?;
        let start = size_of::<u64>() + header_size;
        let entry = |(name, info): (String, &TensorInfo)| {
            let (from, to) = info.data_offsets;
            (name, Entry { dtype: info.dtype, shape: info.shape.clone(), bytes: start + from..start + to })
        };
        let entries = header.tensors().into_iter().map(entry).collect();
        let metadata = header.metadata().clone().unwrap_or_default();
        Ok(Self { path: path.to_path_buf(), bytes, metadata, entries })
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A string of the file's `__metadata__`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The dtype and shape of a tensor, if it is there.
    pub fn describe(&self, name: &str) -> Option<(Dtype, &[usize])> {
        self.entries.get(name).map(|entry| (entry.dtype, entry.shape.as_slice()))
    }

    /// The tensor `name`, of element type `T` and, where given, of `shape`.
    ///
    /// # Errors
    /// [`Error::File`] if it is missing, of another dtype, or of another shape.
    pub fn read<T: Element>(&self, name: &str, shape: Option<&[usize]>) -> Result<ArrayD<T>> {
        let bad =
            |expected: String, found: String| Error::file(&self.path, format!("tensor `{name}`"), expected, found);
        let Some(entry) = self.entries.get(name) else {
            return Err(bad("to be present".to_string(), "nothing".to_string()));
        };
        if entry.dtype != T::DTYPE {
            return Err(bad(format!("{:?}", T::DTYPE), format!("{:?}", entry.dtype)));
        }
        if let Some(shape) = shape.filter(|shape| *shape != entry.shape) {
            return Err(bad(format!("shape {shape:?}"), format!("shape {:?}", entry.shape)));
        }
        // `open` checked that every tensor's bytes are there and fit its shape.
        let bytes = self.bytes.get(entry.bytes.clone()).unwrap_or_default();
        let values: Vec<T> = bytes.chunks_exact(T::SIZE).map(T::get).collect();
        ArrayD::from_shape_vec(entry.shape.as_slice(), values)
            .map_err(|e| bad(format!("shape {:?}", entry.shape), e.to_string()))
    }
}

/// Writes tensors and metadata as one safetensors file, atomically.
///
/// # Errors
/// [`Error::Io`] if the file cannot be written; what was at `path` before is then untouched.
pub fn write(path: &Path, metadata: HashMap<String, String>, tensors: &[(String, Tensor)]) -> Result<()> {
    let mut views = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes)
            .map_err(|e| Error::file(path, format!("tensor `{name}`"), "bytes that fit its shape", e))?;
        views.push((name.as_str(), view));
    }
    let bytes = safetensors::serialize(views, Some(metadata))
        .map_err(|e| Error::file(path, "header", "tensors that safetensors can hold", e))?;
    write_atomically(path, |file| file.write_all(&bytes))
}

/// Creates or replaces `path` in one step: a temporary file beside it is written, synced and renamed, and the
/// directory synced, so that a crash at any instant leaves the old file or the new one.
///
/// # Errors
/// [`Error::Io`] if any of these steps fails.
pub fn write_atomically(path: &Path, fill: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>) -> Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut temporary = tempfile::Builder::new()
        .prefix(".gdstar-")
        .suffix(".part")
        .tempfile_in(directory)
        .map_err(Error::io(path, "create a temporary file beside"))?;
    fill(temporary.as_file_mut()).map_err(Error::io(path, "write"))?;
    temporary.as_file().sync_all().map_err(Error::io(path, "sync"))?;
    share_with_umask(temporary.as_file()).map_err(Error::io(path, "set permissions of"))?;
    temporary.persist(path).map_err(|e| Error::Io {
        path: path.to_path_buf(),
        action: "rename into",
        source: e.error,
    })?;
    // A rename is durable once its directory is; platforms that cannot open a directory have nothing to sync.
    if let Ok(directory) = std::fs::File::open(directory) {
        directory.sync_all().map_err(Error::io(path, "sync the directory of"))?;
    }
    Ok(())
}

/// Temporary files are private to their owner; a result should be as readable as any other file.
#[cfg(unix)]
fn share_with_umask(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share_with_umask(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
