//! Protocols and ports: what a rule reaches of a host.

use enforcer_flow::Protocol;

use crate::diagnostic::Fault;
use crate::parse::fields::listed;
use crate::parse::nearest::did_you_mean;

/// The protocols that rules speak of, by name.
const PROTOCOLS: [(&str, Protocol); 4] = [
    ("http", Protocol::Http),
    ("https", Protocol::Https),
    ("tcp", Protocol::Tcp),
    ("tls", Protocol::Tls),
];

/// A set of protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Protocols(u8);

/// A set of ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Every port.
    Any,
    /// These ranges, both ends included.
    In(Box<[(u16, u16)]>),
    /// The port that the protocol is usually spoken at.
    Usual,
}

/// What a rule reaches: these protocols at these ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) protocols: Protocols,
    pub(crate) ports: Ports,
}

// === impl Protocols ===

impl Protocols {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn of(protocols: &[Protocol]) -> Self {
        protocols.iter().copied().fold(Self::NONE, Self::with)
    }

    pub(crate) fn with(self, protocol: Protocol) -> Self {
        Self(self.0 | bit(protocol))
    }

    pub(crate) fn has(self, protocol: Protocol) -> bool {
        self.0 & bit(protocol) != 0
    }

    /// The members, in the order of their names.
    pub(crate) fn iter(self) -> impl Iterator<Item = Protocol> {
        PROTOCOLS
            .into_iter()
            .map(|(_, protocol)| protocol)
            .filter(move |protocol| self.has(*protocol))
    }
}

/// Reads a value of `protocol`.
pub(crate) fn parse_protocol(text: &str) -> Result<Protocol, Fault> {
    if let Some((_, protocol)) = PROTOCOLS.iter().find(|(name, _)| *name == text) {
        return Ok(*protocol);
    }
    let names = PROTOCOLS.map(|(name, _)| name);
    let fault = Fault::new(format!("`{text}` is no protocol that rules speak of"));
    Err(match text {
        "dns" => fault.with_hint("a name is looked up whenever some rule could allow it"),
        "ws" => fault.with_hint("WebSockets are opened by `http`"),
        "wss" => fault.with_hint("WebSockets are opened by `https`"),
        "h2" | "http2" | "HTTP" | "HTTPS" => {
            fault.with_hint("write `https`, or `http` without TLS")
        }
        _ => fault.with_hint(match did_you_mean(text, &names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the protocols are {}", listed(&names)),
        }),
    })
}

fn bit(protocol: Protocol) -> u8 {
    match protocol {
        // Lookups are answered by what the other protocols could allow; no rule is about them.
        Protocol::Dns => 0,
        Protocol::Http => 1,
        Protocol::Https => 2,
        Protocol::Tcp => 4,
        Protocol::Tls => 8,
    }
}

// === impl Ports ===

impl Ports {
    fn has(&self, protocol: Protocol, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::In(ranges) => ranges
                .iter()
                .any(|(low, high)| (*low..=*high).contains(&port)),
            Self::Usual => usual(protocol) == Some(port),
        }
    }

    /// Whether all that `other` has for this protocol is surely had by this too.
    fn covers(&self, other: &Self, protocol: Protocol) -> bool {
        match (self, other) {
            (Self::Any, _) | (Self::Usual, Self::Usual) => true,
            (Self::Usual, Self::Any) => false,
            (Self::In(ranges), Self::In(others)) => others
                .iter()
                .all(|(low, high)| ranges.iter().any(|(from, to)| from <= low && high <= to)),
            (Self::In(ranges), Self::Any) => ranges
                .iter()
                .any(|(low, high)| *low <= 1 && *high == u16::MAX),
            (Self::In(_), Self::Usual) => {
                usual(protocol).is_some_and(|port| self.has(protocol, port))
            }
            (Self::Usual, Self::In(others)) => others
                .iter()
                .all(|(low, high)| low == high && usual(protocol) == Some(*low)),
        }
    }
}

/// Reads a value of `port`: a number, or a range as `LOW-HIGH`.
pub(crate) fn parse_ports(text: &str) -> Result<(u16, u16), Fault> {
    let fault = || {
        let fault = Fault::new(format!("`{text}` is no port"));
        fault.with_hint("ports are numbers from 1 to 65535, or ranges such as `8000-8100`")
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u16>().ok().filter(|port| *port != 0);
        number.filter(|_| digits).ok_or_else(fault)
    };
    let (low, high) = match text.split_once('-') {
        Some((low, high)) => (number(low)?, number(high)?),
        None => (number(text)?, number(text)?),
    };
    if low > high {
        let fault = Fault::new(format!("`{text}` is a range that ends before it begins"));
        return Err(fault.with_hint(format!("write `{high}-{low}`")));
    }
    Ok((low, high))
}

/// The port a protocol is usually spoken at.
pub(crate) fn usual(protocol: Protocol) -> Option<u16> {
    match protocol {
        Protocol::Dns => Some(53),
        Protocol::Http => Some(80),
        Protocol::Https | Protocol::Tls => Some(443),
        Protocol::Tcp => None,
    }
}

// === impl Reach ===

impl Reach {
    /// All its ports, if they are few enough to be told one by one.
    pub(crate) fn few_ports(&self, most: usize) -> Option<Vec<u16>> {
        match &self.ports {
            Ports::Any => None,
            Ports::In(ranges) => {
                let each = || ranges.iter().flat_map(|(low, high)| *low..=*high);
                (each().take(most + 1).count() <= most).then(|| each().collect())
            }
            Ports::Usual => Some(self.protocols.iter().filter_map(usual).collect()),
        }
    }

    pub(crate) fn has_port(&self, protocol: Protocol, port: u16) -> bool {
        self.ports.has(protocol, port)
    }

    /// Whether all that `other` reaches is surely reached by this too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other
            .protocols
            .iter()
            .all(|protocol| self.covers_in(other, protocol))
    }

    /// The same for one protocol.
    pub(crate) fn covers_in(&self, other: &Self, protocol: Protocol) -> bool {
        self.protocols.has(protocol) && self.ports.covers(&other.ports, protocol)
    }
}
