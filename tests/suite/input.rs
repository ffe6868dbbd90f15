//! What is opened: regular files within the limit of their kind. Nothing waits, and nothing is set aside on a file's word.

use gdstar::data::idx::{self, Axis};
use gdstar::input::{Kind, open, read, read_text};
use std::fs::{self, File};
use std::path::Path;

const KINDS: [Kind; 7] =
    [Kind::Configuration, Kind::Metrics, Kind::List, Kind::Image, Kind::Records, Kind::DataSet, Kind::Tensors];

fn refusal(path: &Path, kind: Kind) -> String {
    let error = open(path, kind).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string().replace(path.to_str().unwrap(), "FILE")
}

/// A pipe is not waited for, a device that never ends is not read: both are named, as a folder is.
#[cfg(unix)]
#[test]
fn only_regular_files_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, device) = (folder.path().join("pipe"), folder.path().join("x.png"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
    for kind in KINDS {
        assert_eq!(refusal(&pipe, kind), "FILE: file type: expected a regular file, found a pipe");
        assert_eq!(refusal(&device, kind), "FILE: file type: expected a regular file, found a device");
        assert_eq!(refusal(folder.path(), kind), "FILE: file type: expected a regular file, found a folder");
        assert!(refusal(&folder.path().join("none"), kind).starts_with("FILE: cannot read: "));
    }
}

/// A file that is larger than its kind can be is refused by its size alone. Whatever is kept as a whole stays below half a
/// gigabyte, with as much again made of it.
#[test]
fn size_is_limited_by_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("padded");
    for kind in KINDS.into_iter().filter(|&kind| kind != Kind::Tensors) {
        File::create(&path).unwrap().set_len(kind.limit() + 1).unwrap();
        let expected =
            format!("FILE: file size: expected at most {0} bytes, found {1}", kind.limit(), kind.limit() + 1);
        assert_eq!(refusal(&path, kind), expected);
        assert!(kind == Kind::DataSet || 2 * kind.limit() <= 1 << 29, "{kind:?}");
    }
    File::create(&path).unwrap().set_len(Kind::Configuration.limit()).unwrap();
    assert_eq!(read(&path, Kind::Configuration).unwrap().len() as u64, Kind::Configuration.limit());
    fs::write(&path, b"ab\xffc").unwrap();
    let told = read_text(&path, Kind::Configuration).unwrap_err().to_string();
    assert!(told.ends_with(": byte 2: expected text in UTF-8, found 0xff"), "{told}");
}

/// Data that are long enough to matter are looked at to their end before they are kept: a plain file that goes on after
/// them, mostly a hole, is refused as a short one is.
#[test]
fn long_data_are_proved_before_they_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("images");
    let header = [0, 0, 8, 3, 0, 1, 0, 0, 0, 0, 0, 80, 0, 0, 0, 80]; // 65,536 images of 80 x 80
    let length = 65_536 * 80 * 80;
    let axes = [Axis { name: "size", size: None }; 3];
    for (excess, expected) in [(-1_i64, "end of data: expected"), (1, "expected the end after")] {
        fs::write(&path, header).unwrap();
        let size = (header.len() as i64 + length + excess) as u64;
        File::options().write(true).open(&path).unwrap().set_len(size).unwrap();
        let told = idx::read(&path, &axes).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
}
