//! Mirrors with a user and password: their servers are told, and nobody else.

use super::command::{FIRST, fetch_mnist, start};
use super::server::{Reply, Server};
use super::{Download, assert_contains, content, data_set, published};
use crate::cli::{assert_fails, text};

const NAME: &str = "file.bin";
/// `user:p@ss:word` in Base64 (RFC 7617).
const AUTHORIZATION: &str = "Basic dXNlcjpwQHNzOndvcmQ=";

/// The server's base address with user and password in it.
fn with_password(server: &Server) -> String {
    server.url().replace("http://", "http://user:p%40ss:word@")
}

/// Also after a redirect on the same server; but another server, which the redirect may lead to, is not told.
#[test]
fn user_and_password_are_sent_to_their_server_alone() {
    let bytes = content(9_000);
    let served = bytes.clone();
    let other = Server::start(move |_, request| Reply::asked(request, &served));
    let there = format!("Location: {}file.bin\r\nContent-Length: 0\r\n", other.url());
    let mirror = Server::start(move |_, request| match request.path.as_str() {
        "a/file.bin" => Reply::new("302 Found", "Location: /b/file.bin\r\nContent-Length: 0\r\n", &[]),
        _ => Reply::new("307 Temporary Redirect", &there, &[]),
    });
    let mut download = Download::new();
    let base = format!("{}a/", with_password(&mirror));
    download.run(&data_set(vec![published(NAME, &bytes, &[&base])])).unwrap();
    let sent: Vec<_> = mirror.requests().iter().map(|r| r.header("authorization").map(str::to_string)).collect();
    assert_eq!(sent, [Some(AUTHORIZATION.to_string()), Some(AUTHORIZATION.to_string())]);
    assert_eq!(other.requests()[0].header("authorization"), None);
    assert_eq!(mirror.requests()[0].header("host"), Some(mirror.address.to_string().as_str()));
}

/// No message shows them: not of an attempt, not of the end, not of an address that is none, nor what the library tells.
#[test]
fn no_message_shows_user_and_password() {
    let server = Server::start(|_, _| Reply::status("403 Forbidden"));
    let folder = tempfile::tempdir().unwrap();
    let arguments = fetch_mnist(&with_password(&server), folder.path().to_str().unwrap());
    let output = start(&arguments).wait_with_output().unwrap();
    let told = text(&output.stderr) + &text(&output.stdout);
    let shown = format!("http://***@{}/{FIRST}: expected HTTP status 200, found 403 Forbidden", server.address);
    assert_contains(&told, &[&shown]);
    assert!(!told.contains("ss:word") && !told.contains("user"), "{told}");

    let busy = Server::start(|_, _| Reply::status("503 Service Unavailable"));
    let mut download = Download::new();
    let message = download.fails(&data_set(vec![published(NAME, &content(9), &[&with_password(&busy)])]), 1);
    assert!(download.was_told("Retry") && download.was_told("GivenUp"));
    assert!(!message.contains("ss:word") && !download.was_told("ss:word"), "{message} {:?}", download.told);

    for wrong in ["ftp://user:p%40ss:word@host/", "user:p%40ss:word@host/", "http://user:p%40ss:word@/"] {
        let masked = wrong.replace("user:p%40ss:word", "***");
        assert_fails(&["data", "fetch", "mnist", "--mirror", wrong], 2, &["--mirror", &format!("found `{masked}`")]);
    }
}
