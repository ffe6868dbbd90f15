//! Safetensors files: named tensors read with errors that name the file and the tensor, and written so that a
//! reader never sees half a file ([`output`]).

mod foreign;
mod header;
mod packed;
mod stream;
mod view;

pub use stream::{StreamExtent, TensorSink, TensorStream};
pub(crate) use stream::{description_bytes, metadata_bytes};
pub use view::Layout;

use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::output;
use half::{bf16, f16};
use header::Header;
use ndarray::{ArrayD, ArrayViewD};
use safetensors::tensor::{Dtype, TensorView};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use view::View;

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
            #[inline]
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
            #[inline]
            fn get(bytes: &[u8]) -> Self {
                let mut exact = [0; size_of::<$T>()];
                exact.copy_from_slice(bytes);
                <$T>::from_le_bytes(exact)
            }
        }
    )+ };
}
element!(f32 = F32, f64 = F64, i8 = I8, i16 = I16, i32 = I32, i64 = I64, u8 = U8, u16 = U16, u32 = U32, u64 = U64);

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

    /// Its numbers as `f64`, which holds all but the largest integers.
    pub fn numbers(&self) -> Vec<f64> {
        match self.dtype {
            Dtype::F64 => self.bytes.chunks_exact(f64::SIZE).map(f64::get).collect(),
            Dtype::F32 => self.bytes.chunks_exact(f32::SIZE).map(|x| f32::get(x).into()).collect(),
            Dtype::I32 => self.bytes.chunks_exact(i32::SIZE).map(|x| i32::get(x).into()).collect(),
            Dtype::I64 => self.bytes.chunks_exact(i64::SIZE).map(|x| i64::get(x) as f64).collect(),
            _ => self.bytes.iter().map(|&x| x.into()).collect(),
        }
    }

    /// One number, of shape `[1]`.
    pub fn scalar<T: Element>(value: T) -> Self {
        Self::from_slice(&[1], &[value])
    }
}

/// A safetensors file: its header in memory, its tensors read when they are asked for.
pub struct TensorFile {
    path: PathBuf,
    content: Content,
    header: Header,
    /// Further tensors, which show what the header's hold.
    views: BTreeMap<Box<str>, View>,
}

/// Where the tensors' bytes are.
enum Content {
    Memory(Vec<u8>),
    Disk(Mutex<File>),
}

/// A tensor's description, and where its bytes are in the file.
struct Entry {
    dtype: Dtype,
    shape: Box<[usize]>,
    bytes: Range<u64>,
}

/// The format's limit on the header's size.
pub(crate) const LARGEST_HEADER: u64 = 100_000_000;
/// The bytes of the header's size, before the header.
const PREFIX: u64 = size_of::<u64>() as u64;

impl TensorFile {
    /// Opens a file and checks its header against its size. No more than the header is read, so that a file may be
    /// larger than memory.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, or as [`TensorFile::parse`].
    pub fn open(path: &Path) -> Result<Self> {
        let (file, size) = input::open(path, Kind::Tensors)?;
        Self::on_disk(path, file, size)
    }

    /// The same of a file that gzip may have compressed. Its content then lies in a file without a name where the system has
    /// its temporary ones, as long as this is open.
    ///
    /// # Errors
    /// As [`TensorFile::open`]; [`Error::File`] if the compressed file is not complete.
    pub fn open_packed(path: &Path) -> Result<Self> {
        let (mut file, size) = input::open(path, Kind::Tensors)?;
        let mut magic = Vec::new();
        let length = packed::MAGIC.len() as u64;
        Read::by_ref(&mut file).take(length).read_to_end(&mut magic).map_err(Error::io(path, "read"))?;
        file.seek(SeekFrom::Start(0)).map_err(Error::io(path, "read"))?;
        if magic != packed::MAGIC {
            return Self::on_disk(path, file, size);
        }
        let (file, size) = packed::unpack(path, &mut file)?;
        Self::on_disk(path, file, size)
    }

