//! Why an action was not performed.

use std::fmt;

use enforcer_identity::{CgroupError, LabelError, WorkloadsFull};
use serde::{Deserialize, Serialize};

/// Which kind of no; stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// It contradicts what is there.
    Conflict,
    /// Our own fault, or the system's.
    Fault,
    /// This peer is not answered.
    Forbidden,
    /// It took too long; it may still come about.
    Late,
    /// The request cannot be understood.
    Malformed,
    /// Something that must be there first is not: the ledger cannot be written, a limit is reached.
    Unavailable,
    /// What it speaks of does not exist.
    Unknown,
}

/// A no that says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Which kind of no.
    pub code: Code,
    /// The reason, for people.
    pub message: String,
}

// === impl Problem ===

impl Problem {
    /// A no.
    #[must_use]
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }
}

impl From<CgroupError> for Problem {
    fn from(error: CgroupError) -> Self {
        let code = match error {
            CgroupError::Busy { .. } | CgroupError::Exists { .. } => Code::Conflict,
            CgroupError::Io { .. } | CgroupError::NotMounted | CgroupError::Partial { .. } => {
                Code::Fault
            }
            CgroupError::Missing { .. } | CgroupError::Unseen { .. } => Code::Unknown,
            CgroupError::Name { .. } => Code::Malformed,
        };
        Self::new(code, error)
    }
}

impl From<LabelError> for Problem {
    fn from(error: LabelError) -> Self {
        match error {
            LabelError::Cgroup(error) => error.into(),
            LabelError::Policy { .. } => Self::new(Code::Malformed, error),
            LabelError::ContainsEnforcer { .. }
            | LabelError::Covers { .. }
            | LabelError::Nested { .. }
            | LabelError::Root => Self::new(Code::Conflict, error),
        }
    }
}

impl From<WorkloadsFull> for Problem {
    fn from(error: WorkloadsFull) -> Self {
        Self::new(Code::Unavailable, error)
    }
}
