//! Plain `http` through an HTTP proxy: the proxy is asked for the whole address (RFC 9112, section 3.2.2), as proxies
//! expect it; `ureq` by itself would ask for a tunnel (`CONNECT`), which many allow for `https` only.

use super::address::Address;
use ureq::config::Config;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport};
use ureq::{Error, ProxyProtocol};

/// `ureq`'s connector, except for what a proxy forwards.
#[derive(Debug)]
pub(super) struct Forwarding {
    /// The configuration for a connection to the proxy itself.
    direct: Config,
    inner: DefaultConnector,
}

impl Forwarding {
    /// `direct` is the agent's configuration, without a proxy.
    pub(super) fn new(direct: Config) -> Self {
        Self { direct, inner: DefaultConnector::default() }
    }
}

/// Whether a request through a proxy of this kind is forwarded, not tunnelled.
pub(super) fn is_forwarded(scheme: Option<&str>, proxy: ProxyProtocol) -> bool {
    scheme == Some("http") && matches!(proxy, ProxyProtocol::Http | ProxyProtocol::Https)
}

impl Connector<()> for Forwarding {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<()>) -> Result<Option<Self::Out>, Error> {
        let proxy = details.config.proxy().filter(|proxy| is_forwarded(details.uri.scheme_str(), proxy.protocol()));
        let Some(proxy) = proxy else { return self.inner.connect(details, chained) };
        let to_proxy = ConnectionDetails {
            uri: proxy.uri(),
            addrs: details.resolver.resolve(proxy.uri(), &self.direct, details.timeout)?,
            config: &self.direct,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let transport = self.inner.connect(&to_proxy, chained)?;
        let origin = Address::origin(details.uri);
        Ok(transport.map(|inner| Box::new(AbsoluteForm { inner, origin: Some(origin) }) as Self::Out))
    }
}

/// A connection to a proxy, for one request: its first line names the whole address.
#[derive(Debug)]
struct AbsoluteForm {
    inner: Box<dyn Transport>,
    /// What comes before the path, until it is written.
    origin: Option<String>,
}

impl Transport for AbsoluteForm {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let Some(origin) = self.origin.take() else { return self.inner.transmit_output(amount, timeout) };
        let mut request = self.inner.buffers().output()[..amount].to_vec();
        let path = request.iter().position(|&byte| byte == b' ').map_or(0, |blank| blank + 1);
        request.splice(path..path, origin.into_bytes());
        for piece in request.chunks(self.inner.buffers().output().len().max(1)) {
            self.inner.buffers().output()[..piece.len()].copy_from_slice(piece);
            self.inner.transmit_output(piece.len(), timeout)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
