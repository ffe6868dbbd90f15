//! A download from a server that answers anything: under the file's name is the published content or nothing, and what is left
//! of a download that failed is no more than its partial file.

use super::folder;
use gdstar::data::fetch::{DataSet, Event, Fetch, Network, RemoteFile};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// What is published.
const CONTENT: &[u8] = b"published";
/// Its SHA-256.
const SHA256: &str = "b04e5ea201bb040cae53f693f6a38a3e00b62da6039ca248fecd59b7fc842894";
const NAME: &str = "file";

/// A server that answers every connection with the bytes that it was last given.
struct Server {
    address: SocketAddr,
    answers: Sender<Vec<u8>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine");
        let address = listener.local_addr().expect("it is bound");
        let (answers, given) = channel();
        std::thread::spawn(move || serve(&listener, &given));
        Self { address, answers }
    }
}

fn serve(listener: &TcpListener, given: &Receiver<Vec<u8>>) {
    let mut answer = Vec::new();
    for mut connection in listener.incoming().flatten() {
        answer = given.try_iter().last().unwrap_or(answer);
        // A client that has gone is no concern of this server's.
        let _ = read_head(&mut connection).and_then(|()| connection.write_all(&answer));
    }
}

/// Reads a request up to its empty line: a connection that is closed before would be reset, and the answer lost.
fn read_head(connection: &mut TcpStream) -> std::io::Result<()> {
    connection.set_read_timeout(Some(Duration::from_secs(1)))?;
    let (mut head, mut block) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read(&mut block)? {
            0 => break,
            count => head.extend_from_slice(&block[..count]),
        }
    }
    Ok(())
}

thread_local! {
    static SERVER: Server = Server::start();
}

/// Whether an answer may lead elsewhere than to another path of this server: then it is not given.
fn leads_away(answer: &[u8]) -> bool {
    let names = b"location:";
    let values = answer.windows(names.len()).enumerate().filter(|(_, window)| window.eq_ignore_ascii_case(names));
    let mut values = values.map(|(at, _)| answer[at + names.len()..].trim_ascii_start());
    values.any(|value| !value.starts_with(b"/") || value.get(1).is_none_or(|next| !next.is_ascii_alphanumeric()))
}

/// Reads `data` as what there is of a partial file (its size in the lower half of the first byte, whether it is of something
/// else, whether the download is stopped once it has begun), and the answer of the server.
pub fn run(data: &[u8]) -> bool {
    let (&choices, answer) = data.split_first().unwrap_or((&0, &[]));
    if leads_away(answer) {
        return false;
    }
    let (is_other, is_stopped) = (choices & 0x10 != 0, choices & 0x20 != 0);
    let root = folder::folder();
    let set = root.path().join("set");
    let part = usize::from(choices & 0xf).min(CONTENT.len() + 1);
    if part > 0 {
        let content: Vec<u8> = CONTENT.iter().chain(b"more").map(|byte| byte ^ u8::from(is_other)).take(part).collect();
        std::fs::create_dir(&set).expect("an empty folder");
        std::fs::write(set.join(format!("{NAME}.part")), content).expect("a folder of our own");
    }
    let outcome = SERVER.with(|server| {
        server.answers.send(answer.to_vec()).expect("the server lives as long");
        fetched(&format!("http://{}/{NAME}", server.address), root.path(), is_stopped)
    });
    let left = |name: &str| std::fs::read(set.join(name)).ok();
    let names = set.read_dir().map_or(0, Iterator::count);
    match &outcome {
        Ok(()) => assert_eq!((left(NAME).as_deref(), names), (Some(CONTENT), 1)),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 1000 && !message.chars().any(|c| c.is_control() && c != '\n'), "{message:?}");
            assert_eq!(left(NAME), None, "{message}");
            let partial = left(&format!("{NAME}.part")).map_or(0, |content| content.len());
            assert!(names <= 1 && partial <= CONTENT.len().max(part), "{names} files, {partial} bytes: {message}");
        }
    }
    outcome.is_ok()
}

/// The set of this one file, brought into a folder in one attempt.
fn fetched(url: &str, root: &Path, is_stopped: bool) -> gdstar::Result<()> {
    let file =
        RemoteFile { name: NAME.into(), size: CONTENT.len() as u64, sha256: SHA256.into(), sources: vec![url.into()] };
    let set = DataSet {
        name: "set".into(),
        title: String::new(),
        licence: String::new(),
        files: vec![file],
        archive: None,
        usage: String::new(),
    };
    let second = Duration::from_secs(1);
    let network = Network { attempts: 1, first_delay: Duration::ZERO, timeout: second, proxy_from_environment: false };
    let stop = AtomicBool::new(false);
    let mut tell = |event: Event<'_>| {
        if is_stopped && matches!(event, Event::At(_)) {
            stop.store(true, Ordering::Relaxed);
        }
    };
    Fetch { network, replace: false, stop: &stop, tell: &mut tell }.run(&set, root).map(drop)
}
