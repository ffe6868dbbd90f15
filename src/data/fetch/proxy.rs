//! The proxies that the environment names, and what they are not for, as curl and most programs read it.
//!
//! `http_proxy` and `https_proxy` are for addresses of that scheme, `all_proxy` for those whose own is not set; in upper
//! case where the lower-case one is not set. A value is `[scheme://][user:password@]host[:port]`, of the schemes `http`
//! (the default), `https`, `socks4`, `socks4a`, `socks5` and `socks5h`. `no_proxy` lists, with commas or blanks between
//! them, hosts that are asked directly: a name, for it and everything below it; an address or a network (`10.0.0.0/8`,
//! `fd00::/8`); each with `:port` for that port alone; `*` for all, or at either end of a name.

use super::address::masked;
use crate::error::{Error, Result};
use std::net::IpAddr;
use ureq::Proxy;
use ureq::http::Uri;

/// The proxies of an environment.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exceptions: Vec<Exception>,
}

impl Proxies {
    /// # Errors
    /// [`Error::Domain`] naming the variable that is no proxy's address.
    pub(super) fn from_environment() -> Result<Self> {
        Self::new(|name| std::env::var(name).ok())
    }

    /// # Errors
    /// As [`Proxies::from_environment`].
    fn new(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| {
            let names = [name.to_string(), name.to_uppercase()];
            names.into_iter().find_map(|name| Some((variable(&name).filter(|value| !value.trim().is_empty())?, name)))
        };
        let proxy = |name| set(name).or_else(|| set("all_proxy")).map(|(value, name)| parse(&name, &value)).transpose();
        let exceptions = set("no_proxy").map_or(Vec::new(), |(list, _)| {
            list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).map(Exception::new).collect()
        });
        Ok(Self { http: proxy("http_proxy")?, https: proxy("https_proxy")?, exceptions })
    }

    /// The proxy to ask for `uri`, if it is not asked for directly.
    pub(super) fn of(&self, uri: &Uri) -> Option<&Proxy> {
        let is_https = uri.scheme_str() == Some("https");
        let proxy = if is_https { &self.https } else { &self.http };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).trim_end_matches('.').to_lowercase();
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        proxy.as_ref().filter(|_| !self.exceptions.iter().any(|exception| exception.covers(&host, port)))
    }
}

/// The proxy that the variable `name` holds.
fn parse(name: &str, value: &str) -> Result<Proxy> {
    Proxy::new(value.trim()).map_err(|_| {
        let expected = "a proxy such as http://host:port or socks5://host:port, or nothing";
        Error::domain(format!("the environment's {name}"), expected, format!("`{}`", masked(value)))
    })
}

/// An entry of `no_proxy`.
#[derive(Debug, Clone)]
struct Exception {
    hosts: Hosts,
    /// The only port that it is about.
    port: Option<u16>,
}

/// Host names (in lower case) or addresses.
#[derive(Debug, Clone)]
enum Hosts {
    All,
    /// The address's first so many bits.
    Network(IpAddr, u32),
    /// Names that begin so.
    Beginning(String),
    /// This name and all below it.
    Below(String),
}

impl Exception {
    fn new(entry: &str) -> Self {
        let port = |text: &str| text.rsplit_once(':').and_then(|(host, port)| Some((host.len(), port.parse().ok()?)));
        // The colons of an address without brackets are its own.
        let with_port = if entry.parse::<IpAddr>().is_ok() || entry.contains('/') { None } else { port(entry) };
        let (host, port) = with_port.map_or((entry, None), |(length, port)| (&entry[..length], Some(port)));
        Self { hosts: Hosts::new(&host.to_lowercase()), port }
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        self.port.is_none_or(|own| own == port) && self.hosts.cover(host)
    }
}

impl Hosts {
    fn new(entry: &str) -> Self {
        let entry = entry.trim_matches(['[', ']']);
        let (address, bits) = entry.split_once('/').map_or((entry, None), |(address, bits)| (address, Some(bits)));
        let address = address.trim_matches(['[', ']']).parse::<IpAddr>().ok();
        let length = address.map(|address| if address.is_ipv4() { 32 } else { 128 }).unwrap_or_default();
        match (address, bits.map_or(Ok(length), str::parse)) {
            (Some(address), Ok(bits)) if bits <= length => Self::Network(address, bits),
            _ if entry == "*" => Self::All,
            _ => match entry.strip_suffix('*') {
                Some(beginning) => Self::Beginning(beginning.to_string()),
                None => Self::Below(entry.trim_start_matches('*').trim_matches('.').to_string()),
            },
        }
    }

    fn cover(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Network(network, bits) => host.parse().is_ok_and(|address| is_within(address, *network, *bits)),
            Self::Beginning(beginning) => host.starts_with(beginning.as_str()),
            Self::Below(name) => {
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        }
    }
}

/// Whether two addresses of one kind have the same first `bits`.
fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).checked_shr(32 - bits).unwrap_or(0) == 0,
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).checked_shr(128 - bits).unwrap_or(0) == 0,
        _ => false,
    }
}
