//! What the kernel asks its security modules: kinds of sockets that no program on a cgroup is asked about, and changes of
//! cgroups. Hung on cgroups like all others (`BPF_LSM_CGROUP`, Linux 6.0), and loaded only where they were seen to fire.
//!
//! The kernel takes no program of this kind that is not under the GPL
//! (<https://github.com/torvalds/linux/blob/v6.1/kernel/bpf/bpf_lsm.c#L107>). What is compiled into these two is therefore
//! offered under `Apache-2.0 OR GPL-2.0-only`, and the loader says so of them alone; the others stay under the project's own.

pub mod cgroup;
pub mod socket;

use aya_ebpf::helpers::generated::{
    bpf_get_current_comm, bpf_get_current_pid_tgid, bpf_get_current_uid_gid, bpf_ktime_get_ns,
};
use enforcer_common::event_flag::LET_PAST;
use enforcer_common::workload_flag::{OBSERVED, QUARANTINED, TRIAL};
use enforcer_common::{Address, Hook, KernelEvent, LostSlot, Reason};

use crate::maps::{EVENTS, LOST, WORKLOADS};
use crate::{PASS, REFUSE, workload};

/// As for all other events of a workload: they share what may be told in one second.
const BUDGET: u32 = 64;
const SECOND: u64 = 1_000_000_000;

/// What is about to be refused.
struct Refusal {
    hook: Hook,
    protocol: u32,
    family: u16,
    reason: Reason,
}

/// Reports a refusal of the current task's and returns it. Where its workload is only observed, it is let past instead.
#[inline(never)]
fn refuse(refusal: &Refusal, cgroup: u64) -> i32 {
    let flags = workload::flags(cgroup);
    if flags & TRIAL != 0 {
        return REFUSE;
    }
    if flags & (OBSERVED | QUARANTINED) == OBSERVED {
        tell(refusal, cgroup, LET_PAST);
        return PASS;
    }
    tell(refusal, cgroup, 0);
    REFUSE
}

#[inline(always)]
fn tell(refusal: &Refusal, cgroup: u64, flags: u8) {
    if !within_budget(cgroup) {
        return count(LostSlot::Suppressed);
    }
    let Some(mut slot) = EVENTS.reserve(0) else {
        return count(LostSlot::Full);
    };
    let mut comm = [0_u8; 16];
    // SAFETY: the helpers only read the current task; the buffer is as long as is said with it.
    let (pid, uid) = unsafe {
        bpf_get_current_comm((&raw mut comm).cast(), size_of_val(&comm) as u32);
        (
            (bpf_get_current_pid_tgid() >> 32) as u32,
            bpf_get_current_uid_gid() as u32,
        )
    };
    slot.write(KernelEvent {
        cgroup,
        // No helper of this kind of program tells it.
        netns: 0,
        ip: Address::NONE,
        comm,
        pid,
        uid,
        protocol: refusal.protocol,
        family: refusal.family,
        port: 0,
        hook: refusal.hook as u8,
        reason: refusal.reason as u8,
        flags,
        reserved: [0; 5],
    });
    slot.submit(0);
}

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
