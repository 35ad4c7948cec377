//! `connect(2)`: remember where the agent wanted to go, and point its socket at the enforcer.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::programs::SockAddrContext;
use enforcer_common::{Address, Hook, Reason};

use crate::event::{Refusal, refuse};
use crate::socket::{Socket, state};
use crate::verdict::{Verdict, carrier, changes, judge};
use crate::{PASS, sockaddr, workload};

/// Both hooks. An IPv6 socket is bent to the IPv4-mapped loopback too: containers often have no `::1`, and one listener
/// then serves both.
#[inline(always)]
pub fn connect(ctx: &SockAddrContext, hook: Hook) -> i32 {
    let ip = match hook {
        Hook::Connect4 => sockaddr::ip4(ctx),
        _ => sockaddr::ip6(ctx),
    };
    let refusal = Refusal::at(ctx, hook, ip);
    let changes = changes();
    let Some(workload) = workload::current() else {
        return refuse(&refusal, None, Reason::Unlabelled);
    };
    let Some(socket) = Socket::made(ctx) else {
        return refuse(&refusal, None, Reason::Full);
    };
    // What `socket(2)` never gave out: the kernel's own, or one from before the programs.
    let bent = if socket.is_known() {
        state::BENT
    } else {
        state::CARRIER
    };
    socket.identify(ctx.as_ptr(), workload.cgroup);
    if workload.is_quarantined() {
        return refuse(&refusal, Some(socket), Reason::Quarantined);
    }
    if socket.is_bent_to(&ip, refusal.port) {
        return PASS;
    }
    // An earlier destination must not outlive this call, whatever comes of it.
    socket.state = state::PLAIN;
    let Some(carrier) = carrier(sockaddr::kind(ctx), sockaddr::protocol(ctx)) else {
        return refuse(&refusal, Some(socket), Reason::Protocol);
    };
    let (state, listener) = match judge(socket.key.netns, carrier, &ip, refusal.port) {
        Verdict::Leave => return PASS,
        Verdict::Lookup(entry) => (state::LOOKUP, entry.dns_port),
        // Resolvers of programs connect a UDP socket to each address of an answer, to see which the host would reach, and
        // send nothing. What does send, as QUIC does, learns by its first datagram: the backstop drops it with `EPERM`.
        Verdict::Probe(entry) => (state::PROBE, entry.dns_port),
        Verdict::Redirect(_) if !workload.has_room() => {
            return refuse(&refusal, Some(socket), Reason::Full);
        }
        Verdict::Redirect(entry) => (bent, entry.tcp_port),
        Verdict::Refuse(reason) => return refuse(&refusal, Some(socket), reason),
    };
    socket.bend(state, listener, ip, refusal.port);
    if state == bent {
        // The backstop would ask of the first packet what was asked here.
        socket.settled = changes;
    }
    match hook {
        Hook::Connect4 => sockaddr::set_ip4(ctx, &Address::LOOPBACK4),
        _ => sockaddr::set_ip6(ctx, &Address::LOOPBACK4),
    }
    sockaddr::set_port(ctx, listener);
    PASS
}
