//! Who opened a connection, and where it was to go.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use enforcer_common::{Address, OriginKey, OriginValue};
use enforcer_flow::{CgroupId, ClientAddr, NetnsCookie, OriginalDst, Process};

use crate::table::Table;

/// Looks up what the programs filed. A fake of it stands in for the kernel in tests.
pub trait Origins: Send + Sync {
    /// The origin of an accepted connection. Asking takes it away: it is there once.
    fn take(&self, netns: NetnsCookie, client: ClientAddr) -> Option<Origin>;

    /// The origin of a datagram that came to the DNS socket. It stays, for the next one from the same socket.
    fn udp(&self, netns: NetnsCookie, client: ClientAddr) -> Option<Origin>;
}

/// What is known of a socket that an agent pointed somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where it was pointed.
    pub dst: OriginalDst,
    /// The labelled cgroup: the nearest one at or above the process's own.
    pub cgroup: CgroupId,
    /// The process that pointed it there.
    pub process: Process,
    /// When that was: hundredths of a second since boot.
    pub at: u32,
    /// The network namespace it lives in.
    pub netns: NetnsCookie,
}

/// The kernel's answer to [`Origins`].
pub(crate) struct Tables {
    pub(crate) flows: Table<OriginKey, OriginValue>,
    pub(crate) lookups: Table<OriginKey, OriginValue>,
}

// === impl Origin ===

impl Origin {
    pub(crate) fn new(netns: NetnsCookie, value: &OriginValue) -> Self {
        let OriginValue {
            cgroup,
            socket: _,
            ip,
            comm,
            pid,
            uid,
            port,
            reserved: _,
            at,
        } = value;
        Self {
            dst: OriginalDst::new(address(ip, *port)),
            cgroup: CgroupId(*cgroup),
            process: process(*pid, *uid, comm),
            at: *at,
            netns,
        }
    }
}

// === impl Tables ===

impl Origins for Tables {
    fn take(&self, netns: NetnsCookie, client: ClientAddr) -> Option<Origin> {
        let value = found(self.flows.take(&key(netns, client)))?;
        Some(Origin::new(netns, &value))
    }

    fn udp(&self, netns: NetnsCookie, client: ClientAddr) -> Option<Origin> {
        let value = found(self.lookups.find(&key(netns, client)))?;
        Some(Origin::new(netns, &value))
    }
}

/// The programs' one form of addresses, back to ours.
pub(crate) fn address(ip: &Address, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V6(Ipv6Addr::from(ip.octets())).to_canonical(), port)
}

/// A process as the programs describe it.
pub(crate) fn process(pid: u32, uid: u32, comm: &[u8; 16]) -> Process {
    let end = comm
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(comm.len());
    let comm = Arc::from(String::from_utf8_lossy(&comm[..end]).as_ref());
    Process {
        pid,
        uid,
        comm,
        ..Process::default()
    }
}

fn key(netns: NetnsCookie, client: ClientAddr) -> OriginKey {
    let addr = client.addr();
    let ip = match addr.ip() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    OriginKey::new(netns.0, Address::new(ip.octets()), addr.port())
}

/// A table that cannot be read answers like one that has nothing: the connection is refused.
fn found(answer: io::Result<Option<OriginValue>>) -> Option<OriginValue> {
    answer.unwrap_or_else(|error| {
        tracing::error!(error = %error, "origin lookup failed");
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(ip: &str, comm: &[u8]) -> OriginValue {
        let mut padded = [0; 16];
        padded[..comm.len()].copy_from_slice(comm);
        OriginValue {
            cgroup: 7,
            socket: 8,
            ip: Address::new(ip.parse::<Ipv6Addr>().unwrap().octets()),
            comm: padded,
            pid: 9,
            uid: 10,
            port: 443,
            reserved: 0,
            at: 11,
        }
    }

    #[test]
    fn an_origin_is_what_the_programs_filed() {
        let origin = Origin::new(NetnsCookie(1), &value("::ffff:192.0.2.1", b"curl"));
        assert_eq!(origin.dst.to_string(), "192.0.2.1:443");
        assert_eq!(origin.cgroup, CgroupId(7));
        assert_eq!((origin.process.pid, origin.process.uid), (9, 10));
        assert_eq!(&*origin.process.comm, "curl");
        let origin = Origin::new(NetnsCookie(1), &value("2001:db8::1", b"0123456789abcdef"));
        assert_eq!(origin.dst.to_string(), "[2001:db8::1]:443");
        assert_eq!(&*origin.process.comm, "0123456789abcdef");
    }

    #[test]
    fn a_name_that_is_not_text_is_still_shown() {
        let origin = Origin::new(NetnsCookie(1), &value("::1", b"a\xffb"));
        assert_eq!(&*origin.process.comm, "a\u{fffd}b");
    }

    #[test]
    fn keys_are_in_the_one_form_of_addresses() {
        let client = |text: &str| ClientAddr::new(text.parse().unwrap());
        let v4 = key(NetnsCookie(3), client("127.0.0.1:4000"));
        assert_eq!(v4.ip, Address::LOOPBACK4);
        assert_eq!((v4.netns, v4.port), (3, 4000));
        assert_eq!(v4, key(NetnsCookie(3), client("[::ffff:127.0.0.1]:4000")));
        let v6 = key(NetnsCookie(3), client("[::1]:4000"));
        assert_eq!(v6.ip, Address::LOOPBACK6);
    }
}
