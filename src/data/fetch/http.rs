//! HTTP as a download needs it: one file from a byte on, and why an address does not give it.

use super::Network;
use super::address::{Address, basic, masked};
use super::forward::{Forwarding, is_forwarded};
use super::proxy::Proxies;
use crate::error::{Error, quoted};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Body, Proxy, Timeout, http};

const USER_AGENT: &str = concat!("gdstar/", env!("CARGO_PKG_VERSION"));
/// The most redirects that are followed: mirrors need one or two.
const MAX_REDIRECTS: usize = 5;

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

/// Asks servers, through the environment's proxies.
#[derive(Clone)]
pub(super) struct Client {
    agent: Agent,
    proxies: Proxies,
    timeout: Duration,
}

impl Client {
    /// # Errors
    /// [`Error::Domain`] naming the environment's variable that holds no proxy's address.
    pub(super) fn new(network: &Network) -> Result<Self, Error> {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let timeout = Some(network.timeout);
        // Redirects are followed here, so that none is to a place that is not safe and no body of one is read.
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .user_agent(USER_AGENT)
            .timeout_resolve(timeout)
            .timeout_connect(timeout)
            .timeout_recv_response(timeout)
            .timeout_per_read(timeout)
            .proxy(None)
            .build();
        let proxies = if network.proxy_from_environment { Proxies::from_environment()? } else { Proxies::default() };
        let forwarding = Forwarding::new(config.clone());
        let agent = Agent::with_parts(config, forwarding, DefaultResolver::default());
        Ok(Self { agent, proxies, timeout: network.timeout })
    }

    /// Ends every request and every body.
    pub(super) fn shut_down(self) {
        self.agent.shutdown();
    }

    /// Asks for the file of `size` bytes at `address`, from byte `from` on. The answer may start at 0 all the same;
    /// there is none if the server cannot continue from `from`.
    ///
    /// # Errors
    /// Whatever else keeps a body with the rest of such a file from coming.
    pub(super) fn get(&self, address: &Address, from: u64, size: u64) -> Result<Option<Reply>, Trouble> {
        let response = self.follow(address.clone(), from)?;
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if from > 0 && continues(response.headers(), from, size)? => from,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => return Ok(None),
            status => return Err(refused(status)),
        };
        check_length(response.headers(), start, size)?;
        Ok(Some(Reply { start, body: response.into_body().into_reader() }))
    }

    /// The first answer that is no redirect.
    fn follow(&self, mut address: Address, from: u64) -> Result<http::Response<Body>, Trouble> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask(&address, from)?;
            match response.status().as_u16() {
                301 | 302 | 303 | 307 | 308 => address = redirect(&address, response.headers())?,
                _ => return Ok(response),
            }
        }
        Err(Trouble::Address(format!("too many redirects, more than {MAX_REDIRECTS}")))
    }

    fn ask(&self, address: &Address, from: u64) -> Result<http::Response<Body>, Trouble> {
        let proxy = self.proxies.of(&address.uri);
        // The sums are of the files as they are stored, so no server may compress them for the way.
        let request = self.agent.get(address.uri.clone()).header(header::ACCEPT_ENCODING, "identity");
        let mut request = request.config().proxy(proxy.cloned()).build();
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        if let Some(authorization) = &address.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(proxy) = proxy.filter(|proxy| is_forwarded(address.uri.scheme_str(), proxy.protocol()))
            && let Some(user) = proxy.username()
            && let Some(authorization) = basic(user.as_bytes(), proxy.password().unwrap_or_default().as_bytes())
        {
            request = request.header(header::PROXY_AUTHORIZATION, authorization);
        }
        request.call().map_err(|error| through(proxy, self.trouble(error)))
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

/// What happened, and through which proxy.
fn through(proxy: Option<&Proxy>, trouble: Trouble) -> Trouble {
    let Some(proxy) = proxy else { return trouble };
    let told = |reason: String| format!("{reason} (through the proxy {})", masked(&proxy.uri().to_string()));
    match trouble {
        Trouble::Passing(reason) => Trouble::Passing(told(reason)),
        Trouble::Address(reason) => Trouble::Address(told(reason)),
        Trouble::Ours(error) => Trouble::Ours(error),
    }
}

/// Where a redirect leads, which is never from `https` to `http`: nobody would see what is then read on the way.
fn redirect(from: &Address, headers: &HeaderMap) -> Result<Address, Trouble> {
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // What follows a question mark may be a signature, as good as a password.
    let shown = quoted(masked(location.split('?').next().unwrap_or_default()));
    match from.follow(location) {
        Some(next) if from.is_encrypted() && !next.is_encrypted() => {
            Err(Trouble::Address(format!("expected an https address, found a redirect to {shown}")))
        }
        Some(next) => Ok(next),
        None => Err(Trouble::Address(format!("expected an address to go on to, found a redirect to `{shown}`"))),
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
