//! How much of a thing may be held at once: in all, and by one workload, so that none can take everybody's share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use enforcer_flow::CgroupId;

/// Counts what is held (flows, upstream connections, bytes of bodies) and refuses what is over the bounds.
#[derive(Debug)]
pub struct Quota {
    max: usize,
    max_per_workload: usize,
    open: Mutex<Open>,
}

/// What was let in; leaving is dropping it.
#[derive(Debug)]
pub struct Held {
    quota: Arc<Quota>,
    workload: CgroupId,
    amount: usize,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_workload: HashMap<CgroupId, Count>,
}

/// Those of one workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Held now.
    pub open: usize,
    /// Let in since the workload is served.
    pub total: u64,
}

// === impl Quota ===

impl Quota {
    /// Bounds for all together and for one workload.
    #[must_use]
    pub fn new(max: usize, max_per_workload: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_workload,
            open: Mutex::default(),
        })
    }

    /// Those of one workload.
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

    /// Held in all.
    #[must_use]
    pub fn all(&self) -> usize {
        self.open().all
    }

    /// Lets one in, unless that would be over a bound.
    #[must_use]
    pub fn admit(self: &Arc<Self>, workload: CgroupId) -> Option<Held> {
        self.admit_many(workload, 1)
    }

    /// Lets so many in together, or none of them.
    #[must_use]
    pub fn admit_many(self: &Arc<Self>, workload: CgroupId, amount: usize) -> Option<Held> {
        self.open().take(self, workload, amount)?;
        Some(Held {
            quota: Arc::clone(self),
            workload,
            amount,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Counting cannot be left half done: each change is made in full or not begun.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Open ===

impl Open {
    fn take(&mut self, bounds: &Quota, workload: CgroupId, amount: usize) -> Option<()> {
        let all = self.all.checked_add(amount)?;
        if all > bounds.max {
            return None;
        }
        let count = self.by_workload.entry(workload).or_default();
        let own = count.open.checked_add(amount)?;
        if own > bounds.max_per_workload {
            return None;
        }
        count.open = own;
        count.total += amount as u64;
        self.all = all;
        Some(())
    }
}

// === impl Held ===

impl Held {
    /// Lets so many more in under the same hold, or none of them.
    #[must_use]
    pub fn grow(&mut self, amount: usize) -> bool {
        let taken = self
            .quota
            .open()
            .take(&self.quota, self.workload, amount)
            .is_some();
        if taken {
            self.amount += amount;
        }
        taken
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.quota.open();
        open.all -= self.amount;
        if let Some(count) = open.by_workload.get_mut(&self.workload) {
            count.open -= self.amount;
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
        let quota = Quota::new(3, 2);
        let one = quota.admit(CgroupId(1)).unwrap();
        let _two = quota.admit(CgroupId(1)).unwrap();
        assert!(quota.admit(CgroupId(1)).is_none());
        let _three = quota.admit(CgroupId(2)).unwrap();
        assert!(quota.admit(CgroupId(2)).is_none());
        drop(one);
        assert_eq!(quota.of(CgroupId(1)), Count { open: 1, total: 2 });
        assert!(quota.admit(CgroupId(1)).is_some());
        assert_eq!((quota.of(CgroupId(1)).total, quota.all()), (3, 2));
    }

    #[test]
    fn what_is_held_may_grow_within_the_bounds() {
        let quota = Quota::new(10, 6);
        let mut held = quota.admit_many(CgroupId(1), 2).unwrap();
        assert!(held.grow(4));
        assert!(!held.grow(1));
        assert!(quota.admit_many(CgroupId(2), 5).is_none());
        assert!(quota.admit_many(CgroupId(2), usize::MAX).is_none());
        assert_eq!(quota.all(), 6);
        drop(held);
        assert_eq!((quota.all(), quota.of(CgroupId(1)).open), (0, 0));
    }

    #[test]
    fn a_workload_that_was_forgotten_leaves_nothing() {
        let quota = Quota::new(3, 2);
        let flow = quota.admit(CgroupId(1)).unwrap();
        quota.forget(CgroupId(1));
        drop(flow);
        assert!(quota.open().by_workload.is_empty());
    }
}
