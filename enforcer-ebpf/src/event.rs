//! Tell the daemon what was refused, never silently losing count.

use aya_ebpf::helpers::generated::bpf_ktime_get_ns;
use aya_ebpf::programs::SockAddrContext;
use enforcer_common::event_flag::LET_PAST;
use enforcer_common::workload_flag::{OBSERVED, QUARANTINED};
use enforcer_common::{Address, Hook, KernelEvent, LostSlot, Reason};

use crate::maps::{EVENTS, LOST, WORKLOADS};
use crate::socket::Socket;
use crate::{PASS, REFUSE, sockaddr, workload};

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

/// Reports a refusal and returns it. Where the workload is only observed, what would be refused is let past instead.
#[inline(always)]
pub fn refuse(refusal: &Refusal, socket: Option<&mut Socket>, reason: Reason) -> i32 {
    let Some(socket) = socket else {
        return refuse_unknown(refusal, 0, reason);
    };
    if !may_pass(reason) || !is_observed(socket.origin.cgroup) {
        return refuse_always(refusal, socket, reason);
    }
    if socket.observe(refusal.ip, refusal.port) {
        Sender::of(socket).send(refusal, reason, LET_PAST);
    }
    PASS
}

/// Reports a refusal and returns it, whatever the workload: what is let past here would go nowhere, or come back to us.
#[inline(always)]
pub fn refuse_always(refusal: &Refusal, socket: &Socket, reason: Reason) -> i32 {
    Sender::of(socket).send(refusal, reason, 0);
    REFUSE
}

/// Reports a refusal and returns it, where nothing is kept of the socket.
#[inline(always)]
pub fn refuse_unknown(refusal: &Refusal, cgroup: u64, reason: Reason) -> i32 {
    let sender = Sender {
        cgroup,
        netns: refusal.netns,
        socket: None,
    };
    sender.send(refusal, reason, 0);
    REFUSE
}

/// Reports what would be refused were the workload not only observed.
#[inline(always)]
pub fn let_past(refusal: &Refusal, cgroup: u64, reason: Reason) {
    let sender = Sender {
        cgroup,
        netns: refusal.netns,
        socket: None,
    };
    sender.send(refusal, reason, LET_PAST);
}

/// Whether observing a workload lets past what is refused for this reason.
#[inline(always)]
fn may_pass(reason: Reason) -> bool {
    match reason {
        Reason::Own | Reason::Quarantined | Reason::Unaccepted | Reason::Unlabelled => false,
        Reason::Backstop
        | Reason::Full
        | Reason::NoListener
        | Reason::Protocol
        | Reason::Socket
        | Reason::Unix => true,
    }
}

/// Whether the workload is only observed.
#[inline(always)]
pub fn is_observed(cgroup: u64) -> bool {
    workload::flags(cgroup) & (OBSERVED | QUARANTINED) == OBSERVED
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
    Sender::of(socket).send(&refusal, reason, 0);
}

/// Whose packet or call it was, as far as that is known.
struct Sender<'a> {
    cgroup: u64,
    netns: u64,
    socket: Option<&'a Socket>,
}

impl<'a> Sender<'a> {
    #[inline(always)]
    fn of(socket: &'a Socket) -> Self {
        Self {
            cgroup: socket.origin.cgroup,
            netns: socket.key.netns,
            socket: Some(socket),
        }
    }

    #[inline(always)]
    fn send(&self, refusal: &Refusal, reason: Reason, flags: u8) {
        if !within_budget(self.cgroup) {
            return count(LostSlot::Suppressed);
        }
        let Some(mut slot) = EVENTS.reserve(0) else {
            return count(LostSlot::Full);
        };
        let origin = self.socket.map(|socket| &socket.origin);
        slot.write(KernelEvent {
            cgroup: self.cgroup,
            netns: self.netns,
            ip: refusal.ip,
            comm: origin.map_or([0; 16], |origin| origin.comm),
            pid: origin.map_or(0, |origin| origin.pid),
            uid: origin.map_or(0, |origin| origin.uid),
            protocol: refusal.protocol,
            family: refusal.family,
            port: refusal.port,
            hook: refusal.hook as u8,
            reason: reason as u8,
            flags,
            reserved: [0; 5],
        });
        slot.submit(0);
    }
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
