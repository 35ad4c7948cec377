//! What the kernel asks its security modules: kinds of sockets that no program on a cgroup is asked about, and changes of
//! cgroups. Hung on cgroups like all others (`BPF_LSM_CGROUP`, Linux 6.0), and loaded only where they were seen to fire.
//!
//! The kernel takes no program of this kind that is not under the GPL
//! (<https://github.com/torvalds/linux/blob/v6.1/kernel/bpf/bpf_lsm.c#L107>). What is compiled into these is therefore
//! offered under `Apache-2.0 OR GPL-2.0-only`, and the loader says so of them alone; the others stay under the project's own.

pub mod cgroup;
pub mod socket;
pub mod unix;

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use enforcer_common::event_flag::LET_PAST;
use enforcer_common::workload_flag::{OBSERVED, QUARANTINED, TRIAL};
use enforcer_common::{Address, Hook, Reason};

use crate::event::{self, send_for_task};
use crate::{PASS, REFUSE, workload};

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
    let told = event::Refusal {
        // No helper of this kind of program tells it.
        netns: 0,
        hook: refusal.hook,
        protocol: refusal.protocol,
        family: refusal.family,
        ip: Address::NONE,
        port: 0,
    };
    let flags = workload::flags(cgroup);
    if flags & TRIAL != 0 {
        return REFUSE;
    }
    if flags & (OBSERVED | QUARANTINED) == OBSERVED {
        send_for_task(&told, cgroup, refusal.reason, LET_PAST);
        return PASS;
    }
    send_for_task(&told, cgroup, refusal.reason, 0);
    REFUSE
}

/// The address that lies in the kernel's memory there; null where none can be read.
#[inline(always)]
fn address(structure: *const c_void, offset: u32) -> *const c_void {
    word(structure, offset).unwrap_or(0) as *const c_void
}

#[inline(always)]
fn word(structure: *const c_void, offset: u32) -> Option<u64> {
    let mut value = 0_u64;
    // An offset in no structure of the kernel's; also tells the verifier that it is bounded.
    if structure.is_null() || offset > 0xffff {
        return None;
    }
    // SAFETY: the helper reads whatever address it is given, or fails; the value has room for what is asked.
    let failed = unsafe {
        bpf_probe_read_kernel(
            (&raw mut value).cast(),
            size_of::<u64>() as u32,
            structure.wrapping_byte_add(offset as usize),
        )
    };
    (failed == 0).then_some(value)
}
