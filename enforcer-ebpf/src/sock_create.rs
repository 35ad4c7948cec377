//! `socket(2)`: only what the other programs can bend is given out. Raw and ping sockets, SCTP and the like never call
//! connect or sendmsg hooks. `AF_PACKET` and `AF_VSOCK` are beyond this hook.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::{BPF_SK_STORAGE_GET_F_CREATE, bpf_sock};
use aya_ebpf::helpers::generated::bpf_get_netns_cookie;
use aya_ebpf::programs::SockContext;
use enforcer_common::{Address, Hook, Reason};

use crate::event::{Refusal, refuse};
use crate::verdict::carrier;
use crate::{PASS, socket, workload};

macro_rules! read {
    ($ctx:expr, $field:ident) => {{
        let raw: *mut bpf_sock = $ctx.sock;
        // SAFETY: the kernel hands a valid context to every program of this type.
        unsafe { (&raw const (*raw).$field).read_volatile() }
    }};
}

/// Refuses, or notes namespace and cgroup so that later hooks know them.
#[inline(always)]
pub fn sock_create(ctx: &SockContext) -> i32 {
    let refusal = Refusal {
        // SAFETY: the helper takes the context of this program type.
        netns: unsafe { bpf_get_netns_cookie(ctx.as_ptr()) },
        hook: Hook::SockCreate,
        protocol: read!(ctx, protocol),
        family: read!(ctx, family) as u16,
        ip: Address::NONE,
        port: 0,
    };
    let Some(cgroup) = workload::labelled() else {
        return refuse(&refusal, None, Reason::Unlabelled);
    };
    // SAFETY: in this program type the context itself stands for the socket.
    let entry = unsafe { socket::entry(ctx.as_ptr(), BPF_SK_STORAGE_GET_F_CREATE.into()) };
    let Some(socket) = entry else {
        return refuse(&refusal, None, Reason::Full);
    };
    socket.identify(ctx.as_ptr(), cgroup);
    match carrier(read!(ctx, type_), refusal.protocol) {
        Some(_) => PASS,
        None => refuse(&refusal, Some(socket), Reason::Socket),
    }
}
