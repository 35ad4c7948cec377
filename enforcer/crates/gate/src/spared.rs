//! Hosts whose TLS is not opened for an observed workload any more: its program does not believe our certificate, or we do
//! not believe the host's. To open it again would break what observing must not break.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use enforcer_flow::{CgroupId, Host, Workload};

/// Hosts that are remembered of one workload. Beyond that the oldest knowledge is as good as any: all of it is forgotten.
const MAX_HOSTS: usize = 1024;

type Hosts = HashMap<CgroupId, HashSet<Host>>;

/// Whom to spare.
#[derive(Debug, Default)]
pub(crate) struct Spared {
    hosts: Mutex<Hosts>,
}

impl Spared {
    pub(crate) fn holds(&self, workload: &Workload, host: &Host) -> bool {
        if workload.stance != enforcer_flow::Stance::Observe {
            return false;
        }
        let hosts = self.hosts();
        hosts
            .get(&workload.cgroup)
            .is_some_and(|hosts| hosts.contains(host))
    }

    pub(crate) fn add(&self, workload: &Workload, host: &Host) {
        let mut all = self.hosts();
        let hosts = all.entry(workload.cgroup).or_default();
        if hosts.len() >= MAX_HOSTS {
            hosts.clear();
        }
        hosts.insert(host.clone());
    }

    /// Forgets a workload that is served no more.
    pub(crate) fn forget(&self, workload: CgroupId) {
        self.hosts().remove(&workload);
    }

    fn hosts(&self) -> MutexGuard<'_, Hosts> {
        // Each change is made in one step.
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
