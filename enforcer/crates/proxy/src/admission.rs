//! How many flows may be open: in all, and for one workload.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use enforcer_flow::CgroupId;

/// Counts open flows and refuses those over the bounds.
#[derive(Debug)]
pub struct Admission {
    max: usize,
    max_per_workload: usize,
    open: Mutex<Open>,
}

/// A flow that was let in; leaving is dropping it.
#[derive(Debug)]
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    workload: CgroupId,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_workload: HashMap<CgroupId, Count>,
}

/// Flows of one workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Open now.
    pub open: usize,
    /// Since it is served.
    pub total: u64,
}

// === impl Admission ===

impl Admission {
    /// Bounds for all flows and for one workload's.
    #[must_use]
    pub fn new(max: usize, max_per_workload: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_workload,
            open: Mutex::default(),
        })
    }

    /// Flows of one workload.
    #[must_use]
    pub fn of(&self, workload: CgroupId) -> Count {
        let open = self.open();
        open.by_workload.get(&workload).copied().unwrap_or_default()
    }

    /// Forgets a workload that is served no more.
    pub fn forget(&self, workload: CgroupId) {
        let mut open = self.open();
        if let Some(count) = open.by_workload.get_mut(&workload) {
            count.total = 0;
            if count.open == 0 {
                open.by_workload.remove(&workload);
            }
        }
    }

    /// Open flows in all.
    #[must_use]
    pub fn all(&self) -> usize {
        self.open().all
    }

    pub(crate) fn admit(self: &Arc<Self>, workload: CgroupId) -> Option<Admitted> {
        let mut open = self.open();
        if open.all >= self.max {
            return None;
        }
        let count = open.by_workload.entry(workload).or_default();
        if count.open >= self.max_per_workload {
            return None;
        }
        count.open += 1;
        count.total += 1;
        open.all += 1;
        Some(Admitted {
            admission: Arc::clone(self),
            workload,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Counting cannot be left half done: each change is made in full or not begun.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut open = self.admission.open();
        open.all -= 1;
        if let Some(count) = open.by_workload.get_mut(&self.workload) {
            count.open -= 1;
            // Forgotten while its last flows ran.
            if *count == Count::default() {
                open.by_workload.remove(&self.workload);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_bounded_in_all_and_by_workload() {
        let admission = Admission::new(3, 2);
        let one = admission.admit(CgroupId(1)).unwrap();
        let _two = admission.admit(CgroupId(1)).unwrap();
        assert!(admission.admit(CgroupId(1)).is_none());
        let _three = admission.admit(CgroupId(2)).unwrap();
        assert!(admission.admit(CgroupId(2)).is_none());
        drop(one);
        assert_eq!(admission.of(CgroupId(1)), Count { open: 1, total: 2 });
        assert!(admission.admit(CgroupId(1)).is_some());
        assert_eq!((admission.of(CgroupId(1)).total, admission.all()), (3, 2));
    }

    #[test]
    fn a_workload_that_was_forgotten_leaves_nothing() {
        let admission = Admission::new(3, 2);
        let flow = admission.admit(CgroupId(1)).unwrap();
        admission.forget(CgroupId(1));
        drop(flow);
        assert!(admission.open().by_workload.is_empty());
    }
}
