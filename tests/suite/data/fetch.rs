//! Downloads, against servers on the loopback address that behave and that do not: what is under the final name is
//! the published file or nothing.

mod archive;
mod command;
mod disk;
mod interruption;
mod mirrors;
mod proxies;
mod refusals;
mod server;
#[cfg(target_os = "linux")]
mod tls;
mod transfer;

use gdstar::Error;
use gdstar::data::fetch::{DataSet, Event, Fetch, Network, RemoteFile};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Bytes that a mix-up of offsets cannot leave as they are.
fn content(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha8Rng::seed_from_u64(4).fill_bytes(&mut bytes);
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// A published file with this content, below each of these base addresses.
fn published(name: &str, content: &[u8], bases: &[&str]) -> RemoteFile {
    let sources = bases.iter().map(|base| format!("{base}{name}")).collect();
    RemoteFile { name: name.to_string(), size: content.len() as u64, sha256: sha256(content), sources }
}

fn data_set(files: Vec<RemoteFile>) -> DataSet {
    DataSet {
        name: "set".to_string(),
        title: String::new(),
        licence: String::new(),
        files,
        archive: None,
        usage: String::new(),
    }
}

/// Three attempts that hardly wait.
fn impatient() -> Network {
    Network {
        attempts: 3,
        first_delay: Duration::from_millis(1),
        timeout: Duration::from_secs(20),
        proxy_from_environment: false,
    }
}

/// A folder for the download of one data set, and what it was told.
struct Download {
    root: tempfile::TempDir,
    network: Network,
    replace: bool,
    told: Vec<String>,
}

impl Download {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), network: impatient(), replace: false, told: Vec::new() }
    }

    fn run(&mut self, set: &DataSet) -> Result<PathBuf, Error> {
        let told = &mut self.told;
        let mut tell = |event: Event<'_>| told.push(format!("{event:?}"));
        let stop = AtomicBool::new(false);
        Fetch { network: self.network.clone(), replace: self.replace, stop: &stop, tell: &mut tell }
            .run(set, self.root.path())
    }

    /// Runs, and returns the message, which has to be one line.
    fn fails(&mut self, set: &DataSet, code: u8) -> String {
        let error = self.run(set).expect_err("was accepted");
        let message = error.to_string();
        assert_eq!(message.lines().count(), 1, "{message:?}");
        assert_eq!(error.exit_code(), code, "{message}");
        message
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join("set").join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.root.path().join("set")).unwrap();
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The names in the folder, sorted.
    fn names(&self) -> Vec<String> {
        names(&self.root.path().join("set"))
    }

    fn was_told(&self, part: &str) -> bool {
        self.told.iter().any(|line| line.contains(part))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[track_caller]
fn assert_contains(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}
