//! CIFAR-10: the record's layout, the six files, and every way they can be wrong.

use super::fixtures::{message, write};
use gdstar::data::{Augmentation, Dataset, Images, Source, cifar10, load};
use std::path::Path;
use tempfile::TempDir;

pub const FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// A record whose red, green and blue planes are constant.
pub fn record(label: u8, [red, green, blue]: [u8; 3]) -> Vec<u8> {
    [vec![label], vec![red; 1024], vec![green; 1024], vec![blue; 1024]].concat()
}

/// Six files of two records; record r of file f has label f, and red f, green 10 + r, blue 255.
pub fn good(folder: &Path) {
    for (f, name) in (0..).zip(FILES) {
        write(folder, name, &[record(f, [f, 10, 255]), record(f, [f, 11, 255])].concat());
    }
}

fn read(root: &Path) -> gdstar::Result<Dataset> {
    load(Source::Cifar10, Some(root))
}

#[test]
fn files_are_read_in_order_from_either_folder() {
    for subfolder in ["", "cifar-10-batches-bin"] {
        let root = TempDir::new().unwrap();
        good(&root.path().join(subfolder));
        let data = read(root.path()).unwrap();
        assert_eq!((data.name, data.classes.len(), data.train.shape), ("cifar10", 10, [3, 32, 32]));
        assert_eq!(data.train.labels, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
        assert_eq!(data.test.labels, [5, 5]);
        assert_eq!(data.train.image(5), &record(2, [2, 11, 255])[1..]);
        assert_eq!(data.augmentation, Some(Augmentation { padding: 4 }));
    }
}

/// The version for Python has other files; that it is there is said.
#[test]
fn the_version_for_python_is_named() {
    for name in ["cifar-10-python.tar.gz", "cifar-10-batches-py/data_batch_1", "data_batch_1"] {
        let root = TempDir::new().unwrap();
        let path = root.path().join(name);
        write(path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap(), b"\x80\x02}q");
        let found = name.split('/').next().unwrap();
        for given in [root.path().to_path_buf(), root.path().join(found)] {
            let told = message(read(&given), name);
            assert!(told.contains("expected the binary version, data_batch_1.bin or cifar-10-binary.tar.gz"), "{told}");
            assert!(told.contains("data fetch cifar10") && told.contains("the version for Python"), "{told}");
        }
    }
}

#[test]
fn a_missing_file_is_named() {
    for name in FILES {
        let root = TempDir::new().unwrap();
        good(root.path());
        std::fs::remove_file(root.path().join(name)).unwrap();
        let also = match name == FILES[0] {
            true => {
                " or cifar-10-binary.tar.gz in it or in cifar-10-batches-bin (`gdstar data fetch cifar10` downloads them)"
            }
            false => " in it",
        };
        let expected = format!("{}: data set: expected {name}{also}, found none", root.path().display());
        assert_eq!(message(read(root.path()), name), expected);
    }
}

#[test]
fn each_fault_is_named_with_its_record() {
    let good = [record(9, [1, 2, 3]), record(0, [4, 5, 6])].concat();
    let bad_label = [&good[..], &record(10, [7, 8, 9])].concat();
    let cases: &[(&[u8], &str)] = &[
        (&[], "f: record 0 at byte 0: expected 3073 bytes, found 0"),
        (&good[..6145], "f: record 1 at byte 3073: expected 3073 bytes, found 3072"),
        (&[&good[..], &[0]].concat(), "f: record 2 at byte 6146: expected 3073 bytes, found 1"),
        (&bad_label, "f: record 2 at byte 6146, label: expected 0 to 9, found 10"),
    ];
    for (content, expected) in cases {
        assert_eq!(&message(cifar10::parse(Path::new("f"), content), expected), expected);
    }
    let expected = Images { shape: [3, 32, 32], pixels: [&good[1..3073], &good[3074..]].concat(), labels: vec![9, 0] };
    assert_eq!(cifar10::parse(Path::new("f"), &good).unwrap(), expected);
}

/// A file cut anywhere but between two records is an error that names the record; between two records it is a
/// smaller file, which [`a_training_file_cut_between_records_is_told`].
#[test]
fn a_file_cut_anywhere_in_a_record_is_an_error() {
    let content = [record(1, [1, 2, 3]), record(2, [4, 5, 6])].concat();
    for length in 0..content.len() {
        let (record, rest) = (length / 3073, length % 3073);
        let outcome = cifar10::parse(Path::new("f"), &content[..length]);
        if length > 0 && rest == 0 {
            assert_eq!(outcome.unwrap().len(), record);
        } else {
            let expected = format!("f: record {record} at byte {}: expected 3073 bytes, found {rest}", record * 3073);
            assert_eq!(message(outcome, "a cut record"), expected);
        }
    }
}

/// The size is looked at before anything is read: this file has 256 MiB and a byte, none of them on disk.
#[test]
fn a_file_too_large_is_not_read() {
    let root = TempDir::new().unwrap();
    good(root.path());
    let path = root.path().join(FILES[5]);
    std::fs::File::create(&path).unwrap().set_len((1 << 28) + 1).unwrap();
    let expected = "file size: expected at most 268435456 bytes, found 268435457";
    assert_eq!(message(read(root.path()), "a huge file"), format!("{}: {expected}", path.display()));
}

#[test]
fn a_training_file_cut_between_records_is_told() {
    let root = TempDir::new().unwrap();
    good(root.path());
    let path = write(root.path(), FILES[3], &record(3, [3, 10, 255]));
    let expected = "number of records: expected 2 records, as many as in data_batch_1.bin, found 1";
    assert_eq!(message(read(root.path()), "a short file"), format!("{}: {expected}", path.display()));
}
