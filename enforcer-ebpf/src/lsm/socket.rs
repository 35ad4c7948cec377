//! `socket(2)` of any family: those that `enforcer run` leaves its command are given out, and no raw ones of the internet's.

use aya_ebpf::programs::LsmContext;
use enforcer_common::{Hook, Reason, ipproto};

use super::{Refusal, refuse};
use crate::{PASS, workload};

/// Families, from `linux/socket.h`.
const UNIX: i32 = 1;
const INET: i32 = 2;
const INET6: i32 = 10;
const NETLINK: i32 = 16;
/// Kinds, from `linux/net.h`, and the bits that a kind is in (the others are flags).
const RAW: i32 = 3;
const PACKET: i32 = 10;
const KIND: i32 = 0xf;

/// Refuses what is not given out. The kernel's own sockets, made while a task of ours runs, are not the task's.
#[inline(always)]
pub fn create(ctx: &LsmContext) -> i32 {
    let (family, kind, protocol): (i32, i32, i32) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    let kernels_own: i32 = ctx.arg(3);
    if kernels_own != 0 || is_given_out(family, kind & KIND) {
        return PASS;
    }
    let refusal = Refusal {
        hook: Hook::LsmSocket,
        protocol: match family {
            INET | INET6 => protocol as u32,
            _ => ipproto::FAMILY + (family as u32 & 0xff),
        },
        family: family as u16,
        reason: Reason::Socket,
    };
    refuse(&refusal, workload::labelled().unwrap_or(0))
}

/// Netlink's are raw by their nature, and unix sockets of that kind are datagrams.
#[inline(always)]
fn is_given_out(family: i32, kind: i32) -> bool {
    match family {
        UNIX | NETLINK => true,
        INET | INET6 => kind != RAW && kind != PACKET,
        _ => false,
    }
}
