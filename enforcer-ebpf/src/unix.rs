//! Unix sockets that are connected by name: to whom cannot be told here, so it is all of them or none.
//!
//! The name that was given can be read only by programs under a licence that these are not under, and would prove nothing: any
//! name may lead to any socket. Pairs and what was accepted or handed over never come here.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::helpers::generated::bpf_get_netns_cookie;
use aya_ebpf::programs::SockAddrContext;
use enforcer_common::workload_flag::{QUARANTINED, UNIX_REFUSED};
use enforcer_common::{Address, Hook, Reason, ipproto};

use crate::event::{Refusal, refuse, refuse_always, refuse_unknown};
use crate::socket::Socket;
use crate::{PASS, workload};

/// `AF_UNIX`.
const FAMILY: u16 = 1;

/// Refuses where the workload may connect none, or may do nothing.
#[inline(always)]
pub fn connect(ctx: &SockAddrContext, hook: Hook) -> i32 {
    let refusal = Refusal {
        // SAFETY: the helper takes the context of this program type.
        netns: unsafe { bpf_get_netns_cookie(ctx.as_ptr()) },
        hook,
        protocol: ipproto::UNIX,
        family: FAMILY,
        ip: Address::NONE,
        port: 0,
    };
    let Some(cgroup) = workload::labelled() else {
        return refuse_unknown(&refusal, 0, Reason::Unlabelled);
    };
    let flags = workload::flags(cgroup);
    if flags & (QUARANTINED | UNIX_REFUSED) == 0 {
        return PASS;
    }
    let mut socket = Socket::unkept(ctx.as_ptr(), cgroup);
    if flags & QUARANTINED != 0 {
        return refuse_always(&refusal, &socket, Reason::Quarantined);
    }
    refuse(&refusal, Some(&mut socket), Reason::Unix)
}
