//! A host as policy judges it: one normal form, one constructor.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Names below this are the enforcer's: no such name exists elsewhere.
pub const CHECK_ZONE: &str = "enforcer.internal";
/// Whoever shakes hands with this name shows whether it believes the local CA; nothing lies behind it.
pub const CHECK_NAME: &str = "trust-check.enforcer.internal";

/// Longest name in text form, RFC 1035 section 2.3.4 less the root dot.
const MAX_NAME: usize = 253;
/// Longest label, RFC 1035 section 2.3.4.
const MAX_LABEL: usize = 63;

/// A DNS name (lower case, no trailing dot, A-labels only) or an address literal (IPv4-mapped IPv6 becomes IPv4).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// An address literal.
    Ip(IpAddr),
    /// A DNS name in its normal form.
    Name(Arc<str>),
}

/// Why a text is not a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// A character outside letters, digits, `-`, `_` and `.`; names in other scripts must come as A-labels (`xn--`).
    #[error("a character that no host name has")]
    Character,
    /// Nothing, or an empty label as in `a..b`.
    #[error("an empty label")]
    EmptyLabel,
    /// A label over 63 bytes or a name over 253.
    #[error("too long for a host name")]
    Length,
    /// The last label is a number, but the whole is not a dotted-quad address (`127.1`, `0x7f.0.0.1`).
    #[error("a number where an IPv4 address would be written in full")]
    Numeric,
}

impl Host {
    /// Reads a host from a `Host` header, an SNI, a DNS question or a policy; IPv6 with or without brackets.
    ///
    /// # Errors
    /// When the text is neither an address literal nor a DNS name. Forms that other software might read as an address
    /// (`127.1`, `0x7f000001`) are refused rather than taken for names.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
            let addr: Ipv6Addr = inner.parse().map_err(|_| HostError::Character)?;
            return Ok(Self::from_ip(addr.into()));
        }
        if let Ok(addr) = text.parse::<IpAddr>() {
            return Ok(Self::from_ip(addr));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        if name.len() > MAX_NAME {
            return Err(HostError::Length);
        }
        for label in name.split('.') {
            check_label(label)?;
        }
        if is_numeric(name.rsplit('.').next().unwrap_or(name)) {
            return Err(HostError::Numeric);
        }
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return Ok(Self::Name(name.to_ascii_lowercase().into()));
        }
        Ok(Self::Name(name.into()))
    }

    /// Takes an address; IPv4-mapped IPv6 becomes IPv4.
    #[must_use]
    pub fn from_ip(addr: IpAddr) -> Self {
        Self::Ip(addr.to_canonical())
    }

    /// Whether `text` would normalise to this host; allocates nothing for a DNS name.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => text
                .strip_suffix('.')
                .unwrap_or(text)
                .eq_ignore_ascii_case(name),
            Self::Ip(_) => Self::parse(text).is_ok_and(|other| other == *self),
        }
    }

    /// The name, unless this is an address literal.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Ip(_) => None,
            Self::Name(name) => Some(name),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(addr) => addr.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn check_label(label: &str) -> Result<(), HostError> {
    if label.is_empty() {
        return Err(HostError::EmptyLabel);
    }
    if label.len() > MAX_LABEL {
        return Err(HostError::Length);
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if label.bytes().all(allowed) {
        Ok(())
    } else {
        Err(HostError::Character)
    }
}

/// The "ends in a number" test of the WHATWG URL standard, section 3.5.
fn is_numeric(label: &str) -> bool {
    if label.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    let hex = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"));
    hex.is_some_and(|digits| digits.parse::<Ipv4Addr>().is_err() && is_hex(digits))
}

fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<&str, HostError>) {
        let parsed = Host::parse(text).map(|host| host.to_string());
        assert_eq!(parsed.as_deref().map_err(|e| *e), expected, "`{text}`");
    }

    #[test]
    fn hosts_have_one_normal_form() {
        check("API.OpenAI.com", Ok("api.openai.com"));
        check("api.openai.com.", Ok("api.openai.com"));
        check("_srv.example", Ok("_srv.example"));
        check("xn--bcher-kva.example", Ok("xn--bcher-kva.example"));
        check("192.0.2.7", Ok("192.0.2.7"));
        check("[2001:DB8::1]", Ok("2001:db8::1"));
        check("::ffff:192.0.2.7", Ok("192.0.2.7"));
        check("[::ffff:192.0.2.7]", Ok("192.0.2.7"));
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        check("", Err(HostError::EmptyLabel));
        check(".", Err(HostError::EmptyLabel));
        check("a..b", Err(HostError::EmptyLabel));
        check(".example", Err(HostError::EmptyLabel));
        check("exa mple", Err(HostError::Character));
        check("bücher.example", Err(HostError::Character));
        check("host:443", Err(HostError::Character));
        check("a/b", Err(HostError::Character));
        check("*.example.com", Err(HostError::Character));
        check(&"a".repeat(64), Err(HostError::Length));
        check(&vec!["abc"; 70].join("."), Err(HostError::Length));
    }

    #[test]
    fn texts_that_resolvers_read_as_addresses_are_refused() {
        for text in [
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0x7f000001",
            "1.2.3.4.5",
            "a.0x",
            "127.0.0.01",
        ] {
            check(text, Err(HostError::Numeric));
        }
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent_and_total(text in "\\PC{0,80}") {
            if let Ok(host) = Host::parse(&text) {
                prop_assert_eq!(Host::parse(&host.to_string()).unwrap(), host.clone());
                prop_assert!(host.matches(&text));
            }
        }
    }
}
