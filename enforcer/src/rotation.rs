//! The CA that signs, and how another takes its place while everything runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use enforcer_control::{AuthorityView, PreviousView};
use enforcer_tls::{Authority, AuthorityConfig, Leaves};

use crate::trust::Trust;

/// Who uses the CA, and how it is had.
pub(crate) struct Rotation {
    pub config: AuthorityConfig,
    pub leaves: Arc<Leaves>,
    pub trust: Option<Arc<Trust>>,
    /// The last day on which the log was told, counted from 1970.
    pub reminded: AtomicU64,
}

/// How long containers are waited for before the next CA signs. What is late then is served when it can be.
const PATIENCE: Duration = Duration::from_secs(15);
const DAY: u64 = 24 * 3600;

// === impl Rotation ===

impl Rotation {
    /// Puts another CA in the place of the one that signs. It is believed before it signs: what an agent reads anew is
    /// written first.
    ///
    /// # Errors
    /// When there is no other to be had, or it cannot be written where agents read it.
    pub(crate) fn rotate(&self) -> anyhow::Result<AuthorityView> {
        let authority = Arc::new(Authority::rotate(&self.config)?);
        if let Some(trust) = &self.trust {
            trust.believe(Arc::clone(&authority)).context(
                "the next CA is made but cannot be shown to agents; the one before goes on signing",
            )?;
            trust.wait_settled(PATIENCE);
        }
        tracing::info!(ca.fingerprint = %authority.fingerprint(), "another CA signs from now on");
        self.leaves.sign_by(authority);
        Ok(self.view())
    }

    /// Tells the log once a day what an operator should mend.
    pub(crate) fn remind(&self) {
        let today = seconds(SystemTime::now()) / DAY;
        if self.reminded.swap(today, Ordering::Relaxed) == today {
            return;
        }
        if let Some(problem) = self.leaves.authority().problem(SystemTime::now()) {
            tracing::warn!(problem, "the CA needs attention");
        }
    }

    /// As operators see it.
    pub(crate) fn view(&self) -> AuthorityView {
        let authority = self.leaves.authority();
        let now = SystemTime::now();
        let certificate = authority.certificate();
        let previous = authority.previous().iter().filter(|one| one.until() > now);
        AuthorityView {
            fingerprint: authority.fingerprint().to_string(),
            certificate: certificate.path().to_owned(),
            not_after: seconds(certificate.not_after()),
            permitted: certificate
                .constraints()
                .permitted()
                .map(ToString::to_string)
                .collect(),
            previous: previous
                .map(|one| PreviousView {
                    fingerprint: one.certificate().fingerprint().to_string(),
                    until: seconds(one.until()),
                })
                .collect(),
            problem: authority.problem(now),
        }
    }
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
