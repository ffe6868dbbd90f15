//! What is not the published file gets no final name, and the message says why, address by address.

use super::server::{Reply, Server};
use super::{Download, assert_contains, content, data_set, published, sha256};
use std::net::TcpListener;
use std::time::Duration;

const NAME: &str = "file.bin";

/// Other bytes of the right size: both sums are named, nothing stays.
#[test]
fn a_wrong_checksum_is_refused() {
    let (bytes, other) = (content(5_000), vec![7; 5_000]);
    let (expected, found) = (sha256(&bytes), sha256(&other));
    let server = Server::start(move |_, request| Reply::asked(request, &other));
    let mut download = Download::new();
    let message = download.fails(&data_set(vec![published(NAME, &bytes, &[&server.url()])]), 1);
    let reason = format!("{}file.bin: expected SHA-256 {expected}, found {found}", server.url());
    assert_contains(&message, &[&reason, "--mirror"]);
    assert_eq!(download.names(), [""; 0], "neither the file nor a partial one");
    assert_eq!(server.requests().len(), 1, "the same bytes would come again");
}

/// A size that is stated and wrong is refused before anything is written; one that is not stated is counted.
#[test]
fn a_wrong_size_is_refused() {
    let bytes = content(5_000);
    let longer = content(5_001);
    let shorter = content(4_999);
    let other = "Content-Range: bytes 1000-5000/5001\r\nContent-Length: 4001\r\n";
    let cases = [
        ("a page", None, Reply::whole(b"<html>"), "expected 5000 bytes, found Content-Length 6"),
        ("longer, stated", None, Reply::whole(&longer), "expected 5000 bytes, found Content-Length 5001"),
        ("longer, not stated", None, Reply::new("200 OK", "", &longer), "expected 5000 bytes, found more"),
        ("shorter, stated", None, Reply::whole(&shorter), "expected 5000 bytes, found Content-Length 4999"),
        (
            "longer, continued",
            Some(1_000),
            Reply::new("206 Partial Content", other, &longer[1_000..]),
            "expected a file of 5000 bytes, found one of 5001",
        ),
        ("no number", None, Reply::new("200 OK", "Content-Length: many\r\n", &bytes), "content-length"),
        ("no HTTP", None, Reply { head: "220 ftp ready\r\n".to_string(), ..Reply::whole(&[]) }, "/file.bin: "),
    ];
    for (what, part, reply, reason) in cases {
        let server = Server::start(move |_, _| reply.clone());
        let mut download = Download::new();
        if let Some(part) = part {
            download.put("file.bin.part", &bytes[..part]);
        }
        let message = download.fails(&data_set(vec![published(NAME, &bytes, &[&server.url()])]), 1);
        assert_contains(&message, &[reason]);
        assert!(!download.path(NAME).exists(), "{what}");
    }
}

/// A body that is shorter than its header says, and than the file: the attempts end, the message says where.
#[test]
fn a_short_body_is_refused() {
    let bytes = content(5_000);
    let served = bytes.clone();
    // Without a length, the end of the connection looks like the end of the file.
    let server = Server::start(move |_, _| Reply::new("200 OK", "", &served[..4_000]));
    let mut download = Download::new();
    let message = download.fails(&data_set(vec![published(NAME, &bytes, &[&server.url()])]), 1);
    assert_contains(&message, &["expected 5000 bytes, found the end after 4000"]);
    assert_eq!(server.requests().len(), 3, "as many attempts as allowed");
    assert_eq!(download.names(), ["file.bin.part"]);
}

/// 404 leads to the next address at once.
#[test]
fn a_missing_file_is_taken_from_the_next_address() {
    let bytes = content(5_000);
    let served = bytes.clone();
    let server = Server::start(move |_, request| match request.path.as_str() {
        "good/file.bin" => Reply::asked(request, &served),
        _ => Reply::status("404 Not Found"),
    });
    let mut download = Download::new();
    let bases = [format!("{}bad/", server.url()), format!("{}good/", server.url())];
    download.run(&data_set(vec![published(NAME, &bytes, &[&bases[0], &bases[1]])])).unwrap();
    assert_eq!(std::fs::read(download.path(NAME)).unwrap(), bytes);
    assert_eq!(server.requests().len(), 2);
    assert!(download.was_told("found 404 Not Found"), "{:?}", download.told);
}

