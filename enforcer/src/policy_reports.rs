//! What comes of a policy change, told in the ledger, in the log and in `enforcer status`.

use std::sync::{Arc, Mutex, PoisonError};

use enforcer_audit::{Entry, Ledger, PolicyLoaded, PolicyRejected};
use enforcer_policy::Diagnostic;

use crate::policies::{Loaded, Reload};

/// Why the newest policy files are not in force; none when they are.
pub(crate) type PolicyProblem = Arc<Mutex<Option<String>>>;

/// Records the set that is in force at the start.
pub(crate) fn record_loaded(ledger: &Ledger, loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "a policy has a rule without effect");
    }
    ledger.defer(&Entry::PolicyLoaded(PolicyLoaded {
        digest: &loaded.digest,
        files: loaded.files as u64,
        rules: loaded.rules as u64,
    }));
}

/// Reports every change that comes after.
pub(crate) fn reporter(
    ledger: Arc<Ledger>,
    problem: PolicyProblem,
) -> impl FnMut(Reload) + Send + 'static {
    move |reload| {
        let now = match reload {
            Reload::Loaded(loaded) => {
                tracing::info!(policy.digest = %loaded.digest, policy.rules = loaded.rules, "a policy set came into force");
                record_loaded(&ledger, &loaded);
                None
            }
            Reload::Rejected { diagnostics } => Some(reject(&ledger, &diagnostics)),
        };
        // The text is replaced as a whole, so a panic elsewhere leaves nothing half written.
        *problem.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

/// Records each finding; returns them all as one text.
fn reject(ledger: &Ledger, diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        tracing::error!(%diagnostic, "a policy change is not taken over; the last good set stays in force");
        ledger.defer(&Entry::PolicyRejected(PolicyRejected {
            file: &diagnostic.file,
            line: diagnostic.at.map(|at| u64::from(at.line)),
            column: diagnostic.at.map(|at| u64::from(at.column)),
            message: &diagnostic.message,
        }));
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&diagnostic.to_string());
    }
    text
}
