//! The CA, and who believes it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The local certificate authority.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AuthorityView {
    /// The SHA-256 fingerprint of its certificate.
    pub fingerprint: String,
    /// The file with its certificate.
    pub certificate: PathBuf,
    /// When it ends, in seconds since 1970.
    #[serde(default)]
    pub not_after: u64,
    /// What alone it may sign for; empty for everything.
    #[serde(default)]
    pub permitted: Vec<String>,
    /// Those before it that agents still believe.
    #[serde(default)]
    pub previous: Vec<PreviousView>,
    /// What an operator should mend.
    #[serde(default)]
    pub problem: Option<String>,
}

/// A CA that another has taken the place of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreviousView {
    /// The SHA-256 fingerprint of its certificate.
    pub fingerprint: String,
    /// Until when agents believe it, in seconds since 1970.
    pub until: u64,
}

/// How far the programs of a workload believe the CA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustView {
    /// The workload's name.
    pub workload: String,
    /// The stores in its containers that hold the CA.
    pub stores: Vec<PathBuf>,
    /// What could not be done there.
    pub problems: Vec<String>,
    /// Handshakes that its programs broke off because they do not believe the CA.
    pub distrusted: Vec<DistrustedView>,
}

/// Handshakes that were broken off because the CA was not believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistrustedView {
    /// The name that the program asked for.
    pub host: String,
    /// What the program calls itself.
    pub program: String,
    /// How often.
    pub count: u64,
}
