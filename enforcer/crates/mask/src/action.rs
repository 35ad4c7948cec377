//! What is done with a value that was found.

use std::fmt;

/// What is done with a value that was found; the later of two is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// All but its last four characters become `*`.
    Partial,
    /// A placeholder that stands for this value in this workload, and becomes it again in answers: `[EMAIL_K7F3Q2MX]`.
    Tokenize,
    /// A placeholder that is the same for the same value of one tenant, and tells nothing of it: `[EMAIL#3f9a1c02]`.
    Hash,
    /// A placeholder that says what stood here: `[EMAIL]`.
    Redact,
    /// Nothing goes on before somebody has agreed.
    RequireApproval,
    /// The exchange is refused.
    Block,
    /// The exchange is refused and the workload's connections are ended.
    Terminate,
}

impl Action {
    /// All, least strict first.
    pub const ALL: [Self; 7] = [
        Self::Partial,
        Self::Tokenize,
        Self::Hash,
        Self::Redact,
        Self::RequireApproval,
        Self::Block,
        Self::Terminate,
    ];

    /// As policies and the ledger call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Tokenize => "tokenize",
            Self::Hash => "hash",
            Self::Redact => "redact",
            Self::RequireApproval => "require_approval",
            Self::Block => "block",
            Self::Terminate => "terminate",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Whether it ends the text instead of changing it.
    #[must_use]
    pub const fn stops(self) -> bool {
        match self {
            Self::Partial | Self::Tokenize | Self::Hash | Self::Redact => false,
            Self::RequireApproval | Self::Block | Self::Terminate => true,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
