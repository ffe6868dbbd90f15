//! Files of other formats that are given where safetensors is wanted, known by their first bytes.

use crate::error::Error;
use std::io::Read;
use std::path::Path;

/// What a file is, and how it becomes a safetensors file.
struct Format {
    /// What it begins with.
    magic: &'static [u8],
    name: &'static str,
    remedy: &'static str,
}

const TORCH: &str = "safetensors.torch.save_file(torch.load(FILE), NEW) in Python";
const ARRAYS: &str = "safetensors.numpy.save_file({NAME: ARRAY, ..}, NEW) in Python";

const ZIP: &[u8] = b"PK\x03\x04";

const FORMATS: [Format; 10] = [
    Format { magic: ZIP, name: "a zip archive, as torch.save writes (.pth, .pt, .bin)", remedy: TORCH },
    Format { magic: b"\x80\x02", name: PICKLE, remedy: TORCH },
    Format { magic: b"\x80\x03", name: PICKLE, remedy: TORCH },
    Format { magic: b"\x80\x04", name: PICKLE, remedy: TORCH },
    Format { magic: b"\x80\x05", name: PICKLE, remedy: TORCH },
    Format { magic: b"\x93NUMPY", name: "a NumPy array (.npy)", remedy: ARRAYS },
    Format { magic: b"\x89HDF\r\n\x1a\n", name: "an HDF5 file (.h5)", remedy: ARRAYS },
    Format { magic: b"GGUF", name: "a GGUF file", remedy: ARRAYS },
    Format { magic: b"\x1f\x8b", name: "a file that gzip compressed (.gz)", remedy: "gunzip, if one is in it," },
    Format { magic: b"version ", name: "Git LFS's pointer to a file", remedy: "git lfs pull" },
];
/// What older versions of PyTorch wrote, in the protocols that have a header.
const PICKLE: &str = "a Python pickle, as torch.save wrote before PyTorch 1.6 (.pth, .pt, .bin)";

const NPZ: Format = Format {
    magic: ZIP,
    name: "a zip archive of NumPy arrays (.npz)",
    remedy: "safetensors.numpy.save_file(dict(numpy.load(FILE)), NEW) in Python",
};

/// Where a zip archive says how long its first file's name is, after the archive's first eight bytes.
const NAME_LENGTH: usize = 26 - 8;
/// Where that name is, after the first eight bytes.
const NAME: usize = 30 - 8;
/// How much of that name is read: the names of arrays are no longer.
const LONGEST_NAME: usize = 4096;

/// How much of a text is told, in bytes.
const TOLD: u64 = 40;

/// The error for a file whose first eight bytes are no header's length, and which goes on with `rest`: what it is, as far
/// as its beginning says.
pub(super) fn refusal(path: &Path, prefix: [u8; 8], rest: impl Read) -> Error {
    let Some(known) = FORMATS.iter().find(|format| prefix.starts_with(format.magic)) else {
        let found = text(prefix, rest).unwrap_or_else(|| {
            let bytes: Vec<String> = prefix.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("a file of another kind, or damaged, which begins with the bytes {}", bytes.join(" "))
        });
        return Error::file(path, "format", "a safetensors file", found);
    };
    let format = if known.magic == ZIP && begins_with_array(rest) { &NPZ } else { known };
    Error::file(path, "format", format!("a safetensors file ({} makes one)", format.remedy), format.name)
}

/// A text is told by its first line; `None` for what is none.
fn text(prefix: [u8; 8], rest: impl Read) -> Option<String> {
    let mut head = prefix.to_vec();
    rest.take(TOLD - head.len() as u64).read_to_end(&mut head).ok()?;
    let head = match std::str::from_utf8(&head) {
        Ok(text) => text,
        // It may have been cut within a character.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let is_text = head.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
    let line = head.trim_start().lines().next().unwrap_or_default().trim_end();
    is_text.then(|| format!("a text, which begins with `{line}`"))
}

/// Whether the first file of a zip archive is one of NumPy's arrays.
fn begins_with_array(rest: impl Read) -> bool {
    let mut head = Vec::new();
    if rest.take((NAME + LONGEST_NAME) as u64).read_to_end(&mut head).is_err() || head.len() < NAME {
        return false;
    }
    let length = usize::from(u16::from_le_bytes([head[NAME_LENGTH], head[NAME_LENGTH + 1]]));
    head[NAME..].get(..length).is_some_and(|name| name.ends_with(b".npy"))
}