    fn on_disk(path: &Path, mut file: File, size: u64) -> Result<Self> {
        let header = read_header(path, &mut file, size)?;
        Ok(Self { path: path.to_path_buf(), content: Content::Disk(Mutex::new(file)), header, views: BTreeMap::new() })
    }

    /// A file's content; `path` is for messages. Nothing is allocated on the header's word.
    ///
    /// # Errors
    /// [`Error::File`] if it is not a complete safetensors file, or a name occurs twice.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let header = read_header(path, &mut bytes.as_slice(), bytes.len() as u64)?;
        Ok(Self { path: path.to_path_buf(), content: Content::Memory(bytes), header, views: BTreeMap::new() })
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A string of the file's `__metadata__`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.header.metadata.get(key).map(String::as_str)
    }

    /// The names of all stored tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.header.entries.iter().map(|(name, _)| &**name)
    }

    /// The dtype and shape of a tensor, if it is there.
    pub fn describe(&self, name: &str) -> Option<(Dtype, &[usize])> {
        self.find(name).map(|entry| (entry.dtype, &*entry.shape))
    }

    /// The tensor `name`, of element type `T` and, where given, of `shape`.
    ///
    /// # Errors
    /// [`Error::File`] if it is missing, of another dtype, or of another shape; [`Error::Io`] if it cannot be read.
    pub fn read<T: Element>(&self, name: &str, shape: Option<&[usize]>) -> Result<ArrayD<T>> {
        let entry = self.entry(name, shape)?;
        if entry.dtype != T::DTYPE {
            return Err(self.bad(name, format!("{:?}", T::DTYPE), format!("{:?}", entry.dtype)));
        }
        let values: Vec<T> = self.bytes(name, entry)?.chunks_exact(T::SIZE).map(T::get).collect();
        self.shaped(name, entry, values)
    }

    /// The tensor `name` of any floating-point type, exactly, as `f64`.
    ///
    /// # Errors
    /// As [`TensorFile::read`].
    pub fn read_floats(&self, name: &str, shape: Option<&[usize]>) -> Result<ArrayD<f64>> {
        let entry = self.entry(name, shape)?;
        let bytes = self.bytes(name, entry)?;
        let values: Vec<f64> = match entry.dtype {
            Dtype::F64 => bytes.chunks_exact(f64::SIZE).map(f64::get).collect(),
            Dtype::F32 => bytes.chunks_exact(f32::SIZE).map(|x| f32::get(x).into()).collect(),
            Dtype::F16 => bytes.chunks_exact(2).map(|x| f16::from_le_bytes([x[0], x[1]]).to_f64()).collect(),
            Dtype::BF16 => bytes.chunks_exact(2).map(|x| bf16::from_le_bytes([x[0], x[1]]).to_f64()).collect(),
            other => return Err(self.bad(name, "F16, BF16, F32 or F64".to_string(), format!("{other:?}"))),
        };
        self.shaped(name, entry, values)
    }

    /// The tensor `name` of any integer type, or of truth values, which are 0 and 1.
    ///
    /// # Errors
    /// As [`TensorFile::read`]; [`Error::File`] naming the first number beyond `i64`.
    pub fn read_integers(&self, name: &str, shape: Option<&[usize]>) -> Result<ArrayD<i64>> {
        let entry = self.entry(name, shape)?;
        let bytes = self.bytes(name, entry)?;
        let values = match entry.dtype {
            Dtype::I8 => integers::<i8>(&bytes),
            Dtype::I16 => integers::<i16>(&bytes),
            Dtype::I32 => integers::<i32>(&bytes),
            Dtype::I64 => integers::<i64>(&bytes),
            Dtype::U8 | Dtype::BOOL => integers::<u8>(&bytes),
            Dtype::U16 => integers::<u16>(&bytes),
            Dtype::U32 => integers::<u32>(&bytes),
            Dtype::U64 => integers::<u64>(&bytes),
            other => return Err(self.bad(name, "integers (I8 to I64, U8 to U64)".to_string(), format!("{other:?}"))),
        };
        let values = values.map_err(|beyond| self.bad(name, "integers of 64 bits with a sign".to_string(), beyond))?;
        self.shaped(name, entry, values)
    }

    /// A tensor's bytes as they are, if it is there.
    ///
    /// # Errors
    /// [`Error::File`] if it is missing; [`Error::Io`] if it cannot be read.
    pub fn raw(&self, name: &str) -> Result<Cow<'_, [u8]>> {
        self.bytes(name, self.entry(name, None)?)
    }

    fn bad(&self, name: &str, expected: String, found: String) -> Error {
        Error::file(&self.path, format!("tensor `{name}`"), expected, found)
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        let entries = &self.header.entries;
        match entries.binary_search_by(|(other, _)| (**other).cmp(name)) {
            Ok(at) => Some(&entries[at].1),
            Err(_) => self.views.get(name).map(|view| &view.entry),
        }
    }

    fn entry(&self, name: &str, shape: Option<&[usize]>) -> Result<&Entry> {
        let Some(entry) = self.find(name) else {
            return Err(self.bad(name, "to be present".to_string(), "nothing".to_string()));
        };
        match shape {
            Some(shape) if *shape != *entry.shape => {
                Err(self.bad(name, format!("shape {shape:?}"), format!("shape {:?}", entry.shape)))
            }
            _ => Ok(entry),
        }
    }

    /// A tensor's bytes, row-major.
    fn bytes(&self, name: &str, entry: &Entry) -> Result<Cow<'_, [u8]>> {
        let bytes = self.bytes_at(entry)?;
        Ok(match self.views.get(name) {
            Some(view) => Cow::Owned(view.gather(&bytes)),
            None => bytes,
        })
    }

    /// The bytes at an entry's place; the header's check has made sure that they are there and fit its shape.
    fn bytes_at(&self, entry: &Entry) -> Result<Cow<'_, [u8]>> {
        match &self.content {
            Content::Memory(bytes) => {
                let range = entry.bytes.start as usize..entry.bytes.end as usize;
                Ok(Cow::Borrowed(bytes.get(range).unwrap_or_default()))
            }
            Content::Disk(file) => {
                // Another reader's panic leaves the file as usable as before: every read seeks first.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let mut bytes = vec![0; (entry.bytes.end - entry.bytes.start) as usize];
                file.seek(SeekFrom::Start(entry.bytes.start))
                    .and_then(|_| file.read_exact(&mut bytes))
                    .map_err(Error::io(&self.path, "read"))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    fn shaped<T>(&self, name: &str, entry: &Entry, values: Vec<T>) -> Result<ArrayD<T>> {
        ArrayD::from_shape_vec(&*entry.shape, values)
            .map_err(|e| self.bad(name, format!("shape {:?}", entry.shape), e.to_string()))
    }
}

/// Little-endian integers as `i64`; the first that is none, in decimal, is the error.
fn integers<T: Element + TryInto<i64> + ToString>(bytes: &[u8]) -> std::result::Result<Vec<i64>, String> {
    let values = bytes.chunks_exact(T::SIZE).map(T::get);
    values.map(|value| value.try_into().map_err(|_| value.to_string())).collect()
}

/// The header of a file of `size` bytes, of which `input` is at the beginning.
fn read_header(path: &Path, input: &mut impl Read, size: u64) -> Result<Header> {
    let bad =
        |found: String| Error::file(path, "header", "a complete safetensors file", format!("{size} bytes: {found}"));
    let mut prefix = [0; PREFIX as usize];
    input.read_exact(&mut prefix).map_err(|e| bad(e.to_string()))?;
    let length = u64::from_le_bytes(prefix);
    if length > LARGEST_HEADER {
        return Err(foreign::refusal(path, prefix, &mut *input));
    }
    if length > size - PREFIX {
        return Err(bad(format!("a header of {length} bytes")));
    }
    let start = PREFIX + length;
    Header::read(BufReader::new(input.take(length)), start, size - start).map_err(bad)
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
    let bytes = safetensors::serialize(views, Some(metadata.into_iter().collect()))
        .map_err(|e| Error::file(path, "header", "tensors that safetensors can hold", e))?;
    output::write_atomically(path, |file| file.write_all(&bytes))
}
