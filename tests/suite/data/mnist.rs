//! MNIST: the folder's layouts, and files that do not belong together.

use super::fixtures::{gzip, idx, message, write};
use gdstar::data::{Dataset, LoadOptions, Source, load, load_with};
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
          train-images.idx3-ubyte or train-images.idx3-ubyte.gz in it or in mnist or in MNIST/raw \
          (`gdstar data fetch mnist` downloads them)",
        ),
        (
            "t10k-labels-idx1-ubyte",
            "t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz or \
          t10k-labels.idx1-ubyte or t10k-labels.idx1-ubyte.gz in it (`gdstar data fetch mnist` downloads them)",
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
    let file = root.path().join("train-labels-idx1-ubyte");
    for (root, found) in [(nowhere, "no such folder"), (file, "something that is not a folder")] {
        let message = message(read(&root), found);
        assert!(message.starts_with(&format!("{}: data set: expected train-images", root.display())), "{message}");
        assert!(message.ends_with(&format!(", found {found}")), "{message}");
    }
    assert_eq!(
        message(load(Source::Mnist, None), "no folder"),
        "--data-dir: expected the folder with mnist's files (`gdstar data fetch mnist` downloads them), found none"
    );
}

#[test]
fn a_folder_in_a_files_place_is_an_error() {
    let root = good();
    let path = root.path().join("t10k-images-idx3-ubyte");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let message = message(read(root.path()), "a folder");
    assert_eq!(message, format!("{}: file type: expected a regular file, found a folder", path.display()));
}

/// As Kaggle packs it: a folder of each file's name, with the file in it, beside the file or alone.
#[test]
fn folders_of_the_files_names_are_looked_into() {
    let expected = read(good().path()).unwrap();
    for dotted in [true, false] {
        let root = good();
        for split in ["train", "t10k"] {
            for content in ["images-idx3", "labels-idx1"] {
                let name = format!("{split}-{content}-ubyte");
                let bytes = std::fs::read(root.path().join(&name)).unwrap();
                std::fs::remove_file(root.path().join(&name)).unwrap();
                if dotted {
                    std::fs::create_dir(root.path().join(&name)).unwrap();
                    write(root.path(), &name.replace("-idx", ".idx"), &bytes);
                } else {
                    write(&root.path().join(&name), &name, &bytes);
                }
            }
        }
        assert_eq!(read(root.path()).unwrap(), expected, "dotted: {dotted}");
    }
}

/// EMNIST's files have its name before MNIST's, and more classes.
#[test]
fn emnist_is_read_by_its_training_images() {
    let root = TempDir::new().unwrap();
    write_part(root.path(), "emnist-letters-train", DASHED, 27, false);
    write_part(root.path(), "emnist-letters-test", DASHED, 2, false);
    let images = root.path().join("emnist-letters-train-images-idx3-ubyte");
    let with = |classes| load_with(Source::Mnist, Some(&images), LoadOptions { classes, ..LoadOptions::default() });
    let data = with(Some(27)).unwrap();
    assert_eq!((data.classes.len(), data.train.len(), data.test.len()), (27, 27, 2));
    assert_eq!(data.train.labels[26], 26);
    assert!(message(with(None), "ten").contains("label 10: expected 0 to 9 (or --classes to have more"));
    assert!(message(with(Some(26)), "26").contains("label 26: expected 0 to 25"));
    assert_eq!(message(with(Some(257)), "257"), "--classes: expected 1 to 256, found 257");
    assert!(message(read(root.path()), "the folder").contains("train-images-idx3-ubyte"));
}

/// Without --data-dir the data are looked for where `data fetch` puts them, and the run keeps the place.
#[test]
fn what_was_fetched_is_found() {
    let root = TempDir::new().unwrap();
    let train = |more: &[&str]| {
        let arguments = ["train", "--model", "lenet300", "--data", "mnist", "--epochs", "1", "--every", "0"];
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gdstar"));
        command.args(arguments).args(more).current_dir(&root).output().unwrap()
    };
    let output = train(&[]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("--data-dir: expected") && told.contains("`gdstar data fetch mnist`"), "{told}");
    write_part(&root.path().join("data/mnist"), "train", DASHED, 3, true);
    write_part(&root.path().join("data/mnist"), "t10k", DASHED, 2, true);
    let output = train(&["--out", "run"]);
    assert!(output.status.success(), "{output:?}");
    let config = std::fs::read_to_string(root.path().join("run/config.toml")).unwrap();
    assert!(config.contains(&format!("data_dir = \"{}", root.path().canonicalize().unwrap().display())), "{config}");
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
    assert_eq!(
        found,
        format!(
            "{}: byte 10, label 2: expected 0 to 9 (or --classes to have more, as EMNIST does), found 10",
            path.display()
        )
    );

    let (path, found) = with("t10k-images-idx3-ubyte", &idx(&[2, 28, 27], &[0; 2 * 28 * 27]));
    assert_eq!(found, format!("{}: byte 12, columns: expected 28, found 27", path.display()));

    let (path, found) = with("t10k-images-idx3-ubyte", &idx(&[2], &[0, 1]));
    assert_eq!(found, format!("{}: byte 3, number of dimensions: expected 3, found 1", path.display()));

    let (path, found) = with("t10k-images-idx3-ubyte", &idx(&[2, 28, 28], &[0; 2 * 784 - 1]));
    let expected = "expected 1568 bytes after the header (2 x 28 x 28), found 1567";
    assert_eq!(found, format!("{}: byte 1583, end of data: {expected}", path.display()));
}
