//! A folder per class: classes, order, what is passed over, and what is wrong.

use super::super::fixtures::write;
use super::{good, read, refused, write_image};
use gdstar::data::image_folder::layout::find;
use gdstar::data::{Augmentation, LoadOptions, Source, load_with};
use std::collections::BTreeSet;
use std::sync::Mutex;
use tempfile::TempDir;

#[test]
fn a_folder_gives_its_images_by_class_and_name() {
    let root = good();
    let data = read(root.path()).unwrap();
    assert_eq!((data.name, data.train.shape, data.test.shape), ("image-folder", [3, 8, 8], [3, 8, 8]));
    assert_eq!(data.classes, ["cat", "dog"]);
    assert_eq!((&data.train.labels[..], &data.test.labels[..]), (&[0, 0, 1][..], &[0, 1][..]));
    let planes = |[red, green, blue]: [u8; 3]| [[red; 64], [green; 64], [blue; 64]].concat();
    assert_eq!(data.train.pixels, [[0, 0, 0], [255, 0, 51], [255, 0, 102]].map(planes).concat());
    assert_eq!(data.test.pixels, [[1, 2, 3], [4, 5, 6]].map(planes).concat());
    assert_eq!(data.augmentation, Some(Augmentation { padding: 1 }));
    // Blue is 0, 1/5 and 2/5; green is 0 throughout, and so is its deviation.
    let normalisation = &data.normalisation;
    assert_eq!((normalisation.scale, normalisation.mean[1], normalisation.mean[2]), (255.0, 0.0, 0.2));
    assert_eq!(normalisation.std[1], 1.0);
}

/// Byte order, in which capitals come first and 10 before 9, whatever the file system lists first.
#[test]
fn names_are_sorted_byte_by_byte() {
    let root = TempDir::new().unwrap();
    let sorted = ["B", "a", "a10", "a9", "b", "é"];
    for class in ["é", "a9", "b", "a", "B", "a10"] {
        for file in ["9.png", "10.png", "x.JPEG", "X.Jpg"] {
            write_image(root.path(), &format!("train/{class}/{file}"), [0; 3]);
            write_image(root.path(), &format!("val/{class}/{file}"), [0; 3]);
        }
    }
    let layout = find(root.path()).unwrap();
    assert_eq!(layout.classes, sorted);
    for (part, files) in [("train", &layout.train), ("val", &layout.test)] {
        let found: Vec<_> =
            files.iter().map(|file| (file.path.strip_prefix(&root).unwrap().to_owned(), file.label)).collect();
        let path = |label: usize, file: &str| format!("{part}/{}/{file}", sorted[label]).into();
        let expected: Vec<_> = (0..6)
            .flat_map(|label| ["10.png", "9.png", "X.Jpg", "x.JPEG"].map(|file| (path(label, file), label as u16)))
            .collect();
        assert_eq!(found, expected);
    }
}

