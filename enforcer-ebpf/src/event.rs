//! Tell the daemon what was refused, never silently losing count.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::programs::SockAddrContext;
use enforcer_common::{Address, Hook, KernelEvent, LostSlot, Reason};

use crate::maps::{EVENTS, LOST, WORKLOADS};
use crate::socket::Socket;
use crate::{REFUSE, sockaddr};

/// Events a workload may cause in one second; the rest are counted only.
const BUDGET: u32 = 64;
const SECOND: u64 = 1_000_000_000;

/// What a program is about to refuse.
pub struct Refusal {
    /// Cookie of the network namespace; 0 when unknown.
    pub netns: u64,
    /// The program.
    pub hook: Hook,
    /// The protocol of the socket or packet.
    pub protocol: u32,
    /// The family of the socket or packet.
    pub family: u16,
    /// Where it was to go.
    pub ip: Address,
    /// And to which port.
    pub port: u16,
}

impl Refusal {
    /// From the context of `connect(2)` and `sendmsg(2)`.
    #[inline(always)]
    pub fn at(ctx: &SockAddrContext, hook: Hook, ip: Address) -> Self {
        Self {
            netns: 0,
            hook,
            protocol: sockaddr::protocol(ctx),
            family: sockaddr::family(ctx),
            ip,
            port: sockaddr::port(ctx),
        }
    }
}

/// Reports a refusal and returns it.
#[inline(always)]
pub fn refuse(refusal: &Refusal, socket: Option<&mut Socket>, reason: Reason) -> i32 {
    match socket {
        Some(socket) => send(refusal, socket.key.netns, reason, Some(socket)),
        None => send(refusal, refusal.netns, reason, None),
    }
    REFUSE
}

/// Reports that a TCP connection was given up, from where only its socket is known.
#[inline(always)]
pub fn report(hook: Hook, reason: Reason, socket: &Socket) {
    let refusal = Refusal {
        netns: socket.key.netns,
        hook,
        protocol: enforcer_common::ipproto::TCP,
        family: 0,
        ip: socket.origin.ip,
        port: socket.origin.port,
    };
    send(&refusal, refusal.netns, reason, Some(socket));
}

#[inline(always)]
fn send(refusal: &Refusal, netns: u64, reason: Reason, socket: Option<&Socket>) {
    let cgroup = socket.map_or(0, |socket| socket.origin.cgroup);
    if !within_budget(cgroup) {
        return count(LostSlot::Suppressed);
    }
    let Some(mut slot) = EVENTS.reserve(0) else {
        return count(LostSlot::Full);
    };
    slot.write(KernelEvent {
        cgroup,
        netns,
        ip: refusal.ip,
        comm: socket.map_or([0; 16], |socket| socket.origin.comm),
        pid: socket.map_or(0, |socket| socket.origin.pid),
        uid: socket.map_or(0, |socket| socket.origin.uid),
        protocol: refusal.protocol,
        family: refusal.family,
        port: refusal.port,
        hook: refusal.hook as u8,
        reason: reason as u8,
        reserved: [0; 6],
    });
    slot.submit(0);
}

/// Spends one event of the workload's budget.
#[inline(always)]
fn within_budget(cgroup: u64) -> bool {
    let Some(entry) = WORKLOADS.get_ptr_mut(cgroup) else {
        return false;
    };
    // SAFETY: the entry is plain data, valid until the program ends; see `WorkloadEntry` for why no lock is needed.
    let (entry, now) = unsafe { (&mut *entry, bpf_ktime_get_ns()) };
    if now.wrapping_sub(entry.window) >= SECOND {
        entry.window = now;
        entry.spent = 0;
    }
    entry.spent = entry.spent.saturating_add(1);
    entry.spent <= BUDGET
}

#[inline(always)]
fn count(slot: LostSlot) {
    if let Some(lost) = LOST.get_ptr_mut(slot as u32) {
        // SAFETY: the slot is this processor's own.
        unsafe { *lost += 1 };
    }
}
