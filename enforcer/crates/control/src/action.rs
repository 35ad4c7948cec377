//! The closed list of verbs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Newcomer;

/// What an operator may ask of a running enforcer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Enforce a container that is about to start.
    Admit(Newcomer),
    /// Say which policy decides for a container that is about to be made.
    Choose {
        /// What its engine calls it.
        id: String,
    },
    /// Label a cgroup and enforce it, or take over its new policy.
    Label {
        /// Its directory, or its path below the cgroup2 mount.
        cgroup: String,
        /// The policy the label names.
        policy: Option<String>,
        /// Whether it is only observed: everything is recorded, nothing refused.
        observe: bool,
        /// For whom it works, as the operator says; and the groups of that one.
        principal: Option<String>,
        /// Without a principal there are none.
        groups: Vec<String>,
    },
    /// Lift a quarantine.
    Lift {
        /// The one that was ordered.
        target: Target,
    },
    /// End every flow of some workloads and refuse new ones, until that is lifted.
    Quarantine {
        /// Which.
        target: Target,
    },
    /// Look for labels that were put on or went away by other hands.
    Rescan,
    /// Put another CA in the place of the one that signs.
    RotateCa,
    /// Say how things are.
    Status,
    /// Take a cgroup's label off and stop enforcing it.
    Unlabel {
        /// Its directory, or its path below the cgroup2 mount.
        cgroup: String,
    },
}

/// Whom a quarantine is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Every workload, also those to come.
    All,
    /// Every workload whose label names this policy, also those to come.
    Policy(String),
    /// One workload: its name, or its cgroup's directory or path below the cgroup2 mount.
    Workload(String),
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
            Self::Admit(_) => "admit",
            Self::Choose { .. } => "choose",
            Self::Label { .. } => "label",
            Self::Lift { .. } => "lift",
            Self::Quarantine { .. } => "quarantine",
            Self::Rescan => "rescan",
            Self::RotateCa => "ca_rotate",
            Self::Status => "status",
            Self::Unlabel { .. } => "unlabel",
        }
    }

    /// Whether it changes what is enforced, so that it must be in the ledger.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::Admit(_)
            | Self::Label { .. }
            | Self::Lift { .. }
            | Self::Quarantine { .. }
            | Self::Rescan
            | Self::RotateCa
            | Self::Unlabel { .. } => true,
            Self::Choose { .. } | Self::Status => false,
        }
    }

    /// Whether it can only take away. Such a change is made even where the ledger takes no line: an agent that fills the
    /// disk must not be able to keep its own quarantine from coming.
    #[must_use]
    pub fn only_narrows(&self) -> bool {
        match self {
            Self::Quarantine { .. } => true,
            Self::Admit(_)
            | Self::Choose { .. }
            | Self::Label { .. }
            | Self::Lift { .. }
            | Self::Rescan
            | Self::RotateCa
            | Self::Status
            | Self::Unlabel { .. } => false,
        }
    }
}

// === impl Target ===

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all workloads"),
            Self::Policy(name) => write!(f, "policy {}", name.escape_debug()),
            Self::Workload(name) => write!(f, "workload {}", name.escape_debug()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Admit(newcomer) => {
                let policy = newcomer.policy.as_deref().unwrap_or("*");
                let (id, policy) = (newcomer.id.escape_debug(), policy.escape_debug());
                write!(f, "{name} {id} {policy} {}", newcomer.via)
            }
            Self::Choose { id } => write!(f, "{name} {}", id.escape_debug()),
            Self::Label {
                cgroup,
                policy,
                observe,
                principal,
                groups,
            } => {
                let policy = policy.as_deref().unwrap_or("*");
                let observed = if *observe { " observed" } else { "" };
                let cgroup = cgroup.escape_debug();
                write!(f, "{name} {cgroup} {}{observed}", policy.escape_debug())?;
                if let Some(principal) = principal {
                    write!(f, " for {}", principal.escape_debug())?;
                }
                if !groups.is_empty() {
                    write!(f, " of {}", groups.join(", ").escape_debug())?;
                }
                Ok(())
            }
            Self::Lift { target } | Self::Quarantine { target } => write!(f, "{name} {target}"),
            Self::Rescan | Self::RotateCa | Self::Status => f.write_str(name),
            Self::Unlabel { cgroup } => write!(f, "{name} {}", cgroup.escape_debug()),
        }
    }
}
