//! What a folder holds: folders and image files, by name in byte order.

use crate::error::{Error, Result};
use crate::input;
use image::ImageFormat;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How image files are told from others that lie beside them; what they are is for their content to say.
const READ: [&str; 10] = ["png", "jpg", "jpeg", "jpe", "jfif", "bmp", "ppm", "pgm", "pbm", "pnm"];
/// Image files that are not read. To pass them over would be to train, unasked, on less than is there.
const NOT_READ: [&str; 21] = [
    "gif", "tif", "tiff", "webp", "avif", "heic", "heif", "jp2", "j2k", "jpf", "jpx", "jxl", "tga", "ico", "qoi",
    "psd", "exr", "hdr", "dds", "pcx", "svg",
];

/// Formats whose first bytes tell them from all else.
const SIGNED: [ImageFormat; 6] = [
    ImageFormat::Png,
    ImageFormat::Jpeg,
    ImageFormat::Gif,
    ImageFormat::WebP,
    ImageFormat::Tiff, // and many cameras' raw images
    ImageFormat::Avif,
];

/// (name, path) by name.
type Entries = Vec<(OsString, PathBuf)>;

/// The folders in a folder, and the other files. Links are followed; what has a name that begins with a dot is hidden.
fn list(folder: &Path) -> Result<(Entries, Entries)> {
    let failed = |error| Error::io(folder, "list")(error);
    let (mut folders, mut files) = (Entries::new(), Entries::new());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (name, path) = (entry.file_name(), entry.path());
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().map_err(failed)?;
        let is_folder = if kind.is_symlink() { path.is_dir() } else { kind.is_dir() };
        if is_folder { &mut folders } else { &mut files }.push((name, path));
    }
    folders.sort();
    files.sort();
    Ok((folders, files))
}

/// The folders in a folder, (name, path) by name.
///
/// # Errors
/// [`Error::Io`] if it cannot be listed.
pub fn folders(folder: &Path) -> Result<Entries> {
    Ok(list(folder)?.0)
}

/// The images in a folder, (name, path) by name.
///
/// # Errors
/// [`Error::Io`] if it cannot be listed; [`Error::File`] naming an image file of a format that is not read.
pub fn images(folder: &Path) -> Result<Entries> {
    images_of(list(folder)?.1)
}

/// The images among these files.
fn images_of(files: Entries) -> Result<Entries> {
    let (images, others): (Entries, Entries) = files.into_iter().partition(|(_, path)| has_extension(path, &READ));
    for (_, path) in &others {
        if let Some(found) = unread_image(path)? {
            let expected = format!("one that is read ({}); convert or rename the image, or move it away", extensions());
            return Err(Error::file(path, "format", expected, found));
        }
    }
    Ok(images)
}

/// What is told of a file that is an image, by its name or its first bytes, and yet not read; `None` of all else.
fn unread_image(path: &Path) -> Result<Option<String>> {
    /// More than the longest of the signatures.
    const SIGNATURE: u64 = 32;
    let name = path.extension().unwrap_or_default().to_string_lossy();
    let name = if name.is_empty() { "no extension".to_string() } else { format!("*.{name}") };
    if has_extension(path, &NOT_READ) {
        return Ok(Some(name));
    }
    if !path.is_file() {
        return Ok(None);
    }
    let format = image::guess_format(&input::beginning(path, SIGNATURE)?).ok().filter(|format| SIGNED.contains(format));
    Ok(format.map(|format| format!("{} content under {name}", format!("{format:?}").to_uppercase())))
}

/// The images of a folder and of all folders below it, in the order of torchvision's `ImageFolder`: folders by their
/// path as text, and in each the files by name.
///
/// # Errors
/// As [`images`]; [`Error::File`] naming a folder that is a link to one above it.
pub fn images_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let (folders, files) = list(&folder)?;
        for (_, inner) in folders {
            check_link(&inner, &folder)?;
            waiting.push(inner);
        }
        found.push((folder, images_of(files)?));
    }
    found.sort_by(|(a, _), (b, _)| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(found.into_iter().flat_map(|(_, images)| images.into_iter().map(|(_, path)| path)).collect())
}

/// A link to a folder that it is in would have no end.
fn check_link(inner: &Path, folder: &Path) -> Result<()> {
    let failed = |error| Error::io(inner, "resolve")(error);
    if inner.is_symlink() && folder.canonicalize().map_err(failed)?.starts_with(inner.canonicalize().map_err(failed)?) {
        return Err(Error::file(inner, "folder", "one with an end", "a link to a folder above it"));
    }
    Ok(())
}

/// The error of a folder without images.
pub fn no_images(folder: &Path) -> Error {
    Error::file(folder, "images", extensions(), "none")
}

fn extensions() -> String {
    READ.map(|extension| format!("*.{extension}")).join(", ")
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().unwrap_or_default();
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known))
}
