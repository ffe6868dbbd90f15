//! What arrives, however it arrives, is the published file; what has arrived is not asked for again.

use super::server::{Reply, Request, Server};
use super::{Download, content, data_set, published};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const NAME: &str = "file.bin";

/// Every file of the set comes, is verified and is all there is; the request says who asks and wants no encoding.
#[test]
fn a_data_set_is_downloaded() {
    let (first, second) = (content(300_000), content(1));
    let (a, b) = (first.clone(), second.clone());
    let server =
        Server::start(move |_, request| Reply::asked(request, if request.path == "a/first" { &a } else { &b }));
    let base = format!("{}a/", server.url());
    let mut download = Download::new();
    let set = data_set(vec![published("first", &first, &[&base]), published("second", &second, &[&base])]);
    assert_eq!(download.run(&set).unwrap(), download.root.path().join("set"));
    assert_eq!(download.names(), ["first", "second"]);
    assert_eq!(std::fs::read(download.path("first")).unwrap(), first);
    assert_eq!(std::fs::read(download.path("second")).unwrap(), second);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].header("user-agent").unwrap().starts_with("gdstar/"));
    assert_eq!(requests[0].header("accept-encoding"), Some("identity"));
    assert_eq!(requests[0].offset(), None);
    assert!(download.was_told("At(300000)") && download.was_told("Verified"));
}

/// After a cut connection, the rest is asked for, and only the rest is sent.
#[test]
fn a_cut_connection_is_resumed() {
    let bytes = content(200_000);
    let served = bytes.clone();
    let server = Server::start(move |number, request| {
        let reply = Reply::asked(request, &served);
        if number == 0 { reply.cut(123_456) } else { reply }
    });
    let mut download = Download::new();
    download.run(&data_set(vec![published(NAME, &bytes, &[&server.url()])])).unwrap();
    assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].header("range"), Some("bytes=123456-"));
    assert_eq!(requests[1].sent, bytes.len() - 123_456);
    assert!(download.was_told("Retry"));
}

/// What an earlier call left is continued by the next, also from another address.
#[test]
fn a_later_call_resumes() {
    let bytes = content(50_000);
    let served = bytes.clone();
    let first = Server::start(move |_, _| Reply::whole(&served).cut(20_000));
    let mut download = Download::new();
    download.network.attempts = 1;
    download.fails(&data_set(vec![published(NAME, &bytes, &[&first.url()])]), 1);
    assert_eq!(download.names(), ["file.bin.part"]);
    assert_eq!(std::fs::read(download.path("file.bin.part")).unwrap(), bytes[..20_000]);

    let served = bytes.clone();
    let second = Server::start(move |_, request| Reply::asked(request, &served));
    download.run(&data_set(vec![published(NAME, &bytes, &[&second.url()])])).unwrap();
    assert_eq!(second.requests()[0].offset(), Some(20_000));
    assert_eq!((std::fs::read(download.path(NAME)).unwrap(), download.names()), (bytes, vec![NAME.to_string()]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Wherever the connection is cut, and however often: the file is right, and no byte is sent twice.
    #[test]
    fn cuts_anywhere_lose_nothing(size in 1usize..200_000, cuts in prop::collection::vec(0.0..1.0f64, 0..5)) {
        let bytes = content(size);
        let (served, points) = (bytes.clone(), cuts.clone());
        let server = Server::start(move |number, request| {
            let reply = Reply::asked(request, &served);
            let length = reply.body.len();
            match points.get(number) {
                // At least one byte is missing, so that the connection is really cut.
                Some(point) => reply.cut((point * (length - 1) as f64) as usize),
                None => reply,
            }
        });
        let mut download = Download::new();
        download.network.attempts = cuts.len() as u32 + 1;
        download.run(&data_set(vec![published(NAME, &bytes, &[&server.url()])])).unwrap();
        prop_assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes);
        let requests = server.requests();
        prop_assert_eq!(requests.len(), cuts.len() + 1);
        prop_assert_eq!(requests.iter().map(|request| request.sent).sum::<usize>(), size);
    }
}

/// A server that knows no ranges sends everything: the partial file starts over.
#[test]
fn a_server_without_ranges_starts_over() {
    let bytes = content(100_000);
    let served = bytes.clone();
    let server = Server::start(move |number, _| {
        let reply = Reply::whole(&served);
        if number == 0 { reply.cut(60_000) } else { reply }
    });
    let mut download = Download::new();
    download.run(&data_set(vec![published(NAME, &bytes, &[&server.url()])])).unwrap();
    assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes);
    assert_eq!(server.requests().iter().map(Request::offset).collect::<Vec<_>>(), [None, Some(60_000)]);
}

