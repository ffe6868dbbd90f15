//! Small files in the data sets' formats, written independently of the readers.

use flate2::Compression;
use flate2::write::GzEncoder;
use gdstar::Error;
use std::io::Write;
use std::path::{Path, PathBuf};

/// An IDX file of unsigned bytes, whatever the sizes claim.
pub fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, sizes.len() as u8];
    [&header[..], &sizes.iter().flat_map(|size| size.to_be_bytes()).collect::<Vec<u8>>(), bytes].concat()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The message, which has to be one line; panics with `what` if there is no error.
pub fn message<T>(outcome: Result<T, Error>, what: &str) -> String {
    let Err(error) = outcome else { panic!("{what} was accepted") };
    let message = error.to_string();
    assert_eq!(message.lines().count(), 1, "{message:?}");
    assert_eq!(error.exit_code(), 2, "{message}");
    message
}

/// A file in a folder that is made if need be.
pub fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}
