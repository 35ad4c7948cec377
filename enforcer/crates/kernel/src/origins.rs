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

/// Longer than any query waits for us, in hundredths of a second; who asked has given up by then.
const FRESH: u16 = 500;

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
            filed: _,
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
        is_fresh(value.filed, hundredths()).then(|| Origin::new(netns, &value))
    }
}

/// Whether what was filed then belongs to a datagram that is received now. Nothing tells of the end of a UDP socket, and
/// its source address may be another's by now, one of nobody's that files none. Only lower halves are compared: what is
/// older than ten minutes may be taken for fresh again, for five seconds.
fn is_fresh(filed: u16, now: u32) -> bool {
    let [.., high, low] = now.to_be_bytes();
    u16::from_be_bytes([high, low]).wrapping_sub(filed) <= FRESH
}

/// Hundredths of a second since boot, as the programs count them.
fn hundredths() -> u32 {
    let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let hundredths = since_boot.tv_sec * 100 + since_boot.tv_nsec / 10_000_000;
    // As in the programs, more than a year has no place.
    u32::try_from(hundredths & i64::from(u32::MAX)).unwrap_or_default()
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
            filed: 0,
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
    fn a_lookup_is_nobodys_after_a_while() {
        for (filed, now, fresh) in [
            (7, 7, true),
            (7, 507, true),
            (7, 508, false),
            (65_500, 65_536 + 100, true),
            (65_500, 65_536 + 465, false),
            // A clock that was read a moment earlier than the program's.
            (8, 7, false),
        ] {
            assert_eq!(is_fresh(filed, now), fresh, "{filed} {now}");
        }
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
