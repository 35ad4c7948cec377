//! `bind(2)`: the ports of our listeners are nobody else's, even while nobody listens there. The programs go on pointing at
//! them when the daemon was killed; an agent that stood in for it would be given the connections of all others.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::bpf_sock;
use aya_ebpf::helpers::generated::bpf_get_netns_cookie;
use aya_ebpf::programs::SockContext;
use enforcer_common::{Address, Hook, Reason};

use crate::event::{Refusal, refuse, refuse_unknown};
use crate::verdict::listeners;
use crate::{PASS, socket, workload};

macro_rules! read {
    ($ctx:expr, $field:ident) => {{
        let raw: *mut bpf_sock = $ctx.sock;
        // SAFETY: the kernel hands a valid context to every program of this type.
        unsafe { (&raw const (*raw).$field).read_volatile() }
    }};
}

/// Both hooks, once the port is chosen and before the call returns; refused, the port is given back.
#[inline(always)]
pub fn bound(ctx: &SockContext) -> i32 {
    // SAFETY: the helper takes the context of this program type.
    let netns = unsafe { bpf_get_netns_cookie(ctx.as_ptr()) };
    let port = read!(ctx, src_port) as u16;
    match listeners(netns) {
        Some(entry) if port == entry.tcp_port || port == entry.dns_port => {}
        _ => return PASS,
    }
    let refusal = Refusal {
        netns,
        hook: Hook::Bind,
        protocol: read!(ctx, protocol),
        family: read!(ctx, family) as u16,
        ip: Address::NONE,
        port,
    };
    // SAFETY: in this program type the context itself stands for the socket.
    match unsafe { socket::entry(ctx.as_ptr(), 0) } {
        Some(socket) => refuse(&refusal, Some(socket), Reason::Own),
        None => refuse_unknown(&refusal, workload::labelled().unwrap_or(0), Reason::Own),
    }
}
