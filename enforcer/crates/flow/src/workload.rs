//! Who speaks: the workload an operator labelled, and the process inside it.

use std::sync::Arc;

use crate::CgroupId;

/// A labelled cgroup: the unit that policy binds to and the ledger names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// What operators call it; unique among the workloads of one daemon.
    pub name: Arc<str>,
    /// The policy its label names; none means every policy that applies to it by its own `applies_to`.
    pub policy: Option<Arc<str>>,
    /// Its cgroup's id.
    pub cgroup: CgroupId,
    /// Its cgroup's path below the cgroup2 mount, as in `/proc/PID/cgroup`.
    pub path: Arc<str>,
}

/// The process that opened a connection, as the kernel saw it at `connect(2)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Thread group id in the initial pid namespace.
    pub pid: u32,
    /// Effective user id in the initial user namespace.
    pub uid: u32,
    /// The task's name, at most 15 bytes; set by the process itself, so never a basis for a decision.
    pub comm: Arc<str>,
}
