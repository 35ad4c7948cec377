//! Agents, and others who are not operators, at the control socket: refused there, and recorded here.

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use enforcer_audit::{Entry, KernelRefused, Ledger, Suppressed};
use enforcer_control::Peer;
use enforcer_flow::{CgroupId, Process};
use enforcer_identity::{Agents, Hierarchy};

/// Lines in one second; the rest are counted only. As many as the kernel's programs send of one workload.
const BUDGET: u32 = 64;
const SECOND: Duration = Duration::from_secs(1);

/// Who writes them down.
pub(crate) struct Intruders {
    agents: Arc<Agents>,
    hierarchy: Hierarchy,
    ledger: Arc<Ledger>,
    budget: Mutex<Budget>,
}

/// How many lines were written in this second, and how many were not since the last one that was.
struct Budget {
    since: Instant,
    spent: u32,
    suppressed: u64,
}

impl Intruders {
    pub(crate) fn new(agents: Arc<Agents>, hierarchy: Hierarchy, ledger: Arc<Ledger>) -> Self {
        Self {
            agents,
            hierarchy,
            ledger,
            budget: Mutex::new(Budget::from(Instant::now())),
        }
    }

    /// Records one. What cannot be found out of a process that is gone already stays out of the line.
    pub(crate) fn record(&self, peer: Peer) {
        let spent = self.lock().spend(Instant::now());
        let Some(before) = spent else { return };
        self.settle(before);
        let place = self.hierarchy.of_process(peer.pid);
        let workload = self.agents.workload_of_process(peer.pid).ok().flatten();
        let comm = fs::read_to_string(format!("/proc/{}/comm", peer.pid)).unwrap_or_default();
        self.ledger.defer(&Entry::KernelRefused(KernelRefused {
            workload: workload.as_deref(),
            cgroup: place.map_or(CgroupId(0), |place| place.id()),
            process: &Process {
                pid: peer.pid,
                uid: peer.uid,
                comm: comm.trim_end().into(),
                ..Process::default()
            },
            hook: "control",
            cause: "not_an_operator",
            protocol: "unix",
            dst: None,
        }));
    }

    fn settle(&self, count: u64) {
        if count > 0 {
            self.ledger.defer(&Entry::Suppressed(Suppressed {
                workload: None,
                event: "kernel_refused",
                count,
            }));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Intruders {
    fn drop(&mut self) {
        let count = self.lock().suppressed;
        self.settle(count);
    }
}

// === impl Budget ===

impl Budget {
    fn from(since: Instant) -> Self {
        Self {
            since,
            spent: 0,
            suppressed: 0,
        }
    }

    /// Spends one line, and says how many were suppressed before it; nothing when none is left in this second.
    fn spend(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.since) >= SECOND {
            self.since = now;
            self.spent = 0;
        }
        if self.spent >= BUDGET {
            self.suppressed += 1;
            return None;
        }
        self.spent += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_a_second_are_bounded_and_none_is_lost_count_of() {
        let began = Instant::now();
        let mut budget = Budget::from(began);
        let written = (0..BUDGET + 7).filter_map(|_| budget.spend(began));
        assert_eq!(written.collect::<Vec<_>>(), vec![0; BUDGET as usize]);
        assert_eq!(budget.spend(began + SECOND / 2), None);
        assert_eq!(budget.spend(began + SECOND), Some(8));
        assert_eq!(budget.spend(began + SECOND), Some(0));
    }
}
