//! What is spoken, and whose end of it went wrong.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an exchange speaks, as far as we opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// A name lookup.
    Dns,
    /// HTTP in the clear.
    Http,
    /// HTTP inside TLS that we opened.
    Https,
    /// Bytes that nobody here understands.
    Tcp,
    /// TLS forwarded unopened; only the name in its `ClientHello` is known.
    Tls,
}

/// Whose end a fault lies at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The agent.
    Agent,
    /// The enforcer itself.
    Own,
    /// The far server.
    Upstream,
}

// === impl Protocol ===

impl Protocol {
    /// The word used in policies, the ledger and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Side ===

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::Own => "own",
            Self::Upstream => "upstream",
        })
    }
}
