//! Changes of cgroups: a task changes none but those at or below its label, and so does not leave it.
//!
//! There is no hook for the move itself. But whichever way a task is moved (a write to `cgroup.procs` or `cgroup.threads`, by
//! whatever descriptor, or `CLONE_INTO_CGROUP`), the kernel asks of who does it whether it may write to `cgroup.procs` of the
//! nearest cgroup above both ends, and asks that as it would for opening the file, so `inode_permission` sees it
//! (<https://github.com/torvalds/linux/blob/v6.1/kernel/cgroup/cgroup.c#L5005>). For leaving that cgroup lies above the label.
//!
//! Not seen: who is moved by somebody else, as service managers and container engines do for who may ask them.

use core::ffi::c_void;

use aya_ebpf::programs::LsmContext;
use enforcer_common::{Hook, KernelLayout, MAX_DEPTH, Reason, ipproto};

use super::{Refusal, address, refuse, word};
use crate::maps::LAYOUT;
use crate::{PASS, workload};

/// `MAY_WRITE` of `linux/fs.h`.
const WRITE: i32 = 2;
/// `CGROUP2_SUPER_MAGIC` of `linux/magic.h`.
const MAGIC: u64 = 0x6367_7270;

/// Refuses to write to what is in the file system of cgroups, unless it is the label's own.
#[inline(always)]
pub fn write(ctx: &LsmContext) -> i32 {
    let mask: i32 = ctx.arg(1);
    if mask & WRITE == 0 {
        return PASS;
    }
    let Some(layout) = layout() else {
        return PASS;
    };
    let inode: *const c_void = ctx.arg(0);
    if !is_cgroups(inode, &layout) {
        return PASS;
    }
    let cgroup = workload::labelled().unwrap_or(0);
    if is_at_or_below(inode, &layout, cgroup) {
        return PASS;
    }
    let refusal = Refusal {
        hook: Hook::LsmCgroup,
        protocol: ipproto::CGROUP,
        family: 0,
        reason: Reason::Cgroup,
    };
    refuse(&refusal, cgroup)
}

#[inline(always)]
fn layout() -> Option<KernelLayout> {
    let layout = LAYOUT.get_ptr(0)?;
    // SAFETY: a live element of plain data; it is written once, before this program hangs anywhere.
    let layout = unsafe { layout.read() };
    (layout.known != 0).then_some(layout)
}

#[inline(always)]
fn is_cgroups(inode: *const c_void, layout: &KernelLayout) -> bool {
    let superblock = address(inode, layout.inode_superblock);
    word(superblock, layout.superblock_magic) == Some(MAGIC)
}

/// Whether the file or directory, or one above it, is that cgroup.
#[inline(always)]
fn is_at_or_below(inode: *const c_void, layout: &KernelLayout, cgroup: u64) -> bool {
    let mut node = address(inode, layout.inode_node);
    // A file in a cgroup at the greatest depth has as many directories above it, and then the root.
    for _ in 0..MAX_DEPTH + 2 {
        if node.is_null() {
            return false;
        }
        if word(node, layout.node_id) == Some(cgroup) {
            return true;
        }
        node = address(node, layout.node_parent);
    }
    false
}