/// A partial file that does not fit what is published (a server that cannot continue it, other bytes, more bytes
/// than there are) is thrown away and downloaded from the start, within one attempt.
#[test]
fn what_cannot_be_continued_starts_over() {
    let bytes = content(10_000);
    let elsewhere = "Content-Range: bytes 7-9999/10000\r\nContent-Length: 9993\r\n";
    type Answer = fn(&[u8], &Request, &str) -> Reply;
    type Case<'a> = (&'a str, Vec<u8>, Answer, &'a [Option<usize>]);
    let refuses: Answer = |_, _, _| Reply::status("416 Range Not Satisfiable");
    let continues: Answer = |bytes, request, _| Reply::asked(request, bytes);
    let misplaces: Answer = |bytes, _, headers| Reply::new("206 Partial Content", headers, &bytes[7..]);
    let says_nothing: Answer = |bytes, request, _| {
        Reply::new("206 Partial Content", "Content-Length: 5000\r\n", &bytes[request.offset().unwrap()..])
    };
    let cases: [Case<'_>; 5] = [
        ("416", bytes[..5000].to_vec(), refuses, &[Some(5000), None]),
        ("other bytes", vec![7; 5000], continues, &[Some(5000), None]),
        ("another range", bytes[..5000].to_vec(), misplaces, &[Some(5000), None]),
        ("no range", bytes[..5000].to_vec(), says_nothing, &[Some(5000), None]),
        ("too long", content(10_001), continues, &[None]),
    ];
    for (what, part, answer, offsets) in cases {
        let served = bytes.clone();
        let server = Server::start(move |_, request| match request.offset() {
            Some(_) => answer(&served, request, elsewhere),
            None => Reply::whole(&served),
        });
        let mut download = Download::new();
        download.network.attempts = 1;
        download.put("file.bin.part", &part);
        download
            .run(&data_set(vec![published(NAME, &bytes, &[&server.url()])]))
            .unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes, "{what}");
        assert_eq!(server.requests().iter().map(Request::offset).collect::<Vec<_>>(), offsets, "{what}");
        assert_eq!(download.names(), [NAME], "{what}");
    }
}

/// A partial file that is whole (the process ended before the renaming) needs no server; one that is as long but
/// wrong is downloaded again.
#[test]
fn a_whole_partial_file_is_verified() {
    let bytes = content(3_000);
    let mut download = Download::new();
    download.put("file.bin.part", &bytes);
    download.run(&data_set(vec![published(NAME, &bytes, &[])])).unwrap_err();
    assert_eq!(download.names(), ["file.bin.part"], "no address, nothing happens");
    let served = bytes.clone();
    let server = Server::start(move |_, request| Reply::asked(request, &served));
    let set = data_set(vec![published(NAME, &bytes, &[&server.url()])]);
    download.run(&set).unwrap();
    assert_eq!((server.requests().len(), download.names()), (0, vec![NAME.to_string()]));

    std::fs::remove_file(download.path(NAME)).unwrap();
    download.put("file.bin.part", &[1; 3_000]);
    download.run(&set).unwrap();
    assert_eq!((server.requests().len(), std::fs::read(download.path(NAME)).unwrap()), (1, bytes));
}

/// Redirects are followed with the range, and a circle of them ends.
#[test]
fn redirects_are_followed() {
    let bytes = content(9_000);
    let served = bytes.clone();
    let server = Server::start(move |_, request| match request.path.as_str() {
        "a/file.bin" => Reply::new("302 Found", "Location: /b/file.bin\r\nContent-Length: 0\r\n", &[]),
        "b/file.bin" => Reply::asked(request, &served),
        _ => Reply::new("302 Found", "Location: /circle/file.bin\r\nContent-Length: 0\r\n", &[]),
    });
    let mut download = Download::new();
    download.put("file.bin.part", &bytes[..4_000]);
    download.run(&data_set(vec![published(NAME, &bytes, &[&format!("{}a/", server.url())])])).unwrap();
    assert_eq!(server.requests()[1].offset(), Some(4_000));
    assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes);

    let mut download = Download::new();
    let message = download.fails(&data_set(vec![published(NAME, &bytes, &[&format!("{}circle/", server.url())])]), 1);
    super::assert_contains(&message, &["circle/file.bin: too many redirects"]);
}

