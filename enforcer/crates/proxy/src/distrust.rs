//! Whose programs do not believe our CA: what operators must know to mend it, or to let such programs pass unopened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use enforcer_flow::{CgroupId, Host};

/// Pairs of name and program that are kept of one workload. Agents choose both.
const MAX_OF_ONE: usize = 32;
/// Workloads that are kept count of.
const MAX_WORKLOADS: usize = 4096;

/// Handshakes that agents broke off because they did not believe the certificate; by workload, name and program.
#[derive(Debug, Default)]
pub struct Distrust {
    seen: Mutex<HashMap<CgroupId, Vec<Distrusted>>>,
}

/// One program that did not believe us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distrusted {
    /// What it asked for.
    pub host: Host,
    /// What it calls itself.
    pub program: Arc<str>,
    /// How often.
    pub count: u64,
}

impl Distrust {
    /// Counts one.
    pub(crate) fn note(&self, workload: CgroupId, host: &Host, program: &Arc<str>) {
        let mut seen = self.lock();
        if !seen.contains_key(&workload) && seen.len() >= MAX_WORKLOADS {
            return;
        }
        let of_one = seen.entry(workload).or_default();
        let known = of_one
            .iter_mut()
            .find(|one| one.host == *host && one.program == *program);
        if let Some(known) = known {
            known.count += 1;
        } else if of_one.len() < MAX_OF_ONE {
            of_one.push(Distrusted {
                host: host.clone(),
                program: Arc::clone(program),
                count: 1,
            });
        }
    }

    /// What is known of a workload, the most frequent first.
    #[must_use]
    pub fn of(&self, workload: CgroupId) -> Vec<Distrusted> {
        let mut found = self.lock().get(&workload).cloned().unwrap_or_default();
        found.sort_by_key(|one| std::cmp::Reverse(one.count));
        found
    }

    /// Forgets a workload.
    pub fn forget(&self, workload: CgroupId) {
        self.lock().remove(&workload);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CgroupId, Vec<Distrusted>>> {
        // Counts only; a panic leaves at worst one too few.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
