//! What is written: whole or not there, with the permissions it should have, through links, pipes and devices, and without
//! leaving anything behind.

use gdstar::Result;
use gdstar::output::{check, check_new, write_atomically};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

fn write(path: &Path, content: &str) -> Result<()> {
    write_atomically(path, |file| file.write_all(content.as_bytes()))
}

fn names(folder: &Path) -> Vec<OsString> {
    let mut names: Vec<OsString> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

/// What a killed process left is removed by the next that writes in its folder; what another is still filling is not, nor
/// are files by other names.
#[test]
fn abandoned_temporary_files_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in [".gdstar-abandoned.part", ".gdstar-alive.part", ".gdstar-notes", "x.part"] {
        fs::write(path(name), "half").unwrap();
    }
    fs::create_dir_all(path(".gdstar-export.part/deep")).unwrap();
    let alive = File::open(path(".gdstar-alive.part")).unwrap();
    alive.lock().unwrap();
    write(&path("result"), "whole").unwrap();
    assert_eq!(names(folder.path()), [".gdstar-alive.part", ".gdstar-notes", "result", "x.part"]);
    // Not merely closed: a process that another test starts has a copy of it for an instant.
    alive.unlock().unwrap();
    write(&path("result"), "whole again").unwrap();
    assert_eq!(names(folder.path()), [".gdstar-notes", "result", "x.part"]);
}

/// A write that fails leaves what was there, and nothing else.
#[test]
fn a_failed_write_leaves_the_old_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result");
    write(&path, "old").unwrap();
    let full = write_atomically(&path, |file| {
        file.write_all(b"new, but")?;
        Err(std::io::ErrorKind::StorageFull.into())
    });
    assert_eq!(full.unwrap_err().exit_code(), 1, "a run that failed, not a wrong option");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(names(folder.path()), ["result"]);
}

#[cfg(unix)]
#[test]
fn permissions_of_a_replaced_file_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("private");
    for mode in [0o600, 0o640, 0o666] {
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        write(&path, "new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}

/// A link stays, and what it leads to is replaced or made, be it by a chain of relative ones.
#[cfg(unix)]
#[test]
fn links_are_followed() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("disk")).unwrap();
    symlink("second", path("first")).unwrap();
    symlink("disk/result", path("second")).unwrap();
    for content in ["new", "replaced"] {
        write(&path("first"), content).unwrap();
        assert_eq!(fs::read_to_string(path("disk/result")).unwrap(), content);
        assert_eq!(fs::read_link(path("first")).unwrap(), Path::new("second"));
        assert_eq!(fs::read_link(path("second")).unwrap(), Path::new("disk/result"));
        assert_eq!(names(&path("disk")), ["result"]);
    }
    symlink("round", path("round")).unwrap();
    assert!(write(&path("round"), "x").unwrap_err().to_string().contains("round: cannot "));
}

/// A device is written into, not replaced by a file of its name; a full one fails.
#[cfg(unix)]
#[test]
fn devices_and_pipes_are_written_into() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // Links, so that a write that replaced them would do no harm beyond this folder.
    for device in ["null", "full"] {
        std::os::unix::fs::symlink(Path::new("/dev").join(device), path(device)).unwrap();
    }
    write(&path("null"), "gone").unwrap();
    assert!(fs::metadata(path("null")).unwrap().file_type().is_char_device());
    let full = write(&path("full"), "too much").unwrap_err();
    assert_eq!((full.exit_code(), full.to_string().contains("full: cannot write: ")), (1, true), "{full}");
    let pipe = path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    write(&pipe, "through").unwrap();
    assert_eq!(reader.join().unwrap(), "through");
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(names(folder.path()), ["full", "null", "pipe"]);
}

/// Before the work: a folder that is not there, a folder in the file's place, and a file that is read or written as well
/// are refused, by whatever name.
#[test]
fn a_place_is_looked_at_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("input"), "precious").unwrap();
    let told = |out: &str, input: &str| check("--out", &path(out), &[path(input)]).map_err(|error| error.to_string());
    assert_eq!(told("output", "input"), Ok(()));
    assert_eq!(told("output", "nowhere/input"), Ok(()));
    assert!(told("nowhere/output", "input").unwrap_err().contains("nowhere/output: cannot find its folder: "));
    assert!(told(".", "input").unwrap_err().contains("file type: expected a file, or nothing yet, found a folder"));
    assert!(told("input", "input").unwrap_err().starts_with("--out: expected a file other than"));
    assert!(told("../input", "input").is_ok());
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("input", path("link")).unwrap();
        assert!(told("link", "input").unwrap_err().starts_with("--out: expected a file other than"));
        assert!(told("input", "link").unwrap_err().starts_with("--out: expected a file other than"));
    }
    assert_eq!(fs::read_to_string(path("input")).unwrap(), "precious");
    let none: &[&Path] = &[];
    assert!(check_new("--trace", &path("new"), none).is_ok());
    let taken = check_new("--trace", &path("input"), none).unwrap_err().to_string();
    assert!(taken.starts_with("--trace: expected a file that is not there yet, found "), "{taken}");
    assert!(!path("new").exists(), "looking writes nothing");
}

/// Looking whether a file can be written leaves nothing for anybody to see, however closely the folder is watched.
#[cfg(target_os = "linux")]
#[test]
fn a_look_is_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result");
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| (0..2000).for_each(|_| check("--out", &path, &[] as &[&Path]).unwrap()));
        while !looks.is_finished() {
            assert_eq!(names(folder.path()), [] as [OsString; 0]);
        }
    });
}