/// Whole addresses, and those that lack what stays the same (RFC 3986, section 5.4), lead to one place.
#[test]
fn every_form_of_a_redirect_is_followed() {
    let bytes = content(100);
    let forms = [
        "URLb/c/file.bin",
        "//HOST/b/c/file.bin",
        "/b/c/file.bin",
        "c/file.bin",
        "./c/./file.bin",
        "../b/c/file.bin",
        "../../../b/x/../c/file.bin",
        "c/file.bin?signature=%2F../x",
        "/b/c/file.bin#part",
    ];
    for form in forms {
        let served = bytes.clone();
        let server = Server::start(move |_, request| match request.path.split('?').next().unwrap() {
            "b/file.bin" => {
                let host = request.header("host").unwrap();
                let location = form.replace("URL", &format!("http://{host}/")).replace("HOST", host);
                Reply::new("301 Moved Permanently", &format!("Location: {location}\r\nContent-Length: 0\r\n"), &[])
            }
            "b/c/file.bin" => Reply::asked(request, &served),
            _ => Reply::status("404 Not Found"),
        });
        let mut download = Download::new();
        let outcome = download.run(&data_set(vec![published(NAME, &bytes, &[&format!("{}b/", server.url())])]));
        assert!(outcome.is_ok(), "{form}: {outcome:?}");
    }
    for wrong in ["", "Location: ftp://host/file.bin\r\n", "Location: http://\r\n", "Location: \t\r\n"] {
        let server = Server::start(move |_, _| Reply::new("302 Found", &format!("{wrong}Content-Length: 0\r\n"), &[]));
        let mut download = Download::new();
        let message = download.fails(&data_set(vec![published(NAME, &bytes, &[&server.url()])]), 1);
        assert!(message.contains("redirect") || message.contains("location"), "{wrong}: {message}");
    }
}

/// What a redirect says besides where it leads is not waited for: it may never end.
#[test]
fn a_redirect_with_an_endless_body_is_followed() {
    let bytes = content(9_000);
    let served = bytes.clone();
    let server = Server::start(move |_, request| match request.path.as_str() {
        "a/file.bin" => Reply::new("302 Found", "Location: ../b/./file.bin\r\n", &vec![b'.'; 1_000_000])
            .dripping(Duration::from_millis(1)),
        "b/file.bin" => Reply::asked(request, &served),
        _ => Reply::status("404 Not Found"),
    });
    let mut download = Download::new();
    download.run(&data_set(vec![published(NAME, &bytes, &[&format!("{}a/", server.url())])])).unwrap();
    assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes);
}

/// A server that sends a byte now and then is given up after the timeout: at this pace the file would never be whole.
#[test]
fn a_trickle_is_given_up() {
    let bytes = content(9_000);
    let served = bytes.clone();
    let server = Server::start(move |_, _| Reply::whole(&served).dripping(Duration::from_millis(20)));
    let mut download = Download::new();
    download.network.timeout = Duration::from_millis(500);
    download.network.attempts = 1;
    let message = download.fails(&data_set(vec![published(NAME, &bytes, &[&server.url()])]), 1);
    super::assert_contains(&message, &["expected 500 bytes within 0.5 s, found "]);
    let arrived = std::fs::metadata(download.path("file.bin.part")).unwrap().len();
    assert!(arrived > 0 && arrived < 500, "{arrived} bytes are kept");
}

/// A body that stalls, and a server that says nothing at all, are given up after the timeout; what arrived is kept.
#[test]
fn a_stalled_server_times_out() {
    let bytes = content(9_000);
    let served = bytes.clone();
    let server = Server::start(move |number, _| {
        let reply = Reply::whole(&served).cut(2_000).stalling();
        if number == 0 { reply } else { Reply { head: String::new(), body: Vec::new(), ..reply } }
    });
    let mut download = Download::new();
    download.network.timeout = Duration::from_millis(200);
    download.network.attempts = 2;
    let start = Instant::now();
    let message = download.fails(&data_set(vec![published(NAME, &bytes, &[&server.url()])]), 1);
    super::assert_contains(&message, &["expected a byte within 0.2 s, found none"]);
    // Two timeouts of 0.2 s; without them, the test would never end.
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(std::fs::metadata(download.path("file.bin.part")).unwrap().len(), 2_000);
}

/// A busy server is asked again; the last byte is enough, even if the connection then stays open.
#[test]
fn passing_faults_are_tried_again() {
    let bytes = content(9_000);
    let served = bytes.clone();
    let server = Server::start(move |number, _| match number {
        0 => Reply::status("503 Service Unavailable"),
        1 => Reply::status("429 Too Many Requests"),
        _ => Reply::new("200 OK", "", &served).stalling(),
    });
    let mut download = Download::new();
    download.network.timeout = Duration::from_millis(300);
    download.run(&data_set(vec![published(NAME, &bytes, &[&server.url()])])).unwrap();
    assert_eq!(server.requests().len(), 3);
    assert!(download.was_told("503 Service Unavailable") && download.was_told("429 Too Many Requests"));
    assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes);
}
