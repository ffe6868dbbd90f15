//! Which files an image folder has, and of which class.

use super::annotations;
use super::listing;
use crate::data::file;
use crate::error::{Error, Result};
use crate::input::{self, Kind};
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folder that Tiny ImageNet's archive unpacks to.
const SUBFOLDERS: [&str; 1] = ["tiny-imagenet-200"];
/// Tiny ImageNet's list of classes.
const CLASS_LIST: &str = "wnids.txt";
/// Tiny ImageNet's validation labels, in `val/`.
const ANNOTATIONS: &str = "val_annotations.txt";
/// Tiny ImageNet's folder of validation images, in `val/`. Who sorts them into classes leaves it behind, empty.
const UNSORTED: &str = "images";
/// The folders that a data set may be tested on, in the order in which they are looked for.
const TEST_PARTS: [&str; 2] = ["test", "val"];

/// A file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    pub path: PathBuf,
    /// The class's position in [`Layout::classes`].
    pub label: u16,
}

/// The files of an image folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Names, in byte order.
    pub classes: Vec<OsString>,
    /// By class, then as `listing::images_below` orders them; not empty.
    pub train: Vec<Labelled>,
    /// Likewise, or by file name alone in Tiny ImageNet's own layout.
    pub test: Vec<Labelled>,
    /// A `test` that was passed over for `val`, since it has no labels.
    pub unlabelled: Option<PathBuf>,
}

/// The files of the image folder `root`, or of `root/tiny-imagenet-200`: the first of them that holds `train`.
///
/// The classes are the folders in `train`; a class's images are in its folder and in all folders below it. Classes and
/// files are sorted by name, byte by byte, so that labels and order are the same on every machine, and those of
/// torchvision's `ImageFolder`. What is tested on:
///
/// - Tiny ImageNet as it is distributed (there is `wnids.txt` or `val/val_annotations.txt`, and `val` is not sorted into
///   classes): the images in `val/images`, of the classes that the annotations say. `test`, which has no labels, is left
///   alone;
/// - else the folders in `test`, laid out as `train`; or in `val`, if there is no `test` or it has no labels: none of its
///   folders is a class.
///
/// `wnids.txt`, if it is there, must list the classes that `train` has; the labels do not follow its order.
///
/// Images are known by their names (their extensions); other files, unless they begin as an image does, and whatever has a name
/// that begins with a dot, are passed over.
///
/// # Errors
/// [`Error::File`] naming the folder, file or line: no `train`, no `test` or `val`; no class; a class without an image;
/// an image of a format that is not read; a class in `test` that `train` does not have; what [`annotations::parse`]
/// refuses; an annotation or a line of `wnids.txt` whose class has no folder in `train`, an annotation whose file is
/// missing, an image without annotation. [`Error::Io`] if a folder cannot be listed.
pub fn find(root: &Path) -> Result<Layout> {
    let train = file::find(root, &SUBFOLDERS, &["train".to_string()])?;
    let root = train.parent().unwrap_or(root);
    let (classes, train) = class_folders(&train)?;
    let validation = root.join("val");
    let (class_list, labels) = (root.join(CLASS_LIST), validation.join(ANNOTATIONS));
    if class_list.exists() {
        check_classes(&class_list, &classes)?;
    }
    let is_tiny_imagenet = class_list.exists() || labels.exists();
    let test = if is_tiny_imagenet && !has_class(&validation, &classes)? {
        annotated(&validation, &labels, &classes)?
    } else {
        of_known_classes(&test_part(root, &classes)?, &classes)?
    };
    let other = root.join(TEST_PARTS[0]);
    let unlabelled = (other.is_dir() && !test.iter().any(|file| file.path.starts_with(&other))).then_some(other);
    Ok(Layout { classes, train, test, unlabelled })
}

/// The folder to test on: the first that has a class of `train`, else the first that is there.
fn test_part(root: &Path, classes: &[OsString]) -> Result<PathBuf> {
    for part in TEST_PARTS.map(|part| root.join(part)) {
        if has_class(&part, classes)? {
            return Ok(part);
        }
    }
    file::find(root, &[], &TEST_PARTS.map(str::to_string))
}

/// Whether a folder is there and holds one of a class.
fn has_class(folder: &Path, classes: &[OsString]) -> Result<bool> {
    if !folder.is_dir() {
        return Ok(false);
    }
    Ok(listing::folders(folder)?.iter().any(|(name, _)| position(classes, name).is_some()))
}

