//! Socket addresses that must not be mistaken for one another.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::Host;

/// Where an agent's socket was pointed before the kernel redirected it. IPv4-mapped IPv6 is normalised to IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OriginalDst(SocketAddr);

/// The agent's own end of a redirected connection, as `accept(2)` shows it. IPv4-mapped IPv6 is normalised to IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(SocketAddr);

/// A host and a port as policy judges them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The verified name, or the address literal the agent used.
    pub host: Host,
    /// The port the agent asked for.
    pub port: u16,
}

// === impl OriginalDst ===

impl OriginalDst {
    /// Takes the address the kernel recorded.
    #[must_use]
    pub fn new(addr: SocketAddr) -> Self {
        Self(canonical(addr))
    }

    /// The address itself.
    #[must_use]
    pub fn addr(self) -> SocketAddr {
        self.0
    }
}

impl fmt::Display for OriginalDst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl ClientAddr ===

impl ClientAddr {
    /// Takes the peer address of an accepted socket.
    #[must_use]
    pub fn new(addr: SocketAddr) -> Self {
        Self(canonical(addr))
    }

    /// The address itself.
    #[must_use]
    pub fn addr(self) -> SocketAddr {
        self.0
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Destination ===

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match host {
            Host::Ip(IpAddr::V6(addr)) => write!(f, "[{addr}]:{port}"),
            Host::Ip(_) | Host::Name(_) => write!(f, "{host}:{port}"),
        }
    }
}

fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_normalised_to_ipv4() {
        let mapped: SocketAddr = "[::ffff:192.0.2.1]:443".parse().unwrap();
        assert_eq!(OriginalDst::new(mapped).to_string(), "192.0.2.1:443");
        assert_eq!(ClientAddr::new(mapped).to_string(), "192.0.2.1:443");
    }

    #[test]
    fn a_destination_brackets_ipv6() {
        let host = Host::parse("2001:db8::1").unwrap();
        assert_eq!(
            Destination { host, port: 443 }.to_string(),
            "[2001:db8::1]:443"
        );
    }
}
