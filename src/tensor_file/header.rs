//! The header of a safetensors file, read once, front to back, into little more memory than its names take: a file of a
//! hundred megabytes may be nothing else.

use super::Entry;
use crate::error::quoted;
use safetensors::tensor::Dtype;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;
use std::fmt;
use std::io::Read;

/// The key beside the tensors' names.
const METADATA: &str = "__metadata__";
/// The most axes that a tensor has; NumPy's limit.
pub(super) const MOST_AXES: usize = 64;
/// The most strings of metadata.
const MOST_STRINGS: usize = 1 << 16;

/// What a header says.
#[derive(Default)]
pub(super) struct Header {
    pub metadata: HashMap<String, String>,
    /// By name.
    pub entries: Vec<(Box<str>, Entry)>,
}

impl Header {
    /// The header in `text`, all of it, whose tensors are in the `data` bytes that begin at byte `start` of the file.
    ///
    /// # Errors
    /// A message, where it is not the header of these: no JSON, a name twice, or tensors that do not follow each other
    /// from the first byte to the last.
    pub fn read(text: impl Read, start: u64, data: u64) -> Result<Self, String> {
        let mut header: Self = serde_json::from_reader(text).map_err(|e| e.to_string())?;
        header.place(start, data)?;
        header.entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        match header.entries.array_windows().find(|[(a, _), (b, _)]| a == b) {
            Some([(name, _), _]) => Err(twice(name)),
            None => Ok(header),
        }
    }

    /// How many bytes of tensors the header in `text` says there are; nothing else of it is checked.
    ///
    /// # Errors
    /// A message, where it is no header.
    pub fn claimed(text: impl Read) -> Result<u64, String> {
        let header: Self = serde_json::from_reader(text).map_err(|e| e.to_string())?;
        Ok(header.entries.iter().map(|(_, entry)| entry.bytes.end).max().unwrap_or(0))
    }

    /// Checks that each tensor has the bytes that its shape takes, right after the one before, and counts them from the
    /// file's beginning.
    fn place(&mut self, start: u64, data: u64) -> Result<(), String> {
        self.entries.sort_unstable_by_key(|(_, entry)| (entry.bytes.start, entry.bytes.end));
        let mut end = 0;
        for (name, entry) in &mut self.entries {
            let (bytes, name) = (entry.bytes.clone(), || quoted(&**name));
            if bytes.start != end {
                return Err(format!("tensor `{}` at byte {} of the data, not {end}", name(), bytes.start));
            }
            if size(entry).is_none_or(|size| bytes.start.checked_add(size) != Some(bytes.end)) {
                let told = quoted(format!("{:?} of shape {:?}", entry.dtype, entry.shape));
                return Err(format!("tensor `{}`: {told} from byte {end} to {}", name(), bytes.end));
            }
            end = bytes.end;
            // The data end within the file, as is seen below; no sum overflows then.
            entry.bytes = bytes.start.saturating_add(start)..bytes.end.saturating_add(start);
        }
        if end != data {
            return Err(format!("tensors of {end} bytes, and {data} bytes of data"));
        }
        Ok(())
    }
}

/// How many bytes a tensor takes, where that is a number of bytes at all.
fn size(entry: &Entry) -> Option<u64> {
    let bits = entry.dtype.bitsize() as u64;
    let bits = entry.shape.iter().try_fold(bits, |product, &extent| product.checked_mul(extent as u64))?;
    bits.is_multiple_of(8).then_some(bits / 8)
}

fn twice(key: &str) -> String {
    format!("the key `{}` occurs twice", quoted(key))
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Header, A::Error> {
        let (mut metadata, mut entries) = (None, Vec::new());
        while let Some(name) = pairs.next_key::<String>()? {
            let of = |error: A::Error| A::Error::custom(format!("`{}`: {error}", quoted(&name)));
            if name != METADATA {
                let Description { dtype, shape: Shape(shape), data_offsets: (from, to) } =
                    pairs.next_value().map_err(of)?;
                entries.push((name.into_boxed_str(), Entry { dtype, shape, bytes: from..to }));
            } else if metadata.is_none() {
                metadata = Some(pairs.next_value::<Metadata>().map_err(of)?.0);
            } else {
                return Err(A::Error::custom(twice(&name)));
            }
        }
        Ok(Header { metadata: metadata.unwrap_or_default(), entries })
    }
}

/// A tensor, as the format describes it.
#[derive(Deserialize)]
struct Description {
    dtype: Dtype,
    shape: Shape,
    data_offsets: (u64, u64),
}

/// The extents of a tensor's axes.
struct Shape(Box<[usize]>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a shape of at most {MOST_AXES} axes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut extents: A) -> Result<Shape, A::Error> {
        let mut shape = Vec::new();
        while shape.len() < MOST_AXES
            && let Some(extent) = extents.next_element()?
        {
            shape.push(extent);
        }
        match extents.next_element::<IgnoredAny>()? {
            None => Ok(Shape(shape.into_boxed_slice())),
            Some(_) => Err(A::Error::invalid_length(MOST_AXES + 1, &self)),
        }
    }
}

/// Strings by name.
struct Metadata(HashMap<String, String>);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "an object of at most {MOST_STRINGS} strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Metadata, A::Error> {
        let mut strings = HashMap::new();
        while let Some((key, value)) = pairs.next_entry::<String, String>()? {
            if strings.len() == MOST_STRINGS {
                return Err(A::Error::invalid_length(MOST_STRINGS + 1, &self));
            }
            if strings.contains_key(&key) {
                return Err(A::Error::custom(twice(&key)));
            }
            strings.insert(key, value);
        }
        Ok(Metadata(strings))
    }
}