/// If every address fails, each is named with its reason.
#[test]
fn every_address_that_failed_is_named() {
    let server = Server::start(|_, _| Reply::status("403 Forbidden"));
    // A port that was free a moment ago, and is closed again.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let bases = [format!("http://{closed}/"), server.url()];
    let mut download = Download::new();
    let file = published(NAME, &content(9), &[&bases[0], &bases[1]]);
    let message = download.fails(&data_set(vec![file]), 1);
    let parts = [
        format!("{}: expected 9 bytes from one of 2 addresses", download.path(NAME).display()),
        format!("http://{closed}/file.bin: "),
        "refused".to_string(),
        format!("{}file.bin: expected HTTP status 200, found 403 Forbidden", server.url()),
        "--mirror".to_string(),
    ];
    assert_contains(&message, &parts.each_ref().map(String::as_str));
    assert_eq!(download.names(), [""; 0]);
}

/// Files that are there and right are left alone: nothing is asked for, and it is said.
#[test]
fn what_is_there_and_right_is_left_alone() {
    let bytes = content(5_000);
    let server = Server::start(|_, _| Reply::status("500 Internal Server Error"));
    let mut download = Download::new();
    download.put(NAME, &bytes);
    let before = std::fs::metadata(download.path(NAME)).unwrap().modified().unwrap();
    std::thread::sleep(Duration::from_millis(10));
    download.replace = true;
    download.run(&data_set(vec![published(NAME, &bytes, &[&server.url()])])).unwrap();
    assert!(download.was_told("Present"));
    assert_eq!(std::fs::metadata(download.path(NAME)).unwrap().modified().unwrap(), before);
    assert_eq!(server.requests().len(), 0);
}

/// Files that are there and wrong are not overwritten unless asked to, and then only by the right one.
#[test]
fn what_is_there_and_wrong_is_not_overwritten_silently() {
    let bytes = content(5_000);
    let served = bytes.clone();
    let good = Server::start(move |_, request| Reply::asked(request, &served));
    let bad = Server::start(move |_, _| Reply::whole(&[9; 5_000]));
    let (found, expected) = (sha256(&[1; 5_000]), sha256(&bytes));
    let mut download = Download::new();
    let set = data_set(vec![published(NAME, &bytes, &[&good.url()])]);
    download.put(NAME, &[1; 5_000]);
    let message = download.fails(&set, 2);
    let path = download.path(NAME).display().to_string();
    assert_contains(&message, &[&path, "SHA-256", &expected, &found, "--force"]);
    download.put(NAME, &[1; 4_000]);
    assert_contains(&download.fails(&set, 2), &[&path, "size in bytes: expected 5000", "found 4000", "--force"]);

    download.replace = true;
    download.fails(&data_set(vec![published(NAME, &bytes, &[&bad.url()])]), 1);
    assert_eq!(std::fs::read(download.path(NAME)).unwrap(), [1; 4_000], "kept until there is better");
    download.run(&set).unwrap();
    assert_eq!((std::fs::read(download.path(NAME)).unwrap(), download.names()), (bytes, vec![NAME.to_string()]));
}

/// Two downloads into one partial file would spoil it: the second is told.
#[test]
fn a_second_download_of_the_same_file_is_refused() {
    let mut download = Download::new();
    download.put("file.bin.part", b"abc");
    let held = std::fs::File::open(download.path("file.bin.part")).unwrap();
    held.lock().unwrap();
    let message = download.fails(&data_set(vec![published(NAME, &content(9), &[])]), 1);
    assert_contains(&message, &["file.bin.part: expected no other process", "--to"]);
}

/// Something else under the partial file's name, or in the folder's place, is named and left alone.
#[test]
fn something_else_in_the_way_is_named() {
    let mut download = Download::new();
    let set = data_set(vec![published(NAME, &content(9), &[])]);
    std::fs::create_dir_all(download.path("file.bin.part")).unwrap();
    assert_contains(&download.fails(&set, 2), &["file.bin.part", "a regular file"]);

    let mut download = Download::new();
    std::fs::create_dir_all(download.path(NAME)).unwrap();
    assert_contains(&download.fails(&set, 2), &["file.bin: kind: expected a file"]);

    let mut download = Download::new();
    std::fs::write(download.root.path().join("set"), b"").unwrap();
    assert_contains(&download.fails(&set, 2), &["set: cannot create"]);
}
