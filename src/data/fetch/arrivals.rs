//! [`Arrivals`]: a request and its answer on a thread of their own, so that whoever waits for them looks at the clock
//! and at the stop flag meanwhile, whatever a name server, a proxy or a server does not do.

use super::BLOCK;
use super::address::Address;
use super::http::{Client, Reply, Trouble};
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait before looking at the stop flag again.
pub(super) const NAP: Duration = Duration::from_millis(50);
/// The least that has to arrive, in bytes a second.
const LEAST_RATE: f64 = 1000.0;
/// The most blocks that wait to be written.
const QUEUE: usize = 4;

/// What arrives, one after another.
pub(super) enum Piece {
    /// The byte of the file at which the body begins, or nothing if the server cannot continue.
    Start(Option<u64>),
    Bytes(Vec<u8>),
    End,
}

pub(super) struct Arrivals {
    pieces: Receiver<Result<Piece, Trouble>>,
    pace: Option<Pace>,
    window: Duration,
}

impl Arrivals {
    /// Begins to ask for the file of `size` bytes at `address`, from byte `from` on. Within any `window` after the
    /// answer's head, [`LEAST_RATE`] has to be kept.
    ///
    /// # Errors
    /// If the system has no thread for it.
    pub(super) fn begin(
        client: &Client,
        address: &Address,
        (from, size): (u64, u64),
        window: Duration,
    ) -> io::Result<Self> {
        let (sender, pieces) = sync_channel(QUEUE);
        let (client, address) = (client.clone(), address.clone());
        let work = move || {
            // Whoever does not listen any more does not need the rest.
            let _ = deliver(&client, &address, (from, size), &sender);
        };
        thread::Builder::new().name("download".to_string()).spawn(work)?;
        Ok(Self { pieces, pace: None, window })
    }

    /// The next piece; none if it has not arrived within a [`NAP`].
    ///
    /// # Errors
    /// What keeps the rest from arriving, and a pace that is too slow.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, Trouble> {
        let piece = match self.pieces.recv_timeout(NAP) {
            Ok(piece) => Some(piece?),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Trouble::Passing("expected the rest, found that its thread had ended".to_string()));
            }
        };
        match &piece {
            Some(Piece::Start(_)) => self.pace = Some(Pace::new(self.window)),
            Some(Piece::Bytes(bytes)) => self.count(bytes.len())?,
            Some(Piece::End) => {}
            None => self.count(0)?,
        }
        Ok(piece)
    }

    fn count(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.pace.as_mut().map_or(Ok(()), |pace| pace.count(bytes))
    }
}

/// Asks, and hands on what comes until nobody listens.
fn deliver(
    client: &Client,
    address: &Address,
    (from, size): (u64, u64),
    to: &SyncSender<Result<Piece, Trouble>>,
) -> Result<(), SendError<Result<Piece, Trouble>>> {
    let mut body = match client.get(address, from, size) {
        Ok(None) => return to.send(Ok(Piece::Start(None))),
        Ok(Some(Reply { start, body })) => {
            to.send(Ok(Piece::Start(Some(start))))?;
            body
        }
        Err(trouble) => return to.send(Err(trouble)),
    };
    loop {
        let mut block = vec![0; BLOCK];
        match body.read(&mut block) {
            Ok(0) => return to.send(Ok(Piece::End)),
            Ok(count) => {
                block.truncate(count);
                to.send(Ok(Piece::Bytes(block)))?;
            }
            Err(error) => return to.send(Err(client.read_trouble(error))),
        }
    }
}

/// How fast bytes arrive, one window after another.
struct Pace {
    window: Duration,
    since: Instant,
    bytes: usize,
}

impl Pace {
    fn new(window: Duration) -> Self {
        Self { window, since: Instant::now(), bytes: 0 }
    }

    /// # Errors
    /// If a window has passed in which too little arrived.
    fn count(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.bytes += bytes;
        if self.since.elapsed() < self.window {
            return Ok(());
        }
        let Self { window, bytes, .. } = std::mem::replace(self, Self::new(self.window));
        let (seconds, least) = (window.as_secs_f64(), LEAST_RATE * window.as_secs_f64());
        match bytes {
            0 => Err(Trouble::Passing(format!("expected a byte within {seconds} s, found none"))),
            _ if (bytes as f64) < least => {
                Err(Trouble::Passing(format!("expected {least:.0} bytes within {seconds} s, found {bytes}")))
            }
            _ => Ok(()),
        }
    }
}