/// Hidden files, other files and folders in a file's place are no images; a class may keep its images in a folder of
/// its own; a folder `val` beside `test` is left alone.
#[test]
fn what_is_no_image_is_passed_over() {
    let expected = read(good().path()).unwrap();
    let root = good();
    for (folder, name) in [("train/cat", "notes.txt"), ("train/cat", ".a.png"), ("train", "README.png"), ("", "wnids")]
    {
        write(&root.path().join(folder), name, b"no image");
    }
    for folder in ["train/.hidden", "train/dog/folder.png", "val/cow"] {
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    assert!(read(root.path()).unwrap() == expected);
    let inner = root.path().join("train/cat/images");
    std::fs::create_dir(&inner).unwrap();
    for name in ["a.png", "b.png"] {
        std::fs::rename(root.path().join("train/cat").join(name), inner.join(name)).unwrap();
    }
    assert!(read(root.path()).unwrap() == expected);
}

/// A class's images are those of all folders below its own, in the order of torchvision's `ImageFolder`: folders by
/// their path as text, so `a` before `a-b` before `a/x`, and in each the files by name.
#[test]
fn folders_in_a_class_are_read() {
    let root = good();
    for name in ["images/9", "a/x/1", "a/0", "a-b/2", "a/.hidden/3", "0"] {
        write_image(root.path(), &format!("train/cat/{name}.png"), [0; 3]);
    }
    let layout = find(root.path()).unwrap();
    let names: Vec<_> =
        layout.train.iter().map(|file| file.path.strip_prefix(&root).unwrap().to_str().unwrap()).collect();
    let cats = ["0", "a", "b", "a/0", "a-b/2", "a/x/1", "images/9"].map(|name| format!("train/cat/{name}.png"));
    assert_eq!(names[..7], cats);
    assert_eq!((names[7], layout.train[6].label, layout.train[7].label), ("train/dog/a.png", 0, 1));
    assert_eq!(read(root.path()).unwrap().train.len(), 8);
}

/// Links to folders are followed, as long as they come to an end.
#[cfg(unix)]
#[test]
fn links_are_followed_to_an_end() {
    let (root, elsewhere) = (good(), TempDir::new().unwrap());
    write_image(elsewhere.path(), "far/c.png", [0; 3]);
    std::os::unix::fs::symlink(elsewhere.path(), root.path().join("train/cat/elsewhere")).unwrap();
    assert_eq!(read(root.path()).unwrap().train.len(), 4);
    std::os::unix::fs::symlink(root.path().join("train"), root.path().join("train/dog/again")).unwrap();
    let expected = "ROOT/train/dog/again: folder: expected one with an end, found a link to a folder above it";
    assert_eq!(refused(root.path()), expected);
}

/// An image that is not read is not left out in silence.
#[test]
fn images_that_are_not_read_are_refused_by_name() {
    for extension in ["gif", "TIFF", "tif", "webp", "heic", "avif", "jp2", "exr", "psd", "svg"] {
        let root = good();
        let name = format!("train/dog/more/x.{extension}");
        write_image(root.path(), &name, [0; 3]);
        let message = refused(root.path());
        assert!(message.starts_with(&format!("ROOT/{name}: format: expected one that is read (*.png, ")), "{message}");
        let end = format!("; convert or rename the image, or move it away, found *.{extension}");
        assert!(message.ends_with(&end), "{message}");
    }
    // Whatever the name: many cameras' raw images are TIFF, two pictures in one file are JPEG, moving ones PNG.
    let begins: [(&str, &[u8], &str); 6] = [
        ("x.dng", b"II*\0\x08\0\0\0", "TIFF content under *.dng"),
        ("x.mpo", &[0xff, 0xd8, 0xff, 0xe1], "JPEG content under *.mpo"),
        ("x.apng", b"\x89PNG\r\n\x1a\n", "PNG content under *.apng"),
        ("x", b"\x89PNG\r\n\x1a\n", "PNG content under no extension"),
        ("x.jpg_large", &[0xff, 0xd8, 0xff, 0xe0], "JPEG content under *.jpg_large"),
        ("x.bin", b"RIFF\x10\0\0\0WEBPVP8 ", "WEBP content under *.bin"),
    ];
    for (name, begin, found) in begins {
        let root = good();
        std::fs::write(root.path().join("train/dog").join(name), begin).unwrap();
        assert!(refused(root.path()).ends_with(&format!("or move it away, found {found}")), "{}", refused(root.path()));
    }
    let root = good();
    for (name, other) in [("notes.txt", "P1 and P2 are blurred"), ("BMW", "BM"), ("empty", ""), ("x.csv", "1,2")] {
        std::fs::write(root.path().join("train/dog").join(name), other).unwrap();
    }
    assert_eq!(read(root.path()).unwrap().train.len(), 3, "other files are passed over");
    let root = good();
    for name in ["c.jfif", "d.JPE", "e.bmp", "f.ppm"] {
        write_image(root.path(), &format!("train/dog/{name}"), [0; 3]);
    }
    assert_eq!(read(root.path()).unwrap().train.len(), 7, "what a file is, is for its content to say");
}

/// A `test` without labels, as competitions have it, does not hide `val`; one with a class does.
#[test]
fn an_unlabelled_test_part_does_not_hide_val() {
    let root = good();
    let labelled = read(root.path()).unwrap();
    std::fs::rename(root.path().join("test"), root.path().join("val")).unwrap();
    for name in ["test/0.png", "test/unknown/1.png"] {
        write_image(root.path(), name, [9; 3]);
        assert!(read(root.path()).unwrap() == labelled, "{name}");
        assert_eq!(find(root.path()).unwrap().unlabelled, Some(root.path().join("test")), "{name}");
    }
    write_image(root.path(), "test/dog/2.png", [9; 3]);
    let expected = "ROOT/test/unknown: class: expected one that has a folder in train, found one that has none";
    assert_eq!(refused(root.path()), expected);
}

/// (what is done to the good folder, the message).
type Fault = (fn(&std::path::Path), &'static str);

#[test]
fn each_fault_is_named() {
    fn remove(path: std::path::PathBuf) {
        std::fs::remove_dir_all(path).unwrap();
    }
    let faults: &[Fault] = &[
        (|root| remove(root.join("train")), "ROOT: data set: expected train in it or in tiny-imagenet-200, found none"),
        (|root| remove(root.join("test")), "ROOT: data set: expected test or val in it, found none"),
        (
            |root| remove(root.to_owned()),
            "ROOT: data set: expected train in it or in tiny-imagenet-200, found no such folder",
        ),
        (
            |root| ["train/cat", "train/dog"].map(|class| remove(root.join(class))).into_iter().collect(),
            "ROOT/train: classes: expected a folder for each, found none",
        ),
        (
            |root| std::fs::remove_file(root.join("train/dog/a.png")).unwrap(),
            "ROOT/train/dog: images: expected *.png, *.jpg, *.jpeg, *.jpe, *.jfif, *.bmp, *.ppm, *.pgm, *.pbm, *.pnm, found none",
        ),
        (
            |root| std::fs::create_dir(root.join("test/cow")).unwrap(),
            "ROOT/test/cow: images: expected *.png, *.jpg, *.jpeg, *.jpe, *.jfif, *.bmp, *.ppm, *.pgm, *.pbm, *.pnm, found none",
        ),
        (
            |root| write_image(root, "test/cow/a.png", [0; 3]),
            "ROOT/test/cow: class: expected one that has a folder in train, found one that has none",
        ),
        (
            |root| drop(write(&root.join("test/dog"), "z.png", b"MZ\x90\0\nno image")),
            r"ROOT/test/dog/z.png: byte 0: expected a PNG, JPEG, BMP or PNM image, found `MZ\x90\x00\nno `",
        ),
    ];
    for (fault, expected) in faults {
        let root = good();
        fault(root.path());
        assert_eq!(&refused(root.path()), expected);
    }
}

#[test]
fn a_file_in_a_folders_place_is_an_error() {
    let root = TempDir::new().unwrap();
    write(root.path(), "train", b"");
    assert!(refused(root.path()).starts_with("ROOT/train: cannot list: "));
}

/// Every image is told about, with its number in both parts.
#[test]
fn progress_counts_every_image() {
    let root = good();
    let told = Mutex::new(Vec::new());
    let on_decoded: &(dyn Fn(usize, usize) + Sync) = &|decoded, total| told.lock().unwrap().push((decoded, total));
    let options = LoadOptions { on_decoded: Some(on_decoded), ..LoadOptions::default() };
    load_with(Source::ImageFolder, Some(root.path()), options).unwrap();
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 5);
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), (1..=5).map(|decoded| (decoded, 5)).collect());
}

