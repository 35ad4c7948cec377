//! Unix sockets that are connected or sent to, once the kernel knows which one a name led to: those that are allowed are known
//! by the file they are bound to, through whatever link or mount, and a workload's own by the cgroup they were made in.
//!
//! `connect_unix` sees the name alone, and can only let all through or none; where these fire it leaves judging to them.

use core::ffi::c_void;

use aya_ebpf::programs::LsmContext;
use enforcer_common::workload_flag::{TRIAL, UNIX_LISTED};
use enforcer_common::{Hook, MAX_DEPTH, Reason, UnixLayout, UnixSocketKey, ipproto};

use super::{Refusal, address, refuse, word};
use crate::maps::{UNIX_ALLOWED, UNIX_LAYOUT};
use crate::{PASS, workload};

/// `AF_UNIX`.
const FAMILY: u16 = 1;

/// `connect(2)` of a stream: to the socket that listens.
#[inline(always)]
pub fn connect(ctx: &LsmContext) -> i32 {
    let other: *const c_void = ctx.arg(1);
    judge(|_| other)
}

/// A datagram, and `connect(2)` for such: to the socket that is to get it.
#[inline(always)]
pub fn send(ctx: &LsmContext) -> i32 {
    let other: *const c_void = ctx.arg(1);
    judge(|layout| address(other, layout.file_socket))
}

#[inline(always)]
fn judge(other: impl Fn(&UnixLayout) -> *const c_void) -> i32 {
    let cgroup = workload::labelled().unwrap_or(0);
    let flags = workload::flags(cgroup);
    if flags & (UNIX_LISTED | TRIAL) == 0 {
        return PASS;
    }
    if flags & TRIAL == 0
        && let Some(layout) = layout()
    {
        let other = other(&layout);
        if is_own(other, &layout, cgroup) || is_allowed(other, &layout) {
            return PASS;
        }
    }
    let refusal = Refusal {
        hook: Hook::LsmUnix,
        protocol: ipproto::UNIX,
        family: FAMILY,
        reason: Reason::Unix,
    };
    refuse(&refusal, cgroup)
}

#[inline(always)]
fn layout() -> Option<UnixLayout> {
    let layout = UNIX_LAYOUT.get_ptr(0)?;
    // SAFETY: a live element of plain data; it is written once, before these programs hang anywhere.
    let layout = unsafe { layout.read() };
    (layout.known != 0).then_some(layout)
}

/// Whether the socket was made at or below that cgroup.
#[inline(always)]
fn is_own(socket: *const c_void, layout: &UnixLayout, cgroup: u64) -> bool {
    let made_in = address(socket, layout.socket_cgroup);
    let mut node = address(made_in, layout.cgroup_node);
    for _ in 0..MAX_DEPTH {
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

/// Whether it is bound to a file that is on the list. What has no file is on none.
#[inline(always)]
fn is_allowed(socket: *const c_void, layout: &UnixLayout) -> bool {
    let dentry = address(socket, layout.socket_dentry);
    let inode = address(dentry, layout.dentry_inode);
    let superblock = address(inode, layout.inode_superblock);
    let (Some(number), Some(device)) = (
        word(inode, layout.inode_number),
        word(superblock, layout.superblock_device),
    ) else {
        return false;
    };
    let key = UnixSocketKey {
        inode: number,
        // The lower half is the first in memory; what follows it is another field.
        device: device as u32,
        reserved: 0,
    };
    UNIX_ALLOWED.get_ptr(key).is_some()
}
