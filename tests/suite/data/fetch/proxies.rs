//! The environment's proxies: which is asked, how, and for what none is.

use super::assert_contains;
use super::command::{FIRST, fetch_mnist, without_proxies};
use super::server::{Reply, Server};
use crate::cli::text;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

fn missing() -> Server {
    Server::start(|_, _| Reply::status("404 Not Found"))
}

/// Fetches from `mirror` in an environment with these proxies alone.
fn fetch(mirror: &str, environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    without_proxies(&mut command).env_remove("NO_PROXY").env_remove("no_proxy").envs(environment.iter().copied());
    command.args(fetch_mnist(mirror, folder.path().to_str().unwrap())).stdin(Stdio::null());
    command.output().unwrap()
}

/// The first lines of what a server was asked.
fn lines(server: &Server) -> Vec<String> {
    server.requests().iter().map(|request| request.head.lines().next().unwrap().to_string()).collect()
}

/// Plain HTTP is asked of the proxy by its whole address (RFC 9112, 3.2.2), of a host that only the proxy has to know.
#[test]
fn http_is_asked_of_a_proxy_by_its_whole_address() {
    let proxy = missing();
    let address = format!("http://user:p%40ss:word@{}", proxy.address);
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let output = fetch("http://files.invalid:8080/mnist/", &[(variable, &address)]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert_contains(&told, &["found 404 Not Found"]);
        assert!(!told.contains("ss:word"), "{told}");
    }
    assert_eq!(lines(&proxy), vec![format!("GET http://files.invalid:8080/mnist/{FIRST} HTTP/1.1"); 4]);
    for request in proxy.requests() {
        assert_eq!(request.header("host"), Some("files.invalid:8080"));
        assert_eq!(request.header("proxy-authorization"), Some("Basic dXNlcjpwQHNzOndvcmQ="));
    }
}

/// HTTPS goes through a tunnel, whose other end the proxy does not read.
#[test]
fn https_is_asked_for_through_a_tunnel() {
    let proxy = Server::start(|_, _| Reply::status("403 Forbidden"));
    let output =
        fetch("https://files.invalid/", &[("https_proxy", &proxy.url()), ("http_proxy", "http://127.0.0.1:9")]);
    let told = text(&output.stderr);
    assert_contains(&told, &["403", &format!("(through the proxy {})", proxy.url())]);
    assert_eq!(lines(&proxy), ["CONNECT files.invalid:443 HTTP/1.1"]);
}

/// A scheme's own variable goes before the one for all.
#[test]
fn a_schemes_own_proxy_goes_first() {
    let (proxy, other) = (missing(), missing());
    for all in ["socks5://127.0.0.1:9", "socks5h://127.0.0.1:9", &other.url()] {
        fetch("http://files.invalid/", &[("ALL_PROXY", all), ("http_proxy", &proxy.url())]);
    }
    assert_eq!((proxy.requests().len(), other.requests().len()), (3, 0));
    // The lower-case name goes first, and an empty value is none.
    fetch("http://files.invalid/", &[("HTTP_PROXY", &other.url()), ("http_proxy", &proxy.url())]);
    fetch("http://files.invalid/", &[("http_proxy", ""), ("HTTP_PROXY", &proxy.url())]);
    assert_eq!((proxy.requests().len(), other.requests().len()), (5, 0));
}

/// A SOCKS 5 proxy without authentication (RFC 1928) that is itself what it is asked to connect to.
fn socks(mut stream: TcpStream) -> Option<TcpStream> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    stream.read_exact(&mut vec![0; head[1].into()]).ok()?;
    stream.write_all(&[5, 0]).ok()?;
    let mut request = [0; 4];
    stream.read_exact(&mut request).ok()?;
    let length = match request[3] {
        1 => 4,
        _ => {
            let mut length = [0];
            stream.read_exact(&mut length).ok()?;
            length[0].into()
        }
    };
    stream.read_exact(&mut vec![0; length + 2]).ok()?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    Some(stream)
}

#[test]
fn a_socks_proxy_is_used() {
    let proxy = Server::start_with(|_, _| Reply::status("404 Not Found"), socks);
    let beyond =
        [("socks5h", "http://files.invalid/"), ("socks5", "http://127.0.0.1:9/"), ("socks", "http://localhost/")];
    for (scheme, mirror) in beyond {
        let output = fetch(mirror, &[("ALL_PROXY", &format!("{scheme}://{}", proxy.address))]);
        assert_contains(&text(&output.stderr), &["found 404 Not Found"]);
    }
    assert_eq!(lines(&proxy), vec![format!("GET /{FIRST} HTTP/1.1"); 3]);
    let output = fetch("http://files.invalid/", &[("ALL_PROXY", "socks5h://user:p%40ss:word@127.0.0.1:9")]);
    assert_contains(&text(&output.stderr), &["(through the proxy socks5h://***@127.0.0.1:9"]);
}

/// Hosts, addresses and networks that are asked directly; lists have commas and blanks.
#[test]
fn exceptions_are_asked_directly() {
    let (origin, proxy) = (missing(), missing());
    let port = origin.address.port();
    let with_port = [format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", port - 1)];
    let direct = [
        "127.0.0.1",
        " example.org , 127.0.0.1 ",
        "example.org 127.0.0.1",
        "127.0.0.0/8",
        "10.0.0.0/8, 127.0.0.0/31",
        "*",
        "127.0.*",
        "0.0.0.0/0",
        &with_port[0],
    ];
    for exceptions in direct {
        fetch(&origin.url(), &[("http_proxy", &proxy.url()), ("NO_PROXY", exceptions)]);
    }
    assert_eq!((origin.requests().len(), proxy.requests().len()), (direct.len(), 0));
    let beyond =
        ["", "127.0.0.2", "10.0.0.0/8", "127.0.0.2/31", "127.0.0.0/99", "::/0", "7.0.0.1", "128.*", ",", &with_port[1]];
    for exceptions in beyond {
        fetch(&origin.url(), &[("http_proxy", &proxy.url()), ("no_proxy", exceptions)]);
    }
    assert_eq!((origin.requests().len(), proxy.requests().len()), (direct.len(), beyond.len()));
}

/// A name is for itself and what is below it, with a dot, a star or nothing before it, in any case.
#[test]
fn exceptions_cover_what_is_below_a_name() {
    let proxy = missing();
    for exceptions in ["invalid", ".invalid", "*.invalid", "FILES.invalid", "files.invalid."] {
        let output = fetch("http://a.Files.invalid/", &[("http_proxy", &proxy.url()), ("no_proxy", exceptions)]);
        assert_eq!(output.status.code(), Some(1), "no such host: {exceptions}");
    }
    assert_eq!(proxy.requests().len(), 0);
    for exceptions in ["iles.invalid", "b.files.invalid", "files", "org"] {
        fetch("http://a.files.invalid/", &[("http_proxy", &proxy.url()), ("no_proxy", exceptions)]);
    }
    assert_eq!(proxy.requests().len(), 4);
}

/// A variable that holds no proxy is named, without the password that may be in it.
#[test]
fn a_proxy_that_is_none_is_named() {
    for (variable, value, shown) in [
        ("http_proxy", "gopher://user:p%40ss:word@host", "gopher://***@host"),
        ("ALL_PROXY", "http://user:p%40ss:word@h ost", "http://***@h ost"),
    ] {
        let output = fetch("http://127.0.0.1:9/", &[(variable, value)]);
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
        assert_contains(&told, &[&format!("the environment's {variable}: expected a proxy"), shown]);
    }
}
