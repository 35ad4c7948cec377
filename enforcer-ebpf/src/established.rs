//! TCP's life: once the source port exists, file the origin under the address that `accept(2)` will show; when the
//! connection ends, take it out again if nobody did.

use aya_ebpf::bindings::{
    BPF_SOCK_OPS_STATE_CB, BPF_SOCK_OPS_STATE_CB_FLAG, BPF_SOCK_OPS_TCP_CONNECT_CB, BPF_TCP_CLOSE,
    bpf_sock_ops,
};
use aya_ebpf::programs::SockOpsContext;
use enforcer_common::{Address, Hook, Reason};

use crate::event::report;
use crate::maps::{CARRIED, FLOWS};
use crate::peer::CarriedValue;
use crate::socket::{self, Socket, state};
use crate::workload;

const AF_INET: u32 = 2;

macro_rules! read {
    ($ctx:expr, $($field:tt)+) => {{
        let raw: *mut bpf_sock_ops = $ctx.ops;
        // SAFETY: the kernel hands a valid context to every program of this type. Volatile, because the verifier allows
        // these fields to be read only one by one.
        unsafe { (&raw const (*raw).$($field)+).read_volatile() }
    }};
}

/// Every sock_ops callback. What it returns is ignored for the two that matter here.
#[inline(always)]
pub fn established(ctx: &SockOpsContext) -> u32 {
    match ctx.op() {
        BPF_SOCK_OPS_TCP_CONNECT_CB => file(ctx),
        BPF_SOCK_OPS_STATE_CB if ctx.arg(1) == BPF_TCP_CLOSE => withdraw(ctx),
        _ => {}
    }
    1
}

/// Before the SYN: source address and port are chosen. When there is no room the SYN still goes to our listener, which
/// finds no record and closes: a refusal at once, where a dropped SYN would be one after minutes.
#[inline(always)]
fn file(ctx: &SockOpsContext) {
    let Some(socket) = entry(ctx) else { return };
    if socket.state != state::BENT && socket.state != state::CARRIER {
        return;
    }
    socket.key.ip = local_ip(ctx);
    socket.key.port = read!(ctx, local_port) as u16;
    if socket.state == state::CARRIER {
        let peer = CarriedValue::new(socket.origin.ip, socket.origin.port);
        // Without an entry the agent sees our listener as its peer, which harms nobody.
        let _ = CARRIED.insert(&socket.key, &peer, 0);
    }
    let watched = ctx.set_cb_flags((ctx.cb_flags() | BPF_SOCK_OPS_STATE_CB_FLAG) as i32);
    // An origin that nobody would take out again is not filed.
    if watched.is_ok() && FLOWS.insert(&socket.key, &socket.origin, 0).is_ok() {
        socket.state = state::FILED;
        workload::opened(socket.origin.cgroup);
    } else {
        report(Hook::SockOps, Reason::Full, socket);
    }
}

/// The connection is gone. Nobody else can have filed under the same key meanwhile: with one listener per namespace the
/// source address and port name one connection, and the kernel gives them up only after this call.
#[inline(always)]
fn withdraw(ctx: &SockOpsContext) {
    if let Some(socket) = entry(ctx)
        && socket.state == state::FILED
    {
        // The daemon took it in the usual case; then there is nothing to remove. Otherwise this is all that tells of it.
        if FLOWS.remove(&socket.key).is_ok() {
            report(Hook::SockOps, Reason::Unaccepted, socket);
        }
        // Still bent: an abort sends its reset after this call, and the backstop must let it through.
        socket.state = state::BENT;
        workload::closed(socket.origin.cgroup);
    }
}

#[inline(always)]
fn entry<'a>(ctx: &SockOpsContext) -> Option<&'a mut Socket> {
    let sk = read!(ctx, __bindgen_anon_2.sk);
    if sk.is_null() {
        return None;
    }
    // SAFETY: the verifier knows `sk` of this context as a socket, and it is not null.
    unsafe { socket::entry(sk.cast(), 0) }
}

/// All fields are read whatever the family: were they read in branches, an optimiser might join the reads into one from a
/// computed place, which the verifier refuses.
#[inline(always)]
fn local_ip(ctx: &SockOpsContext) -> Address {
    let four = Address::v4(read!(ctx, local_ip4));
    let six = Address {
        words: [
            read!(ctx, local_ip6[0]),
            read!(ctx, local_ip6[1]),
            read!(ctx, local_ip6[2]),
            read!(ctx, local_ip6[3]),
        ],
    };
    if read!(ctx, family) == AF_INET {
        four
    } else {
        six
    }
}
