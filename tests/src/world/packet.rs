//! As much of an IP packet as it takes to say who sent what where.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;
const HOP_BY_HOP: u8 = 0;
/// As much of what a packet carries as is kept.
const BODY: usize = 128;

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packet {
    /// Who sent it.
    pub source: IpAddr,
    /// For whom it was.
    pub destination: IpAddr,
    /// The IP protocol number.
    pub protocol: u8,
    /// The port it was for, if its protocol has ports.
    pub destination_port: Option<u16>,
    /// The type byte of ICMP and the like; 0 elsewhere.
    kind: u8,
    /// The beginning of what it carries.
    #[serde(skip)]
    body: Vec<u8>,
}

impl Packet {
    /// Reads a packet that begins with its IP header; `None` for anything else.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::parse_v4(bytes),
            6 => Self::parse_v6(bytes),
            _ => None,
        }
    }

    /// What a kernel says to find its neighbours, whatever programs do.
    #[must_use]
    pub fn is_housekeeping(&self) -> bool {
        let is_neighbour = self.protocol == ICMP6 && (130..=143).contains(&self.kind);
        is_neighbour || self.protocol == HOP_BY_HOP
    }

    /// Whether these bytes occur in the beginning of what it carries.
    #[must_use]
    pub fn mentions(&self, bytes: &[u8]) -> bool {
        self.body
            .windows(bytes.len().max(1))
            .any(|piece| piece == bytes)
    }

    fn parse_v4(bytes: &[u8]) -> Option<Self> {
        let header = usize::from(bytes.first()? & 15) * 4;
        let source: [u8; 4] = bytes.get(12..16)?.try_into().ok()?;
        let destination: [u8; 4] = bytes.get(16..20)?.try_into().ok()?;
        let protocol = *bytes.get(9)?;
        let payload = bytes.get(header..).unwrap_or_default();
        Some(Self {
            source: Ipv4Addr::from(source).into(),
            destination: Ipv4Addr::from(destination).into(),
            protocol,
            destination_port: port(protocol, payload),
            kind: payload.first().copied().unwrap_or_default(),
            body: payload.iter().copied().take(BODY).collect(),
        })
    }

    fn parse_v6(bytes: &[u8]) -> Option<Self> {
        let source: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
        let destination: [u8; 16] = bytes.get(24..40)?.try_into().ok()?;
        let protocol = *bytes.get(6)?;
        let payload = bytes.get(40..).unwrap_or_default();
        Some(Self {
            source: Ipv6Addr::from(source).into(),
            destination: Ipv6Addr::from(destination).into(),
            protocol,
            destination_port: port(protocol, payload),
            kind: payload.first().copied().unwrap_or_default(),
            body: payload.iter().copied().take(BODY).collect(),
        })
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol {
            TCP => f.write_str("TCP")?,
            UDP => f.write_str("UDP")?,
            other => write!(f, "IP protocol {other}")?,
        }
        write!(f, " to {}", self.destination)?;
        self.destination_port
            .map_or(Ok(()), |port| write!(f, " port {port}"))
    }
}

fn port(protocol: u8, payload: &[u8]) -> Option<u16> {
    let bytes: [u8; 2] = payload.get(2..4)?.try_into().ok()?;
    [TCP, UDP]
        .contains(&protocol)
        .then(|| u16::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        bytes[0] = 0x45;
        bytes[9] = protocol;
        bytes[12..16].copy_from_slice(&[198, 51, 100, 2]);
        bytes[16..20].copy_from_slice(&[203, 0, 113, 7]);
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn a_tcp_packet_says_where_it_went() {
        let packet = Packet::parse(&v4(TCP, &[0x80, 0, 0x11, 0x5c])).expect("a packet");
        assert_eq!(packet.to_string(), "TCP to 203.0.113.7 port 4444");
    }

    #[test]
    fn every_truncation_is_read_or_refused_without_panic() {
        let whole = v4(UDP, &[0, 1, 0, 53, 0, 0]);
        for length in 0..whole.len() {
            let _ = Packet::parse(&whole[..length]);
        }
        assert_eq!(Packet::parse(&whole[..19]), None);
    }

    #[test]
    fn neighbour_discovery_is_housekeeping_and_ping_is_not() {
        let mut bytes = vec![0; 40];
        bytes[0] = 0x60;
        bytes[6] = ICMP6;
        let packet = |kind| {
            let whole = [bytes.as_slice(), &[kind, 0, 0, 0]].concat();
            Packet::parse(&whole).expect("a packet")
        };
        assert!(packet(135).is_housekeeping());
        assert!(!packet(128).is_housekeeping());
    }
}
