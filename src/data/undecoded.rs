//! What stands for the readers that a build without the feature `cli` has not: each refuses, and says so.

use crate::error::{Error, Result};
use std::path::Path;

pub(super) mod image_folder {
    use crate::data::LoadOptions;
    use crate::error::Result;
    use std::path::Path;

    /// # Errors
    /// [`Error::File`](crate::Error::File), always.
    pub fn load<T>(root: &Path, _: LoadOptions) -> Result<T> {
        super::refused(root, "a folder of images")
    }
}

pub(super) mod archive {
    use crate::error::Result;
    use std::path::Path;

    /// # Errors
    /// [`Error::File`](crate::Error::File), always.
    pub fn read<T>(path: &Path) -> Result<T> {
        super::refused(path, "an archive")
    }
}

fn refused<T>(path: &Path, found: &str) -> Result<T> {
    let found = format!("{found}, whose decoder comes with the feature `cli`");
    Err(Error::file(path, "data set", "one that this build can read", found))
}
