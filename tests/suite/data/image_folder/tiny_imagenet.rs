//! Tiny ImageNet as it is distributed.

use super::super::fixtures::write;
use super::{read, refused, write_image};
use gdstar::data::image_folder::layout::find;
use std::path::Path;
use tempfile::TempDir;

const WNIDS: &str = "n02\nn01\nn10\n";
const ANNOTATIONS: &str =
    "val_1.JPEG\tn10\t0\t32\t44\t62\nval_0.JPEG\tn01\t0\t0\t63\t63\nval_2.JPEG\tn01\t1\t2\t3\t4\n";

/// Three classes of two training images and three validation images, with everything else that the archive has.
fn good() -> TempDir {
    let root = TempDir::new().unwrap();
    lay_out(root.path());
    root
}

fn lay_out(root: &Path) {
    write(root, "wnids.txt", WNIDS.as_bytes());
    write(root, "words.txt", b"n01\tgoldfish, Carassius auratus\n");
    for (i, wnid) in (1..).zip(["n01", "n02", "n10"]) {
        for image in 0..2 {
            write_image(root, &format!("train/{wnid}/images/{wnid}_{image}.JPEG"), [i, image, 0]);
        }
        write(&root.join("train").join(wnid), &format!("{wnid}_boxes.txt"), b"n01_0.JPEG\t0\t10\t63\t58\n");
    }
    for i in 0..3 {
        write_image(root, &format!("val/images/val_{i}.JPEG"), [0, 0, i]);
        write_image(root, &format!("test/images/test_{i}.JPEG"), [9; 3]);
    }
    write(&root.join("val"), "val_annotations.txt", ANNOTATIONS.as_bytes());
}

/// Labels are by sorted name, not by the order of wnids.txt; validation images by name, not by annotation; the
/// unlabelled test images are left alone.
#[test]
fn the_distributed_layout_is_read() {
    for subfolder in ["", "tiny-imagenet-200"] {
        let root = TempDir::new().unwrap();
        lay_out(&root.path().join(subfolder));
        let data = read(root.path()).unwrap();
        assert_eq!((data.classes.len(), &data.train.labels[..]), (3, &[0, 0, 1, 1, 2, 2][..]));
        assert_eq!(data.test.labels, [0, 2, 0]);
        let colour = |image: &[u8]| [image[0], image[64], image[128]];
        let train: Vec<_> = (0..6).map(|i| colour(data.train.image(i))).collect();
        assert_eq!(train, [[1, 0, 0], [1, 1, 0], [2, 0, 0], [2, 1, 0], [3, 0, 0], [3, 1, 0]]);
        let test: Vec<_> = (0..3).map(|i| colour(data.test.image(i))).collect();
        assert_eq!(test, [[0, 0, 0], [0, 0, 1], [0, 0, 2]]);
        assert_eq!(find(root.path()).unwrap().classes, ["n01", "n02", "n10"]);
    }
}

/// Without wnids.txt the classes are the folders of train, which gives the same data.
#[test]
fn the_list_of_classes_may_be_missing() {
    let root = good();
    let expected = read(root.path()).unwrap();
    std::fs::remove_file(root.path().join("wnids.txt")).unwrap();
    assert!(read(root.path()).unwrap() == expected);
}

/// The usual script sorts the validation images into classes, and leaves lists and an empty folder behind.
#[test]
fn a_sorted_validation_part_is_read() {
    let root = good();
    let expected = read(root.path()).unwrap();
    let validation = root.path().join("val");
    for (i, wnid) in ["n01", "n10", "n01"].iter().enumerate() {
        let folder = validation.join(wnid).join("images");
        std::fs::create_dir_all(&folder).unwrap();
        let name = format!("val_{i}.JPEG");
        std::fs::rename(validation.join("images").join(&name), folder.join(&name)).unwrap();
    }
    for left_over in ["val/images", "val/val_annotations.txt", "wnids.txt"] {
        let sorted = read(root.path()).unwrap();
        assert!(sorted.train == expected.train && sorted.test.labels == [0, 0, 2], "with {left_over}");
        let path = root.path().join(left_over);
        if path.is_dir() { std::fs::remove_dir(path) } else { std::fs::remove_file(path) }.unwrap();
    }
}

/// The message after one text file is replaced.
fn with(name: &str, content: &str) -> String {
    let root = good();
    write(root.path(), name, content.as_bytes());
    refused(root.path())
}

#[test]
fn a_fault_in_the_list_of_classes_is_named_with_its_line() {
    let cases = [
        ("n02\nn01\nn10\nn11\n", "line 4: expected a class that has a folder in train, found `n11`"),
        ("n02\n\nn10\nn01\n", "line 2: expected a class that has a folder in train, found ``"),
        ("n02\nn01\nn02\n", "line 3: expected each class once, found `n02` again, after line 1"),
        ("n02\nn10\n", "classes: expected a line for `n01`, which has a folder in train, found none"),
        ("n02\r\nn01\r\nn1", "line 3: expected a class that has a folder in train, found `n1`"),
    ];
    for (content, expected) in cases {
        assert_eq!(with("wnids.txt", content), format!("ROOT/wnids.txt: {expected}"));
    }
}

#[test]
fn a_fault_in_the_annotations_is_named_with_its_line() {
    let [one, two, three] = [0, 1, 2].map(|line| ANNOTATIONS.lines().nth(line).unwrap());
    let cases = [
        (
            format!("{one}\n{two}\nval_2.JPEG\tn11\t0\t0\t0\t0"),
            "line 3: expected a class that has a folder in train, found `n11`",
        ),
        (
            format!("{one}\nval_7.JPEG\tn01\t0\t0\t0\t0\n{three}"),
            "line 2: expected the name of an image in ROOT/val/images, found `val_7.JPEG`",
        ),
        (
            format!("{one}\n../images/val_0.JPEG\tn01\t0\t0\t0\t0\n{three}"),
            "line 2: expected the name of an image in ROOT/val/images, found `../images/val_0.JPEG`",
        ),
        (
            format!("{one}\n{two}\n{one}\n"),
            "line 3: expected one annotation of val_1.JPEG, found a second, after that in line 1",
        ),
        (format!("{one}\n\n{two}\n{three}\n"), "line 2: expected 6 columns separated by tabs, found 1"),
    ];
    for (content, expected) in cases {
        let file = "val/val_annotations.txt";
        assert_eq!(with(file, &content), format!("ROOT/{file}: {expected}"));
    }
    let missing = with("val/val_annotations.txt", &format!("{one}\n{three}\n"));
    let expected = "class: expected an annotation in val_annotations.txt, found none";
    assert_eq!(missing, format!("ROOT/val/images/val_0.JPEG: {expected}"));
}

#[test]
fn missing_annotations_are_named() {
    let root = good();
    std::fs::remove_file(root.path().join("val/val_annotations.txt")).unwrap();
    assert!(refused(root.path()).starts_with("ROOT/val/val_annotations.txt: cannot read: "));
}
