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
pub use rustls_pki_types::CertificateDer;

#[cfg(test)]
mod tests;
