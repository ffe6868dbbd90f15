//! [`Part`]: one of the two files that a stream is until it is finished.

use crate::checksum::Checksum;
use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One part of a file to be.
pub(super) struct Part {
    /// Its path, or the file's own where the part has none that lasts.
    pub path: PathBuf,
    file: BufWriter<File>,
    /// Of everything written behind the room, where it is to be told apart from another's.
    hash: Option<Sha256>,
    /// How many bytes at the beginning are kept free.
    room: u64,
}

impl Part {
    /// An empty file, of which the beginning is kept free; `path` is for messages.
    pub fn new(path: &Path, file: File, room: u64) -> Result<Self> {
        let mut part = Self { path: path.to_path_buf(), file: BufWriter::new(file), hash: None, room };
        // Written, not skipped: the disk has it then.
        std::io::copy(&mut std::io::repeat(b' ').take(room), &mut part.file).map_err(part.failed("write"))?;
        Ok(part)
    }

    /// A new file of this name, which outlives the process.
    pub fn create(path: &Path, room: u64) -> Result<Self> {
        let open = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let file = open.map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists => {
                let expected = "none (resume the run that it belongs to, or remove it)";
                Error::file(path, "unfinished file", expected, "one")
            }
            _ => Error::io(path, "create")(e),
        })?;
        let part = Self::new(path, file, room).inspect_err(|_| drop(std::fs::remove_file(path)))?;
        Ok(Self { hash: Some(Sha256::new()), ..part })
    }

    /// A file that is there, with `bytes` behind its room: no more than that is read.
    pub fn reopen(path: &Path, room: u64, bytes: u64) -> Result<Self> {
        let mut file = open(path)?;
        let mut hash = Sha256::new();
        file.seek(SeekFrom::Start(room)).map_err(Error::io(path, "seek"))?;
        let found = std::io::copy(&mut (&file).take(bytes), &mut hash).map_err(Error::io(path, "read"))?;
        if found < bytes {
            return Err(Error::file(path, "length", format!("at least {bytes} bytes, as at the checkpoint"), found));
        }
        Ok(Self { path: path.to_path_buf(), file: BufWriter::new(file), hash: Some(hash), room })
    }

    /// Cuts off what is behind `bytes` bytes, ready to append.
    pub fn cut(&mut self, bytes: u64) -> Result<()> {
        let end = self.room + bytes;
        let file = self.file.get_mut();
        file.set_len(end).map_err(Error::io(&self.path, "truncate"))?;
        file.seek(SeekFrom::End(0)).map_err(Error::io(&self.path, "seek")).map(drop)
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        self.file.write_all(bytes).map_err(self.failed("write"))
    }

    pub fn sync(&mut self) -> Result<()> {
        self.file.flush().map_err(self.failed("write"))?;
        self.file.get_ref().sync_data().map_err(self.failed("sync"))
    }

    /// Everything written, from behind the room.
    pub fn content(&mut self) -> Result<&mut File> {
        self.at(self.room)
    }

    /// Fills the beginning of the room, on the disk.
    pub fn fill_room(&mut self, bytes: &[u8]) -> Result<()> {
        let (written, synced) = (self.failed("write"), self.failed("sync"));
        let file = self.at(0)?;
        file.write_all(bytes).map_err(written)?;
        file.sync_all().map_err(synced)
    }

    fn at(&mut self, place: u64) -> Result<&mut File> {
        self.file.flush().map_err(self.failed("write"))?;
        let failed = self.failed("seek");
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start(place)).map_err(failed)?;
        Ok(file)
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(std::io::Error) -> Error + use<> {
        Error::io(self.path.clone(), action)
    }
}

/// Of two parts.
pub(super) fn checksum(one: &Part, other: &Part) -> Option<Checksum> {
    let [one, other] = [one.hash.as_ref()?, other.hash.as_ref()?].map(Checksum::of);
    Some(Checksum::of(&Sha256::new().chain_update(one).chain_update(other)))
}

/// Where the `count`-th line of a file ends.
pub(super) fn line_end(path: &Path, count: usize) -> Result<u64> {
    let mut reader = BufReader::new(open(path)?);
    let mut end = 0;
    for line in 0..count {
        match reader.skip_until(b'\n').map_err(Error::io(path, "read"))? {
            0 => return Err(Error::file(path, "lines", format!("at least {count}, as at the checkpoint"), line)),
            read => end += read as u64,
        }
    }
    Ok(end)
}

/// Opens a file that is there.
fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).open(path).map_err(Error::io(path, "open"))
}
