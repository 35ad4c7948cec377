//! The closed list of verbs.

use std::fmt;

/// What an operator may ask of a running enforcer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Label a cgroup and enforce it, or take over its new policy.
    Label {
        /// Its directory, or its path below the cgroup2 mount.
        cgroup: String,
        /// The policy the label names.
        policy: Option<String>,
    },
    /// Look for labels that were put on or went away by other hands.
    Rescan,
    /// Say how things are.
    Status,
    /// Take a cgroup's label off and stop enforcing it.
    Unlabel {
        /// Its directory, or its path below the cgroup2 mount.
        cgroup: String,
    },
}

/// Who asks, as the kernel saw it at `connect(2)` (`SO_PEERCRED`, unix(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Effective user id.
    pub uid: u32,
    /// Process id; zero when it has none in our pid namespace.
    pub pid: u32,
}

// === impl Action ===

impl Action {
    /// Its name in the ledger.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Label { .. } => "label",
            Self::Rescan => "rescan",
            Self::Status => "status",
            Self::Unlabel { .. } => "unlabel",
        }
    }

    /// Whether it changes what is enforced, so that it must be in the ledger.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::Label { .. } | Self::Rescan | Self::Unlabel { .. } => true,
            Self::Status => false,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Label { cgroup, policy } => {
                let policy = policy.as_deref().unwrap_or("*");
                write!(
                    f,
                    "{name} {} {}",
                    cgroup.escape_debug(),
                    policy.escape_debug()
                )
            }
            Self::Rescan | Self::Status => f.write_str(name),
            Self::Unlabel { cgroup } => write!(f, "{name} {}", cgroup.escape_debug()),
        }
    }
}
