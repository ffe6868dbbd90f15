//! A server on the loopback address that answers as it is told: it may cut connections, stall and lie.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was asked for, and how many bytes of a body were sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub head: String,
    pub sent: usize,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The first byte asked for, where the request has a range.
    pub fn offset(&self) -> Option<usize> {
        self.header("range").map(|range| range.strip_prefix("bytes=").unwrap().trim_end_matches('-').parse().unwrap())
    }
}

/// An answer: any status line and headers (or none at all), and a body that need not fit them.
#[derive(Debug, Clone)]
pub struct Reply {
    pub head: String,
    pub body: Vec<u8>,
    /// Whether the connection stays open, silent, after the body.
    pub stall: bool,
    /// How long to wait after each byte of the body.
    pub pause: Duration,
}

impl Reply {
    pub fn new(status: &str, headers: &str, body: &[u8]) -> Self {
        Self {
            head: format!("HTTP/1.1 {status}\r\n{headers}"),
            body: body.to_vec(),
            stall: false,
            pause: Duration::ZERO,
        }
    }

    pub fn status(status: &str) -> Self {
        Self::new(status, "Content-Length: 0\r\n", &[])
    }

    /// The whole content.
    pub fn whole(content: &[u8]) -> Self {
        Self::new("200 OK", &format!("Content-Length: {}\r\n", content.len()), content)
    }

    /// What the request asks for: all, or the rest from its offset; 416 if nothing is left.
    pub fn asked(request: &Request, content: &[u8]) -> Self {
        match request.offset() {
            None => Self::whole(content),
            Some(offset) if offset < content.len() => {
                let (last, total) = (content.len() - 1, content.len());
                let headers =
                    format!("Content-Range: bytes {offset}-{last}/{total}\r\nContent-Length: {}\r\n", total - offset);
                Self::new("206 Partial Content", &headers, &content[offset..])
            }
            Some(_) => Self::status("416 Range Not Satisfiable"),
        }
    }

    /// The same headers, but the connection ends after `length` bytes of the body.
    pub fn cut(mut self, length: usize) -> Self {
        self.body.truncate(length);
        self
    }

    /// The same, but instead of ending, the connection falls silent.
    pub fn stalling(mut self) -> Self {
        self.stall = true;
        self
    }

    /// The same, but the body comes byte by byte, each after this time.
    pub fn dripping(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// No answer at all, on a connection that stays open.
    pub fn silence() -> Self {
        Self { head: String::new(), ..Self::whole(&[]).stalling() }
    }
}

/// Runs until it is dropped; each connection has its own thread and carries one request.
pub struct Server {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// `answer` gets the number of the request, from 0, and the request.
    pub fn start(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(answer, Some)
    }

    /// The same, behind a `layer` (TLS) that may refuse a connection.
    pub fn start_with<S: Read + Write>(
        answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
        layer: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (log, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let shared = Arc::new((answer, layer, Arc::clone(&log), Arc::clone(&stop)));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                if shared.3.load(Ordering::Relaxed) {
                    break;
                }
                std::thread::spawn(move || {
                    let (answer, layer, log, stop) = &*shared;
                    // A client may hang up at any time.
                    let _ = layer(stream.unwrap()).map(|stream| serve(stream, answer, log, stop));
                });
            }
        });
        Self { address, log, stop }
    }

    /// The base address, which ends with a slash.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the listener up, so that it sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(
    mut stream: impl Read + Write,
    answer: &impl Fn(usize, &Request) -> Reply,
    log: &Mutex<Vec<Request>>,
    stop: &AtomicBool,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_string();
    let mut request = Request { path, head, sent: 0 };
    // One request at a time is numbered, answered and logged, so that the log has the order of the numbers.
    let reply = {
        let mut log = log.lock().unwrap();
        let reply = answer(log.len(), &request);
        request.sent = reply.body.len();
        log.push(request);
        reply
    };
    if !reply.head.is_empty() {
        stream.write_all(format!("{}Connection: close\r\n\r\n", reply.head).as_bytes())?;
    }
    let pieces = if reply.pause.is_zero() { reply.body.len().max(1) } else { 1 };
    for piece in reply.body.chunks(pieces) {
        stream.write_all(piece)?;
        stream.flush()?;
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(reply.pause);
    }
    stream.flush()?;
    while reply.stall && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
