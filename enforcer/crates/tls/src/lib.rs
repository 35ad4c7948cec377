//! Our CA and both ends of an intercepted TLS connection.
//!
//! Towards the agent: [`Authority`] holds the CA, [`Leaves`] mints and keeps one certificate per name, [`accept`] shakes hands.
//! Towards the upstream: [`Connector`] verifies the real name against the public roots, always. [`trust`] lays out what an agent
//! must be given to believe us. The CA's private key never leaves [`Authority`]; nothing here decides, dials or records.

#![forbid(unsafe_code)]

mod accept;
mod alert;
mod authority;
mod certificate;
mod connect;
mod constraints;
mod error;
mod file;
mod leaf;
mod leaves;
mod prefixed;
mod provider;
mod roots;
pub mod trust;

pub use accept::{AcceptError, accept};
pub use authority::{Authority, AuthorityConfig, OwnFiles, Previous};
pub use certificate::{CaCertificate, Fingerprint};
pub use connect::{Alpn, ConnectError, Connector};
pub use constraints::{Constraints, Subtree};
pub use error::TlsError;
pub use leaves::Leaves;
pub use prefixed::Prefixed;

/// The names below this are ours: no such name exists elsewhere, and every CA of ours may sign for it.
pub const CHECK_ZONE: &str = "enforcer.internal";
/// Whoever shakes hands with this name shows whether it believes us; nothing lies behind it.
pub const CHECK_NAME: &str = "trust-check.enforcer.internal";

#[cfg(test)]
mod tests;
