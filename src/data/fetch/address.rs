//! [`Address`]: where a file is, with the user and password that its server wants, which no message shows.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;
use ureq::http::uri::{Authority, Scheme};
use ureq::http::{HeaderValue, Uri};

/// What stands for a user and password in a message.
const MASK: &str = "***";

/// An absolute `http` or `https` address.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// Without user and password.
    pub(super) uri: Uri,
    /// The header that carries them.
    pub(super) authorization: Option<HeaderValue>,
}

impl Address {
    /// From `https://user:password@host/path`, the two percent-encoded where need be; `None` if it is no such address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
            return None;
        }
        let mut parts = uri.into_parts();
        let mut authorization = None;
        if let Some((user, host)) = parts.authority.as_ref().and_then(|authority| authority.as_str().rsplit_once('@')) {
            let host: Authority = host.parse().ok()?;
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            let [user, password] = [user, password].map(|text| percent_decode_str(text).collect::<Vec<u8>>());
            authorization = Some(basic(&user, &password)?);
            parts.authority = Some(host);
        }
        Some(Self { uri: Uri::from_parts(parts).ok()?, authorization })
    }

    /// Where a `Location` leads from here (RFC 3986, section 5.2). Only the same server gets the same user and password.
    pub(super) fn follow(&self, location: &str) -> Option<Self> {
        if location.is_empty() {
            return None;
        }
        let next = if location.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some()) {
            Self::parse(location)?
        } else {
            let (scheme, authority) = (self.uri.scheme_str()?, self.uri.authority()?);
            match location {
                _ if location.starts_with("//") => Self::parse(&format!("{scheme}:{location}"))?,
                _ => Self::parse(&format!("{scheme}://{authority}{}", resolve(self.uri.path(), location)))?,
            }
        };
        let is_here = next.uri.scheme() == self.uri.scheme() && next.uri.authority() == self.uri.authority();
        let kept = self.authorization.clone().filter(|_| is_here);
        Some(Self { authorization: next.authorization.or(kept), ..next })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Its beginning up to the path, as a request to a proxy repeats it.
    pub(super) fn origin(uri: &Uri) -> String {
        let authority = uri.authority().map_or("", Authority::as_str);
        format!("{}://{authority}", uri.scheme_str().unwrap_or("http"))
    }
}

/// The header of RFC 7617; `None` if nothing of the kind can be sent.
pub(super) fn basic(user: &[u8], password: &[u8]) -> Option<HeaderValue> {
    let pair = [user, b":", password].concat();
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A text that may be an address, fit for a message: with a mask for user and password.
pub(super) fn masked(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = text[start..].find(['/', '?', '#']).map_or(text.len(), |at| start + at);
    match text[start..end].rfind('@') {
        None => text.to_string(),
        Some(at) => format!("{}{MASK}{}", &text[..start], &text[start + at..]),
    }
}

/// A relative reference against a path: without its dot segments.
fn resolve(base: &str, reference: &str) -> String {
    let (path, query) = match reference.find(['?', '#']) {
        Some(at) => reference.split_at(at),
        None => (reference, ""),
    };
    let folder = base.rfind('/').map_or("/", |at| &base[..=at]);
    let joined = match path {
        "" => base.to_string(),
        _ if path.starts_with('/') => path.to_string(),
        _ => format!("{folder}{path}"),
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = joined.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            ".." => drop(kept.pop()),
            "." => {}
            _ => kept.push(segment),
        }
        if is_last && matches!(segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}