/// What is read, and which of two bad files is named, does not depend on the number of threads.
#[test]
fn threads_do_not_matter() {
    let root = TempDir::new().unwrap();
    for i in 0..40_u8 {
        write_image(root.path(), &format!("train/{}/{i:02}.png", i % 3), [i, 2 * i, 255 - i]);
        write_image(root.path(), &format!("test/{}/{i:02}.png", i % 3), [i; 3]);
    }
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| read(root.path()).map_err(|error| error.to_string()))
    };
    let expected = on(1).unwrap();
    assert!(on(2).unwrap() == expected && on(8).unwrap() == expected);
    for name in ["train/1/07.png", "train/1/10.png", "train/2/38.png", "test/0/00.png"] {
        write(root.path(), name, b"");
    }
    for threads in [1, 2, 8] {
        for _ in 0..10 {
            assert!(on(threads).unwrap_err().contains("train/1/07.png: "));
        }
    }
}

/// More classes than a byte can number keep their labels, and their fingerprint tells them apart.
#[test]
fn labels_go_beyond_a_byte() {
    let root = TempDir::new().unwrap();
    for class in 0..300 {
        for part in ["train", "test"] {
            write_image(root.path(), &format!("{part}/{class:03}/a.png"), [0; 3]);
        }
    }
    let data = read(root.path()).unwrap();
    assert_eq!((data.classes.len(), &data.train.labels), (300, &(0..300).collect()));
    let (_, labels) = data.batch::<f32>(gdstar::data::Split::Train, &[299, 43], None);
    assert_eq!(labels, [299, 43]);
    let mut other = data.clone();
    other.train.labels[299] = 43; // 299 - 256
    assert_ne!(other.fingerprint(), data.fingerprint());
}
