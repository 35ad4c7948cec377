//! `sendmsg(2)` with an address on a UDP socket: name lookups go to the enforcer, everything else is refused, so that
//! QUIC falls back to TCP.

use aya_ebpf::programs::SockAddrContext;
use enforcer_common::netns_flag::DNS6;
use enforcer_common::{Address, Hook, Reason};

use crate::event::{Refusal, refuse};
use crate::socket::{Socket, state};
use crate::verdict::{Carrier, Verdict, carrier, judge};
use crate::{PASS, sockaddr, workload};

/// Both hooks. An IPv6 program cannot send to an IPv4-mapped address (the kernel refuses the rewrite), so it needs a DNS
/// socket on `::1`; where the namespace has none, the lookup is refused.
#[inline(always)]
pub fn sendmsg(ctx: &SockAddrContext, hook: Hook) -> i32 {
    let ip = match hook {
        Hook::Sendmsg4 => sockaddr::ip4(ctx),
        _ => sockaddr::ip6(ctx),
    };
    let refusal = Refusal::at(ctx, hook, ip);
    let Some(cgroup) = workload::labelled() else {
        return refuse(&refusal, None, Reason::Unlabelled);
    };
    let Some(socket) = Socket::claim(ctx, cgroup) else {
        return refuse(&refusal, None, Reason::Full);
    };
    if workload::is_quarantined(cgroup) {
        return refuse(&refusal, Some(socket), Reason::Quarantined);
    }
    if socket.is_bent_to(&ip, refusal.port) {
        return PASS;
    }
    let Some(Carrier::Datagram) = carrier(sockaddr::kind(ctx), sockaddr::protocol(ctx)) else {
        return refuse(&refusal, Some(socket), Reason::Protocol);
    };
    let entry = match judge(socket.key.netns, Carrier::Datagram, &ip, refusal.port) {
        Verdict::Leave => return PASS,
        Verdict::Lookup(entry) => entry,
        Verdict::Probe(_) | Verdict::Redirect(_) => {
            return refuse(&refusal, Some(socket), Reason::Protocol);
        }
        Verdict::Refuse(reason) => return refuse(&refusal, Some(socket), reason),
    };
    match hook {
        Hook::Sendmsg4 => sockaddr::set_ip4(ctx, &Address::LOOPBACK4),
        _ if entry.flags & DNS6 == 0 => {
            return refuse(&refusal, Some(socket), Reason::NoListener);
        }
        _ => sockaddr::set_ip6(ctx, &Address::LOOPBACK6),
    }
    sockaddr::set_port(ctx, entry.dns_port);
    socket.bend(state::LOOKUP, entry.dns_port, ip, refusal.port);
    PASS
}
