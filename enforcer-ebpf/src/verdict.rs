//! Look up the listeners, then refuse, redirect or leave alone. Nothing here lets anything past the enforcer but what stays
//! in a namespace of the workload's own.

use enforcer_common::netns_flag::LOOPBACK_EXEMPT;
use enforcer_common::{Address, DNS_PORT, NetnsEntry, Reason, ipproto};

use crate::maps::{CHANGES, NETNS};
use crate::sockaddr::{DGRAM, STREAM};

/// What becomes of an address that an agent named.
pub enum Verdict {
    /// It goes to the DNS socket instead.
    Lookup(NetnsEntry),
    /// It stays as it is.
    Leave,
    /// A UDP socket may be connected, and nothing sent by it.
    Probe(NetnsEntry),
    /// It goes to the TCP listener instead.
    Redirect(NetnsEntry),
    /// The call fails.
    Refuse(Reason),
}

/// How a socket carries what it sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// TCP, multipath TCP among it.
    Stream,
    /// UDP.
    Datagram,
}

/// The carrier of a socket; `None` for everything that is not carried at all.
#[inline(always)]
pub fn carrier(kind: u32, protocol: u32) -> Option<Carrier> {
    match (kind, protocol) {
        (STREAM, ipproto::TCP | ipproto::MPTCP) => Some(Carrier::Stream),
        (DGRAM, ipproto::UDP) => Some(Carrier::Datagram),
        _ => None,
    }
}

/// The number in `CHANGES`. To be read before anything that it counts changes of: a change meanwhile then shows.
#[inline(always)]
pub fn changes() -> u32 {
    CHANGES.get_ptr(0).map_or(0, |number| {
        // SAFETY: a live element, read at once.
        unsafe { number.read_volatile() }
    })
}

/// The listeners of a namespace.
#[inline(always)]
pub fn listeners(netns: u64) -> Option<NetnsEntry> {
    // SAFETY: the value is eight bytes of plain data, copied at once; a concurrent change gives the old or the new one.
    unsafe { NETNS.get(netns).copied() }
}

/// Judges an address named in `connect(2)` or `sendmsg(2)`.
#[inline(always)]
pub fn judge(netns: u64, carrier: Carrier, ip: &Address, port: u16) -> Verdict {
    let Some(entry) = listeners(netns) else {
        return Verdict::Refuse(Reason::NoListener);
    };
    let home = ip.is_loopback() || ip.is_any();
    if home && port == own_port(&entry, carrier) {
        return Verdict::Refuse(Reason::Own);
    }
    if home && port != DNS_PORT && entry.flags & LOOPBACK_EXEMPT != 0 {
        return Verdict::Leave;
    }
    match carrier {
        Carrier::Stream => Verdict::Redirect(entry),
        Carrier::Datagram if port == DNS_PORT => Verdict::Lookup(entry),
        Carrier::Datagram if ip.is_synthetic() => Verdict::Probe(entry),
        Carrier::Datagram => Verdict::Refuse(Reason::Protocol),
    }
}

/// The port of the listener for `carrier`.
#[inline(always)]
pub fn own_port(entry: &NetnsEntry, carrier: Carrier) -> u16 {
    match carrier {
        Carrier::Stream => entry.tcp_port,
        Carrier::Datagram => entry.dns_port,
    }
}
