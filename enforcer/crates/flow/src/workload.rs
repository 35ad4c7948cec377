//! Who speaks: the workload an operator labelled, and the process inside it.

use std::sync::Arc;

use crate::{Attributes, CgroupId};

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
    /// How it is treated.
    pub stance: Stance,
    /// What else is known of it.
    pub attributes: Arc<Attributes>,
}

/// How the enforcer treats a workload. Only operators change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stance {
    /// What no rule allows is refused.
    #[default]
    Enforce,
    /// What would be refused is recorded and let through.
    Observe,
    /// Everything is refused, whatever the rules say.
    Quarantine,
}

// === impl Stance ===

impl Stance {
    /// Its name, in the ledger and for operators.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
            Self::Quarantine => "quarantine",
        }
    }
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
    /// When it was started, in clock ticks since boot: with `pid` its name, for process ids are used again. This and what
    /// follows is read from `/proc` at accept, and absent where the process had ended or become another one by then.
    pub started: Option<u64>,
    /// The file it executes, as a path in its own mount namespace.
    pub exe: Option<Arc<str>>,
    /// A keyed hash of its arguments: the same for the same ones, and nothing to find them out by.
    pub argv: Option<Arc<str>>,
}
