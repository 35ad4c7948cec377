//! The capabilities that a confined command keeps.
//!
//! A list of what stays, so that what a newer kernel brings goes. Gone, and why it would undo the rest:
//! - `NET_RAW`: packet sockets, which no hook on a cgroup sees.
//! - `NET_ADMIN`: links out of its network namespace, other programs' filters.
//! - `SYS_ADMIN`: mounts, other namespaces, other programs' BPF objects.
//! - `SYS_PTRACE`: acting as a process outside. `CHECKPOINT_RESTORE` reaches into others by other files of /proc.
//! - `BPF`, `PERFMON`: programs that read or change what ours know.
//! - `SYS_MODULE`, `SYS_RAWIO`, `SYS_BOOT`: another kernel, or this one's memory.
//! - `DAC_READ_SEARCH`: files by handle, whatever hides them.
//! - `MAC_ADMIN`, `MAC_OVERRIDE`, `AUDIT_CONTROL`, `AUDIT_READ`, `SYSLOG`: the host's other guards and what they write.
//! - `SYS_TIME`: the clock of the ledger.
//! - `MKNOD`: the host's disks by another name.
//! - `SYS_RESOURCE`, `SYS_PACCT`, `SYS_NICE`, `SYS_TTY_CONFIG`, `WAKE_ALARM`, `BLOCK_SUSPEND`, `IPC_LOCK`, `IPC_OWNER`,
//!   `LEASE`, `LINUX_IMMUTABLE`, `NET_BROADCAST`: not a way out, and nothing that an agent needs.

use std::io;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// What stays: what package managers, shells and servers need to act as several users in their own files.
pub const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::AUDIT_WRITE);

/// The capability of a name, with or without `CAP_`, in letters of any case; `ALL` is all of them.
#[must_use]
pub fn capability(name: &str) -> Option<CapabilitySet> {
    let name = name.to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    if name == "ALL" {
        return Some(CapabilitySet::all());
    }
    CapabilitySet::from_name(name)
}

/// The names of the capabilities in a set, as runtimes of containers write them.
pub fn capability_name(set: CapabilitySet) -> impl Iterator<Item = String> {
    set.iter_names().map(|(name, _)| format!("CAP_{name}"))
}

/// Leaves the calling process, and whatever it executes, with no more than `kept`.
pub(super) fn keep(kept: CapabilitySet) -> io::Result<()> {
    clear_ambient()?;
    for number in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if kept.contains(one) {
            continue;
        }
        match remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            // The first number that this kernel has no capability for.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let held = capabilities(None)?;
    let sets = CapabilitySets {
        effective: held.effective & kept,
        permitted: held.permitted & kept,
        inheritable: held.inheritable & kept,
    };
    Ok(set_capabilities(None, sets)?)
}

/// What would be kept across the execution of programs without capabilities of their own.
fn clear_ambient() -> io::Result<()> {
    match clear_ambient_capability_set() {
        // A kernel without such a set.
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_people_write_them() {
        for name in ["NET_RAW", "net_raw", "CAP_NET_RAW", "cap_net_raw"] {
            assert_eq!(capability(name), Some(CapabilitySet::NET_RAW), "{name}");
        }
        assert_eq!(capability("all"), Some(CapabilitySet::all()));
        assert_eq!(capability("CAP_"), None);
        assert_eq!(capability("NET_ROW"), None);
    }

    #[test]
    fn nothing_that_defeats_the_boundary_is_kept() {
        for name in [
            "NET_RAW",
            "NET_ADMIN",
            "SYS_ADMIN",
            "SYS_PTRACE",
            "BPF",
            "PERFMON",
            "SYS_MODULE",
            "SYS_RAWIO",
            "SYS_BOOT",
            "DAC_READ_SEARCH",
            "CHECKPOINT_RESTORE",
            "MAC_ADMIN",
            "MAC_OVERRIDE",
            "MKNOD",
            "SYS_TIME",
            "AUDIT_CONTROL",
        ] {
            let one = capability(name).expect("a capability");
            assert!(!KEPT.intersects(one), "{name}");
        }
        assert_eq!(capability_name(KEPT).count(), 12);
        assert!(capability_name(KEPT).any(|name| name == "CAP_CHOWN"));
    }
}
