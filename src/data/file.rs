//! Reading files without believing them: what is allocated follows the bytes that are there, never a size that a
//! header claims.

use crate::error::{Error, Result};
use crate::input::Kind;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The largest unpacked content of a compressed file that is read: as much as a file of a data set may have unpacked. The
/// largest file of the data sets here unpacks to 47 MB.
pub const MAX_BYTES: u64 = Kind::DataSet.limit();

/// Appends up to `limit` bytes to `content`; fewer only if the reader ends first.
///
/// The buffer grows as bytes arrive, by doubling: its capacity stays within twice what was read and a small
/// constant, however large `limit` is. After an error, `content` holds what was read before it.
///
/// # Errors
/// The reader's.
pub fn read_at_most(reader: impl Read, limit: u64, content: &mut Vec<u8>) -> io::Result<()> {
    reader.take(limit).read_to_end(content).map(drop)
}

/// The first of `root` and its `subfolders` that holds anything by any of these names, and that.
///
/// # Errors
/// [`Error::File`] naming `root`, the names and the subfolders if there is none.
pub fn find(root: &Path, subfolders: &[&str], names: &[String]) -> Result<PathBuf> {
    places(root, subfolders, names).find(|path| path.exists()).ok_or_else(|| missing(root, subfolders, names, ""))
}

/// The first file by any of these names in `folder`, or in a folder of its own name there, as some archives unpack.
/// (Where there are only folders by these names, the first of them, which no reader takes for a file.)
pub fn find_file(folder: &Path, names: &[String]) -> Option<PathBuf> {
    let nested = names.iter().map(|name| folder.join(name).join(name));
    let file = places(folder, &[], names).chain(nested).find(|path| path.exists() && !path.is_dir());
    file.or_else(|| places(folder, &[], names).find(|path| path.exists()))
}

/// Where any of these names would be, in the order in which they are looked for.
fn places(root: &Path, subfolders: &[&str], names: &[String]) -> impl Iterator<Item = PathBuf> {
    std::iter::once(root.to_path_buf())
        .chain(subfolders.iter().map(|subfolder| root.join(subfolder)))
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
}

/// The error of [`find`]: `root` and its `subfolders` hold nothing by any of these names; `remedy` says what to do.
pub fn missing(root: &Path, subfolders: &[&str], names: &[String], remedy: &str) -> Error {
    let also: String = subfolders.iter().map(|subfolder| format!(" or in {subfolder}")).collect();
    let found = if root.is_dir() {
        "none"
    } else if root.exists() {
        "something that is not a folder"
    } else {
        "no such folder"
    };
    Error::file(root, "data set", format!("{} in it{also}{remedy}", names.join(" or ")), found)
}

/// (number from 1, text) of the lines of a text file, each ended by a line feed or by a carriage return and a line
/// feed; the last need not be. `path` is for messages only.
///
/// # Errors
/// [`Error::File`] with the line that is not UTF-8.
pub fn lines<'a>(path: &Path, content: &'a [u8]) -> impl Iterator<Item = Result<(usize, &'a str)>> {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.split(|&byte| byte == b'\n').enumerate().map(move |(line, text)| {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let text = std::str::from_utf8(text).map_err(|error| {
            let byte = text[error.valid_up_to()];
            Error::file(path, format!("line {}", line + 1), "text in UTF-8", format!("byte 0x{byte:02x}"))
        })?;
        Ok((line + 1, text))
    })
}
