//! What a request says about where it goes, read once and held against what the connection already proved.

use enforcer_flow::{Destination, Host, Protocol};
use http::header::HOST;
use http::{HeaderMap, Method, Uri, Version};

/// Why a request is refused before policy is asked: it contradicts itself or the connection it came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contradiction {
    /// Several `Host` headers, or none where one is required (RFC 9112, section 3.2).
    HostHeader,
    /// The authority is not a host with an optional port.
    MalformedAuthority,
    /// It names another host than the TLS server name, the looked-up name or the other header.
    AuthorityMismatch,
    /// It names another port than the connection's.
    PortMismatch,
    /// It names another scheme than the connection's.
    SchemeMismatch,
    /// It asks to be connected through (RFC 9110, section 9.3.6).
    NestedProxy,
}

/// What a connection already proved about its destination.
#[derive(Clone, Debug)]
pub struct Proven {
    /// Where the connection goes as far as it is known: the TLS server name, the name whose synthetic address was
    /// dialled, or an address literal.
    pub destination: Destination,
    /// Whether a request may not name another host: true for every name, and for everything inside TLS.
    pub binding: bool,
}

// === impl Contradiction ===

impl Contradiction {
    /// The stable word for the ledger.
    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::AuthorityMismatch => "authority_mismatch",
            Self::HostHeader => "host_header",
            Self::MalformedAuthority => "malformed_authority",
            Self::NestedProxy => "nested_proxy",
            Self::PortMismatch => "port_mismatch",
            Self::SchemeMismatch => "scheme_mismatch",
        }
    }

    /// Whether the request could be sent on to where its connection goes, for who observes more than enforces.
    pub(crate) fn could_go_on(self) -> bool {
        match self {
            Self::AuthorityMismatch | Self::PortMismatch | Self::SchemeMismatch => true,
            Self::HostHeader | Self::MalformedAuthority | Self::NestedProxy => false,
        }
    }

    /// The agent's sentence.
    pub(crate) fn public(self) -> &'static str {
        match self {
            Self::AuthorityMismatch => "the request names another host than its connection",
            Self::HostHeader => "the request must have exactly one Host header",
            Self::MalformedAuthority => {
                "the request's authority is not a host with an optional port"
            }
            Self::NestedProxy => "CONNECT is not served; connect to the destination itself",
            Self::PortMismatch => "the request names another port than its connection",
            Self::SchemeMismatch => "the request names another scheme than its connection",
        }
    }
}

/// The destination that policy will judge. None means the connection's own, which costs nothing to repeat.
pub(crate) fn destination(
    method: &Method,
    version: Version,
    uri: &Uri,
    headers: &HeaderMap,
    protocol: Protocol,
    proven: &Proven,
) -> Result<Option<Destination>, Contradiction> {
    if method == Method::CONNECT {
        return Err(Contradiction::NestedProxy);
    }
    if let Some(scheme) = uri.scheme_str()
        && scheme != protocol.as_str()
    {
        return Err(Contradiction::SchemeMismatch);
    }
    let host = host_header(version, uri, headers)?;
    let named = match (uri.authority(), host) {
        (None, None) => return Ok(None),
        (Some(authority), None) => authority.as_str(),
        (None, Some(host)) => host,
        (Some(authority), Some(host)) if authority.as_str().eq_ignore_ascii_case(host) => host,
        (Some(_), Some(_)) => return Err(Contradiction::AuthorityMismatch),
    };
    judge(named, proven)
}

fn host_header<'a>(
    version: Version,
    uri: &Uri,
    headers: &'a HeaderMap,
) -> Result<Option<&'a str>, Contradiction> {
    let mut values = headers.get_all(HOST).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value
            .to_str()
            .map(Some)
            .map_err(|_| Contradiction::MalformedAuthority),
        (None, _) if version == Version::HTTP_2 && uri.authority().is_some() => Ok(None),
        (None, _) if version == Version::HTTP_10 => Ok(None),
        (Some(_), Some(_)) | (None, _) => Err(Contradiction::HostHeader),
    }
}

fn judge(named: &str, proven: &Proven) -> Result<Option<Destination>, Contradiction> {
    let (host, port) = split(named)?;
    if port.is_some_and(|port| port != proven.destination.port) {
        return Err(Contradiction::PortMismatch);
    }
    if proven.destination.host.matches(host) {
        return Ok(None);
    }
    if proven.binding {
        return Err(Contradiction::AuthorityMismatch);
    }
    let host = Host::parse(host).map_err(|_| Contradiction::MalformedAuthority)?;
    Ok(Some(Destination {
        host,
        port: proven.destination.port,
    }))
}

