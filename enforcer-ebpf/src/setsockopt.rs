//! `setsockopt(2)`: who joins a multicast group has the kernel itself tell the network so, by packets of no socket of the
//! agent's that carry what the agent chose. Everything else is left as it is.

use aya_ebpf::bindings::bpf_sockopt;
use aya_ebpf::programs::SockoptContext;
use enforcer_common::{Address, Hook, Reason, ipproto};

use crate::event::{Refusal, refuse, refuse_unknown};
use crate::{PASS, socket, workload};

const IP: i32 = 0;
const IPV6: i32 = 41;
/// `IP_ADD_MEMBERSHIP` and `IP_ADD_SOURCE_MEMBERSHIP` of `linux/in.h`.
const ADD_MEMBERSHIP: i32 = 35;
const ADD_SOURCE_MEMBERSHIP: i32 = 39;
/// `IPV6_ADD_MEMBERSHIP` and `IPV6_JOIN_ANYCAST` of `linux/in6.h`.
const ADD_MEMBERSHIP6: i32 = 20;
const JOIN_ANYCAST: i32 = 27;
/// `MCAST_JOIN_GROUP` and `MCAST_JOIN_SOURCE_GROUP`, of both.
const JOIN_GROUP: i32 = 42;
const JOIN_SOURCE_GROUP: i32 = 46;

macro_rules! read {
    ($ctx:expr, $($field:tt)+) => {{
        let raw: *mut bpf_sockopt = $ctx.sockopt;
        // SAFETY: the kernel hands a valid context to every program of this type.
        unsafe { (&raw const (*raw).$($field)+).read_volatile() }
    }};
}

/// Refuses what joins a group.
#[inline(always)]
pub fn setsockopt(ctx: &SockoptContext) -> i32 {
    let (level, name) = (read!(ctx, level), read!(ctx, optname));
    // SAFETY: as for reading; programs of this type may write it. Zero says that the caller's value is untouched, which the
    // kernel must be told where the value is longer than a page.
    unsafe { (&raw mut (*ctx.sockopt).optlen).write_volatile(0) };
    let protocol = match (level, name) {
        (IP, ADD_MEMBERSHIP | ADD_SOURCE_MEMBERSHIP | JOIN_GROUP | JOIN_SOURCE_GROUP) => {
            ipproto::IGMP
        }
        (IPV6, ADD_MEMBERSHIP6 | JOIN_ANYCAST | JOIN_GROUP | JOIN_SOURCE_GROUP) => ipproto::ICMP6,
        _ => return PASS,
    };
    let refusal = Refusal {
        netns: 0,
        hook: Hook::Setsockopt,
        protocol,
        family: 0,
        ip: Address::NONE,
        port: 0,
    };
    let sk = read!(ctx, __bindgen_anon_1.sk);
    if sk.is_null() {
        return refuse_unknown(&refusal, 0, Reason::Protocol);
    }
    // SAFETY: the verifier knows `sk` of this context as a socket, and it is not null.
    match unsafe { socket::entry(sk.cast(), 0) } {
        Some(socket) => refuse(&refusal, Some(socket), Reason::Protocol),
        None => refuse_unknown(
            &refusal,
            workload::labelled().unwrap_or(0),
            Reason::Protocol,
        ),
    }
}
