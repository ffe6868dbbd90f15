//! Image folders: which files are read as what, which pixels they give, and every way they can be wrong.

mod annotations;
mod channels;
mod decode;
mod encoding;
mod layout;
mod resize;
mod run;
mod tiny_imagenet;

use super::fixtures::{message, plain_png, write};
use gdstar::data::{Dataset, LoadOptions, Source, load_with};
use std::path::Path;
use tempfile::TempDir;

/// Two classes of two and one 8x8 images to train on, and one of each to test on.
fn good() -> TempDir {
    let root = TempDir::new().unwrap();
    for (name, colour) in [
        ("train/cat/a.png", [0, 0, 0]),
        ("train/cat/b.png", [255, 0, 51]),
        ("train/dog/a.png", [255, 0, 102]),
        ("test/cat/z.png", [1, 2, 3]),
        ("test/dog/z.png", [4, 5, 6]),
    ] {
        write_image(root.path(), name, colour);
    }
    root
}

/// An 8x8 image of one colour.
fn write_image(root: &Path, name: &str, colour: [u8; 3]) {
    let path = root.join(name);
    write(path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap(), &plain_png(8, colour));
}

fn read(root: &Path) -> gdstar::Result<Dataset> {
    read_resized(root, None)
}

fn read_resized(root: &Path, image_size: Option<usize>) -> gdstar::Result<Dataset> {
    load_with(Source::ImageFolder, Some(root), LoadOptions { image_size, ..LoadOptions::default() })
}

/// The message about a folder, without the folder's own path.
fn refused(root: &Path) -> String {
    message(read(root), "the folder").replace(&root.display().to_string(), "ROOT")
}
