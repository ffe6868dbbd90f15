//! One file from its addresses, with as many attempts as it may take.

use super::address::{Address, masked};
use super::arrivals::{Arrivals, NAP, Piece};
use super::http::{Client, Trouble};
use super::partial::Partial;
use super::{Event, Fetch, RemoteFile, room};
use crate::error::{Error, Result};
use std::path::Path;
use std::time::Duration;

/// The longest wait between two attempts.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// Downloads `file` to `target`, verified.
///
/// # Errors
/// Those of [`Fetch::run`]. What has arrived stays in the partial file, unless it is wrong.
pub(super) fn download(fetch: &mut Fetch<'_>, file: &RemoteFile, target: &Path) -> Result<()> {
    let partial = Partial::open(target, file.size)?;
    room::require(partial.path(), partial.missing())?;
    let client = Client::new(&fetch.network)?;
    let outcome = Download { fetch, client: client.clone(), file, target, partial }.try_addresses();
    client.shut_down();
    outcome
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
    /// Tries one address after another until one gives the file.
    fn try_addresses(mut self) -> Result<()> {
        let mut failures = Vec::new();
        for source in &self.file.sources {
            let url = masked(source);
            let reason = match Address::parse(source) {
                Some(address) => self.try_address(&address, &url)?,
                None => Some("expected an http or https address".to_string()),
            };
            let Some(reason) = reason else { return self.partial.put_in_place() };
            (self.fetch.tell)(Event::GivenUp { url: &url, reason: &reason });
            failures.push(format!("{url}: {reason}"));
        }
        Err(Error::fetch(
            self.target.display(),
            format!("{} bytes from one of {} addresses", self.file.size, failures.len()),
            failures.join("; "),
            "try again later, or name another address with --mirror",
        ))
    }

    /// Tries one address until it gives the file, will not, or has had its attempts: then, why.
    ///
    /// # Errors
    /// Those that no other address helps against.
    fn try_address(&mut self, address: &Address, url: &str) -> Result<Option<String>> {
        let mut delay = self.fetch.network.first_delay;
        let mut attempt = 1;
        loop {
            let reason = match self.attempt(address) {
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
    fn attempt(&mut self, address: &Address) -> std::result::Result<(), Trouble> {
        loop {
            let Some(start) = self.transfer(address)? else {
                // Nothing is left to be continued: there is no second time.
                self.partial.clear()?;
                continue;
            };
            let path = self.partial.path().to_path_buf();
            let found = self.partial.sha256(&|done| self.fetch.check_stop(&path, done, self.file.size))?;
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
    fn transfer(&mut self, address: &Address) -> std::result::Result<Option<u64>, Trouble> {
        self.check_stop()?;
        let (from, size) = (self.partial.length(), self.file.size);
        if self.partial.missing() == 0 {
            return Ok(Some(from));
        }
        let arrivals = Arrivals::begin(&self.client, address, (from, size), self.fetch.network.timeout);
        let mut arrivals = arrivals.map_err(Error::io(self.target, "start a thread to download"))?;
        let mut begun = from;
        loop {
            self.check_stop()?;
            match arrivals.next() {
                Ok(None) => {}
                Ok(Some(Piece::Start(None))) => return Ok(None),
                Ok(Some(Piece::Start(Some(start)))) => {
                    if start != from {
                        self.partial.clear()?;
                    }
                    begun = start;
                    (self.fetch.tell)(Event::Started { path: self.target, from: start, size });
                }
                Ok(Some(Piece::Bytes(bytes))) => self.keep(&bytes)?,
                Ok(Some(Piece::End)) => break,
                // Nothing more is needed of a connection that breaks now.
                Err(_) if self.partial.missing() == 0 => break,
                Err(trouble) => return Err(trouble),
            }
        }
        match self.partial.missing() {
            0 => Ok(Some(begun)),
            _ => Err(Trouble::Passing(format!("expected {size} bytes, found the end after {}", self.partial.length()))),
        }
    }

    /// Adds what has arrived, unless it is more than there should be.
    fn keep(&mut self, bytes: &[u8]) -> std::result::Result<(), Trouble> {
        if bytes.len() as u64 > self.partial.missing() {
            self.partial.clear()?;
            return Err(Trouble::Address(format!("expected {} bytes, found more", self.file.size)));
        }
        self.partial.append(bytes)?;
        (self.fetch.tell)(Event::At(self.partial.length()));
        Ok(())
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
