//! An interruption ends a download at once, whatever it is waiting for or doing.

use super::server::{Reply, Server};
use super::{Download, assert_contains, content, data_set, published};
use gdstar::data::fetch::{DataSet, Fetch, Network};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NAME: &str = "file.bin";
/// Far longer than any of these tests may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is told when `stop` becomes true after `delay`.
fn interrupted(download: &Download, set: &DataSet, delay: Duration) -> String {
    let stop = AtomicBool::new(false);
    let network = Network { timeout: PATIENCE, ..super::impatient() };
    let start = Instant::now();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(delay);
            stop.store(true, Ordering::Relaxed);
        });
        Fetch { network, replace: false, stop: &stop, tell: &mut |_| {} }.run(set, download.root.path()).unwrap_err()
    });
    assert!(start.elapsed() < PATIENCE / 20, "{:?}", start.elapsed());
    assert_eq!(error.exit_code(), 1);
    error.to_string()
}

/// A server that accepts and is silent, a redirect to one, a body that stalls, one that trickles, a wait between
/// attempts.
#[test]
fn every_wait_can_be_interrupted() {
    let bytes = content(9_000);
    let trickle = Duration::from_millis(2);
    let elsewhere = Reply::new("302 Found", "Location: /silence/file.bin\r\nContent-Length: 0\r\n", &[]);
    let waits = [
        ("silence", Reply::silence()),
        ("elsewhere", elsewhere),
        ("stall", Reply::whole(&bytes).cut(2_000).stalling()),
        ("trickle", Reply::whole(&bytes).dripping(trickle)),
    ];
    for (what, reply) in waits {
        let server = Server::start(move |_, request| match request.path.as_str() {
            "silence/file.bin" => Reply::silence(),
            _ => reply.clone(),
        });
        let set = data_set(vec![published(NAME, &bytes, &[&format!("{}{what}/", server.url())])]);
        let told = interrupted(&Download::new(), &set, Duration::from_millis(300));
        assert_contains(&told, &["file.bin.part: expected 9000 bytes, found ", " when interrupted; the same command"]);
    }
}

/// What is there is verified before anything else, which takes its time for a large file.
#[test]
fn verifying_can_be_interrupted() {
    let bytes = content(9_000);
    let download = Download::new();
    download.put(NAME, &bytes);
    let stop = AtomicBool::new(true);
    let mut fetch = Fetch { network: super::impatient(), replace: false, stop: &stop, tell: &mut |_| {} };
    let error = fetch.run(&data_set(vec![published(NAME, &bytes, &[])]), download.root.path()).unwrap_err();
    assert_contains(&error.to_string(), &["set/file.bin: expected 9000 bytes, found 0 when interrupted"]);
    assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes);
}
