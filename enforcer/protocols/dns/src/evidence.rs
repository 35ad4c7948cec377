//! What the ledger learns of lookups, and how little an agent can make it say.
//!
//! A grant is written once per workload, name, type and address in a minute, since a repeat says nothing new. A refusal is
//! written once per workload, name, type and cause in a minute; its repeats are counted. What is left after that is
//! bounded per workload by a token bucket, and what the bucket holds back is counted too. Counts are exact and follow as
//! `suppressed` entries within [`SETTLE`], at the latest when the workload is forgotten or the enforcer stops.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use enforcer_audit::{Entry, Ledger, NameFacts, Receipt, Suppressed};
use enforcer_flow::{CgroupId, Workload};
use tokio::sync::Notify;

use crate::{Asker, Finding, Outcome};

mod tally;

use tally::{Event, Tally};

/// How long counts of what was left out may wait for their entry.
const SETTLE: Duration = Duration::from_secs(10);

/// The way of lookups into the ledger.
pub(crate) struct Evidence {
    ledger: Arc<Ledger>,
    accounts: Mutex<HashMap<Option<CgroupId>, Account>>,
    random: RandomState,
    left_out: Notify,
}

/// What was written lately of one workload's lookups, and what was not. Those of nobody known share one.
struct Account {
    workload: Option<Arc<Workload>>,
    tally: Tally,
}

/// A count that is due.
struct Due {
    workload: Option<Arc<Workload>>,
    event: Event,
    count: u64,
}

// === impl Evidence ===

impl Evidence {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self {
            ledger,
            accounts: Mutex::default(),
            random: RandomState::new(),
            left_out: Notify::new(),
        }
    }

    /// Takes note of a lookup.
    pub(crate) fn record(&self, asker: Option<&Asker>, finding: &Finding, now: Instant) {
        let event = match finding.outcome {
            Outcome::Answered(_) => Event::Answered,
            Outcome::Refused(_) => Event::Refused,
        };
        let mark = self.mark(finding);
        let mut accounts = self.accounts();
        let account = accounts
            .entry(asker.map(|asker| asker.workload.cgroup))
            .or_insert_with(|| Account::new(now));
        account.workload = asker.map(|asker| Arc::clone(&asker.workload));
        let due = account.due_since(SETTLE, now);
        let write = account.tally.enter(event, mark, now);
        let waits = account.tally.waits();
        drop(accounts);
        self.settle_all(due);
        if waits {
            self.left_out.notify_one();
        }
        if write {
            self.write(asker, finding);
        }
    }

    /// Writes that a lookup would have been refused and is asked for real. None: it was not written, and must not be.
    pub(crate) fn observe(&self, asker: &Asker, finding: &Finding, cause: &str) -> Option<Receipt> {
        let facts = NameFacts {
            workload: Some(&asker.workload),
            process: Some(&asker.process),
            name: &finding.name,
            record: &finding.record,
        };
        let entry = Entry::NameObserved {
            facts: &facts,
            cause,
        };
        self.ledger.append(&entry).ok()
    }

    /// Writes the counts of what was left out, each [`SETTLE`] after it began. Never ends.
    pub(crate) async fn settle(&self) {
        loop {
            self.left_out.notified().await;
            tokio::time::sleep(SETTLE).await;
            self.settle_now();
        }
    }

    /// Writes what is left to write of a workload and forgets it.
    pub(crate) fn forget(&self, workload: CgroupId) {
        let account = self.accounts().remove(&Some(workload));
        if let Some(mut account) = account {
            self.settle_all(account.due());
        }
    }

    fn settle_now(&self) {
        let due: Vec<_> = self
            .accounts()
            .values_mut()
            .flat_map(Account::due)
            .collect();
        self.settle_all(due);
    }

    fn settle_all(&self, due: impl IntoIterator<Item = Due>) {
        for Due {
            workload,
            event,
            count,
        } in due
        {
            self.ledger.defer(&Entry::Suppressed(Suppressed {
                workload: workload.as_deref(),
                event: event.name(),
                count,
            }));
        }
    }

    fn write(&self, asker: Option<&Asker>, finding: &Finding) {
        let facts = NameFacts {
            workload: asker.map(|asker| &*asker.workload),
            process: asker.map(|asker| &asker.process),
            name: &finding.name,
            record: &finding.record,
        };
        self.ledger.defer(&match finding.outcome {
            Outcome::Answered(address) => Entry::NameAnswered {
                facts: &facts,
                address,
            },
            Outcome::Refused(cause) => Entry::NameRefused {
                facts: &facts,
                cause: cause.code(),
            },
        });
    }

    /// What makes a finding the same as another. A keyed 64-bit hash: an agent can neither foresee nor search for two
    /// findings that it takes for one, and among the few thousand that are remembered none meet by chance.
    fn mark(&self, finding: &Finding) -> u64 {
        let Finding {
            name,
            record,
            outcome,
        } = finding;
        let outcome = match outcome {
            Outcome::Answered(address) => Ok(*address),
            Outcome::Refused(cause) => Err(cause.code()),
        };
        self.random.hash_one((name, record, outcome))
    }

    /// Accounts are whole between statements, so a holder that panicked has left nothing half done.
    fn accounts(&self) -> MutexGuard<'_, HashMap<Option<CgroupId>, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Evidence {
    fn drop(&mut self) {
        self.settle_now();
    }
}

// === impl Account ===

impl Account {
    fn new(now: Instant) -> Self {
        Self {
            workload: None,
            tally: Tally::new(now),
        }
    }

    /// The counts, if they have waited for this long.
    fn due_since(&mut self, patience: Duration, now: Instant) -> Vec<Due> {
        if self.tally.waited(now) < patience {
            return Vec::new();
        }
        self.due()
    }

    /// The counts, which are taken away.
    fn due(&mut self) -> Vec<Due> {
        let counts = self.tally.take();
        counts
            .into_iter()
            .map(|(event, count)| Due {
                workload: self.workload.clone(),
                event,
                count,
            })
            .collect()
    }
}
