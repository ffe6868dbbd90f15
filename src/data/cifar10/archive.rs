//! The official `cifar-10-binary.tar.gz`, read as it is: a tar archive of the six files, compressed with gzip.
//!
//! It is unpacked into memory front to back, and only the six files are kept. What is allocated follows the bytes
//! that come out, never a size that a header claims.

use super::{Batch, FILES, FOLDER, parse};
use crate::data::file;
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path};
use tar::{Archive, Entry};

/// The most that the archive may unpack to: half as much again as the official one's 184 MB. Images are kept before the
/// end of the stream, where its checksum is.
pub const MAX_BYTES: u64 = Kind::Records.limit();

/// Reads the archive at `path`; see [`unpack`].
///
/// # Errors
/// [`Error::Io`] if it cannot be opened; those of [`unpack`].
pub fn read(path: &Path) -> Result<[Batch; 6]> {
    let (file, _) = input::open(path, Kind::DataSet)?;
    unpack(path, BufReader::new(file))
}

/// The six files of a gzipped tar archive, in the order of their names' list. `path` is for messages.
///
/// A member counts by its name, which is one of the six, at the top or in `cifar-10-batches-bin/`; all others are
/// passed over. Extended headers are among these: no size or name that they state is heard, as the official archive
/// needs none.
///
/// # Errors
/// [`Error::File`] with the archive and the member: a stream that is no gzip, is cut or damaged; a damaged header of a
/// member; a member that is missing, given twice, no ordinary file or shorter than its header says; more than
/// [`MAX_BYTES`] of content; those of [`parse`].
pub fn unpack(path: &Path, packed: impl BufRead) -> Result<[Batch; 6]> {
    let mut found: [Option<Batch>; 6] = Default::default();
    let mut archive = Archive::new(MultiGzDecoder::new(packed).take(MAX_BYTES + 1));
    let outcome = collect(path, &mut archive, &mut found);
    let mut stream = archive.into_inner();
    // What follows the last member is read too: gzip states its checksum at the end.
    let outcome = outcome.and_then(|()| drain(path, &mut stream));
    if stream.limit() == 0 {
        // Whatever the missing rest was taken for.
        return Err(Error::file(path, "unpacked size", format!("at most {MAX_BYTES} bytes"), "more"));
    }
    outcome?;
    let missing = |i: usize| Error::file(path, "archive", format!("a member {FOLDER}/{}", FILES[i]), "none");
    let [one, two, three, four, five, test] = found;
    let of = |i, batch: Option<Batch>| batch.ok_or_else(|| missing(i));
    Ok([of(0, one)?, of(1, two)?, of(2, three)?, of(3, four)?, of(4, five)?, of(5, test)?])
}

fn collect<R: Read>(path: &Path, archive: &mut Archive<R>, found: &mut [Option<Batch>; 6]) -> Result<()> {
    let mut last = "the start".to_string();
    let entries = archive.entries().map_err(|error| damaged(path, &last, &error))?;
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(|error| damaged(path, &last, &error))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(position) = position(Path::new(&name)) {
            let member = path.join(&name);
            if found[position].is_some() {
                return Err(Error::file(member, "member", format!("one {}", FILES[position]), "a second"));
            }
            let images = parse(&member, &content(&member, &mut entry)?)?;
            found[position] = Some(Batch { path: member, images });
        }
        last = format!("member {name}");
    }
    Ok(())
}

/// Which of the six files a member is, if it is one.
fn position(name: &Path) -> Option<usize> {
    let mut parts = name.components().filter(|part| *part != Component::CurDir);
    let (first, second, end) = (parts.next()?.as_os_str(), parts.next(), parts.next());
    let file = match (second, end) {
        (None, None) => first,
        (Some(file), None) if first == FOLDER => file.as_os_str(),
        _ => return None,
    };
    FILES.iter().position(|name| file == *name)
}

fn content<R: Read>(member: &Path, entry: &mut Entry<R>) -> Result<Vec<u8>> {
    let kind = entry.header().entry_type();
    if !kind.is_file() {
        return Err(Error::file(
            member,
            "header",
            "an ordinary file",
            format!("type `{}`", kind.as_byte().escape_ascii()),
        ));
    }
    let mut bytes = Vec::new();
    let outcome = file::read_at_most(&mut *entry, MAX_BYTES, &mut bytes);
    outcome.map_err(|error| damaged(member, &format!("byte {}", bytes.len()), &error))?;
    if bytes.len() as u64 != entry.size() {
        return Err(Error::file(member, "content", format!("{} bytes, as its header says", entry.size()), bytes.len()));
    }
    Ok(bytes)
}

/// Reads to the end without keeping anything.
fn drain(path: &Path, stream: &mut impl Read) -> Result<()> {
    io::copy(stream, &mut io::sink()).map(drop).map_err(|error| damaged(path, "the last member", &error))
}

fn damaged(path: &Path, after: &str, error: &io::Error) -> Error {
    let found = match error.kind() {
        io::ErrorKind::UnexpectedEof => "its end".into(),
        _ => error.to_string(),
    };
    Error::file(path, format!("after {after}"), "an intact gzipped tar archive", found)
}
