//! Which labelled cgroup the current task belongs to, and how many connections it has.

use core::arch::asm;

use aya_ebpf::bindings::__sk_buff;
use aya_ebpf::helpers::generated::{
    bpf_get_current_ancestor_cgroup_id, bpf_get_current_cgroup_id, bpf_skb_ancestor_cgroup_id,
};
use enforcer_common::workload_flag::QUARANTINED;
use enforcer_common::{MAX_CONNECTIONS, MAX_DEPTH, WorkloadEntry};

use crate::maps::WORKLOADS;

/// Counts a connection that was filed.
#[inline(always)]
pub fn opened(cgroup: u64) {
    if let Some(count) = connections(cgroup) {
        // SAFETY: a pointer into a live entry.
        unsafe { add(count, 1) };
    }
}

/// Counts a connection that was closed. Where a label was removed and set again meanwhile, it was never counted.
#[inline(always)]
pub fn closed(cgroup: u64) {
    if let Some(count) = connections(cgroup)
        // SAFETY: as above.
        && unsafe { count.read_volatile() } > 0
    {
        // SAFETY: as above. Adding the complement of one takes one away.
        unsafe { add(count, u64::MAX) };
    }
}

/// Bits of the workload's flags; none when it is not labelled any more.
#[inline(always)]
pub fn flags(cgroup: u64) -> u32 {
    WORKLOADS.get_ptr(cgroup).map_or(0, |entry| {
        // SAFETY: a field of a live entry, read at once.
        unsafe { (&raw const (*entry).flags).read_volatile() }
    })
}

/// Whether nothing of the workload may go anywhere.
#[inline(always)]
pub fn is_quarantined(cgroup: u64) -> bool {
    flags(cgroup) & QUARANTINED != 0
}

#[inline(always)]
fn connections(cgroup: u64) -> Option<*mut u64> {
    let entry = WORKLOADS.get_ptr_mut(cgroup)?;
    // SAFETY: a pointer to a field of a live entry.
    Some(unsafe { &raw mut (*entry).connections })
}

/// Adds in one step. The compiler offers no such operation for this target, though every kernel with these programs does.
///
/// # Safety
/// `number` must point into a live element of a map.
#[inline(always)]
pub unsafe fn add(number: *mut u64, by: u64) {
    // SAFETY: the caller vouches for the pointer; the instruction touches nothing else.
    unsafe {
        asm!(
            "lock *(u64 *)({number} + 0) += {by}",
            number = in(reg) number,
            by = in(reg) by,
        );
    }
}

/// The nearest labelled cgroup at or above that of the socket that sends a packet; for sockets nothing else is known of.
#[inline(always)]
pub fn labelled_sender(packet: *mut __sk_buff) -> Option<u64> {
    let mut found = None;
    for level in 1..MAX_DEPTH {
        // SAFETY: the helper takes the context of this program type; a level below the socket's cgroup gives 0.
        let id = unsafe { bpf_skb_ancestor_cgroup_id(packet, level as i32) };
        if id == 0 {
            break;
        }
        if WORKLOADS.get_ptr(id).is_some() {
            found = Some(id);
        }
    }
    found
}

/// The nearest labelled cgroup at or above the current task's own.
#[inline(always)]
pub fn labelled() -> Option<u64> {
    current().map(|workload| workload.cgroup)
}

/// A labelled cgroup with what is kept of it, so that it need not be looked up for each question.
#[derive(Clone, Copy)]
pub struct Workload {
    /// Its id.
    pub cgroup: u64,
    entry: *mut WorkloadEntry,
}

impl Workload {
    /// Whether nothing of it may go anywhere.
    #[inline(always)]
    pub fn is_quarantined(self) -> bool {
        // SAFETY: a field of an entry that is valid until the program ends, read at once.
        unsafe { (&raw const (*self.entry).flags).read_volatile() & QUARANTINED != 0 }
    }

    /// Whether it may open another connection.
    #[inline(always)]
    pub fn has_room(self) -> bool {
        // SAFETY: as above; another processor may change it meanwhile, hence volatile.
        unsafe { (&raw const (*self.entry).connections).read_volatile() < MAX_CONNECTIONS }
    }
}

/// The nearest labelled cgroup at or above the current task's own, with what is kept of it.
#[inline(always)]
pub fn current() -> Option<Workload> {
    // SAFETY: these helpers only read the current task.
    let own = unsafe { bpf_get_current_cgroup_id() };
    if let Some(entry) = WORKLOADS.get_ptr_mut(own) {
        return Some(Workload { cgroup: own, entry });
    }
    let mut found = None;
    // Level 0 is the root, which is never labelled.
    for level in 1..MAX_DEPTH {
        // SAFETY: as above; a level below the task's own cgroup gives 0.
        let id = unsafe { bpf_get_current_ancestor_cgroup_id(level as i32) };
        if id == 0 {
            break;
        }
        if let Some(entry) = WORKLOADS.get_ptr_mut(id) {
            found = Some(Workload { cgroup: id, entry });
        }
    }
    found
}
