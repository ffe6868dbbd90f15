//! Experiments' folders out of a fuzzer's bytes: what is accepted of one is an experiment, and the folder is its own.

use super::runs::settings_and_results;
use super::{assert_refusal, folder};
use gdstar::Result;
use gdstar::experiment::Job;
use std::path::Path;

/// How an experiment's folder is read.
pub struct Reading<T, R> {
    /// Its two files.
    pub files: [&'static str; 2],
    pub settings: fn(&Path) -> Result<Option<T>>,
    pub validate: fn(&T) -> Result<()>,
    pub check_folder: fn(&T, &Path) -> Result<()>,
    pub job: fn(T) -> Job,
    pub results: fn(&Path) -> Result<Vec<R>>,
}

impl<T, R: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug> Reading<T, R> {
    /// Writes `data`, settings and results, into a folder and reads them from there; whether all of it was accepted. Results
    /// that were written once have the same form when they are written again.
    pub fn run(&self, data: &[u8]) -> bool {
        let (settings, results) = settings_and_results(data);
        let path = folder::file(self.files[0], settings);
        folder::file(self.files[1], results.unwrap_or_default());
        let folder = path.parent().expect("a file's folder");
        let read = (self.settings)(folder).and_then(|there| {
            let there = there.expect("the settings are there");
            (self.validate)(&there)?;
            Ok(there)
        });
        let read = read.and_then(|there| Ok((there, (self.results)(folder)?)));
        super::accepted(read, |(there, records)| {
            (self.check_folder)(&there, folder).expect("the folder is the experiment's whose settings it has");
            let job = (self.job)(there);
            match job.hash().and_then(|hash| Ok((hash, job.command()?))) {
                Ok((hash, command)) => assert!(hash.len() == 16 && command[0] == "gdstar", "{hash}: {command:?}"),
                Err(error) => assert_refusal(&error),
            }
            for record in records {
                let line = serde_json::to_string(&record).expect("a record is JSON");
                let again: R = serde_json::from_str(&line).expect("what was written can be read");
                assert_eq!(serde_json::to_string(&again).expect("a record is JSON"), line);
            }
        })
    }
}
