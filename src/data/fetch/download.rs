//! One file from its addresses, with as many attempts as it may take.

use super::http::{Client, Trouble};
use super::partial::Partial;
use super::{BLOCK, Event, Fetch, RemoteFile, room};
use crate::error::{Error, Result};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

/// The longest wait between two attempts.
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// How often the stop flag is looked at while waiting.
const NAP: Duration = Duration::from_millis(50);

/// Downloads `file` to `target`, verified.
///
/// # Errors
/// Those of [`Fetch::run`]. What has arrived stays in the partial file, unless it is wrong.
pub(super) fn download(fetch: &mut Fetch<'_>, file: &RemoteFile, target: &Path) -> Result<()> {
    let partial = Partial::open(target, file.size)?;
    room::require(partial.path(), partial.missing())?;
    let client = Client::new(&fetch.network);
    let mut download = Download { fetch, client, file, target, partial };
    let mut failures = Vec::new();
    for url in &file.sources {
        match download.try_address(url)? {
            None => return download.partial.put_in_place(),
            Some(reason) => {
                (download.fetch.tell)(Event::GivenUp { url, reason: &reason });
                failures.push(format!("{url}: {reason}"));
            }
        }
    }
    Err(Error::fetch(
        target.display(),
        format!("{} bytes from one of {} addresses", file.size, failures.len()),
        failures.join("; "),
        "try again later, or name another address with --mirror",
    ))
}

/// A download on its way.
struct Download<'a, 'b> {
    fetch: &'a mut Fetch<'b>,
    client: Client,
    file: &'a RemoteFile,
    target: &'a Path,
    partial: Partial,
}

impl Download<'_, '_> {
    /// Tries one address until it gives the file, will not, or has had its attempts: then, why.
    ///
    /// # Errors
    /// Those that no other address helps against.
    fn try_address(&mut self, url: &str) -> Result<Option<String>> {
        let mut delay = self.fetch.network.first_delay;
        let mut attempt = 1;
        loop {
            let reason = match self.attempt(url) {
                Ok(()) => return Ok(None),
                Err(Trouble::Ours(error)) => return Err(error),
                Err(Trouble::Address(reason)) => return Ok(Some(reason)),
                Err(Trouble::Passing(reason)) => reason,
            };
            if attempt >= self.fetch.network.attempts {
                return Ok(Some(reason));
            }
            (self.fetch.tell)(Event::Retry { url, reason: &reason, delay });
            self.wait(delay)?;
            attempt += 1;
            delay = delay.saturating_mul(2).min(LONGEST_DELAY);
        }
    }

    /// Downloads what is missing and verifies the whole. What was continued and turns out wrong, or cannot be
    /// continued, is downloaded once from the start.
    fn attempt(&mut self, url: &str) -> std::result::Result<(), Trouble> {
        loop {
            let Some(start) = self.transfer(url)? else {
                // Nothing is left to be continued: there is no second time.
                self.partial.clear()?;
                continue;
            };
            let found = self.partial.sha256()?;
            if found == self.file.sha256 {
                return Ok(());
            }
            self.partial.clear()?;
            if start == 0 {
                return Err(Trouble::Address(format!("expected SHA-256 {}, found {found}", self.file.sha256)));
            }
        }
    }

    /// Downloads what is missing; returns the byte at which this began, or nothing if the server cannot continue.
    fn transfer(&mut self, url: &str) -> std::result::Result<Option<u64>, Trouble> {
        self.check_stop()?;
        let (from, size) = (self.partial.length(), self.file.size);
        if self.partial.missing() == 0 {
            return Ok(Some(from));
        }
        let Some(mut reply) = self.client.get(url, from, size)? else { return Ok(None) };
        if reply.start != from {
            self.partial.clear()?;
        }
        (self.fetch.tell)(Event::Started { path: self.target, from: reply.start, size });
        let mut block = vec![0; BLOCK];
        loop {
            self.check_stop()?;
            let count = match reply.body.read(&mut block) {
                Ok(count) => count,
                // Nothing more is needed of a connection that breaks now.
                Err(_) if self.partial.missing() == 0 => 0,
                Err(error) => return Err(self.client.read_trouble(error)),
            };
            if count == 0 {
                break;
            }
            if count as u64 > self.partial.missing() {
                self.partial.clear()?;
                return Err(Trouble::Address(format!("expected {size} bytes, found more")));
            }
            self.partial.append(&block[..count])?;
            (self.fetch.tell)(Event::At(self.partial.length()));
        }
        match self.partial.missing() {
            0 => Ok(Some(reply.start)),
            _ => Err(Trouble::Passing(format!("expected {size} bytes, found the end after {}", self.partial.length()))),
        }
    }

    /// Waits, unless stopped.
    fn wait(&self, mut delay: Duration) -> Result<()> {
        while !delay.is_zero() {
            self.check_stop()?;
            let nap = delay.min(NAP);
            std::thread::sleep(nap);
            delay -= nap;
        }
        self.check_stop()
    }

    fn check_stop(&self) -> Result<()> {
        self.fetch.check_stop(self.partial.path(), self.partial.length(), self.file.size)
    }
}
