//! The far side of a container's wire: nothing comes out of it. What an agent may do goes by its namespace's own loopback, so
//! whatever arrives here went round the hooks: packet sockets, sockets passed in from outside, tunnels.

use aya_ebpf::bindings::__sk_buff;
use aya_ebpf::programs::TcContext;
use enforcer_common::{Address, Hook, Reason, SealEntry, ipproto};

use crate::event::{self, Refusal, refuse_unknown};
use crate::maps::SEALS;
use crate::workload;

/// `TCX_NEXT` of linux/bpf.h: whatever else hangs there decides.
const NEXT: i32 = -1;
/// `TCX_DROP`.
const DROP: i32 = 2;

const ETHERNET_HEADER: usize = 14;
const ETH_IPV4: u16 = 0x0800;
const ETH_IPV6: u16 = 0x86dd;
const ETH_ARP: u16 = 0x0806;
const IPV6_HEADER: usize = 40;
const ICMPV6: u8 = 58;
const HOP_BY_HOP: u8 = 0;
const IGMP: u8 = 2;

/// Drops a packet, unless the workload is only observed.
#[inline(always)]
pub fn seal(ctx: &TcContext) -> i32 {
    let raw: *mut __sk_buff = ctx.skb.skb;
    // SAFETY: the kernel hands a valid context to every program of this type.
    let (device, protocol) = unsafe {
        (
            (&raw const (*raw).ifindex).read_volatile(),
            (&raw const (*raw).protocol).read_volatile(),
        )
    };
    let Some(entry) = SEALS.get_ptr_mut(u64::from(device)) else {
        return DROP;
    };
    // SAFETY: a pointer to a live element, of which only the counter is ever changed here.
    let SealEntry { cgroup, netns, .. } = unsafe { *entry };
    // SAFETY: as above.
    unsafe { workload::add(&raw mut (*entry).dropped, 1) };
    if let Some(mut refusal) = tell(ctx, u16::from_be(protocol as u16)) {
        refusal.netns = netns;
        if event::is_observed(cgroup) {
            event::let_past(&refusal, cgroup, Reason::Backstop);
            return NEXT;
        }
        refuse_unknown(&refusal, cgroup, Reason::Backstop);
        return DROP;
    }
    if event::is_observed(cgroup) {
        NEXT
    } else {
        DROP
    }
}

/// What to tell of a packet. Nothing of those that a namespace's own kernel sends unasked, to find its neighbours or to
/// say which groups it is in: they are counted only.
#[inline(always)]
fn tell(ctx: &TcContext, kind: u16) -> Option<Refusal> {
    match kind {
        ETH_ARP => None,
        ETH_IPV4 => tell4(ctx),
        ETH_IPV6 => tell6(ctx),
        _ => Some(refusal(0, Address::NONE, 0)),
    }
}

#[inline(always)]
fn tell4(ctx: &TcContext) -> Option<Refusal> {
    let first: u8 = ctx.load(ETHERNET_HEADER).unwrap_or(0);
    let protocol: u8 = ctx.load(ETHERNET_HEADER + 9).unwrap_or(0);
    if protocol == IGMP {
        return None;
    }
    let destination: u32 = ctx.load(ETHERNET_HEADER + 16).unwrap_or(0);
    let payload = ETHERNET_HEADER + usize::from(first & 0x0f) * 4;
    Some(refusal(
        protocol,
        Address::v4(destination),
        port(ctx, protocol, payload),
    ))
}

#[inline(always)]
fn tell6(ctx: &TcContext) -> Option<Refusal> {
    let protocol: u8 = ctx.load(ETHERNET_HEADER + 6).unwrap_or(0);
    let destination: Address = ctx.load(ETHERNET_HEADER + 24).unwrap_or(Address::NONE);
    let payload = ETHERNET_HEADER + IPV6_HEADER;
    match protocol {
        // Multicast listener reports come behind a hop-by-hop header.
        HOP_BY_HOP => None,
        ICMPV6 if is_housekeeping(ctx.load(payload).unwrap_or(0)) => None,
        _ => Some(refusal(protocol, destination, port(ctx, protocol, payload))),
    }
}

/// Types of listener and neighbour discovery (RFC 4861, RFC 2710, RFC 3810).
#[inline(always)]
fn is_housekeeping(kind: u8) -> bool {
    matches!(kind, 130..=137 | 143)
}

#[inline(always)]
fn port(ctx: &TcContext, protocol: u8, at: usize) -> u16 {
    match u32::from(protocol) {
        ipproto::TCP | ipproto::UDP => ctx.load::<u16>(at + 2).map_or(0, u16::from_be),
        _ => 0,
    }
}

#[inline(always)]
fn refusal(protocol: u8, ip: Address, port: u16) -> Refusal {
    Refusal {
        netns: 0,
        hook: Hook::Seal,
        protocol: protocol.into(),
        family: 0,
        ip,
        port,
    }
}
