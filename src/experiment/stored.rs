//! What an experiment's folder says of it, and the lines of its results.

use crate::error::{Error, Result};
use crate::input::{self, Kind};
use crate::method::{Entry, Options};
use crate::output::{self, write_atomically};
use crate::train::{Config, Difference, RunFolder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::{Path, PathBuf};

/// An experiment's settings: what its own method is told, and what its runs are trained by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'a> {
    pub entry: &'static Entry,
    pub options: &'a Options,
    pub run: &'a Config,
}

/// The settings that were stored in a folder, if any were.
///
/// # Errors
/// [`Error::File`] naming the place that cannot be read, or what else the folder holds; [`Error::Io`].
pub(super) fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>> {
    let path = folder.join(name);
    if !path.exists() {
        if RunFolder::holds_run(folder) {
            let found = "a run of `gdstar train`; choose another --out";
            return Err(Error::file(folder, "folder", format!("none, or one with {name}"), found));
        }
        return Ok(None);
    }
    let text = input::read_text(&path, Kind::Configuration)?;
    toml::from_str(&text).map(Some).map_err(|e| {
        let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        Error::file(
            &path,
            format!("line {}", 1 + before.matches('\n').count()),
            "an experiment's settings",
            e.message(),
        )
    })
}

/// Stores settings in the folder, which is made if it is not there.
///
/// # Errors
/// [`Error::Domain`] if a value has no TOML form; [`Error::Io`].
pub(super) fn write(folder: &Path, name: &str, settings: &impl Serialize) -> Result<()> {
    let text = toml::to_string(settings).map_err(|e| Error::domain(name, "values that TOML can hold", e))?;
    std::fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
    output::remove_abandoned(folder);
    let path = folder.join(name);
    if input::read_text(&path, Kind::Configuration).is_ok_and(|there| there == text) {
        return Ok(());
    }
    write_atomically(&path, |out| out.write_all(text.as_bytes()))
}

impl Settings<'_> {
    /// Whether the folder's experiment is this one.
    ///
    /// # Errors
    /// [`Error::File`] naming the options that differ.
    pub fn check_same(&self, path: PathBuf, there: Settings) -> Result<()> {
        let mut told = Vec::new();
        for option in self.entry.options {
            let [here, there] = [self.options, there.options].map(|options| options.get(option.key));
            if here != there {
                let [here, there] = [here, there].map(|value| value.map_or("none".to_string(), |v| v.to_string()));
                told.push(format!("{} {here} (was {there})", option.option()));
            }
        }
        told.extend(self.run.differences(there.run)?.iter().map(|difference: &Difference| {
            let [here, there] = difference.values();
            format!("{} {here} (was {there})", difference.option())
        }));
        if told.is_empty() {
            return Ok(());
        }
        let expected = "those that it began with; leave them out, or choose another --out";
        Err(Error::file(path, "options", expected, told.join(", ")))
    }
}

/// The lines of a file, each a record; none if there is no file.
///
/// # Errors
/// [`Error::File`] naming the line that is no record; [`Error::Io`].
pub(super) fn read_all_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = input::read_text(path, Kind::Metrics)?;
    let record = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| Error::file(path, format!("line {}", i + 1), "a result", e))
    };
    text.lines().enumerate().map(record).collect()
}

/// The lines of a file that are records, of an experiment that goes on and makes the others anew; none if there is no file.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = input::read_text(path, Kind::Metrics)?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// Writes one JSON object a line, all of them or none.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn write_lines(path: &Path, records: &[impl Serialize]) -> Result<()> {
    let mut text = String::new();
    for record in records {
        let line = serde_json::to_string(record).map_err(|e| Error::file(path, "line", "a JSON object", e))?;
        text += &format!("{line}\n");
    }
    write_atomically(path, |out| out.write_all(text.as_bytes()))
}