/// The classes that a folder has a folder each for, and their images.
fn class_folders(folder: &Path) -> Result<(Vec<OsString>, Vec<Labelled>)> {
    let (mut classes, mut files) = (Vec::new(), Vec::new());
    for (class, folder) in listing::folders(folder)? {
        let label = u16::try_from(classes.len())
            .map_err(|_| Error::file(&folder, "classes", format!("at most {}", u32::from(u16::MAX) + 1), "one more"))?;
        let images = listing::images_below(&folder)?;
        if images.is_empty() {
            if class == UNSORTED {
                continue;
            }
            return Err(listing::no_images(&folder));
        }
        files.extend(images.into_iter().map(|path| Labelled { path, label }));
        classes.push(class);
    }
    if classes.is_empty() {
        return Err(Error::file(folder, "classes", "a folder for each", "none"));
    }
    Ok((classes, files))
}

/// The images in the folders of `folder`, each of which has to be one of `classes`.
fn of_known_classes(folder: &Path, classes: &[OsString]) -> Result<Vec<Labelled>> {
    let (found, mut files) = class_folders(folder)?;
    let label = |class: &OsString| {
        let unknown =
            || Error::file(folder.join(class), "class", "one that has a folder in train", "one that has none");
        position(classes, class).ok_or_else(unknown)
    };
    let labels = found.iter().map(label).collect::<Result<Vec<u16>>>()?;
    files.iter_mut().for_each(|file| file.label = labels[usize::from(file.label)]);
    Ok(files)
}

/// `wnids.txt` lists exactly `classes`, each once, in any order.
fn check_classes(list: &Path, classes: &[OsString]) -> Result<()> {
    let content = input::read(list, Kind::List)?;
    let mut line_of = vec![None; classes.len()];
    for numbered in file::lines(list, &content) {
        let (line, name) = numbered?;
        let place = format!("line {line}");
        let Some(label) = position(classes, name) else {
            return Err(Error::file(list, place, "a class that has a folder in train", format!("`{name}`")));
        };
        if let Some(earlier) = line_of[usize::from(label)].replace(line) {
            return Err(Error::file(list, place, "each class once", format!("`{name}` again, after line {earlier}")));
        }
    }
    match classes.iter().zip(line_of).find(|(_, line)| line.is_none()) {
        Some((class, _)) => {
            let expected = format!("a line for `{}`, which has a folder in train", class.display());
            Err(Error::file(list, "classes", expected, "none"))
        }
        None => Ok(()),
    }
}

/// The images in `validation/images`, of the classes that the file `labels` says.
fn annotated(validation: &Path, labels: &Path, classes: &[OsString]) -> Result<Vec<Labelled>> {
    let content = input::read(labels, Kind::List)?;
    let images = validation.join(UNSORTED);
    let files = listing::images(&images)?;
    if files.is_empty() {
        return Err(listing::no_images(&images));
    }
    let mut label_of = HashMap::new();
    for annotation in annotations::parse(labels, &content)? {
        let place = format!("line {}", annotation.line);
        let Some(label) = position(classes, annotation.class) else {
            let found = format!("`{}`", annotation.class);
            return Err(Error::file(labels, place, "a class that has a folder in train", found));
        };
        if files.binary_search_by(|(name, _)| name.as_os_str().cmp(annotation.file.as_ref())).is_err() {
            let expected = format!("the name of an image in {}", images.display());
            return Err(Error::file(labels, place, expected, format!("`{}`", annotation.file)));
        }
        label_of.insert(annotation.file, label);
    }
    let labelled = |(name, path): (OsString, PathBuf)| match name.to_str().and_then(|name| label_of.get(name)) {
        Some(&label) => Ok(Labelled { path, label }),
        None => Err(Error::file(path, "class", format!("an annotation in {ANNOTATIONS}"), "none")),
    };
    files.into_iter().map(labelled).collect()
}

/// The label of the class by this name.
fn position(classes: &[OsString], name: impl AsRef<std::ffi::OsStr>) -> Option<u16> {
    let found = classes.binary_search_by(|class| class.as_os_str().cmp(name.as_ref())).ok()?;
    u16::try_from(found).ok()
}
