//! Which flows of a workload are open, so that they can be ended from outside: when it is relabelled, released, cut off.
//!
//! A flow enters when it is opened and leaves when it is dropped; nothing is done here for requests or bytes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use enforcer_flow::{CgroupId, FlowId};

use crate::Flow;

type Open = HashMap<CgroupId, HashMap<FlowId, Weak<Flow>>>;

/// The open flows, by workload.
#[derive(Default)]
pub(crate) struct Endings {
    open: Mutex<Open>,
}

impl Endings {
    pub(crate) fn enter(&self, flow: &Arc<Flow>) {
        let mut open = self.open();
        let flows = open.entry(flow.workload().cgroup).or_default();
        flows.insert(flow.id(), Arc::downgrade(flow));
    }

    pub(crate) fn leave(&self, flow: &Flow) {
        let mut open = self.open();
        if let Some(flows) = open.get_mut(&flow.workload().cgroup) {
            flows.remove(&flow.id());
            if flows.is_empty() {
                open.remove(&flow.workload().cgroup);
            }
        }
    }

    /// Those of one workload, to be dropped by the caller: the last holder of a flow comes back here by [`Self::leave`].
    pub(crate) fn of(&self, workload: CgroupId) -> Vec<Arc<Flow>> {
        let open = self.open();
        let flows = open.get(&workload).into_iter().flat_map(HashMap::values);
        flows.filter_map(Weak::upgrade).collect()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Each change is made in full or not begun.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
