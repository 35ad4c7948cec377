//! Which labelled cgroup the current task belongs to.

use aya_ebpf::helpers::generated::{bpf_get_current_ancestor_cgroup_id, bpf_get_current_cgroup_id};
use enforcer_common::MAX_DEPTH;

use crate::maps::WORKLOADS;

/// The nearest labelled cgroup at or above the current task's own.
#[inline(always)]
pub fn labelled() -> Option<u64> {
    // SAFETY: these helpers only read the current task.
    let own = unsafe { bpf_get_current_cgroup_id() };
    if WORKLOADS.get_ptr(own).is_some() {
        return Some(own);
    }
    let mut found = None;
    // Level 0 is the root, which is never labelled.
    for level in 1..MAX_DEPTH {
        // SAFETY: as above; a level below the task's own cgroup gives 0.
        let id = unsafe { bpf_get_current_ancestor_cgroup_id(level as i32) };
        if id == 0 {
            break;
        }
        if WORKLOADS.get_ptr(id).is_some() {
            found = Some(id);
        }
    }
    found
}
