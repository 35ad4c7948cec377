//! One question in one line: `METHOD URL`, `tls HOST[:PORT]`, `tcp HOST:PORT` or `resolve NAME`.

use enforcer_flow::{Host, Protocol, Workload};

use crate::compile::reach::usual;
use crate::diagnostic::Fault;
use crate::{Question, Request};

/// What a case asks, less the workload.
#[derive(Debug)]
pub(crate) struct Ask {
    protocol: Protocol,
    host: Host,
    port: u16,
    /// Method, raw path and query.
    request: Option<(String, String, Option<String>)>,
}

impl Ask {
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let Some((verb, object)) = text.split_once(' ') else {
            return Err(malformed(text));
        };
        match verb {
            "resolve" => Self::opaque(Protocol::Dns, object),
            "tcp" => Self::opaque(Protocol::Tcp, object),
            "tls" => Self::opaque(Protocol::Tls, object),
            method => Self::request(method, object),
        }
    }

    pub(crate) fn question<'a>(&'a self, workload: &'a Workload) -> Question<'a> {
        let request = self.request.as_ref();
        Question::new(workload, self.protocol, &self.host, self.port).with_request(request.map(
            |(method, path, query)| Request {
                query: query.as_deref(),
                ..Request::new(method, path)
            },
        ))
    }

    fn opaque(protocol: Protocol, place: &str) -> Result<Self, Fault> {
        let (host, port) = destination(place, protocol)?;
        Ok(Self {
            protocol,
            host,
            port,
            request: None,
        })
    }

    /// Takes the path as it stands, so that cases can ask about paths that a URL parser would tidy up.
    fn request(method: &str, url: &str) -> Result<Self, Fault> {
        let (protocol, rest) = if let Some(rest) = url.strip_prefix("https://") {
            (Protocol::Https, rest)
        } else if let Some(rest) = url.strip_prefix("http://") {
            (Protocol::Http, rest)
        } else {
            return Err(malformed(url));
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        let (host, port) = destination(authority, protocol)?;
        Ok(Self {
            protocol,
            host,
            port,
            request: Some((method.to_owned(), path.to_owned(), query)),
        })
    }
}

/// A host and its port, or the protocol's usual one.
fn destination(text: &str, protocol: Protocol) -> Result<(Host, u16), Fault> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (text, None),
    };
    let host =
        Host::parse(host).map_err(|error| Fault::new(format!("`{host}` is no host: {error}")))?;
    let port = match port {
        Some(port) => port.parse().ok(),
        None => usual(protocol),
    };
    let port =
        port.ok_or_else(|| Fault::new(format!("`{text}` has no port, or none that exists")))?;
    Ok((host, port))
}

fn malformed(text: &str) -> Fault {
    let fault = Fault::new(format!("`{text}` asks nothing"));
    fault.with_hint(
        "write `METHOD https://HOST/PATH`, `tls HOST`, `tcp HOST:PORT` or `resolve NAME`",
    )
}
