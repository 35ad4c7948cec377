//! What the ledger is told of a value that was found: everything but the value.

use std::fmt;
use std::sync::Arc;

use enforcer_recognize::Confidence;

use crate::{Action, Direction};

/// A value that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it was taken for: `us_ssn`, or the name of a detector of the operator's own.
    pub detector: Arc<str>,
    /// The rule that decided what is done.
    pub rule: Arc<str>,
    /// Which way it went.
    pub direction: Direction,
    /// Where: a JSON path, a header, a query's parameter.
    pub path: Arc<str>,
    /// Where in that text, in bytes.
    pub offset: u64,
    /// How long it was there, in bytes.
    pub length: u64,
    /// What was done.
    pub action: Action,
    /// How sure it is.
    pub confidence: Confidence,
    /// The same for the same value of one tenant.
    pub fingerprint: Fingerprint,
}

/// Enough to see that two findings are of one value, not enough to learn or to test one; shown as `hmac-sha256:16 hex digits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(crate) [u8; 8]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hmac-sha256:{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (detector, path, offset) = (&self.detector, &self.path, self.offset);
        write!(
            f,
            "`{detector}` at `{path}`, byte {offset} of it: {}",
            self.action
        )
    }
}