/// Splits `host[:port]`. User information is not an authority's part here (RFC 9110, section 4.2.4).
fn split(text: &str) -> Result<(&str, Option<u16>), Contradiction> {
    let end_of_host = match text.strip_prefix('[') {
        Some(rest) => rest.find(']').map(|end| end + 2),
        None => Some(text.find(':').unwrap_or(text.len())),
    };
    let (host, rest) = end_of_host
        .and_then(|end| text.split_at_checked(end))
        .ok_or(Contradiction::MalformedAuthority)?;
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => Some(
            digits
                .parse()
                .map_err(|_| Contradiction::MalformedAuthority)?,
        ),
        None | Some(_) => return Err(Contradiction::MalformedAuthority),
    };
    if host.is_empty() {
        return Err(Contradiction::MalformedAuthority);
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    struct Case {
        proven: &'static str,
        binding: bool,
        protocol: Protocol,
        version: Version,
        uri: &'static str,
        hosts: &'static [&'static str],
    }

    const TLS: Case = Case {
        proven: "api.example",
        binding: true,
        protocol: Protocol::Https,
        version: Version::HTTP_11,
        uri: "/v1",
        hosts: &["api.example"],
    };
    const LITERAL: Case = Case {
        proven: "192.0.2.1",
        binding: false,
        protocol: Protocol::Http,
        version: Version::HTTP_11,
        uri: "/",
        hosts: &["192.0.2.1"],
    };

    fn check(case: &Case, expected: Result<Option<&str>, Contradiction>) {
        let mut request = Request::builder().uri(case.uri).version(case.version);
        for host in case.hosts {
            request = request.header(HOST, *host);
        }
        let request = request.body(()).unwrap();
        let proven = Proven {
            destination: Destination {
                host: Host::parse(case.proven).unwrap(),
                port: 443,
            },
            binding: case.binding,
        };
        let found = destination(
            request.method(),
            request.version(),
            request.uri(),
            request.headers(),
            case.protocol,
            &proven,
        )
        .map(|found| found.map(|d| d.host.to_string()));
        assert_eq!(
            found.as_ref().map(|host| host.as_deref()),
            expected.as_ref().map(|host| *host),
            "{} {:?} {:?}",
            case.proven,
            case.uri,
            case.hosts
        );
    }

    #[test]
    fn the_authority_must_agree_with_the_server_name() {
        let hosts = |hosts| Case { hosts, ..TLS };
        check(&hosts(&["api.example"]), Ok(None));
        check(&hosts(&["API.example.:443"]), Ok(None));
        check(
            &hosts(&["other.example"]),
            Err(Contradiction::AuthorityMismatch),
        );
        check(
            &hosts(&["api.example.evil.example"]),
            Err(Contradiction::AuthorityMismatch),
        );
        check(
            &hosts(&["api.example:8443"]),
            Err(Contradiction::PortMismatch),
        );
        check(&hosts(&[]), Err(Contradiction::HostHeader));
        check(
            &hosts(&["api.example", "api.example"]),
            Err(Contradiction::HostHeader),
        );
        check(
            &hosts(&["api.example, other.example"]),
            Err(Contradiction::AuthorityMismatch),
        );
        check(
            &hosts(&["user@api.example"]),
            Err(Contradiction::AuthorityMismatch),
        );
        check(
            &hosts(&["api.example:"]),
            Err(Contradiction::MalformedAuthority),
        );
        check(
            &hosts(&["api.example:+443"]),
            Err(Contradiction::MalformedAuthority),
        );
        check(
            &hosts(&["api.example:99999"]),
            Err(Contradiction::MalformedAuthority),
        );
        check(&hosts(&["[::1"]), Err(Contradiction::MalformedAuthority));
        check(&hosts(&[":443"]), Err(Contradiction::MalformedAuthority));
    }

    #[test]
    fn absolute_form_and_h2_authorities_are_held_to_the_same() {
        let uri = |uri, hosts, version| Case {
            uri,
            hosts,
            version,
            ..TLS
        };
        check(
            &uri("https://api.example/v1", &["api.example"], Version::HTTP_11),
            Ok(None),
        );
        check(
            &uri(
                "https://other.example/v1",
                &["api.example"],
                Version::HTTP_11,
            ),
            Err(Contradiction::AuthorityMismatch),
        );
        check(
            &uri("http://api.example/v1", &["api.example"], Version::HTTP_11),
            Err(Contradiction::SchemeMismatch),
        );
        check(
            &uri("https://api.example/v1", &[], Version::HTTP_2),
            Ok(None),
        );
        check(
            &uri("https://other.example/v1", &[], Version::HTTP_2),
            Err(Contradiction::AuthorityMismatch),
        );
        check(
            &uri(
                "https://api.example/v1",
                &["other.example"],
                Version::HTTP_2,
            ),
            Err(Contradiction::AuthorityMismatch),
        );
    }

    #[test]
    fn plain_http_to_a_literal_is_judged_by_its_host_header() {
        let hosts = |hosts| Case { hosts, ..LITERAL };
        check(&hosts(&["192.0.2.1"]), Ok(None));
        check(&hosts(&["name.example"]), Ok(Some("name.example")));
        check(&hosts(&["127.1"]), Err(Contradiction::MalformedAuthority));
        check(
            &Case {
                version: Version::HTTP_10,
                hosts: &[],
                ..LITERAL
            },
            Ok(None),
        );
    }

    #[test]
    fn connect_is_refused() {
        let proven = Proven {
            destination: Destination {
                host: Host::parse("api.example").unwrap(),
                port: 443,
            },
            binding: true,
        };
        let found = destination(
            &Method::CONNECT,
            Version::HTTP_11,
            &Uri::from_static("api.example:443"),
            &HeaderMap::new(),
            Protocol::Https,
            &proven,
        );
        assert_eq!(found, Err(Contradiction::NestedProxy));
    }
}
