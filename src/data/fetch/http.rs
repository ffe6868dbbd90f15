//! HTTP as a download needs it: one file from a byte on, and why an address does not give it.

use super::Network;
use crate::error::{Error, quoted};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{HeaderMap, StatusCode, Uri, header};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Timeout};

const USER_AGENT: &str = concat!("gdstar/", env!("CARGO_PKG_VERSION"));
/// The most redirects that are followed: mirrors need one or two.
const MAX_REDIRECTS: u32 = 5;

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The network's or the server's, and it may pass.
    Passing(String),
    /// The address will not give this file.
    Address(String),
    /// Ours: the disk, or an interruption. No other address helps.
    Ours(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// An answer whose body holds the file from byte `start` on.
pub(super) struct Reply {
    pub(super) start: u64,
    pub(super) body: ureq::BodyReader<'static>,
}

pub(super) struct Client {
    agent: Agent,
    timeout: Duration,
}

/// Whether this is an absolute `http` or `https` address.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}

impl Client {
    pub(super) fn new(network: &Network) -> Self {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let timeout = Some(network.timeout);
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(MAX_REDIRECTS)
            .user_agent(USER_AGENT)
            .timeout_resolve(timeout)
            .timeout_connect(timeout)
            .timeout_recv_response(timeout)
            .timeout_per_read(timeout);
        if !network.proxy_from_environment {
            config = config.proxy(None);
        }
        Self { agent: config.build().into(), timeout: network.timeout }
    }

    /// Asks for the file of `size` bytes at `url`, from byte `from` on. The answer may start at 0 all the same; there
    /// is none if the server cannot continue from `from`.
    ///
    /// # Errors
    /// Whatever else keeps a body with the rest of such a file from coming.
    pub(super) fn get(&self, url: &str, from: u64, size: u64) -> Result<Option<Reply>, Trouble> {
        // The sums are of the files as they are stored, so no server may compress them for the way.
        let mut request = self.agent.get(url).header(header::ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let response = request.call().map_err(|error| self.trouble(error))?;
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if from > 0 && continues(response.headers(), from, size)? => from,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => return Ok(None),
            status => return Err(refused(status)),
        };
        check_length(response.headers(), start, size)?;
        Ok(Some(Reply { start, body: response.into_body().into_reader() }))
    }

    /// What reading a body ended with.
    pub(super) fn read_trouble(&self, error: io::Error) -> Trouble {
        self.trouble(error.into())
    }

    fn trouble(&self, error: ureq::Error) -> Trouble {
        let seconds = self.timeout.as_secs_f64();
        match error {
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                Trouble::Passing(format!("expected a connection within {seconds} s, found none"))
            }
            ureq::Error::Timeout(_) => Trouble::Passing(format!("expected a byte within {seconds} s, found none")),
            // Nobody listens, or what does speaks no TLS or has a certificate that the system does not trust.
            ureq::Error::Io(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::InvalidData) => {
                Trouble::Address(quoted(error))
            }
            ureq::Error::Io(error) => Trouble::Passing(quoted(error)),
            error => Trouble::Address(quoted(error)),
        }
    }
}

/// Whether a 206 answer begins at the byte asked for, of a file of the right size.
fn continues(headers: &HeaderMap, from: u64, size: u64) -> Result<bool, Trouble> {
    let text = headers.get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((range, total)) = text.strip_prefix("bytes ").and_then(|text| text.split_once('/')) else {
        return Ok(false);
    };
    // `*` is a total that the server does not know.
    if let Ok(total) = total.parse::<u64>()
        && total != size
    {
        return Err(Trouble::Address(format!("expected a file of {size} bytes, found one of {total}")));
    }
    Ok(range.split_once('-').is_some_and(|(first, _)| first.parse() == Ok(from)))
}

/// That a body is as long as the rest of the file, where its length is stated.
fn check_length(headers: &HeaderMap, start: u64, size: u64) -> Result<(), Trouble> {
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match stated {
        Some(stated) if stated.parse() != Ok(size - start) => {
            Err(Trouble::Address(format!("expected {} bytes, found Content-Length {}", size - start, quoted(stated))))
        }
        _ => Ok(()),
    }
}

/// An HTTP status other than success.
fn refused(status: StatusCode) -> Trouble {
    let reason = format!("expected HTTP status 200, found {status}");
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => Trouble::Passing(reason),
        _ if status.is_server_error() => Trouble::Passing(reason),
        _ => Trouble::Address(reason),
    }
}
