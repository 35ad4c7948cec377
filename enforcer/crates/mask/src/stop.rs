//! Why a text does not go on.

use crate::Finding;

/// Why a text does not go on. Whoever gets this passes nothing more of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// A rule wants somebody's agreement first.
    #[error("approval is required: {0}")]
    Approval(Box<Finding>),
    /// A rule refuses it.
    #[error("blocked: {0}")]
    Block(Box<Finding>),
    /// A rule ends it and what belongs to it.
    #[error("terminated: {0}")]
    Terminate(Box<Finding>),
    /// More than can be held back would have to be, to judge it.
    #[error("`{path}` cannot be judged: more than {limit} bytes of it belong together")]
    TooLong {
        /// Where the text stands.
        path: String,
        /// How much is held back at most.
        limit: usize,
    },
    /// It can be read in more ways than one, or in none.
    #[error("`{path}` cannot be judged: {cause}")]
    Undecidable {
        /// Where the text stands.
        path: String,
        /// What cannot be told.
        cause: &'static str,
    },
}

impl Stop {
    /// What was found, if that is why.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Self::Approval(finding) | Self::Block(finding) | Self::Terminate(finding) => {
                Some(finding)
            }
            Self::TooLong { .. } | Self::Undecidable { .. } => None,
        }
    }
}
