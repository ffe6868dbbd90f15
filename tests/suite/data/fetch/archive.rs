//! Archives: unpacked whole or not at all, and nothing outside their folder.

use super::server::{Reply, Server};
use super::{Download, assert_contains, data_set, names, published};
use gdstar::data::fetch::{Archive, DataSet, Event, Fetch};
use std::io::{Cursor, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use zip::write::{SimpleFileOptions, ZipWriter};

/// Three files, in the manner of Tiny ImageNet.
const ENTRIES: [(&str, &[u8]); 3] = [
    ("tiny/wnids.txt", b"n01\n"),
    ("tiny/train/n01/images/n01_0.JPEG", b"not really a JPEG, not really a JPEG"),
    ("tiny/val/val_annotations.txt", b"val_0.JPEG\tn01\t0\t0\t1\t1\n"),
];

/// A zip archive with entries for the folder `tiny/` and these files.
pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("tiny/", SimpleFileOptions::default()).unwrap();
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The published data set whose archive is `bytes`, with so many files.
pub fn archived(bytes: &[u8], files: usize) -> DataSet {
    let archive = Archive { name: "tiny.zip".to_string(), folder: "tiny".to_string(), files };
    DataSet { archive: Some(archive), ..data_set(vec![published("tiny.zip", bytes, &[])]) }
}

/// A folder in which the archive has already arrived.
fn with_archive(bytes: &[u8]) -> Download {
    let download = Download::new();
    download.put("tiny.zip", bytes);
    download
}

/// The archive is downloaded, kept, and unpacked beside it; where it is, is returned.
#[test]
fn an_archive_is_downloaded_and_unpacked() {
    let bytes = zip(&ENTRIES);
    let served = bytes.clone();
    let server = Server::start(move |_, request| Reply::asked(request, &served));
    let mut set = archived(&bytes, 3);
    set.files = vec![published("tiny.zip", &bytes, &[&server.url()])];
    let mut download = Download::new();
    let folder = download.run(&set).unwrap();
    assert_eq!(folder, download.path("tiny"));
    for (name, content) in ENTRIES {
        assert_eq!(std::fs::read(download.path(name)).unwrap(), content, "{name}");
    }
    assert_eq!(download.names(), ["tiny", "tiny.zip"]);
    assert!(download.was_told("Unpacking") && download.was_told("Unpacked"));

    // Unpacked, it is left alone, also without its archive.
    std::fs::remove_file(download.path("tiny.zip")).unwrap();
    download.told.clear();
    assert_eq!(download.run(&set).unwrap(), folder);
    assert_eq!((server.requests().len(), download.names()), (1, vec!["tiny".to_string()]));
    assert!(download.was_told("Present"));
}

/// A folder that lacks a file, or has an empty one, is named; it is replaced only on request. What a killed process
/// left half-unpacked is not in the way.
#[test]
fn an_incomplete_folder_is_not_overwritten_silently() {
    let bytes = zip(&ENTRIES);
    let mut download = with_archive(&bytes);
    let set = archived(&bytes, 3);
    std::fs::create_dir_all(download.path("tiny.part/tiny/train")).unwrap();
    download.run(&set).unwrap();
    std::fs::write(download.path("tiny/wnids.txt"), b"").unwrap();
    let message = download.fails(&set, 2);
    assert_contains(&message, &["set/tiny: number of files that are not empty: expected 3", "--force", "found 2"]);
    download.replace = true;
    download.run(&set).unwrap();
    assert_eq!(std::fs::read(download.path("tiny/wnids.txt")).unwrap(), b"n01\n");
    assert_eq!(download.names(), ["tiny", "tiny.zip"]);
}

/// Paths that lead elsewhere, on any system, and links are refused, and nothing of the archive stays.
#[test]
fn entries_outside_the_folder_are_refused() {
    let names = [
        "../evil",
        "tiny/../../evil",
        "tiny/../tiny/evil",
        "/etc/evil",
        "elsewhere/evil",
        "tiny//evil",
        "tiny/./evil",
        "tiny\\..\\evil",
        "tiny/C:evil",
    ];
    for name in names {
        let bytes = zip(&[ENTRIES[0], (name, b"evil")]);
        refused(&bytes, 2, &["tiny.zip: entry `", "evil`: expected a path below tiny"]);
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("tiny/link", "/etc", SimpleFileOptions::default()).unwrap();
    refused(
        &writer.finish().unwrap().into_inner(),
        1,
        &["entry `tiny/link`: expected a file or a folder, found a link"],
    );
}

/// Refused with exit code 2 and these parts of a message; only the archive stays.
fn refused(bytes: &[u8], files: usize, parts: &[&str]) {
    let mut download = with_archive(bytes);
    assert_contains(&download.fails(&archived(bytes, files), 2), parts);
    assert_eq!(download.names(), ["tiny.zip"], "{parts:?}");
    assert_eq!(names(download.root.path()), ["set"], "{parts:?}");
}

/// Where the last entry's header starts in the archive's directory.
fn last_header(bytes: &[u8]) -> usize {
    bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap()
}

/// Planted faults: every one is found, none allocates what it claims.
#[test]
fn damaged_archives_are_refused() {
    let whole = zip(&ENTRIES);
    refused(&whole[..whole.len() / 2], 3, &["tiny.zip: directory: expected a zip archive"]);
    refused(&[], 3, &["tiny.zip: directory: expected a zip archive"]);

    // The directory claims 4 GiB less two bytes for the last entry: more than any data set has.
    let mut huge = whole.clone();
    let at = last_header(&huge) + 24;
    huge[at..at + 4].copy_from_slice(&0xFFFF_FFFEu32.to_le_bytes());
    refused(&huge, 3, &["tiny.zip: unpacked size: expected at most 1073741824 bytes, found 42949673"]);

    // It claims one byte less, and one more, than there are.
    for (claim, length) in [(-1, ENTRIES[2].1.len()), (1, ENTRIES[2].1.len())] {
        let mut lying = whole.clone();
        let at = last_header(&lying) + 24;
        let claimed = (length as u32).wrapping_add_signed(claim);
        lying[at..at + 4].copy_from_slice(&claimed.to_le_bytes());
        refused(&lying, 3, &["entry `tiny/val/val_annotations.txt`: expected"]);
    }

    // A content that does not fit its checksum.
    let mut spoilt = whole.clone();
    let at = last_header(&spoilt) + 16;
    spoilt[at] ^= 1;
    refused(&spoilt, 3, &["entry `tiny/val/val_annotations.txt`: expected bytes that fit its checksum"]);

    // A 64-bit end of the directory that claims 2^40 entries.
    let mut many = Vec::from(*b"PK\x06\x06");
    many.extend(44u64.to_le_bytes());
    many.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    [1u64 << 40, 1 << 40, 46, 0].iter().for_each(|field| many.extend(field.to_le_bytes()));
    many.extend(b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0");
    many.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    refused(&many, 3, &["tiny.zip: directory: expected a zip archive"]);

    refused(&whole, 4, &["tiny.zip: number of files that are not empty: expected 4, found 3"]);
}

/// An interruption while unpacking leaves the archive and nothing half-unpacked.
#[test]
fn interrupted_unpacking_leaves_the_archive() {
    let bytes = zip(&ENTRIES);
    let download = with_archive(&bytes);
    let stop = AtomicBool::new(false);
    let mut tell = |event: Event<'_>| {
        if event == Event::At(4) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let error = Fetch { network: super::impatient(), replace: false, stop: &stop, tell: &mut tell }
        .run(&archived(&bytes, 3), download.root.path())
        .unwrap_err();
    assert_contains(&error.to_string(), &["tiny.zip", "found 4 when interrupted"]);
    assert_eq!((error.exit_code(), download.names()), (1, vec!["tiny.zip".to_string()]));
}
