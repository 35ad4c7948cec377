//! Tell the daemon what was refused, never silently losing count.

use aya_ebpf::helpers::generated::{
    bpf_get_current_comm, bpf_get_current_pid_tgid, bpf_get_current_uid_gid, bpf_ktime_get_ns,
};
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
    match socket {
        None => refuse_unknown(refusal, 0, reason),
        Some(socket) if may_pass(reason) => refuse_unless_observed(refusal, socket, reason),
        Some(socket) => refuse_always(refusal, socket, reason),
    }
}

#[inline(never)]
fn refuse_unless_observed(refusal: &Refusal, socket: &mut Socket, reason: Reason) -> i32 {
    if !is_observed(socket.origin.cgroup) {
        return refuse_always(refusal, socket, reason);
    }
    if socket.observe(refusal.ip, refusal.port) {
        send(refusal, socket, reason, LET_PAST);
    }
    PASS
}

/// Reports a refusal and returns it, whatever the workload: what is let past here would go nowhere, or come back to us.
#[inline(always)]
pub fn refuse_always(refusal: &Refusal, socket: &Socket, reason: Reason) -> i32 {
    send(refusal, socket, reason, 0);
    REFUSE
}

/// Reports a refusal and returns it, where nothing is kept of the socket.
#[inline(always)]
pub fn refuse_unknown(refusal: &Refusal, cgroup: u64, reason: Reason) -> i32 {
    send_unknown(refusal, cgroup, reason, 0);
    REFUSE
}

/// Reports what would be refused were the workload not only observed, where nothing is kept of the socket.
#[inline(always)]
pub fn let_past(refusal: &Refusal, cgroup: u64, reason: Reason) {
    send_unknown(refusal, cgroup, reason, LET_PAST);
}

/// Whether observing a workload lets past what is refused for this reason.
#[inline(always)]
fn may_pass(reason: Reason) -> bool {
    match reason {
        Reason::Own | Reason::Quarantined | Reason::Unaccepted | Reason::Unlabelled => false,
        Reason::Backstop
        | Reason::Cgroup
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
    send(&refusal, socket, reason, 0);
}

/// Never inlined, as all that only refusals need: what is let through then runs over less code.
#[inline(never)]
fn send(refusal: &Refusal, socket: &Socket, reason: Reason, flags: u8) {
    let origin = &socket.origin;
    let who = Who {
        cgroup: origin.cgroup,
        netns: socket.key.netns,
        comm: origin.comm,
        pid: origin.pid,
        uid: origin.uid,
    };
    who.send(refusal, reason, flags);
}

/// The same where nothing is known but the cgroup, or not even that.
#[inline(never)]
fn send_unknown(refusal: &Refusal, cgroup: u64, reason: Reason, flags: u8) {
    let who = Who {
        cgroup,
        netns: refusal.netns,
        comm: [0; 16],
        pid: 0,
        uid: 0,
    };
    who.send(refusal, reason, flags);
}

/// The same where the current task is all that is known.
#[inline(always)]
pub fn send_for_task(refusal: &Refusal, cgroup: u64, reason: Reason, flags: u8) {
    let mut comm = [0_u8; 16];
    // SAFETY: the helpers only read the current task; the buffer is as long as is said with it.
    let (pid, uid) = unsafe {
        bpf_get_current_comm((&raw mut comm).cast(), size_of_val(&comm) as u32);
        (
            (bpf_get_current_pid_tgid() >> 32) as u32,
            bpf_get_current_uid_gid() as u32,
        )
    };
    let who = Who {
        cgroup,
        netns: refusal.netns,
        comm,
        pid,
        uid,
    };
    who.send(refusal, reason, flags);
}

/// Whose packet or call it was, as far as that is known.
struct Who {
    cgroup: u64,
    netns: u64,
    comm: [u8; 16],
    pid: u32,
    uid: u32,
}

impl Who {
    #[inline(always)]
    fn send(self, refusal: &Refusal, reason: Reason, flags: u8) {
        let Self {
            cgroup,
            netns,
            comm,
            pid,
            uid,
        } = self;
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
            comm,
            pid,
            uid,
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
