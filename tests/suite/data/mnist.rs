//! MNIST: the folder's layouts, and files that do not belong together.

use super::fixtures::{gzip, idx, message, write};
use gdstar::data::{Dataset, Source, load};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Writes `count` images and labels under the names `split` + `suffix`; image i is all i + 1, label i is i.
fn write_part(folder: &Path, split: &str, suffix: [&str; 2], count: u32, packed: bool) {
    let pixels: Vec<u8> = (0..count * 784).map(|i| (i / 784) as u8 + 1).collect();
    let labels: Vec<u8> = (0..count).map(|i| i as u8).collect();
    let pack = |file: Vec<u8>| if packed { gzip(&file) } else { file };
    write(folder, &format!("{split}-images{}", suffix[0]), &pack(idx(&[count, 28, 28], &pixels)));
    write(folder, &format!("{split}-labels{}", suffix[1]), &pack(idx(&[count], &labels)));
}

const DASHED: [&str; 2] = ["-idx3-ubyte", "-idx1-ubyte"];

/// A good data set of 3 and 2 images in a folder of its own.
fn good() -> TempDir {
    let root = TempDir::new().unwrap();
    write_part(root.path(), "train", DASHED, 3, false);
    write_part(root.path(), "t10k", DASHED, 2, false);
    root
}

fn read(root: &Path) -> gdstar::Result<Dataset> {
    load(Source::Mnist, Some(root))
}

#[test]
fn every_layout_gives_the_same_data() {
    let expected = read(good().path()).unwrap();
    assert_eq!((expected.name, expected.classes.len(), expected.augmentation), ("mnist", 10, None));
    assert_eq!((expected.train.shape, &expected.train.labels[..]), ([1, 28, 28], &[0, 1, 2][..]));
    assert_eq!((expected.test.shape, &expected.test.labels[..]), ([1, 28, 28], &[0, 1][..]));
    assert_eq!(expected.train.pixels, [[1; 784], [2; 784], [3; 784]].concat());
    assert_eq!(expected.test.image(1), [2; 784]);
    for subfolder in ["", "mnist", "MNIST/raw"] {
        for (suffix, packed) in [
            (DASHED, false),
            (["-idx3-ubyte.gz", "-idx1-ubyte.gz"], true),
            ([".idx3-ubyte", ".idx1-ubyte"], false),
            ([".idx3-ubyte.gz", ".idx1-ubyte.gz"], true),
            (DASHED, true),                                // gzip under a plain name
            (["-idx3-ubyte.gz", ".idx1-ubyte.gz"], false), // plain under a gzip name
        ] {
            let root = TempDir::new().unwrap();
            let folder = root.path().join(subfolder);
            write_part(&folder, "train", suffix, 3, packed);
            write_part(&folder, "t10k", suffix, 2, packed);
            assert_eq!(read(root.path()).unwrap(), expected, "{subfolder} {suffix:?} {packed}");
        }
    }
}

#[test]
fn a_missing_file_is_named_with_the_names_tried() {
    let root = good();
    let path = root.path().display();
    for (file, names) in [
        (
            "train-images-idx3-ubyte",
            "train-images-idx3-ubyte or train-images-idx3-ubyte.gz or \
          train-images.idx3-ubyte or train-images.idx3-ubyte.gz in it or in mnist or in MNIST/raw",
        ),
        (
            "t10k-labels-idx1-ubyte",
            "t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz or \
          t10k-labels.idx1-ubyte or t10k-labels.idx1-ubyte.gz in it",
        ),
    ] {
        let content = std::fs::read(root.path().join(file)).unwrap();
        std::fs::remove_file(root.path().join(file)).unwrap();
        assert_eq!(message(read(root.path()), file), format!("{path}: data set: expected {names}, found none"));
        write(root.path(), file, &content);
    }
    read(root.path()).unwrap();
}

#[test]
fn a_root_that_is_no_folder_is_named() {
    let root = good();
    let nowhere = root.path().join("nowhere");
    let file = root.path().join("train-images-idx3-ubyte");
    for (root, found) in [(nowhere, "no such folder"), (file, "something that is not a folder")] {
        let message = message(read(&root), found);
        assert!(message.starts_with(&format!("{}: data set: expected train-images", root.display())), "{message}");
        assert!(message.ends_with(&format!(", found {found}")), "{message}");
    }
    assert_eq!(
        message(load(Source::Mnist, None), "no folder"),
        "data_dir: expected the folder with mnist's files, found none"
    );
}

#[test]
fn a_folder_in_a_files_place_is_an_error() {
    let root = good();
    let path = root.path().join("t10k-images-idx3-ubyte");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let message = message(read(root.path()), "a folder");
    assert!(message.starts_with(&format!("{}: cannot ", path.display())), "{message}");
}

/// Replaces one file of a good data set and gives its path and the message.
fn with(name: &str, content: &[u8]) -> (PathBuf, String) {
    let root = good();
    let path = write(root.path(), name, content);
    let message = message(read(root.path()), name);
    (path, message)
}

#[test]
fn files_that_do_not_belong_together_are_told() {
    let (path, found) = with("train-labels-idx1-ubyte", &idx(&[2], &[0, 1]));
    let images = path.with_file_name("train-images-idx3-ubyte");
    let expected = format!("expected 3, the number of images in {}, found 2", images.display());
    assert_eq!(found, format!("{}: byte 4, number of labels: {expected}", path.display()));

    let (path, found) = with("train-labels-idx1-ubyte", &idx(&[3], &[9, 0, 10]));
    assert_eq!(found, format!("{}: byte 10, label 2: expected 0 to 9, found 10", path.display()));

    let (path, found) = with("t10k-images-idx3-ubyte", &idx(&[2, 28, 27], &[0; 2 * 28 * 27]));
    assert_eq!(found, format!("{}: byte 12, columns: expected 28, found 27", path.display()));

    let (path, found) = with("t10k-images-idx3-ubyte", &idx(&[2], &[0, 1]));
    assert_eq!(found, format!("{}: byte 3, number of dimensions: expected 3, found 1", path.display()));

    let (path, found) = with("t10k-images-idx3-ubyte", &idx(&[2, 28, 28], &[0; 2 * 784 - 1]));
    let expected = "expected 1568 bytes after the header (2 x 28 x 28), found 1567";
    assert_eq!(found, format!("{}: byte 1583, end of data: {expected}", path.display()));
}
