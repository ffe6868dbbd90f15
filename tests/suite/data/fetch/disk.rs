//! Disks that are full, too small or read-only: the message says so, what has arrived stays, nothing gets a final name.

use super::command::{FIRST, FIRST_SIZE, fetch_mnist, without_proxies};
use super::server::{Reply, Server};
use super::{Download, assert_contains, content, data_set, names, published};
use crate::cli::text;
use std::path::Path;
use std::process::{Command, Stdio};

/// The real command under a real limit on file sizes (what the shell's `ulimit -f` sets), whose signal is ignored so
/// that the write fails as it does on a full disk.
#[cfg(unix)]
#[test]
fn a_limit_on_file_sizes_stops_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Reply::whole(&vec![0; FIRST_SIZE]));
    let arguments = fetch_mnist(&server.url(), folder.path().to_str().unwrap());
    let mut command = Command::new("sh");
    // 64 blocks, of 512 or 1024 bytes.
    command.args(["-c", "trap '' XFSZ; ulimit -f 64 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_gdstar")]);
    let output = without_proxies(&mut command).args(&arguments).stdin(Stdio::null()).output().unwrap();
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    let part = format!("{FIRST}.part");
    assert_contains(&told, &[&part, "expected room for", "more bytes", "bytes free)", "the same command continues"]);
    assert_eq!(names(&folder.path().join("mnist")), [part.as_str()]);
    let length = std::fs::metadata(folder.path().join("mnist").join(part)).unwrap().len();
    assert!(length == 64 * 512 || length == 64 * 1024, "{length}");
}

/// A small file system of its own, which takes Linux and the right to mount one.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mount = ["-t", "tmpfs", "-o", options, "tmpfs"];
        let output = Command::new("mount").args(mount).arg(folder.path()).output().unwrap();
        assert!(output.status.success(), "a file system cannot be mounted here: {}", text(&output.stderr));
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

/// A download into the root of a file system.
fn into(mount: &Mount) -> Download {
    let mut download = Download::new();
    download.root = tempfile::tempdir_in(mount.path()).unwrap();
    download
}

/// If there is no room, that is said before anything is asked for.
#[test]
#[ignore = "mounts a file system: needs Linux and root"]
fn a_disk_that_is_too_small_is_told_at_once() {
    let mount = Mount::new("size=256k");
    let server = Server::start(|_, _| Reply::status("404 Not Found"));
    let mut download = into(&mount);
    let bytes = content(300_000);
    let message = download.fails(&data_set(vec![published("file.bin", &bytes, &[&server.url()])]), 1);
    assert_contains(&message, &["file.bin.part: expected room for 300000 more bytes, found ", "bytes free; make room"]);
    assert_eq!((server.requests().len(), download.names()), (0, vec![]));
}

/// A disk that fills up on the way: what has arrived stays, and once there is room the rest is asked for.
#[test]
#[ignore = "mounts a file system: needs Linux and root"]
fn a_disk_that_fills_up_keeps_what_has_arrived() {
    let mount = Mount::new("size=256k");
    let mut download = into(&mount);
    let bytes = content(200_000);
    let (served, filler) = (bytes.clone(), mount.path().join("filler"));
    let fills = filler.clone();
    let server = Server::start(move |number, request| {
        if number == 0 {
            std::fs::write(&fills, vec![0; 128 * 1024]).unwrap();
        }
        Reply::asked(request, &served)
    });
    let set = data_set(vec![published("file.bin", &bytes, &[&server.url()])]);
    let message = download.fails(&set, 1);
    assert_contains(&message, &["file.bin.part: expected room for", "No space left", "(0 bytes free)", "make room"]);
    assert_eq!(download.names(), ["file.bin.part"]);
    let arrived = std::fs::read(download.path("file.bin.part")).unwrap();
    assert!(!arrived.is_empty() && bytes.starts_with(&arrived));

    std::fs::remove_file(filler).unwrap();
    download.run(&set).unwrap();
    assert_eq!(server.requests()[1].offset(), Some(arrived.len()));
    assert_eq!((std::fs::read(download.path("file.bin")).unwrap(), download.names()), (bytes, vec!["file.bin".into()]));
}

/// A folder that nothing can be written to is named.
#[test]
#[ignore = "mounts a file system: needs Linux and root"]
fn a_read_only_folder_is_named() {
    let mount = Mount::new("ro");
    let arguments = fetch_mnist("http://127.0.0.1:9/", mount.path().to_str().unwrap());
    let folder = mount.path().join("mnist");
    let parts = [folder.to_str().unwrap(), "cannot create", "Read-only"];
    crate::cli::assert_fails(&arguments.each_ref().map(String::as_str), 2, &parts);
}

/// An archive whose content finds no room is not begun; it stays, for when there is.
#[test]
#[ignore = "mounts a file system: needs Linux and root"]
fn an_archive_that_has_no_room_is_told_at_once() {
    let mount = Mount::new("size=256k");
    let mut download = into(&mount);
    let bytes = super::archive::zip(&[("tiny/zeros", &[0; 300_000])]);
    download.put("tiny.zip", &bytes);
    let message = download.fails(&super::archive::archived(&bytes, 1), 1);
    assert_contains(&message, &["set/tiny: expected room for 300000 more bytes, found ", "bytes free; make room"]);
    assert_eq!(download.names(), ["tiny.zip"]);
}
