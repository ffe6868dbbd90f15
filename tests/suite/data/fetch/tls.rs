//! HTTPS: the certificates that the operating system trusts, and no others. (Linux only: elsewhere, the
//! environment does not say what is trusted.)

use super::command::{FIRST, fetch_mnist, without_proxies};
use super::server::{Reply, Request, Server};
use super::{assert_contains, names};
use crate::cli::text;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// What the command says of a mirror when the system trusts the certificates in `trusted`.
fn told(mirror: &str, trusted: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gdstar"));
    without_proxies(&mut command).env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
    command.args(fetch_mnist(mirror, folder.path().to_str().unwrap())).stdin(Stdio::null());
    let output = command.output().unwrap();
    let told = text(&output.stderr);
    assert_eq!((output.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    assert_eq!(names(&folder.path().join("mnist")), [""; 0]);
    told
}

/// Valid from 2020 to 2120: one with its key, one without.
const LOCALHOST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/data/fetch/certificates/localhost.pem");
const OTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/data/fetch/certificates/other.pem");

/// A server with the certificate for `localhost`, and its address as a mirror.
fn encrypted(answer: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> (Server, String) {
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(LOCALHOST).unwrap()],
            PrivateKeyDer::from_pem_file(LOCALHOST).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    let server = Server::start_with(answer, move |stream| {
        Some(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream))
    });
    let mirror = format!("https://localhost:{}/", server.address.port());
    (server, mirror)
}

/// A certificate that the system trusts leads to the server's answer; one that it does not, or a server without TLS,
/// to a refusal.
#[test]
fn https_trusts_the_systems_certificates_only() {
    let (server, mirror) = encrypted(|_, _| Reply::status("404 Not Found"));
    assert_contains(&told(&mirror, LOCALHOST), &[FIRST, "expected HTTP status 200, found 404 Not Found"]);
    assert_contains(&told(&mirror, OTHER), &[FIRST, "certificate"]);
    assert_eq!(server.requests().len(), 1, "nothing is asked of a server that is not trusted");

    let plain = Server::start_with(
        |_, _| Reply::status("200 OK"),
        |mut stream| -> Option<TcpStream> {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            None
        },
    );
    let mirror = format!("https://localhost:{}/", plain.address.port());
    assert_contains(&told(&mirror, LOCALHOST), &[FIRST, "--mirror"]);
}

/// Nobody sees what is read on the way from an `https` address, so none leads to an `http` one.
#[test]
fn https_does_not_lead_to_http() {
    let plain = Server::start(|_, _| Reply::status("404 Not Found"));
    let location = format!("Location: {}x?signature=secret\r\nContent-Length: 0\r\n", plain.url());
    let (_server, mirror) = encrypted(move |_, _| Reply::new("302 Found", &location, &[]));
    let told = told(&mirror, LOCALHOST);
    assert_contains(&told, &[&format!("expected an https address, found a redirect to {}x", plain.url())]);
    assert!(!told.contains("secret"), "{told}");
    assert_eq!(plain.requests().len(), 0);
}
